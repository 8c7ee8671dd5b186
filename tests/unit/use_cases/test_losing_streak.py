"""Trades that close one after another at a loss pause entries until the owner resumes."""

from dataclasses import replace
from decimal import Decimal

import pytest

from agent.adapters.memory.book import MemoryBook
from agent.book.changes import BookBusy, BookChange, LimitReached, TradeWrite
from agent.book.records import AlertKind
from agent.book.states import TradeStatus
from agent.config.settings import RiskSettings, Settings
from agent.ports import TradingState
from agent.risk.reservation import STREAK_KEY, outcome_moves
from agent.use_cases.losing_streak import commit_outcome
from agent.use_cases.monitor_positions import monitor_positions
from agent.use_cases.schedule import ScheduledEvent
from tests.builders import a_move, a_trade
from tests.unit.use_cases.conftest import TestDesk


def ending(number: int, pnl: str) -> BookChange:
    trade = a_trade(TradeStatus.CLOSED, trade_id=f"trade-{number}", pnl=Decimal(pnl))
    return BookChange(trade=TradeWrite(trade, None, None))


def close_trades(desk: TestDesk, *pnls: str) -> None:
    before = len(desk.book.all_trades())
    for number, pnl in enumerate(pnls, start=before):
        commit_outcome(desk.desk, ending(number, pnl))


def streak(desk: TestDesk) -> int:
    return desk.book.ledger(STREAK_KEY).losing_streak


def a_pass(desk: TestDesk) -> None:
    desk.exchange.clock.advance(60)
    monitor_positions(desk.desk, ScheduledEvent(slot=desk.exchange.now))


def told(desk: TestDesk) -> list[str]:
    return [a.subject for a in desk.alerts.published if a.kind is AlertKind.SYSTEM_ERROR]


@pytest.mark.parametrize(
    ("pnls", "length"),
    [
        (("-1", "-2", "-3"), 3),
        (("-1", "-2", "5"), 0),
        (("-1", "5", "-2", "-3"), 2),
        (("-1", "0"), 0),  # coming out even is no loss
        (("5", "5"), 0),
    ],
)
def test_a_streak_is_the_losses_since_the_last_trade_that_was_none(
    desk: TestDesk, pnls: tuple[str, ...], length: int
) -> None:
    close_trades(desk, *pnls)
    assert streak(desk) == length


def test_a_trade_that_does_not_close_counts_nothing(desk: TestDesk) -> None:
    opened = TradeWrite(a_trade(TradeStatus.OPEN, trade_id="open"), None, None)
    commit_outcome(desk.desk, BookChange(trade=opened))
    assert streak(desk) == 0


def test_the_streak_pauses_entries_and_is_told_once(desk: TestDesk) -> None:
    close_trades(desk, *["-1"] * 4)
    a_pass(desk)
    assert desk.control.trading_state() is TradingState.ACTIVE
    close_trades(desk, "-1")
    a_pass(desk)
    a_pass(desk)
    assert desk.control.trading_state() is TradingState.REDUCING
    assert told(desk) == ["Entries are paused: 5 losing trades in a row"]


def test_the_owner_resumes_and_the_next_streak_is_counted_anew(desk: TestDesk) -> None:
    close_trades(desk, *["-1"] * 5)
    a_pass(desk)
    desk.control.set_trading_state(TradingState.ACTIVE)
    close_trades(desk, *["-1"] * 4)
    a_pass(desk)
    assert desk.control.trading_state() is TradingState.ACTIVE
    close_trades(desk, "-1")
    a_pass(desk)
    assert desk.control.trading_state() is TradingState.REDUCING
    assert len(told(desk)) == 2


def test_what_the_owner_has_halted_stays_halted(desk: TestDesk) -> None:
    desk.control.set_trading_state(TradingState.HALTED)
    close_trades(desk, *["-1"] * 5)
    a_pass(desk)
    assert desk.control.trading_state() is TradingState.HALTED
    assert len(told(desk)) == 1


def test_without_a_limit_no_streak_pauses(desk: TestDesk) -> None:
    settings = Settings(watchlist=("ACME",), risk=RiskSettings(losing_streak_max=0))
    desk.desk = replace(desk.desk, settings=settings)
    close_trades(desk, *["-1"] * 9)
    a_pass(desk)
    assert desk.control.trading_state() is TradingState.ACTIVE


class RivalBook(MemoryBook):
    """Let somebody else end the streak between a read of it and the commit that rests on it."""

    rivals = 0

    def commit(self, change: BookChange) -> None:
        if self.rivals:
            self.rivals -= 1
            super().commit(BookChange(ledger=outcome_moves(Decimal(1), self.ledger(STREAK_KEY))))
            super().commit(BookChange(ledger=outcome_moves(Decimal(-1), self.ledger(STREAK_KEY))))
        super().commit(change)


def rival_desk(desk: TestDesk, rivals: int) -> TestDesk:
    book = RivalBook()
    rival = replace(desk, book=book, desk=replace(desk.desk, book=book, outbox=book.outbox))
    close_trades(rival, "-1", "-1")
    book.rivals = rivals
    return rival


def test_two_wins_at_once_end_a_streak_once(desk: TestDesk) -> None:
    rival = rival_desk(desk, 2)
    close_trades(rival, "7")
    entry = rival.book.ledger(STREAK_KEY)
    assert (entry.losses, entry.losses_forgiven) == (4, 4)


def test_a_streak_that_others_keep_ending_is_tried_later(desk: TestDesk) -> None:
    rival = rival_desk(desk, 99)
    with pytest.raises(BookBusy, match="kept ending"):
        close_trades(rival, "7")


def test_a_bound_of_the_change_itself_is_not_retried(desk: TestDesk) -> None:
    close = replace(ending(1, "-1"), ledger=(a_move("portfolio", bounds={}),))
    (move,) = close.ledger
    bounded = replace(move, bounds=dict.fromkeys(move.deltas, 0))
    with pytest.raises(LimitReached) as limit:
        commit_outcome(desk.desk, replace(close, ledger=(bounded,)))
    assert limit.value.keys == ("portfolio",)
