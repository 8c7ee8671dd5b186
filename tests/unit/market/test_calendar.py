from datetime import UTC, date, datetime, timedelta

import pytest

from agent.market.calendar import (
    TradingSession,
    expires_at,
    market_minutes_since_open,
    new_york_date,
    next_session,
    session_at,
    years_to_expiration,
)


def a_session(day: date) -> TradingSession:
    opens_at = datetime(day.year, day.month, day.day, 13, 30, tzinfo=UTC)
    return TradingSession(day, opens_at, opens_at + timedelta(hours=6, minutes=30))


FRIDAY, MONDAY = a_session(date(2026, 6, 12)), a_session(date(2026, 6, 15))


def test_the_date_is_new_yorks_and_not_utcs() -> None:
    assert new_york_date(datetime(2026, 6, 10, 3, 59, tzinfo=UTC)) == date(2026, 6, 9)
    assert new_york_date(datetime(2026, 6, 10, 4, 0, tzinfo=UTC)) == date(2026, 6, 10)


def test_a_time_without_a_zone_is_refused() -> None:
    naive = FRIDAY.opens_at.replace(tzinfo=None)
    with pytest.raises(ValueError, match="without a zone"):
        new_york_date(naive)
    with pytest.raises(ValueError, match="times without a zone"):
        TradingSession(FRIDAY.session, naive, FRIDAY.closes_at)
    with pytest.raises(ValueError, match="times without a zone"):
        TradingSession(FRIDAY.session, FRIDAY.opens_at, naive)


def test_a_session_closes_after_it_opens() -> None:
    with pytest.raises(ValueError, match="closes before it opens"):
        TradingSession(FRIDAY.session, FRIDAY.closes_at, FRIDAY.opens_at)


def test_the_next_session_is_the_earliest_strictly_after_a_date() -> None:
    sessions = [MONDAY, FRIDAY]
    assert next_session(sessions, date(2026, 6, 11)) == FRIDAY
    assert next_session(sessions, FRIDAY.session) == MONDAY
    assert next_session(sessions, MONDAY.session) is None


def test_the_market_is_open_from_the_opening_to_just_before_the_close() -> None:
    sessions = [FRIDAY, MONDAY]
    assert session_at(sessions, FRIDAY.opens_at) == FRIDAY
    assert session_at(sessions, FRIDAY.closes_at - timedelta(seconds=1)) == FRIDAY
    assert session_at(sessions, FRIDAY.closes_at) is None


def test_minutes_count_from_the_opening() -> None:
    assert market_minutes_since_open(FRIDAY, FRIDAY.opens_at + timedelta(minutes=10)) == 10.0
    assert market_minutes_since_open(FRIDAY, FRIDAY.opens_at - timedelta(seconds=30)) == -0.5


def test_options_expire_at_four_in_new_york_in_summer_and_winter() -> None:
    assert expires_at(date(2026, 7, 17)) == datetime(2026, 7, 17, 20, 0, tzinfo=UTC)
    assert expires_at(date(2026, 12, 18)) == datetime(2026, 12, 18, 21, 0, tzinfo=UTC)


def test_time_to_expiration_is_in_years_of_365_days_and_never_negative() -> None:
    expiration = date(2026, 7, 17)
    a_day_before = expires_at(expiration) - timedelta(days=1)
    assert years_to_expiration(expiration, a_day_before) == pytest.approx(1 / 365)
    assert years_to_expiration(expiration, expires_at(expiration) + timedelta(hours=1)) == 0.0
