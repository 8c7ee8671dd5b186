"""The owner's word on a single trade, and how the monitor keeps it."""

from dataclasses import dataclass
from decimal import Decimal

import pytest

from agent.adapters.memory.book import MemoryBook
from agent.book.changes import BookChange, BookConflict, TradeWrite
from agent.book.overrides import OverrideRefused
from agent.book.records import Trade
from agent.book.transitions import mark_open
from agent.use_cases.monitor_positions import monitor_positions
from agent.use_cases.override_trade import (
    ATTEMPTS_MAX,
    Override,
    OverrideRequest,
    override_trade,
)
from agent.use_cases.schedule import ScheduledEvent
from tests.builders import AS_OF, TRADE_ID, a_trade
from tests.unit.use_cases.conftest import LONG_PUT, SHORT_PUT, TestDesk


@dataclass
class BusyBook(MemoryBook):
    """Let another writer come between some reads and the write that follows."""

    interruptions: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def trade(self, trade_id: str) -> Trade | None:
        found = super().trade(trade_id)
        if found is not None and self.interruptions:
            self.interruptions -= 1
            super().commit(mark_open(found))
        return found


def with_a_trade(book: MemoryBook) -> MemoryBook:
    book.commit(BookChange(trade=TradeWrite(a_trade(version=1), None, None)))
    return book


def ask(book: MemoryBook, override: Override, **what: object) -> Trade:
    request = {"trade_id": TRADE_ID, "override": override} | what
    return override_trade(book, OverrideRequest.model_validate(request), AS_OF)


def test_each_override_is_stored() -> None:
    book = with_a_trade(MemoryBook())
    ask(book, Override.SUSPEND)
    ask(book, Override.MOVE_STOP, stop_debit="2.40")
    ask(book, Override.NOTE, note="earnings moved")
    trade = ask(book, Override.CLOSE)
    assert book.trade(TRADE_ID) == trade
    assert trade.automation_suspended
    assert trade.stop_debit == Decimal("2.40")
    assert trade.notes.endswith("earnings moved")
    assert trade.manual_exit_requested
    assert not ask(book, Override.RESUME).automation_suspended


def test_a_writer_that_comes_between_is_read_and_kept() -> None:
    book = BusyBook()
    with_a_trade(book)
    book.interruptions = 2
    assert ask(book, Override.SUSPEND).version == 4


def test_writers_that_keep_coming_are_a_conflict() -> None:
    book = BusyBook()
    with_a_trade(book)
    book.interruptions = ATTEMPTS_MAX
    with pytest.raises(BookConflict, match="kept changing"):
        ask(book, Override.SUSPEND)


def test_a_trade_that_is_not_there_cannot_be_overridden() -> None:
    with pytest.raises(OverrideRefused, match="there is no trade"):
        ask(MemoryBook(), Override.CLOSE)


# On a trade at the exchange


def quote(desk: TestDesk, short: tuple[str, str], long: tuple[str, str]) -> None:
    desk.world.with_option(SHORT_PUT, *short, since=desk.exchange.now)
    desk.world.with_option(LONG_PUT, *long, since=desk.exchange.now)


def a_pass(desk: TestDesk) -> dict[str, int]:
    desk.exchange.clock.advance(60)
    return monitor_positions(desk.desk, ScheduledEvent(slot=desk.exchange.now)).exits_begun


def override(desk: TestDesk, trade: Trade, kind: Override, **what: object) -> None:
    request = {"trade_id": trade.trade_id, "override": kind} | what
    override_trade(desk.book, OverrideRequest.model_validate(request), desk.exchange.now)


def test_a_suspended_trade_takes_no_profit_until_it_is_resumed(desk: TestDesk) -> None:
    trade = desk.open_trade()
    override(desk, trade, Override.SUSPEND)
    quote(desk, ("0.80", "0.84"), ("0.40", "0.44"))
    assert a_pass(desk) == {}
    override(desk, trade, Override.RESUME)
    assert a_pass(desk) == {"profit_target": 1}


def test_a_suspended_trade_is_still_stopped(desk: TestDesk) -> None:
    trade = desk.open_trade()
    override(desk, trade, Override.SUSPEND)
    quote(desk, ("6.30", "6.60"), ("2.50", "2.70"))
    assert a_pass(desk) == {}
    assert a_pass(desk) == {"stop_loss": 1}


def test_a_stop_moved_closer_acts_sooner(desk: TestDesk) -> None:
    trade = desk.open_trade()
    override(desk, trade, Override.MOVE_STOP, stop_debit="1.80")
    quote(desk, ("3.60", "3.70"), ("1.70", "1.80"))  # 1.90 at mid; the rule's stop is at 3.51
    assert a_pass(desk) == {}
    assert a_pass(desk) == {"stop_loss": 1}


def test_a_stop_moved_away_acts_later(desk: TestDesk) -> None:
    trade = desk.open_trade()
    override(desk, trade, Override.MOVE_STOP, stop_debit="4.50")
    quote(desk, ("6.30", "6.60"), ("2.50", "2.70"))  # 3.85 at mid
    assert [a_pass(desk), a_pass(desk)] == [{}, {}]
