"""What a profile has the owner say of trades, and what comes of it."""

from datetime import timedelta
from decimal import Decimal

import pytest

from agent.adapters.memory.book import MemoryBook
from agent.book.records import Trade
from agent.book.states import TradeStatus
from agent.use_cases.override_trade import Override
from simulator.rehearsal.owner import Deed, DeedReport, Owner
from simulator.rehearsal.profile import load_profile
from tests.builders import AS_OF, a_creation, a_trade

NOON = AS_OF + timedelta(days=1)


@pytest.fixture
def book() -> MemoryBook:
    """Hold two open trades, b before a, and one that has ended before both."""
    book = MemoryBook()
    for trade_id, minutes, status in (
        ("a", 9, TradeStatus.OPEN),
        ("b", 5, TradeStatus.OPEN),
        ("c", 0, TradeStatus.CLOSED),
    ):
        entered = AS_OF + timedelta(minutes=minutes)
        book.commit(a_creation(a_trade(status, trade_id=trade_id, timestamp_enter=entered)))
    return book


def a_deed(override: Override, trade: str = "oldest", **changes: object) -> Deed:
    given = {"session": 1, "at": "12:00", "override": override, "trade": trade}
    return Deed.model_validate(given | changes)


def said(book: MemoryBook, deed: Deed) -> DeedReport:
    owner = Owner([deed], book)
    owner.act(deed, NOON)
    (report,) = owner.reports
    return report


def trade(book: MemoryBook, trade_id: str) -> Trade:
    found = book.trade(trade_id)
    assert found is not None
    return found


def test_the_oldest_and_the_newest_are_those_of_the_open_trades(book: MemoryBook) -> None:
    said(book, a_deed(Override.SUSPEND, "oldest"))
    report = said(book, a_deed(Override.CLOSE, "newest"))
    assert trade(book, "b").automation_suspended
    assert trade(book, "a").manual_exit_requested
    assert report == DeedReport(
        at="2026-06-10 15:45", said="close", trade="AAPL -190P/+185P 2026-07-17", refusal=None
    )


def test_a_stop_is_moved_to_a_multiple_of_the_credit_in_whole_cents(book: MemoryBook) -> None:
    report = said(book, a_deed(Override.MOVE_STOP, stop_credits="2.504"))
    assert report.said == "move stop"
    assert trade(book, "b").stop_debit == Decimal("3.00")


def test_a_word_that_is_refused_is_reported_with_the_reason(book: MemoryBook) -> None:
    before = trade(book, "b")
    report = said(book, a_deed(Override.MOVE_STOP, stop_credits=5))
    assert "is not between 0 and the 5" in (report.refusal or "")
    assert trade(book, "b") == before


def test_an_owner_without_trades_says_nothing_of_them() -> None:
    report = said(MemoryBook(), a_deed(Override.CLOSE))
    assert (report.trade, report.refusal) == (None, "no trade was open")


def test_a_deed_is_due_in_its_session_alone(book: MemoryBook) -> None:
    deeds = [a_deed(Override.CLOSE), a_deed(Override.NOTE, session=3, note="mind the gap")]
    owner = Owner(deeds, book)
    assert [owner.deeds_of(number) for number in (1, 2, 3)] == [deeds[:1], [], deeds[1:]]


def test_the_embedded_market_has_an_owner_and_the_recorded_one_has_none() -> None:
    words = {deed.override for deed in load_profile("synthetic").owner}
    assert words == {Override.NOTE, Override.MOVE_STOP, Override.CLOSE}
    assert load_profile("replay").owner == ()
