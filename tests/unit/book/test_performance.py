"""What trades came to: open ones at mark, days that add up, and periods by New York dates."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from agent.book.analysis_records import PeriodType
from agent.book.performance import (
    DayPnl,
    Period,
    day_pnl,
    day_pnl_of,
    mark_from_book,
    measure,
    measure_period,
    periods_of,
)
from agent.book.records import PositionStatus
from agent.book.states import TradeStatus
from tests.analysis_builders import a_day, a_marked_trade, a_metric, some_measures
from tests.builders import SESSION, STRATEGY, a_position, a_trade, an_execution

TUESDAY = SESSION
WEDNESDAY = SESSION + timedelta(days=1)
THURSDAY = SESSION + timedelta(days=2)


def test_a_closed_trade_is_worth_its_pnl() -> None:
    marked = mark_from_book(a_trade(TradeStatus.CLOSED), ())
    assert marked is not None
    assert marked.pnl == Decimal("119.66")
    assert (marked.entered_on, marked.closed_on) == (SESSION, date(2026, 6, 22))


@pytest.mark.parametrize("status", [TradeStatus.OPEN, TradeStatus.CLOSING, TradeStatus.ROLLING])
def test_a_trade_that_still_holds_something_is_worth_its_legs_less_fees(
    status: TradeStatus,
) -> None:
    trade = a_trade(status)
    legs = (
        a_position(trade, 1, unrealized_pnl=Decimal(90)),
        a_position(trade, 2, unrealized_pnl=Decimal(-30)),
    )
    marked = mark_from_book(trade, legs)
    assert marked is not None
    assert marked.pnl == Decimal("59.83")
    assert marked.closed_on is None


def test_what_was_closed_in_part_counts_beside_what_is_held() -> None:
    trade = a_trade(execution=an_execution(contracts_closed=1, fees=Decimal(1)))
    legs = (
        a_position(trade, 1, unrealized_pnl=Decimal(20), realized_pnl=Decimal(7)),
        a_position(trade, 2, unrealized_pnl=Decimal(0), realized_pnl=Decimal(-2)),
    )
    marked = mark_from_book(trade, legs)
    assert marked is not None
    assert marked.pnl == 24


def test_before_its_first_mark_a_trade_is_worth_what_its_fill_gave_up_and_its_fees() -> None:
    trade = a_trade()  # 0.05 a share of slippage on two contracts, 0.17 of fees
    for legs in ((), (a_position(trade, 1, unrealized_pnl=Decimal(5)), a_position(trade, 2))):
        marked = mark_from_book(trade, legs)
        assert marked is not None
        assert marked.pnl == Decimal("-10.17")


def test_without_a_mark_after_a_partial_exit_the_worth_is_unknown() -> None:
    trade = a_trade(execution=an_execution(contracts_closed=1))
    marked = mark_from_book(trade, (a_position(trade, 1), a_position(trade, 2)))
    assert marked is not None
    assert marked.pnl is None


def test_a_closed_leg_needs_no_mark() -> None:
    trade = a_trade(execution=an_execution(fees=Decimal(0)))
    done = a_position(trade, 1, status=PositionStatus.CLOSED, realized_pnl=Decimal(3))
    marked = mark_from_book(trade, (done, a_position(trade, 2, unrealized_pnl=Decimal(4))))
    assert marked is not None
    assert marked.pnl == 7


@pytest.mark.parametrize(
    "status", [TradeStatus.PENDING, TradeStatus.REJECTED, TradeStatus.CANCELLED]
)
def test_a_trade_of_which_nothing_filled_is_no_trade(status: TradeStatus) -> None:
    assert mark_from_book(a_trade(status), ()) is None


def test_an_exit_late_in_the_evening_belongs_to_its_new_york_date() -> None:
    late = datetime(2026, 6, 23, 1, 0, tzinfo=UTC)
    marked = mark_from_book(a_trade(TradeStatus.CLOSED, timestamp_exit=late), ())
    assert marked is not None
    assert marked.closed_on == date(2026, 6, 22)


def test_a_day_earns_what_all_trades_are_worth_less_the_days_before() -> None:
    trades = [a_marked_trade("a", "70"), a_marked_trade("b", "-20", closed_on=WEDNESDAY)]
    found = day_pnl(WEDNESDAY, trades, [a_day(TUESDAY, "30")])
    assert found == a_day(WEDNESDAY, "20")


def test_doing_a_day_again_does_not_count_it_twice() -> None:
    trades = [a_marked_trade("a", "70")]
    before = [a_day(TUESDAY, "30")]
    once = day_pnl(WEDNESDAY, trades, before)
    assert day_pnl(WEDNESDAY, trades, [*before, once, a_day(THURSDAY, "9")]) == once


def test_a_day_that_was_missed_is_part_of_the_next() -> None:
    trades = [a_marked_trade("a", "70")]
    assert day_pnl(THURSDAY, trades, [a_day(TUESDAY, "30")]) == a_day(THURSDAY, "40")


def test_an_unknown_worth_makes_the_strategys_day_unknown_and_the_next_one_bears_it() -> None:
    condor = a_marked_trade("c", "5", strategy="iron_condor")
    unmarked = day_pnl(TUESDAY, [a_marked_trade("a", None), condor], [])
    assert unmarked.by_strategy == {STRATEGY: None, "iron_condor": Decimal(5)}
    assert unmarked.known == 5
    marked = day_pnl(WEDNESDAY, [a_marked_trade("a", "40"), condor], [unmarked])
    assert marked.by_strategy == {STRATEGY: Decimal(40), "iron_condor": Decimal(0)}


def test_a_day_is_read_back_from_its_metric() -> None:
    metric = a_metric(
        strategy_performance={
            STRATEGY: some_measures(total_pnl=Decimal(3)),
            "iron_condor": some_measures(total_pnl=None),
        }
    )
    assert day_pnl_of(metric) == DayPnl(SESSION, {STRATEGY: Decimal(3), "iron_condor": None})
    with pytest.raises(ValueError, match="is not of a day"):
        day_pnl_of(a_metric(period_type=PeriodType.WEEK))


def test_a_session_is_part_of_four_periods() -> None:
    day, week, month, ever = periods_of(date(2026, 12, 31), date(2026, 6, 9))
    assert day == Period(PeriodType.DAY, date(2026, 12, 31), date(2026, 12, 31))
    assert week == Period(PeriodType.WEEK, date(2026, 12, 28), date(2027, 1, 3))
    assert month == Period(PeriodType.MONTH, date(2026, 12, 1), date(2026, 12, 31))
    assert ever == Period(PeriodType.ALL, date(2026, 6, 9), date(2026, 12, 31))
    ids = [period.metric_id for period in (day, week, month, ever)]
    assert ids == ["day-2026-12-31", "week-2026-12-28", "month-2026-12-01", "all"]


def test_trades_count_where_they_closed_in_the_period_or_are_open() -> None:
    trades = [
        a_marked_trade("open", "10"),
        a_marked_trade("closed today", "-4", closed_on=WEDNESDAY),
        a_marked_trade("closed yesterday", "99", closed_on=TUESDAY),
    ]
    found = measure(trades, [], start=WEDNESDAY, end=WEDNESDAY)
    assert (found.trades_open, found.trades_closed) == (1, 1)
    assert found.win_rate == 0.5
    assert found.profit_factor == 2.5
    assert (found.average_win, found.average_loss) == (Decimal(10), Decimal(4))


def test_a_period_without_trades_knows_no_ratio() -> None:
    found = measure([], [], start=TUESDAY, end=TUESDAY)
    assert found == some_measures(
        trades_closed=0,
        trades_open=0,
        total_pnl=None,
        win_rate=None,
        average_win=None,
        periods=0,
        max_drawdown=None,
        error_counts={},
    )


def test_without_a_loss_there_is_no_profit_factor_and_without_a_win_it_is_zero() -> None:
    def factor(pnl: str) -> float | None:
        return measure([a_marked_trade(pnl=pnl)], [], start=TUESDAY, end=TUESDAY).profit_factor

    assert factor("5") is None
    assert factor("0") is None
    assert factor("-5") == 0.0


def test_breaking_even_is_no_win() -> None:
    trades = [a_marked_trade("a", "0"), a_marked_trade("b", "1")]
    assert measure(trades, [], start=TUESDAY, end=TUESDAY).win_rate == 0.5


def test_an_unmarked_trade_is_counted_and_enters_no_ratio() -> None:
    trades = [a_marked_trade("a", None), a_marked_trade("b", "1")]
    found = measure(trades, [], start=TUESDAY, end=TUESDAY)
    assert (found.trades_open, found.win_rate) == (2, 1.0)


def test_a_single_day_has_a_pnl_and_a_drawdown_but_no_sharpe() -> None:
    found = measure([], [a_day(TUESDAY, "-7")], start=TUESDAY, end=TUESDAY)
    assert (found.total_pnl, found.max_drawdown) == (Decimal(-7), Decimal(7))
    assert found.periods == 1
    assert (found.sharpe_ratio, found.sortino_ratio) == (None, None)


def test_a_period_earns_its_days_and_no_others() -> None:
    days = [a_day(TUESDAY, "1"), a_day(WEDNESDAY, "2"), a_day(THURSDAY, "4")]
    assert measure([], days, start=WEDNESDAY, end=THURSDAY).total_pnl == 6


def test_a_total_is_unknown_only_while_its_last_day_is() -> None:
    unknown_then_known = [a_day(TUESDAY, None), a_day(WEDNESDAY, "12")]
    assert measure([], unknown_then_known, start=TUESDAY, end=WEDNESDAY).total_pnl == 12
    known_then_unknown = [a_day(TUESDAY, "12"), a_day(WEDNESDAY, None)]
    found = measure([], known_then_unknown, start=TUESDAY, end=WEDNESDAY)
    assert (found.total_pnl, found.periods) == (None, 1)


def test_long_holding_makes_days_count_for_less() -> None:
    days = [
        a_day(SESSION + timedelta(days=number), "10" if number // 10 % 2 else "-10")
        for number in range(40)
    ]
    end = SESSION + timedelta(days=39)
    brief = a_marked_trade(closed_on=SESSION)
    long = a_marked_trade(entered_on=SESSION - timedelta(days=20), closed_on=end)
    of_brief, of_long = (measure([t], days, start=SESSION, end=end) for t in (brief, long))
    assert of_brief.effective_periods == 40
    assert of_long.effective_periods is not None
    assert of_long.effective_periods < 20
    assert of_brief.sharpe_standard_error is not None
    assert of_long.sharpe_standard_error is not None
    assert of_long.sharpe_standard_error > of_brief.sharpe_standard_error


def test_errors_are_counted_over_the_trades_that_closed() -> None:
    trades = [
        a_marked_trade("a", closed_on=TUESDAY, reason_tags=("timing", "volatility")),
        a_marked_trade("b", closed_on=TUESDAY, reason_tags=("timing",)),
        a_marked_trade("c", closed_on=TUESDAY, reason_tags=("no_error",)),
        a_marked_trade("d"),
    ]
    found = measure(trades, [], start=TUESDAY, end=TUESDAY)
    assert found.error_counts == {"timing": 2, "volatility": 1}


def test_each_strategy_is_measured_alone_and_their_totals_add_up() -> None:
    trades = [
        a_marked_trade("a", "10"),
        a_marked_trade("b", "-4", strategy="iron_condor", closed_on=TUESDAY),
    ]
    day = day_pnl(TUESDAY, trades, [])
    metric = measure_period(Period(PeriodType.DAY, TUESDAY, TUESDAY), trades, [day])
    assert metric.metric_id == "day-2026-06-09"
    assert metric.total_pnl == 6
    totals = {name: found.total_pnl for name, found in metric.strategy_performance.items()}
    assert totals == {STRATEGY: 10, "iron_condor": -4}
    assert metric.strategy_performance["iron_condor"].win_rate == 0.0
    assert day_pnl_of(metric) == day


def test_a_strategy_that_ended_earlier_keeps_its_days_at_nothing() -> None:
    trades = [a_marked_trade("a", "10", closed_on=TUESDAY)]
    first = day_pnl(TUESDAY, trades, [])
    metric = measure_period(
        Period(PeriodType.DAY, WEDNESDAY, WEDNESDAY),
        trades,
        [first, day_pnl(WEDNESDAY, trades, [first])],
    )
    assert metric.total_pnl == 0
    assert metric.strategy_performance[STRATEGY].trades_closed == 0
    assert metric.strategy_performance[STRATEGY].total_pnl == 0
