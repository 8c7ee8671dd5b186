"""What moved the account's cash without a trade, as Alpaca's account activities tell it."""

from collections.abc import Iterable

from agent.adapters.alpaca.answers import Answer
from agent.book.account_cash import AccountEntryKind
from agent.ports import CashActivity

_FEES = ("FEE", "CFEE", "PTC")
_TRANSFERS = ("CSD", "CSW", "JNLC", "ACATC")
_DIVIDENDS = (
    "DIV",
    "DIVCGL",
    "DIVCGS",
    "DIVFEE",
    "DIVFT",
    "DIVNRA",
    "DIVROC",
    "DIVTW",
    "DIVTXEX",
)
_INTEREST = ("INT", "INTNRA", "INTTW")
_OTHERS = ("MISC", "REORG")
KINDS = {
    **dict.fromkeys(_FEES, AccountEntryKind.FEE),
    **dict.fromkeys(_TRANSFERS, AccountEntryKind.TRANSFER),
    **dict.fromkeys(_DIVIDENDS, AccountEntryKind.DIVIDEND),
    **dict.fromkeys(_INTEREST, AccountEntryKind.INTEREST),
    **dict.fromkeys(_OTHERS, AccountEntryKind.OTHER),
}
ACTIVITY_TYPES = ",".join(KINDS)


def parse_cash_activities(rows: Iterable[Answer]) -> tuple[CashActivity, ...]:
    """Read activity rows, oldest first; what was canceled never happened.

    Raises BrokerMisunderstood where a row does not say how much.
    """
    found = [
        CashActivity(
            activity_id=row.text("id"),
            kind=KINDS[row.text("activity_type")],
            session=row.day("date"),
            amount=row.number("net_amount"),
        )
        for row in rows
        if row.optional_text("status") != "canceled" and row.text("activity_type") in KINDS
    ]
    return tuple(sorted(found, key=lambda each: (each.session, each.activity_id)))
