"""The risk-free rate of a day, from the dated curve of the configuration."""

from datetime import date

import numpy as np

from agent.config.settings import MarketSettings, RatePoint

NEAR_DAYS = 30
"""The tenor at which a chain is read: what is traded expires around it."""


def risk_free_rate(market: MarketSettings, session: date, days: int = NEAR_DAYS) -> float:
    """Give the annual, continuously compounded rate for a tenor of `days` on a New York date.

    The curve's newest date that is not after `session` counts; between its tenors the rate is
    interpolated, beyond them it is flat. Without such a date it is `risk_free_rate`.
    """
    dates = [point.date for point in market.rate_curve if point.date <= session]
    if not dates:
        return market.risk_free_rate
    newest = max(dates)
    points = sorted((point for point in market.rate_curve if point.date == newest), key=_tenor)
    tenors = [point.days for point in points]
    return float(np.interp(days, tenors, [point.rate for point in points]))


def stale_rates(market: MarketSettings, session: date) -> str | None:
    """Say how old the curve is where that is too old; None where it is not, or is not used."""
    if not market.rate_curve:
        return None
    newest = max(point.date for point in market.rate_curve)
    age_days = (session - newest).days
    if age_days <= market.rate_curve_age_max_days:
        return None
    return (
        f"The newest rates of market.rate_curve are of {newest:%Y-%m-%d}, {age_days} days ago:"
        f" more than {market.rate_curve_age_max_days}."
    )


def _tenor(point: RatePoint) -> int:
    return point.days
