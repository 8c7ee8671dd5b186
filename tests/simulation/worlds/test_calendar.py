"""The sessions of the exchange, and the expirations that follow from them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from simulator.worlds.calendar import trading_sessions, weekly_expirations


def test_a_holiday_is_not_a_session() -> None:
    days = [each.session for each in trading_sessions(date(2026, 6, 15), date(2026, 6, 26))]

    assert date(2026, 6, 19) not in days
    assert len(days) == 9


def test_the_day_after_thanksgiving_closes_at_one_in_new_york() -> None:
    (session,) = trading_sessions(date(2025, 11, 28), date(2025, 11, 28))

    assert session.opens_at == datetime(2025, 11, 28, 14, 30, tzinfo=UTC)
    assert session.closes_at == datetime(2025, 11, 28, 18, 0, tzinfo=UTC)


def test_summer_time_moves_the_opening_in_utc() -> None:
    before, after = trading_sessions(date(2026, 3, 6), date(2026, 3, 9))

    assert (before.opens_at.hour, after.opens_at.hour) == (14, 13)


def test_a_weekend_has_no_sessions() -> None:
    assert trading_sessions(date(2026, 1, 3), date(2026, 1, 4)) == ()


def test_a_calendar_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot end"):
        trading_sessions(date(2026, 1, 5), date(2026, 1, 4))


def test_expirations_are_fridays_or_the_session_before_a_shut_friday() -> None:
    sessions = trading_sessions(date(2026, 6, 1), date(2026, 7, 31))

    days = {each.session.session for each in weekly_expirations(sessions)}

    assert date(2026, 6, 18) in days
    assert date(2026, 7, 2) in days
    fridays = {day for day in days if day.weekday() == 4}
    assert days - fridays == {date(2026, 6, 18), date(2026, 7, 2)}


def test_only_the_third_friday_is_monthly_even_when_it_is_shut() -> None:
    sessions = trading_sessions(date(2026, 5, 1), date(2026, 7, 31))

    monthly = [each.session.session for each in weekly_expirations(sessions) if each.monthly]

    assert monthly == [date(2026, 5, 15), date(2026, 6, 18), date(2026, 7, 17)]


def test_a_last_week_cut_off_before_its_friday_gives_no_expiration() -> None:
    last_known = date(2026, 7, 29)
    sessions = trading_sessions(date(2026, 7, 1), last_known)

    expirations = weekly_expirations(sessions)

    assert expirations[-1].session.session == last_known - timedelta(days=5)
