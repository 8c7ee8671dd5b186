"""What is known of the next report of a company, and what that means for a trade and an IV rank."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from agent.market.events import (
    SOURCE_QUOTES_STRIPPED,
    ReportWindow,
    iv30_without_event,
    next_report,
    suspect_report,
)
from agent.market.volatility import AtTheMoneyVolatility, TermPoint


class ReportRisk(StrEnum):
    """Say whether a report may fall into the life of a trade."""

    NONE = "none"
    KNOWN = "known"
    """It does, by a date on record."""
    UNKNOWN = "unknown"
    """It may: no date is on record that says otherwise."""


@dataclass(frozen=True, slots=True)
class ReportOutlook:
    """Gather what is known of the next report of a company, and what is only suspected.

    `expected` and `suspected` are looked at where no date is `known`.
    """

    known: date | None = None
    expected: ReportWindow | None = None
    """When it would follow the last report on record; None where there is none to go by."""
    suspected: ReportWindow | None = None
    """Where the term structure has a kink."""
    never_reports: bool = False
    """True for funds and indices."""

    @property
    def event(self) -> ReportWindow | None:
        """Give the days whose variance is to be taken out of implied volatilities, if any."""
        return self.suspected if self.known is None else ReportWindow(self.known, self.known)

    def risk(self, session: date, expiration: date) -> ReportRisk:
        """Judge a life from `session` to `expiration`, both days included.

        Where nothing is on record, nothing says that a life is clear of reports.
        """
        if self.never_reports:
            return ReportRisk.NONE
        if self.known is not None:
            spanned = ReportWindow(self.known, self.known).is_spanned(session, expiration)
            return ReportRisk.KNOWN if spanned else ReportRisk.NONE
        windows = [window for window in (self.expected, self.suspected) if window is not None]
        if self.expected is None or any(w.is_spanned(session, expiration) for w in windows):
            return ReportRisk.UNKNOWN
        return ReportRisk.NONE


def report_outlook(
    reports: Sequence[date],
    session: date,
    points: Sequence[TermPoint],
    *,
    never_reports: bool = False,
) -> ReportOutlook:
    """Look ahead from `session`: `reports` are all dates on record, `points` a term structure."""
    if never_reports:
        return ReportOutlook(never_reports=True)
    following = next_report(reports, session)
    if following is not None and following.earliest == following.latest:
        return ReportOutlook(known=following.earliest)
    return ReportOutlook(expected=following, suspected=suspect_report(points))


def without_event(
    current: AtTheMoneyVolatility, points: Sequence[TermPoint], outlook: ReportOutlook
) -> AtTheMoneyVolatility | None:
    """Give IV30 clear of the next report's variance: as it is where no expiration bears any.

    None where the variance cannot be told apart. The source is that of stripped volatilities.
    """
    if is_disturbed(points, outlook) and outlook.event is not None:
        return iv30_without_event(points, outlook.event)
    return replace(current, source=SOURCE_QUOTES_STRIPPED)


def is_disturbed(points: Sequence[TermPoint], outlook: ReportOutlook) -> bool:
    """Say whether a report, known or suspected, lies before the last expiration seen."""
    if outlook.event is None or not points:
        return False
    return outlook.event.earliest <= max(point.expiration for point in points)
