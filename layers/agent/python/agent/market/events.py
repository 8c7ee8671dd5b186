"""Earnings reports: when they may fall, and how much of a volatility is theirs.

A stock moves by one extra jump at a report. Options that expire after it carry the variance of
that jump on top of their daily variance, so their implied volatility says little about the days
around it: a raw IV rank is high because a report is near. Stripping takes the jump out again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from math import sqrt

import numpy as np

from agent.market.volatility import (
    SOURCE_QUOTES,
    AtTheMoneyVolatility,
    TermPoint,
    at_thirty_days,
)

SOURCE_QUOTES_STRIPPED = f"{SOURCE_QUOTES}-event-stripped"
"""The source of stripped volatilities: they rank among themselves only."""

REPORT_INTERVAL_DAYS = 91
REPORT_TOLERANCE_DAYS = 10
DAYS_PER_YEAR = 365.0

SUSPICION_POINTS_MIN = 4
SUSPICION_MOVE_FRACTION_MIN = 0.02
SUSPICION_EXPLAINED_FRACTION_MIN = 0.5


@dataclass(frozen=True, slots=True)
class ReportWindow:
    """Bound the dates on which a report falls; a known date has both ends on one day."""

    earliest: date
    latest: date

    def is_spanned(self, session: date, expiration: date) -> bool:
        """Say whether a life from `session` to `expiration` may contain the report.

        Both days count: whether a company reports before the open or after the close is not known
        here.
        """
        return session <= self.latest and self.earliest <= expiration


def expected_report(last_report: date) -> ReportWindow:
    """Expect the report that follows the last one 91 days later, give or take 10."""
    middle = last_report + timedelta(days=REPORT_INTERVAL_DAYS)
    tolerance = timedelta(days=REPORT_TOLERANCE_DAYS)
    return ReportWindow(earliest=middle - tolerance, latest=middle + tolerance)


def next_report(reports: Sequence[date], session: date) -> ReportWindow | None:
    """Find the next report from `session` on: the date where known, else the expected window.

    `reports` are all report dates known, past and future. None where there is none to go by, and
    where the expected window has passed without a report being recorded: then nothing is known.
    """
    ahead = [day for day in reports if day >= session]
    if ahead:
        return ReportWindow(min(ahead), min(ahead))
    if not reports:
        return None
    window = expected_report(max(reports))
    return window if window.latest >= session else None


@dataclass(frozen=True, slots=True)
class EventVariance:
    """Split a term structure into a daily part and one jump.

    `base_volatility` is an annual fraction, `move_fraction` the standard deviation of the jump as
    a fraction of the stock's price, `explained_fraction` the share (0..1) of the differences
    between the expirations' variances that the jump accounts for.
    """

    base_volatility: float
    move_fraction: float
    explained_fraction: float


def fit_event_variance(points: Sequence[TermPoint], report: ReportWindow) -> EventVariance | None:
    """Fit variance = base + jump / time to the expirations before and after a report.

    Ordinary least squares over the annual implied variances, where the jump counts for
    expirations after the report's latest day. Expirations within its days are left out: it is not
    known on which side they lie. A negative jump counts as none. None where the two parts cannot
    be told apart, or no daily variance is left.
    """
    clear = [p for p in points if not report.earliest <= p.expiration <= report.latest]
    variance = np.array([p.volatility.implied_volatility**2 for p in clear], dtype=np.float64)
    loading = np.array(
        [DAYS_PER_YEAR / p.dte if p.expiration > report.latest else 0.0 for p in clear],
        dtype=np.float64,
    )
    if len(clear) < 2 or np.ptp(loading) == 0.0:
        return None
    centred = loading - loading.mean()
    jump = max(float(centred @ variance / (centred @ centred)), 0.0)
    base = float(np.mean(variance - jump * loading))
    if base <= 0.0:
        return None
    total = float(np.sum((variance - variance.mean()) ** 2))
    left = float(np.sum((variance - base - jump * loading) ** 2))
    return EventVariance(
        base_volatility=sqrt(base),
        move_fraction=sqrt(jump),
        explained_fraction=1.0 - left / total if total > 0.0 else 0.0,
    )


def suspect_report(points: Sequence[TermPoint]) -> ReportWindow | None:
    """Find the days between two neighbouring expirations where a jump explains the term structure.

    The days whose fit explains most of it, where that is a jump of at least 2 % and at least half
    of the differences; None where no such kink stands out. At least four expirations are needed,
    one of them before the jump: three lie on almost any curve. Where the neighbours are one day
    apart, that is the later one's day.
    """
    if len(points) < SUSPICION_POINTS_MIN:
        return None
    best: tuple[float, ReportWindow] | None = None
    for before, after in pairwise(sorted(points, key=lambda point: point.dte)):
        earliest = before.expiration + timedelta(days=1)
        window = ReportWindow(earliest, max(after.expiration - timedelta(days=1), earliest))
        found = fit_event_variance(points, window)
        if found is None or found.move_fraction < SUSPICION_MOVE_FRACTION_MIN:
            continue
        if best is None or found.explained_fraction > best[0]:
            best = found.explained_fraction, window
    return best[1] if best is not None and best[0] >= SUSPICION_EXPLAINED_FRACTION_MIN else None


def iv30_without_event(
    points: Sequence[TermPoint], report: ReportWindow
) -> AtTheMoneyVolatility | None:
    """Interpolate to 30 days what a term structure implies without the jump of a report.

    The jump's variance is taken from every expiration after the report's latest day, from bid and
    ask alike. Expirations within the report's days are left out. None where the jump cannot be
    fitted, or takes more than an expiration has.
    """
    event = fit_event_variance(points, report)
    if event is None:
        return None
    stripped: list[TermPoint] = []
    for point in points:
        if point.expiration < report.earliest:
            kept = point.volatility
        elif point.expiration > report.latest:
            found = _strip(point, event.move_fraction**2)
            if found is None:
                return None
            kept = found
        else:
            continue
        stripped.append(
            TermPoint(point.expiration, point.dte, replace(kept, source=SOURCE_QUOTES_STRIPPED))
        )
    return at_thirty_days(stripped)


def _strip(point: TermPoint, jump: float) -> AtTheMoneyVolatility | None:
    def without_jump(volatility: float | None) -> float | None:
        if volatility is None:
            return None
        left = volatility**2 - jump * DAYS_PER_YEAR / point.dte
        return sqrt(left) if left > 0.0 else None

    mid = without_jump(point.volatility.implied_volatility)
    if mid is None:
        return None
    return AtTheMoneyVolatility(
        implied_volatility=mid,
        implied_volatility_bid=without_jump(point.volatility.implied_volatility_bid),
        implied_volatility_ask=without_jump(point.volatility.implied_volatility_ask),
    )
