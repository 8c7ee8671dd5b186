"""What the account's cash did beside trades, and whether book and broker agree about its cash.

A trade carries the fees that are attributed to its fills. The account is charged once a day,
rounded up, and so it has entries of its own; deposits, dividends and interest are known flows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from agent.book.record import Record
from agent.book.records import JournalEvent, Trade
from agent.book.states import ACTIVE_STATUSES

ZERO = Decimal(0)
POSTED_AFTER = timedelta(days=4)
"""How long after a fill its fees may not be posted yet: a long weekend."""
ROUNDING = Decimal("0.25")
"""Dollars: each fee type is rounded up to the cent once a day."""


class AccountEntryKind(StrEnum):
    FEE = "fee"
    TRANSFER = "transfer"
    """Deposits, withdrawals, and journals between accounts."""
    DIVIDEND = "dividend"
    INTEREST = "interest"
    OTHER = "other"
    FOREIGN_TRADE = "foreign_trade"
    """What somebody else traded in the account."""


class AccountEntry(Record):
    """Keep what moved the account's cash and is no trade of ours; each is booked once, by its id.

    `amount` is dollars, signed: positive was received.
    """

    entry_id: str
    kind: AccountEntryKind
    session: date
    amount: Decimal
    booked_at: datetime


class CashBaseline(Record):
    """Keep how things stood when the comparison of cash began, in dollars."""

    at: datetime
    cash: Decimal
    """At the broker."""
    book_cash: Decimal
    """What all trades of the book had moved by then, fees left out."""
    fees_attributed: Decimal
    fees_pending: Decimal
    """Which may have been in cash by then, or not, without an entry that said so."""


@dataclass(frozen=True)
class CashComparison:
    """Hold the terms since a baseline, in dollars; `difference` is what nothing explains."""

    since: date
    cash_change: Decimal
    traded: Decimal
    fees_charged: Decimal
    fees_attributed: Decimal
    transfers: Decimal
    income: Decimal
    """Dividends, interest and whatever else the broker names."""
    foreign: Decimal
    difference: Decimal
    pending_max: Decimal
    """How far fees that are on their way may explain a difference."""

    @property
    def agrees(self) -> bool:
        return abs(self.difference) <= self.pending_max

    def sentence(self) -> str:
        """Say the terms in one sentence."""
        return (
            f"Since {self.since} cash changed by {self.cash_change:.2f} USD: trades"
            f" {self.traded:+.2f}, fees {-self.fees_charged:+.2f}, transfers {self.transfers:+.2f},"
            f" dividends and interest {self.income:+.2f}, others' trades {self.foreign:+.2f};"
            f" unexplained {self.difference:+.2f}, of which fees on their way may be"
            f" {self.pending_max:.2f}."
        )

    def fees_sentence(self) -> str:
        """Say what the trades count as fees, and what the account was charged."""
        return (
            f"Fees since {self.since}: {self.fees_charged:.2f} USD charged to the account,"
            f" {self.fees_attributed:.2f} attributed to trades,"
            f" {self.fees_charged - self.fees_attributed:+.2f} beyond them."
        )


def begin_comparison(
    trades: Sequence[Trade], cash: Decimal, accrued_fees: Decimal, at: datetime
) -> CashBaseline:
    """Take what stands now as what later comparisons count from."""
    return CashBaseline(
        at=at,
        cash=cash,
        book_cash=book_cash(trades),
        fees_attributed=_fees(trades),
        fees_pending=fees_pending(trades, accrued_fees, at),
    )


def compare_cash(
    trades: Sequence[Trade],
    entries: Iterable[AccountEntry],
    baseline: CashBaseline,
    *,
    cash: Decimal,
    accrued_fees: Decimal,
    at: datetime,
) -> CashComparison:
    """Hold the broker's change of cash against what the book knows to have changed it."""
    since = [entry for entry in entries if entry.booked_at > baseline.at]
    sums = {
        kind: sum((entry.amount for entry in since if entry.kind is kind), ZERO)
        for kind in AccountEntryKind
    }
    change = cash - baseline.cash
    traded = book_cash(trades) - baseline.book_cash
    return CashComparison(
        since=baseline.at.date(),
        cash_change=change,
        traded=traded,
        fees_charged=-sums[AccountEntryKind.FEE],
        fees_attributed=_fees(trades) - baseline.fees_attributed,
        transfers=sums[AccountEntryKind.TRANSFER],
        income=sums[AccountEntryKind.DIVIDEND]
        + sums[AccountEntryKind.INTEREST]
        + sums[AccountEntryKind.OTHER],
        foreign=sums[AccountEntryKind.FOREIGN_TRADE],
        difference=change - traded - sum(sums.values(), ZERO),
        pending_max=baseline.fees_pending + fees_pending(trades, accrued_fees, at),
    )


def book_cash(trades: Iterable[Trade]) -> Decimal:
    """Add up what trades moved in dollars, fees left out, of open ones too."""
    return sum((trade.execution.entry_cash + trade.execution.exit_cash for trade in trades), ZERO)


def fees_pending(trades: Iterable[Trade], accrued: Decimal, at: datetime) -> Decimal:
    """Bound the fees that may not be posted yet, in dollars.

    What the broker says is accrued, all fees of trades that are not over or were lately, and the
    rounding.
    """
    recent = (
        trade
        for trade in trades
        if trade.status in ACTIVE_STATUSES
        or (trade.timestamp_exit is not None and at - trade.timestamp_exit < POSTED_AFTER)
    )
    return accrued + _fees(recent) + ROUNDING


def journal_of(entry: AccountEntry) -> JournalEvent:
    """Give what the journal keeps of an entry."""
    return JournalEvent(
        event_id=f"account-{entry.entry_id}",
        at=entry.booked_at,
        kind=f"account_{entry.kind}",
        trade_id=None,
        details={"amount": str(entry.amount), "session": entry.session.isoformat()},
    )


def _fees(trades: Iterable[Trade]) -> Decimal:
    return sum((trade.execution.fees for trade in trades), ZERO)
