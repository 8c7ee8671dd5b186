from collections.abc import Mapping
from datetime import date
from math import sqrt

import pytest

from agent.market.events import (
    SOURCE_QUOTES_STRIPPED,
    ReportWindow,
    expected_report,
    fit_event_variance,
    iv30_without_event,
    next_report,
    suspect_report,
)
from agent.market.volatility import AtTheMoneyVolatility, TermPoint, at_thirty_days
from tests.unit.market.builders import SESSION, an_expiration

BASE, MOVE = 0.25, 0.06
DTES = (10, 17, 24, 31, 38, 45)
REPORT = ReportWindow(an_expiration(27), an_expiration(27))


def a_point(dte: int, volatility: float, half_band: float | None = 0.01) -> TermPoint:
    return TermPoint(
        an_expiration(dte),
        dte,
        AtTheMoneyVolatility(
            volatility,
            None if half_band is None else volatility - half_band,
            None if half_band is None else volatility + half_band,
        ),
    )


def with_jump(
    dtes: tuple[int, ...] = DTES, *, report_dte: int = 27, move: float = MOVE, base: float = BASE
) -> list[TermPoint]:
    """Give a flat term structure with one jump on `report_dte`."""
    return [
        a_point(dte, sqrt(base**2 + (move**2 * 365 / dte if dte > report_dte else 0.0)))
        for dte in dtes
    ]


def from_volatilities(volatilities: Mapping[int, float]) -> list[TermPoint]:
    return [a_point(dte, volatility) for dte, volatility in volatilities.items()]


def test_the_next_report_is_expected_91_days_after_the_last_give_or_take_ten() -> None:
    assert expected_report(date(2026, 4, 30)) == ReportWindow(date(2026, 7, 20), date(2026, 8, 9))


def test_a_known_date_outranks_the_expectation() -> None:
    reports = [date(2026, 4, 30), date(2026, 10, 29), date(2026, 7, 30)]
    assert next_report(reports, SESSION) == ReportWindow(date(2026, 7, 30), date(2026, 7, 30))
    assert next_report([date(2026, 4, 30)], SESSION) == expected_report(date(2026, 4, 30))


def test_without_reports_or_long_after_the_last_nothing_is_expected() -> None:
    assert next_report([], SESSION) is None
    assert next_report([date(2026, 1, 29)], SESSION) is None


@pytest.mark.parametrize(
    ("session", "expiration", "expected"),
    [
        (date(2026, 6, 9), date(2026, 7, 17), False),
        (date(2026, 6, 9), date(2026, 7, 20), True),
        (date(2026, 8, 9), date(2026, 8, 21), True),
        (date(2026, 8, 10), date(2026, 8, 21), False),
    ],
)
def test_a_life_spans_a_report_that_may_fall_within_it(
    session: date, expiration: date, expected: bool
) -> None:
    assert expected_report(date(2026, 4, 30)).is_spanned(session, expiration) is expected


def test_the_fit_tells_the_jump_from_the_daily_variance() -> None:
    found = fit_event_variance(with_jump(), REPORT)
    assert found is not None
    assert found.base_volatility == pytest.approx(BASE)
    assert found.move_fraction == pytest.approx(MOVE)
    assert found.explained_fraction == pytest.approx(1.0)


def test_a_jump_before_every_expiration_still_shows_in_their_order() -> None:
    found = fit_event_variance(
        with_jump((10, 24, 38), report_dte=3), ReportWindow(SESSION, SESSION)
    )
    assert found is not None
    assert found.move_fraction == pytest.approx(MOVE)


def test_expirations_within_the_window_are_left_out_of_the_fit() -> None:
    points = with_jump()
    points[2] = a_point(24, 0.9)
    found = fit_event_variance(points, ReportWindow(an_expiration(20), an_expiration(27)))
    assert found is not None
    assert found.move_fraction == pytest.approx(MOVE)


def test_a_falling_variance_is_no_negative_jump() -> None:
    points = from_volatilities({10: 0.40, 17: 0.40, 31: 0.30, 38: 0.30})
    found = fit_event_variance(points, REPORT)
    assert found is not None
    assert found.move_fraction == 0.0
    assert found.base_volatility == pytest.approx(sqrt((0.16 + 0.09) / 2))


@pytest.mark.parametrize("dtes", [(), (31,), (10, 17)])
def test_too_few_expirations_tell_nothing(dtes: tuple[int, ...]) -> None:
    assert fit_event_variance(with_jump(dtes), REPORT) is None
    assert iv30_without_event(with_jump(dtes), REPORT) is None


def test_a_jump_that_leaves_no_daily_variance_is_not_believed() -> None:
    points = from_volatilities({31: 0.80, 38: 0.30})
    assert fit_event_variance(points, REPORT) is None


def test_a_flat_term_structure_has_nothing_to_explain() -> None:
    found = fit_event_variance(from_volatilities(dict.fromkeys(DTES, 0.25)), REPORT)
    assert found is not None
    assert found.move_fraction == pytest.approx(0.0, abs=1e-6)
    assert found.explained_fraction == 0.0


def test_stripping_leaves_the_daily_volatility_and_says_so() -> None:
    points = with_jump()
    raw, stripped = at_thirty_days(points), iv30_without_event(points, REPORT)
    assert raw is not None
    assert stripped is not None
    assert raw.implied_volatility > 0.30
    assert stripped.implied_volatility == pytest.approx(BASE)
    assert stripped.source == SOURCE_QUOTES_STRIPPED
    assert stripped.implied_volatility_bid is not None
    assert stripped.implied_volatility_ask is not None
    assert stripped.implied_volatility_bid < BASE < stripped.implied_volatility_ask


def test_a_report_beyond_thirty_days_changes_little() -> None:
    points = with_jump((24, 31, 38, 45), report_dte=40)
    report = ReportWindow(an_expiration(40), an_expiration(40))
    stripped = iv30_without_event(points, report)
    assert stripped is not None
    assert stripped.implied_volatility == pytest.approx(BASE)


def test_an_unknown_side_of_the_band_stays_unknown() -> None:
    points = [
        TermPoint(
            point.expiration,
            point.dte,
            AtTheMoneyVolatility(point.volatility.implied_volatility, None, None),
        )
        for point in with_jump()
    ]
    stripped = iv30_without_event(points, REPORT)
    assert stripped is not None
    assert stripped.implied_volatility_bid is None
    assert stripped.implied_volatility_ask is None


def test_a_jump_larger_than_an_expiration_holds_cannot_be_stripped() -> None:
    points = from_volatilities({10: 0.20, 17: 0.20, 29: 0.60, 31: 0.60, 33: 0.60, 45: 0.10})
    assert fit_event_variance(points, REPORT) is not None
    assert iv30_without_event(points, REPORT) is None


def test_expirations_within_the_window_are_left_out_of_the_thirty_days() -> None:
    window = ReportWindow(an_expiration(25), an_expiration(33))
    stripped = iv30_without_event(with_jump(), window)
    assert stripped is not None
    assert stripped.implied_volatility == pytest.approx(BASE)


def test_a_kink_in_the_term_structure_betrays_a_report() -> None:
    assert suspect_report(with_jump()) == ReportWindow(an_expiration(25), an_expiration(30))


def test_a_kink_between_neighbouring_days_points_at_the_later_one() -> None:
    found = suspect_report(with_jump((10, 17, 26, 27, 31, 38), report_dte=26))
    assert found == ReportWindow(an_expiration(27), an_expiration(27))


@pytest.mark.parametrize(
    "points",
    [
        with_jump((10, 24, 38)),
        with_jump(move=0.01),
        from_volatilities(dict.fromkeys(DTES, 0.25)),
        from_volatilities({10: 0.40, 17: 0.36, 24: 0.33, 31: 0.31, 38: 0.30}),
        from_volatilities({10: 0.25, 17: 0.35, 24: 0.25, 31: 0.36, 38: 0.24, 45: 0.30}),
    ],
)
def test_few_expirations_a_small_jump_or_no_clear_kink_raise_no_suspicion(
    points: list[TermPoint],
) -> None:
    assert suspect_report(points) is None
