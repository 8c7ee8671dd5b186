"""Ratios of a series of daily P&L, and how much such a series can say.

A ratio of mean to deviation does not depend on the capital behind the P&L as long as that is
constant, so dollars do. No interest is deducted: cash earns its own beside the trades. Ratios of
days become annual ones by the root of 252 sessions a year.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import fsum, sqrt

SESSIONS_PER_YEAR = 252
PERIODS_MIN = 2
PERIODS_PER_LAG_MIN = 4
"""A correlation at a lag is estimated from at least this many times as many periods."""


@dataclass(frozen=True)
class SharpeRatio:
    """Hold an annualised ratio and its annualised standard error; None where unknown."""

    ratio: float | None
    standard_error: float | None
    periods: int
    effective_periods: float | None


def sharpe_ratio(daily: Sequence[Decimal], *, overlap_sessions: int) -> SharpeRatio:
    """Divide the mean by the sample deviation, annualised.

    Unknown with fewer than two periods, or where none differs from another. The standard error is
    the root of (1 + S^2 / 2) / n with S the ratio of a day and n the effective periods (A. Lo,
    "The Statistics of Sharpe Ratios", 2002).
    """
    values = [float(value) for value in daily]
    periods = len(values)
    if periods < PERIODS_MIN or min(values) == max(values):
        return SharpeRatio(None, None, periods, None)
    mean = fsum(values) / periods
    deviation = sqrt(fsum((value - mean) ** 2 for value in values) / (periods - 1))
    effective = effective_periods(values, overlap_sessions)
    if not deviation or effective is None:
        return SharpeRatio(None, None, periods, None)
    of_a_day = mean / deviation
    return SharpeRatio(
        ratio=of_a_day * sqrt(SESSIONS_PER_YEAR),
        standard_error=sqrt((1 + of_a_day**2 / 2) / effective * SESSIONS_PER_YEAR),
        periods=periods,
        effective_periods=effective,
    )


def effective_periods(values: Sequence[float], overlap_sessions: int) -> float | None:
    """Count the independent periods that would say as much about the mean as these do.

    Trades live for `overlap_sessions`, so their days depend on one another: the count is divided
    by the Bartlett-weighted sum of autocorrelations up to that lag (Newey and West, 1987). Never
    above the number of periods, never below one; None for fewer than two or where all are equal.
    """
    periods = len(values)
    if periods < PERIODS_MIN:
        return None
    mean = fsum(values) / periods
    deviations = [value - mean for value in values]
    total = fsum(deviation**2 for deviation in deviations)
    if not total:
        return None
    lags = max(0, min(overlap_sessions, periods // PERIODS_PER_LAG_MIN))
    inflation = 1.0
    for lag in range(1, lags + 1):
        pairs = zip(deviations[lag:], deviations[:-lag], strict=True)
        correlation = fsum(late * early for late, early in pairs) / total
        inflation += 2 * (1 - lag / (lags + 1)) * correlation
    return max(1.0, periods / max(1.0, inflation))


def sortino_ratio(daily: Sequence[Decimal]) -> float | None:
    """Divide the mean by the root mean square of the losing days alone, annualised.

    The mean square is over all days, with a target of zero. None with fewer than two periods, or
    where no day lost.
    """
    values = [float(value) for value in daily]
    if len(values) < PERIODS_MIN:
        return None
    downside = sqrt(fsum(min(value, 0.0) ** 2 for value in values) / len(values))
    if not downside:
        return None
    return fsum(values) / len(values) / downside * sqrt(SESSIONS_PER_YEAR)


def max_drawdown(daily: Sequence[Decimal]) -> Decimal | None:
    """Measure the deepest fall of the cumulated P&L below its highest point, in dollars.

    The point before the first day counts. None where there is no day.
    """
    if not daily:
        return None
    level = highest = deepest = Decimal(0)
    for pnl in daily:
        level += pnl
        highest = max(highest, level)
        deepest = max(deepest, highest - level)
    return deepest
