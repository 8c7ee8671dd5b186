"""The risk-free rate of a day, from a dated curve."""

from datetime import date, timedelta

import pytest
from pydantic import ValidationError

from agent.config.settings import MarketSettings, RatePoint
from agent.market.rates import risk_free_rate, stale_rates

JUNE, JULY = date(2026, 6, 1), date(2026, 7, 1)
CURVE = MarketSettings(
    rate_curve=(
        RatePoint(date=JULY, days=90, rate=0.036),
        RatePoint(date=JUNE, days=30, rate=0.042),
        RatePoint(date=JULY, days=30, rate=0.030),
    )
)


@pytest.mark.parametrize(
    ("days", "rate"), [(7, 0.030), (30, 0.030), (60, 0.033), (90, 0.036), (400, 0.036)]
)
def test_rates_are_interpolated_between_tenors_and_flat_beyond_them(days: int, rate: float) -> None:
    assert risk_free_rate(CURVE, JULY, days) == pytest.approx(rate)


def test_the_newest_date_that_is_not_after_the_day_counts() -> None:
    assert risk_free_rate(CURVE, JULY - timedelta(days=1)) == pytest.approx(0.042)
    assert risk_free_rate(CURVE, JULY + timedelta(days=300)) == pytest.approx(0.030)


def test_without_a_date_there_is_the_plain_rate() -> None:
    assert risk_free_rate(MarketSettings(), JULY) == 0.04
    assert risk_free_rate(CURVE, JUNE - timedelta(days=1)) == 0.04


def test_a_curve_grows_stale_and_a_plain_rate_does_not() -> None:
    assert stale_rates(CURVE, JULY + timedelta(days=35)) is None
    assert stale_rates(CURVE, JULY + timedelta(days=36)) == (
        "The newest rates of market.rate_curve are of 2026-07-01, 36 days ago: more than 35."
    )
    assert stale_rates(MarketSettings(), JULY) is None


def test_a_rate_in_percent_is_refused() -> None:
    with pytest.raises(ValidationError):
        RatePoint(date=JULY, days=30, rate=4.2)
