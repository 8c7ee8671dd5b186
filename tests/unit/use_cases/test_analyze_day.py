"""The daily analysis: what closed is explained, what was earned is measured, the owner is told."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from agent.adapters.memory.book import MemoryBook
from agent.book.analysis_records import PeriodType
from agent.book.changes import BookChange, BookConflict
from agent.book.records import AlertKind, Trade
from agent.book.states import TradeStatus
from agent.use_cases.analyze_day import DayReport, analyze_day
from agent.use_cases.schedule import ScheduledEvent
from tests.builders import SESSION, STRATEGY, TRADE_ID, a_position, a_trade, positions_of
from tests.unit.learning.losses import a_closed_spread
from tests.unit.use_cases.analysis_desk import HOLIDAY, AnalysisDesk, new_york

WEDNESDAY = SESSION + timedelta(days=1)
THURSDAY = SESSION + timedelta(days=2)


@pytest.fixture
def office() -> AnalysisDesk:
    return AnalysisDesk()


def hold(office: AnalysisDesk, unrealized: str, trade_id: str = TRADE_ID, **changes: Any) -> Trade:
    """Keep an open trade whose legs are marked at `unrealized` dollars together."""
    trade = a_trade(trade_id=trade_id, **changes)
    office.keep(
        trade,
        (
            a_position(trade, 1, unrealized_pnl=Decimal(unrealized)),
            a_position(trade, 2, unrealized_pnl=Decimal(0)),
        ),
    )
    return trade


def close(office: AnalysisDesk, pnl: str, trade_id: str = TRADE_ID, **changes: Any) -> None:
    """Keep a trade that closed at noon of the first day."""
    trade = a_trade(
        TradeStatus.CLOSED,
        trade_id=trade_id,
        **{"pnl": Decimal(pnl), "timestamp_exit": new_york(SESSION, 12)} | changes,
    )
    office.keep(trade, positions_of(trade))


def analyse(office: AnalysisDesk, day: Any = SESSION) -> DayReport:
    return analyze_day(office.desk, office.at(day, 17))


def total(office: AnalysisDesk, metric_id: str) -> Decimal | None:
    metric = office.metrics.metric(metric_id)
    assert metric is not None
    return metric.total_pnl


def test_open_and_closed_trades_make_the_day(office: AnalysisDesk) -> None:
    hold(office, "50.17", "held")  # 0.17 of fees
    close(office, "-20", "gone")
    report = analyse(office)
    assert (report.status, report.session, report.total_pnl) == ("analysed", SESSION, Decimal(30))
    assert report.metrics == ("day-2026-06-09", "week-2026-06-08", "month-2026-06-01", "all")
    assert {total(office, metric_id) for metric_id in report.metrics} == {Decimal(30)}
    day = office.metrics.metric("day-2026-06-09")
    assert day is not None
    assert (day.trades_open, day.trades_closed, day.win_rate) == (1, 1, 0.5)
    assert day.strategy_performance[STRATEGY].total_pnl == 30


def test_the_next_day_earns_only_what_changed(office: AnalysisDesk) -> None:
    hold(office, "50.17")
    analyse(office)
    hold(office, "30.17")
    assert analyse(office, WEDNESDAY).total_pnl == -20
    assert total(office, "day-2026-06-09") == 50
    assert total(office, "week-2026-06-08") == 30
    assert total(office, "all") == 30
    ever = office.metrics.metric("all")
    assert ever is not None
    assert (ever.max_drawdown, ever.periods) == (Decimal(20), 2)
    assert ever.sharpe_ratio is not None
    assert ever.sharpe_standard_error is not None
    assert (ever.period_start, ever.period_end) == (SESSION, WEDNESDAY)


def test_a_new_week_begins_at_nothing_and_all_time_goes_on(office: AnalysisDesk) -> None:
    hold(office, "50.17")
    analyse(office)
    hold(office, "60.17")
    analyse(office, SESSION + timedelta(days=6))
    assert total(office, "week-2026-06-15") == 10
    assert total(office, "month-2026-06-01") == 60
    assert total(office, "all") == 60


def test_a_day_that_was_never_analysed_is_part_of_the_next_one(office: AnalysisDesk) -> None:
    hold(office, "50.17")
    analyse(office)
    hold(office, "90.17")
    assert analyse(office, THURSDAY).total_pnl == 40
    assert office.metrics.metric("day-2026-06-10") is None


def test_doing_it_again_finds_the_same_and_tells_nobody_twice(office: AnalysisDesk) -> None:
    hold(office, "50.17", "held")
    close(office, "-20", "gone")
    first = analyse(office)
    kept = office.metrics.metrics(PeriodType.DAY, SESSION, SESSION)
    tagged = office.book.trade("gone")
    again = analyse(office)
    assert (first.alerts_told, again.alerts_told) == (1, 0)
    assert again.model_copy(update={"alerts_told": 1}) == first
    assert office.metrics.metrics(PeriodType.DAY, SESSION, SESSION) == kept
    assert office.book.trade("gone") == tagged


def test_the_daily_report_carries_the_steps_to_flatten_what_is_held(office: AnalysisDesk) -> None:
    close(office, "-20", "gone")
    analyse(office)
    assert "To flatten by hand" not in office.alerts.published[-1].message
    hold(office, "50.17", "held")
    analyse(office, WEDNESDAY)
    told = office.alerts.published[-1].message
    assert "To flatten by hand" in told
    assert told.index("buy to close") < told.index("sell to close")


def test_what_closed_that_day_gets_its_tags(office: AnalysisDesk) -> None:
    close(office, "-600", "bad", days_held=1)
    close(office, "90", "good")
    report = analyse(office)
    assert report.trades_analysed == {"bad": ("risk_policy", "timing"), "good": ("no_error",)}
    stored = office.book.trade("bad")
    assert stored is not None
    assert stored.reason_tags == ("risk_policy", "timing")
    assert stored.pnl == -600
    day = office.metrics.metric("day-2026-06-09")
    assert day is not None
    assert day.error_counts == {"risk_policy": 1, "timing": 1}
    events = office.book.journal(new_york(SESSION, 17).date())
    assert {event.trade_id for event in events if event.kind == "trade_analysed"} == {"bad", "good"}


def test_closed_trades_that_an_earlier_day_missed_are_analysed_now(office: AnalysisDesk) -> None:
    close(office, "90", "missed")
    report = analyse(office, WEDNESDAY)
    assert report.trades_analysed == {"missed": ("no_error",)}
    day = office.metrics.metric("day-2026-06-10")
    assert day is not None
    assert (day.trades_closed, day.total_pnl) == (0, Decimal(90))


def test_a_trade_that_cannot_be_analysed_is_listed_with_the_reason(office: AnalysisDesk) -> None:
    trade = a_trade(
        TradeStatus.CLOSED, trade_id="odd", exit_reason=None, timestamp_exit=new_york(SESSION, 12)
    )
    office.keep(trade)
    report = analyse(office)
    assert report.trades_unanalysed == {"odd": "unknown: exit reason, positions"}
    assert report.trades_analysed == {}
    (alert,) = office.alerts.published
    assert "Not analysed: odd, unknown: exit reason, positions." in alert.message
    assert analyse(office, WEDNESDAY).trades_unanalysed == report.trades_unanalysed


class ContendedBook(MemoryBook):
    """Be changed by somebody else whenever a trade is tagged."""

    def commit(self, change: BookChange) -> None:
        if change.trade is not None and change.trade.trade.reason_tags:
            raise BookConflict("somebody was faster")
        super().commit(change)


def test_a_trade_that_changes_meanwhile_is_left_for_the_next_day() -> None:
    office = AnalysisDesk(book=ContendedBook())
    close(office, "90", "gone")
    report = analyse(office)
    assert report.trades_unanalysed == {"gone": "it changed while it was analysed"}
    assert report.total_pnl == 90


def test_an_unmarked_trade_is_listed_and_the_day_is_unknown_not_zero(office: AnalysisDesk) -> None:
    trade = hold(office, "50")
    unmarked = trade.model_copy(
        update={"execution": trade.execution.model_copy(update={"entry_slippage": None})}
    )
    office.keep(unmarked, positions_of(unmarked))
    report = analyse(office)
    assert report.trades_unmarked == (TRADE_ID,)
    assert report.total_pnl is None
    assert total(office, "day-2026-06-09") is None
    (alert,) = office.alerts.published
    assert alert.subject == "Day 2026-06-09: P&L unknown"
    assert f"Worth unknown: {TRADE_ID}." in alert.message


def test_the_owner_gets_one_report_that_explains_the_day(office: AnalysisDesk) -> None:
    hold(office, "50.17", "held")
    close(office, "-600", "gone", days_held=1)
    assert analyse(office).alerts_told == 1
    (alert,) = office.alerts.published
    assert alert.kind is AlertKind.DAILY_REPORT
    assert alert.subject == "Day 2026-06-09: P&L -550.00 USD"
    assert "1 trades open, 1 closed today, 1 in all" in alert.message
    assert (
        "Closed AAPL -190P/+185P 2026-07-17 (profit_target): -600.00 USD, risk_policy, timing."
        in alert.message
    )
    assert "Sharpe unknown" in alert.message


def test_a_day_without_a_single_trade_is_a_day_too(office: AnalysisDesk) -> None:
    report = analyse(office)
    assert (report.status, report.total_pnl) == ("analysed", Decimal(0))
    assert total(office, "all") == 0


def test_a_holiday_is_no_day(office: AnalysisDesk) -> None:
    report = analyse(office, HOLIDAY)
    assert (report.status, report.session) == ("no_session", None)
    assert office.metrics.metric("all") is None
    assert not office.alerts.published


def test_before_the_close_the_day_is_not_over(office: AnalysisDesk) -> None:
    report = analyze_day(office.desk, office.at(SESSION, 15, 59))
    assert report.status == "session_not_over"
    assert analyze_day(office.desk, office.at(SESSION, 16)).status == "analysed"


def test_a_slot_of_another_day_is_stale_since_marks_are_of_today(office: AnalysisDesk) -> None:
    hold(office, "50")
    office.at(WEDNESDAY, 9)
    report = analyze_day(office.desk, ScheduledEvent(slot=new_york(SESSION, 17)))
    assert report.status == "stale_slot"
    assert report.counts()["StaleSlots"] == 1
    assert office.metrics.metric("day-2026-06-09") is None


def test_the_report_says_where_the_pnl_of_a_closed_trade_came_from(office: AnalysisDesk) -> None:
    office.keep(*a_closed_spread(left_at=new_york(WEDNESDAY, 12), given_up="0.07"))
    analyse(office, WEDNESDAY)
    (alert,) = office.alerts.published
    assert "; volatility +0.00, time +" in alert.message
    assert ", stock +0.00, fees -0.50, unexplained -14.00." in alert.message
