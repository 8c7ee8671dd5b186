"""Ratios of daily P&L, and how little a short series says."""

from decimal import Decimal
from math import sqrt

import pytest

from agent.book.ratios import effective_periods, max_drawdown, sharpe_ratio, sortino_ratio


def dollars(*amounts: float) -> list[Decimal]:
    return [Decimal(str(amount)) for amount in amounts]


def test_the_sharpe_ratio_is_mean_over_sample_deviation_by_the_root_of_252() -> None:
    found = sharpe_ratio(dollars(1, 2, 3), overlap_sessions=0)
    assert found.ratio == pytest.approx(2 * sqrt(252))
    assert found.periods == 3


def test_capital_does_not_change_a_ratio() -> None:
    small, large = dollars(5, -3, 4, 1), dollars(500, -300, 400, 100)
    found = [sharpe_ratio(daily, overlap_sessions=2) for daily in (small, large)]
    assert found[0].ratio == pytest.approx(found[1].ratio)
    assert found[0].standard_error == pytest.approx(found[1].standard_error)
    assert sortino_ratio(small) == pytest.approx(sortino_ratio(large))


@pytest.mark.parametrize("daily", [[], dollars(3), dollars(2, 2, 2), dollars(0, 0)])
def test_the_sharpe_ratio_of_one_day_or_of_equal_days_is_unknown(daily: list[Decimal]) -> None:
    found = sharpe_ratio(daily, overlap_sessions=0)
    assert (found.ratio, found.standard_error, found.effective_periods) == (None, None, None)
    assert found.periods == len(daily)


def test_fifty_one_sessions_leave_a_standard_error_of_about_2_2() -> None:
    daily = dollars(*([10, -10] * 25), 0)
    found = sharpe_ratio(daily, overlap_sessions=0)
    assert found.ratio == pytest.approx(0)
    assert found.effective_periods == 51
    assert found.standard_error == pytest.approx(2.22, abs=0.01)


def test_days_that_follow_one_another_count_for_less() -> None:
    runs = [10.0] * 10 + [-10.0] * 10 + [10.0] * 10 + [-10.0] * 10
    found = effective_periods(runs, overlap_sessions=5)
    assert found is not None
    assert 1 <= found < 20
    assert effective_periods(runs, overlap_sessions=0) == 40


def test_days_that_undo_one_another_never_count_for_more_than_they_are() -> None:
    assert effective_periods([1.0, -1.0] * 20, overlap_sessions=5) == 40


def test_a_lag_is_not_estimated_from_a_handful_of_days() -> None:
    assert effective_periods([1.0, 2.0, 3.0], overlap_sessions=30) == 3


def test_the_sortino_ratio_counts_losing_days_over_all_days() -> None:
    found = sortino_ratio(dollars(3, -1, 1, -1))
    assert found == pytest.approx(0.5 / sqrt(2 / 4) * sqrt(252))


@pytest.mark.parametrize("daily", [[], dollars(-3), dollars(2, 0, 1)])
def test_the_sortino_ratio_is_unknown_for_one_day_or_without_a_losing_one(
    daily: list[Decimal],
) -> None:
    assert sortino_ratio(daily) is None


def test_the_drawdown_is_the_deepest_fall_below_the_highest_point() -> None:
    assert max_drawdown(dollars(10, -4, 3, -12, 20)) == 13


def test_a_first_day_that_loses_is_a_drawdown() -> None:
    assert max_drawdown(dollars(-5, 2)) == 5


def test_there_is_no_drawdown_without_a_day_and_none_without_a_loss() -> None:
    assert max_drawdown([]) is None
    assert max_drawdown(dollars(1, 0, 2)) == 0
