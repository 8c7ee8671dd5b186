"""What must hold of metrics, whatever the trades."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from agent.book.analysis_records import PerformanceMetric, PeriodType
from agent.book.performance import (
    DayPnl,
    MarkedTrade,
    Period,
    day_pnl,
    measure_period,
    periods_of,
)
from tests.builders import SESSION

WEEK = [SESSION + timedelta(days=day) for day in range(4)]
money = st.decimals(min_value="-5000", max_value="5000", places=2)


@st.composite
def trade_lists(draw: st.DrawFn) -> list[MarkedTrade]:
    """Draw trades that entered on the first day of the week and close on any of it, or do not."""
    return [
        MarkedTrade(
            trade_id=f"trade-{number}",
            strategy=draw(st.sampled_from(["bull_put_spread", "iron_condor"])),
            entered_on=SESSION,
            closed_on=draw(st.none() | st.sampled_from(WEEK)),
            pnl=draw(st.none() | money),
            reason_tags=tuple(
                draw(st.lists(st.sampled_from(["timing", "volatility"]), max_size=2))
            ),
        )
        for number in range(draw(st.integers(0, 8)))
    ]


def measured(session: date, trades: list[MarkedTrade], before: list[DayPnl]) -> PerformanceMetric:
    days = [*before, day_pnl(session, trades, before)]
    return measure_period(periods_of(session, SESSION)[-1], trades, days)


def earlier_days(pnls: list[Decimal]) -> list[DayPnl]:
    return [
        DayPnl(SESSION - timedelta(days=number), {"bull_put_spread": pnl})
        for number, pnl in enumerate(pnls, start=1)
    ]


@given(trades=trade_lists(), pnls=st.lists(money, max_size=6), data=st.data())
def test_the_order_of_trades_and_days_changes_nothing(
    trades: list[MarkedTrade], pnls: list[Decimal], data: st.DataObject
) -> None:
    before = earlier_days(pnls)
    shuffled = data.draw(st.permutations(trades))
    days = data.draw(st.permutations(before))

    assert measured(SESSION, shuffled, days) == measured(SESSION, trades, before)


@given(trades=trade_lists(), loss=st.decimals(min_value="0.01", max_value="5000", places=2))
def test_one_more_open_trade_that_loses_never_raises_what_was_earned(
    trades: list[MarkedTrade], loss: Decimal
) -> None:
    loser = MarkedTrade("loser", "bull_put_spread", SESSION, None, -loss)
    before, after = measured(SESSION, trades, []), measured(SESSION, [*trades, loser], [])

    if before.total_pnl is None:
        assert after.total_pnl is None
    else:
        assert after.total_pnl == before.total_pnl - loss
    assert after.win_rate is not None
    assert before.win_rate is None or after.win_rate <= before.win_rate


@given(worths=st.lists(st.lists(money, min_size=3, max_size=3), min_size=4, max_size=4))
def test_days_and_strategies_add_up_to_what_the_trades_came_to(
    worths: list[list[Decimal]],
) -> None:
    days: list[DayPnl] = []
    for session, worth in zip(WEEK, worths, strict=True):
        trades = [
            MarkedTrade(f"trade-{number}", f"strategy-{number % 2}", SESSION, None, pnl)
            for number, pnl in enumerate(worth)
        ]
        days.append(day_pnl(session, trades, days))
    ever = measure_period(Period(PeriodType.ALL, SESSION, WEEK[-1]), trades, days)

    assert ever.total_pnl == sum(worths[-1])
    assert sum(day.known for day in days) == sum(worths[-1])
    totals = [found.total_pnl for found in ever.strategy_performance.values()]
    assert sum(total for total in totals if total is not None) == ever.total_pnl
    assert ever.max_drawdown is not None
    assert ever.max_drawdown >= max(Decimal(0), -ever.total_pnl)


@given(trades=trade_lists())
def test_ratios_stay_within_their_bounds(trades: list[MarkedTrade]) -> None:
    metric = measured(SESSION, trades, [])

    assert metric.win_rate is None or 0 <= metric.win_rate <= 1
    assert metric.profit_factor is None or metric.profit_factor >= 0
    assert metric.trades_open + metric.trades_closed <= len(trades)
    assert sum(m.trades_open for m in metric.strategy_performance.values()) == metric.trades_open
