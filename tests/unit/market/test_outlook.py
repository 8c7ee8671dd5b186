"""What is known of the next report, and what it means for a life and for an IV rank."""

from datetime import date, timedelta

import pytest

from agent.market.events import SOURCE_QUOTES_STRIPPED, ReportWindow, expected_report
from agent.market.outlook import (
    ReportOutlook,
    ReportRisk,
    is_disturbed,
    report_outlook,
    without_event,
)
from agent.market.volatility import SOURCE_QUOTES, at_thirty_days
from tests.unit.market.builders import SESSION, an_expiration
from tests.unit.market.test_events import BASE, DTES, a_point, with_jump

FLAT = [a_point(dte, BASE) for dte in DTES]
LAST = SESSION - timedelta(days=20)
EXPIRATION = an_expiration(38)


def day(dte: int) -> date:
    return SESSION + timedelta(days=dte)


def test_a_date_on_record_is_known_and_nothing_else_is_asked() -> None:
    outlook = report_outlook([LAST, day(30)], SESSION, with_jump(report_dte=27))
    assert outlook == ReportOutlook(known=day(30))
    assert outlook.event == ReportWindow(day(30), day(30))


def test_without_a_date_ahead_the_last_report_and_the_term_structure_are_asked() -> None:
    outlook = report_outlook([LAST], SESSION, with_jump(report_dte=27))
    assert outlook.known is None
    assert outlook.expected == expected_report(LAST)
    assert outlook.suspected is not None
    assert outlook.suspected.is_spanned(day(25), day(30))
    assert outlook.event == outlook.suspected


def test_a_flat_term_structure_suspects_nothing() -> None:
    outlook = report_outlook([LAST], SESSION, FLAT)
    assert outlook.suspected is None
    assert outlook.event is None


@pytest.mark.parametrize(
    ("known", "risk"),
    [(0, ReportRisk.KNOWN), (38, ReportRisk.KNOWN), (39, ReportRisk.NONE)],
)
def test_a_known_report_counts_from_today_to_the_day_of_expiration(
    known: int, risk: ReportRisk
) -> None:
    assert ReportOutlook(known=day(known)).risk(SESSION, EXPIRATION) is risk


def test_a_life_that_ends_before_the_expected_days_is_clear() -> None:
    outlook = ReportOutlook(expected=ReportWindow(day(40), day(60)))
    assert outlook.risk(SESSION, EXPIRATION) is ReportRisk.NONE
    assert outlook.risk(SESSION, an_expiration(45)) is ReportRisk.UNKNOWN


def test_a_kink_within_the_life_outweighs_expected_days_beyond_it() -> None:
    kink = ReportWindow(day(25), day(30))
    outlook = ReportOutlook(expected=ReportWindow(day(40), day(60)), suspected=kink)
    assert outlook.risk(SESSION, EXPIRATION) is ReportRisk.UNKNOWN
    assert outlook.risk(SESSION, an_expiration(24)) is ReportRisk.NONE


def test_with_nothing_on_record_no_life_is_clear() -> None:
    assert ReportOutlook().risk(SESSION, EXPIRATION) is ReportRisk.UNKNOWN
    overdue = report_outlook([SESSION - timedelta(days=150)], SESSION, FLAT)
    assert overdue.risk(SESSION, EXPIRATION) is ReportRisk.UNKNOWN


def test_a_fund_never_reports() -> None:
    outlook = report_outlook([], SESSION, with_jump(), never_reports=True)
    assert outlook.risk(SESSION, EXPIRATION) is ReportRisk.NONE
    assert outlook.event is None


def test_a_report_among_the_expirations_disturbs_their_volatilities() -> None:
    points = with_jump(report_dte=27)
    current = at_thirty_days(points)
    assert current is not None
    outlook = ReportOutlook(known=day(27))
    assert is_disturbed(points, outlook)
    clear = without_event(current, points, outlook)
    assert clear is not None
    assert clear.source == SOURCE_QUOTES_STRIPPED
    assert clear.implied_volatility == pytest.approx(BASE, abs=1e-9)
    assert current.implied_volatility > BASE + 0.05


def test_a_report_beyond_the_last_expiration_disturbs_nothing() -> None:
    current = at_thirty_days(FLAT)
    assert current is not None
    outlook = ReportOutlook(known=day(46))
    assert not is_disturbed(FLAT, outlook)
    clear = without_event(current, FLAT, outlook)
    assert clear is not None
    assert (current.source, clear.source) == (SOURCE_QUOTES, SOURCE_QUOTES_STRIPPED)
    assert clear.implied_volatility == current.implied_volatility
