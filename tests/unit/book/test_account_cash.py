"""What the account's cash did, held against what the book knows of it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from agent.book.account_cash import (
    AccountEntry,
    AccountEntryKind,
    CashComparison,
    begin_comparison,
    book_cash,
    compare_cash,
    fees_pending,
    journal_of,
)
from agent.book.records import Trade
from agent.book.states import TradeStatus
from tests.builders import AS_OF, SESSION, a_trade, an_execution

LATER = AS_OF + timedelta(days=1)
CASH = Decimal(100_000)


def an_entry(kind: AccountEntryKind, amount: str, **changes: Any) -> AccountEntry:
    return AccountEntry(
        **{
            "entry_id": f"{kind}-1",
            "kind": kind,
            "session": SESSION,
            "amount": Decimal(amount),
            "booked_at": LATER,
        }
        | changes
    )


def compared(
    cash: str, *entries: AccountEntry, trades: tuple[Trade, ...] = (), accrued: str = "0"
) -> CashComparison:
    baseline = begin_comparison([], CASH, Decimal(0), AS_OF)
    return compare_cash(
        trades, entries, baseline, cash=Decimal(cash), accrued_fees=Decimal(accrued), at=LATER
    )


def test_cash_that_nobody_moved_agrees() -> None:
    found = compared("100000")
    assert (found.difference, found.agrees) == (Decimal(0), True)


def test_an_open_trade_explains_its_entry_and_a_closed_one_both_ends() -> None:
    held, closed = a_trade(), a_trade(TradeStatus.CLOSED, trade_id="closed")
    moved = book_cash([held, closed])
    assert moved == held.execution.entry_cash + closed.execution.entry_cash - 120
    assert compared(str(CASH + moved), trades=(held, closed)).difference == 0


@pytest.mark.parametrize("kind", AccountEntryKind)
def test_every_kind_of_entry_explains_what_it_moved(kind: AccountEntryKind) -> None:
    found = compared("99950", an_entry(kind, "-50"))
    assert found.difference == 0
    assert f"{Decimal(-50):+.2f}" in found.sentence()


def test_what_was_booked_before_the_comparison_began_is_in_its_cash_already() -> None:
    before = an_entry(AccountEntryKind.TRANSFER, "500", booked_at=AS_OF)
    assert compared("100000", before).difference == 0


def test_cash_that_nothing_explains_is_a_difference_told_with_its_terms() -> None:
    found = compared("100123.45", an_entry(AccountEntryKind.FEE, "-0.12"))
    assert (found.difference, found.agrees) == (Decimal("123.57"), False)
    assert found.sentence() == (
        "Since 2026-06-09 cash changed by 123.45 USD: trades +0.00, fees -0.12, transfers +0.00,"
        " dividends and interest +0.00, others' trades +0.00; unexplained +123.57, of which fees"
        " on their way may be 0.50."
    )


def test_fees_that_are_accrued_or_of_trades_of_late_may_be_on_their_way() -> None:
    held = a_trade()
    assert fees_pending([held], Decimal(2), LATER) == held.execution.fees + Decimal("2.25")
    assert compared("99998.00", accrued="2").agrees
    assert not compared("99997.00", accrued="2").agrees


def test_fees_of_trades_that_ended_long_ago_are_posted() -> None:
    closed = a_trade(TradeStatus.CLOSED)
    assert closed.timestamp_exit is not None
    soon, late = timedelta(days=3), timedelta(days=5)
    rounding = fees_pending([], Decimal(0), LATER)
    assert fees_pending([closed], Decimal(0), closed.timestamp_exit + soon) > rounding
    assert fees_pending([closed], Decimal(0), closed.timestamp_exit + late) == rounding
    assert fees_pending([a_trade(TradeStatus.REJECTED)], Decimal(0), LATER) == rounding


def test_fees_are_told_as_charged_and_as_attributed() -> None:
    trade = a_trade(execution=an_execution(fees=Decimal("0.34")))
    fee = an_entry(AccountEntryKind.FEE, "-0.40")
    assert compared("100000", fee, trades=(trade,)).fees_sentence() == (
        "Fees since 2026-06-09: 0.40 USD charged to the account, 0.34 attributed to trades,"
        " +0.06 beyond them."
    )


def test_the_journal_keeps_an_entry_as_the_accounts_own() -> None:
    event = journal_of(an_entry(AccountEntryKind.FEE, "-0.12"))
    assert (event.kind, event.trade_id) == ("account_fee", None)
    assert event.details == {"amount": "-0.12", "session": "2026-06-09"}
