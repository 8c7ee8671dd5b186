from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.market.volatility import ImpliedVolatilitySample, iv_percentile, iv_rank

SESSION = date(2026, 6, 9)
volatilities = st.floats(0.01, 3.0)
histories = st.lists(volatilities, min_size=2, max_size=300).map(
    lambda values: [
        ImpliedVolatilitySample(SESSION - timedelta(days=days), value, None, None, "quotes")
        for days, value in enumerate(values, start=1)
    ]
)


@given(volatilities, histories)
def test_ranks_and_percentiles_stay_between_0_and_100(
    current: float, history: list[ImpliedVolatilitySample]
) -> None:
    percentile = iv_percentile(current, history, session=SESSION, sessions_min=2)
    assert percentile is not None
    assert 0.0 <= percentile <= 100.0
    rank = iv_rank(current, history, session=SESSION, sessions_min=2)
    assert rank is None or 0.0 <= rank <= 100.0


@given(volatilities, volatilities, histories)
def test_a_higher_volatility_never_ranks_lower(
    one: float, other: float, history: list[ImpliedVolatilitySample]
) -> None:
    low, high = sorted([one, other])
    rank_low = iv_rank(low, history, session=SESSION, sessions_min=2)
    rank_high = iv_rank(high, history, session=SESSION, sessions_min=2)
    assert (rank_low is None) == (rank_high is None)
    if rank_low is not None and rank_high is not None:
        assert rank_low <= rank_high


@given(histories)
def test_the_extremes_of_the_window_rank_0_and_100(history: list[ImpliedVolatilitySample]) -> None:
    values = [sample.implied_volatility for sample in history[:252]]
    ends = [
        iv_rank(value, history, session=SESSION, sessions_min=2)
        for value in (min(values), max(values))
    ]
    assert ends == ([None, None] if min(values) == max(values) else pytest.approx([0.0, 100.0]))
