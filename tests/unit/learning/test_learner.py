"""The weekly review: it refuses under its minimum, and above it changes nothing either."""

from datetime import date, timedelta
from math import sqrt
from typing import Any

import pytest

from agent.book.analysis_records import LearningLogEntry, LearningStatus, UpdateType
from agent.book.performance import MarkedTrade
from agent.learning.learner import Window, mean_pnl, review_strategy
from tests.analysis_builders import REVIEWED_AT, SUNDAY, a_day, a_marked_trade
from tests.builders import SESSION, STRATEGY

WINDOW = Window.before(SUNDAY, 90)


def closed_trades(number: int, pnl: str = "10", **changes: Any) -> list[MarkedTrade]:
    return [
        a_marked_trade(f"trade-{index:03}", pnl, **{"closed_on": SESSION} | changes)
        for index in range(number)
    ]


def review(trades: list[MarkedTrade], trades_min: int = 30) -> LearningLogEntry:
    return review_strategy(
        STRATEGY,
        trades,
        [a_day(SESSION, "55"), a_day(SESSION + timedelta(days=1), "-5")],
        window=WINDOW,
        trades_min=trades_min,
        params={"credit_min": "0.30"},
        at=REVIEWED_AT,
    )


def test_the_window_ends_with_the_day_of_the_review() -> None:
    assert Window(date(2026, 3, 17), date(2026, 6, 14)) == WINDOW
    assert (WINDOW.end - WINDOW.start).days == 89


def test_trades_that_closed_before_the_window_or_entered_after_it_are_not_seen() -> None:
    before = WINDOW.start - timedelta(days=1)
    old = a_marked_trade(entered_on=before, closed_on=before)
    edge = a_marked_trade(entered_on=before, closed_on=WINDOW.start)
    later = a_marked_trade(entered_on=WINDOW.end + timedelta(days=1))
    assert [WINDOW.contains(trade) for trade in (old, edge, later)] == [False, True, False]


@pytest.mark.parametrize("closed", [0, 29])
def test_under_thirty_closed_trades_it_refuses_and_says_how_many_there_were(closed: int) -> None:
    still_open = [a_marked_trade("open", "-50")]
    entry = review(closed_trades(closed) + still_open)
    assert entry.status is LearningStatus.REFUSED
    assert entry.trades_analyzed == closed
    assert entry.reason == (
        f"{closed} trades closed from 2026-03-17 to 2026-06-14, 30 are the least to learn from: "
        "nothing is proposed."
    )


def test_from_thirty_on_it_records_findings_and_says_that_no_rule_is_enabled() -> None:
    entry = review(closed_trades(30))
    assert entry.status is LearningStatus.NO_CHANGE
    assert entry.trades_analyzed == 30
    assert "30 trades closed from 2026-03-17 to 2026-06-14 and 0 are open" in entry.reason
    assert "No rule that adjusts a parameter is enabled: nothing is proposed." in entry.reason


@pytest.mark.parametrize("closed", [3, 30])
def test_it_never_changes_a_parameter_nor_claims_an_improvement(closed: int) -> None:
    entry = review(closed_trades(closed))
    assert entry.update_type is UpdateType.WEEKLY_REVIEW
    assert entry.old_params == entry.new_params == {"credit_min": "0.30"}
    assert entry.confidence is None
    assert entry.expected_improvement is None


def test_open_trades_count_at_mark_in_the_findings_and_not_towards_the_minimum() -> None:
    entry = review([*closed_trades(3), a_marked_trade("open", "-30")], trades_min=3)
    assert entry.findings["trades_open"] == 1
    assert entry.findings["win_rate"] == 0.75
    assert entry.findings["profit_factor"] == 1.0
    assert entry.findings["mean_pnl_per_trade"] == 0.0
    assert entry.findings["total_pnl"] == "50"
    assert entry.findings["periods"] == 2


def test_trades_of_other_strategies_are_not_seen() -> None:
    entry = review(closed_trades(40, strategy="iron_condor"))
    assert entry.trades_analyzed == 0
    assert entry.findings["win_rate"] is None


def test_the_id_is_the_week_and_the_strategy() -> None:
    assert review([]).log_id == "weekly-2026-06-14-bull_put_spread"


def test_without_trades_there_is_no_mean() -> None:
    found = mean_pnl([a_marked_trade(pnl=None)])
    assert (found.mean, found.standard_error, found.effective_trades) == (None, None, None)


def test_trades_of_one_block_leave_the_error_of_their_mean_unknown() -> None:
    found = mean_pnl([a_marked_trade("a", "10"), a_marked_trade("b", "30")])
    assert (found.mean, found.standard_error, found.effective_trades) == (20.0, None, None)


def a_trade_of_week(week: int, number: int, pnl: str) -> MarkedTrade:
    """Enter in a week of its own and leave seven days later."""
    entered = SESSION + timedelta(days=7 * week)
    return a_marked_trade(
        f"week-{week}-{number}", pnl, entered_on=entered, closed_on=entered + timedelta(days=7)
    )


def test_trades_one_at_a_time_are_worth_their_number() -> None:
    pnls = [10.0, -20.0, 30.0, 40.0, -10.0]
    found = mean_pnl([a_trade_of_week(week, 0, str(pnl)) for week, pnl in enumerate(pnls)])
    mean = sum(pnls) / 5
    deviation = sqrt(sum((pnl - mean) ** 2 for pnl in pnls) / 4)
    assert found.mean == pytest.approx(mean)
    assert found.standard_error == pytest.approx(deviation / sqrt(5))
    assert found.effective_trades == pytest.approx(5)


def test_trades_that_share_their_fate_count_for_little_more_than_one() -> None:
    weeks = ("10", "-20", "30", "40", "-10")
    alone = mean_pnl([a_trade_of_week(week, 0, pnl) for week, pnl in enumerate(weeks)])
    fourfold = mean_pnl(
        [
            a_trade_of_week(week, number, pnl)
            for week, pnl in enumerate(weeks)
            for number in range(4)
        ]
    )
    assert fourfold.mean == alone.mean
    assert fourfold.standard_error == pytest.approx(alone.standard_error)
    assert fourfold.effective_trades is not None
    assert fourfold.effective_trades < 6


def test_equal_trades_say_nothing_about_their_spread() -> None:
    found = mean_pnl([a_trade_of_week(week, 0, "10") for week in range(3)])
    assert (found.mean, found.standard_error, found.effective_trades) == (10.0, 0.0, None)
