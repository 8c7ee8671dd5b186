"""When the market opens and closes."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from simulator.worlds.calendar import trading_sessions
from simulator.worlds.world import TradingSession

NEW_YORK = ZoneInfo("America/New_York")
REGULAR_OPEN = time(9, 30)
REGULAR_CLOSE = time(16, 0)
SATURDAY = 5
FORESIGHT = timedelta(days=400)
LONGEST_CLOSURE_DAYS = 10


def new_york_date(at: datetime) -> date:
    """Give the New York date of an aware moment."""
    return at.astimezone(NEW_YORK).date()


def regular_session(on: date) -> TradingSession:
    """Give the regular hours of a New York date, whether or not it is a trading day."""
    return TradingSession(
        session=on,
        opens_at=datetime.combine(on, REGULAR_OPEN, NEW_YORK).astimezone(UTC),
        closes_at=datetime.combine(on, REGULAR_CLOSE, NEW_YORK).astimezone(UTC),
    )


class SessionCalendar:
    """Answer questions about sessions.

    Between the first and the last session of the world, its own list decides. Outside of it
    no trading happens, but clients still ask for the calendar: there New York's own holds, and
    further than 400 days out every weekday counts as a regular session.
    """

    def __init__(self, sessions: Sequence[TradingSession]) -> None:
        if not sessions:
            raise ValueError("a world needs at least one session")
        self._sessions = tuple(sessions)
        self._dates = [session.session for session in sessions]
        self._opens = [session.opens_at for session in sessions]
        self._closes = [session.closes_at for session in sessions]

    @property
    def first(self) -> TradingSession:
        return self._sessions[0]

    def session_at(self, at: datetime) -> TradingSession | None:
        """Give the session that is open at `at`; the close itself is outside."""
        index = bisect_right(self._opens, at) - 1
        if index < 0 or at >= self._closes[index]:
            return None
        return self._sessions[index]

    def session_closing_at(self, at: datetime) -> TradingSession | None:
        """Give the session whose close is exactly `at`."""
        index = bisect_left(self._closes, at)
        if index < len(self._closes) and self._closes[index] == at:
            return self._sessions[index]
        return None

    def last_completed(self, at: datetime) -> TradingSession | None:
        """Give the latest session that closed at or before `at`."""
        index = bisect_right(self._closes, at) - 1
        return self._sessions[index] if index >= 0 else None

    def current_or_next(self, at: datetime) -> TradingSession:
        """Give the session that is open at `at`, else the next to open."""
        index = bisect_right(self._closes, at)
        if index < len(self._sessions):
            return self._sessions[index]
        day = new_york_date(at)
        for offset in range(LONGEST_CLOSURE_DAYS):
            session = self.session_on(day + timedelta(days=offset))
            if session is not None and session.closes_at > at:
                return session
        raise ValueError(f"no session within {LONGEST_CLOSURE_DAYS} days of {day}")

    def next_open(self, at: datetime) -> datetime:
        """Give the first opening strictly after `at`."""
        session = self.current_or_next(at)
        if session.opens_at > at:
            return session.opens_at
        return self.current_or_next(session.closes_at).opens_at

    def next_close(self, at: datetime) -> datetime:
        """Give the first close strictly after `at`."""
        return self.current_or_next(at).closes_at

    def between(self, start: date, end: date) -> list[TradingSession]:
        """List the sessions from `start` to `end`, both inclusive."""
        found: list[TradingSession] = []
        day = start
        while day <= end:
            session = self.session_on(day)
            if session is not None:
                found.append(session)
            day += timedelta(days=1)
        return found

    def session_on(self, day: date) -> TradingSession | None:
        """Give the session of a New York date."""
        if self._dates[0] <= day <= self._dates[-1]:
            index = bisect_left(self._dates, day)
            return self._sessions[index] if self._dates[index] == day else None
        first, last = self._dates[0] - FORESIGHT, self._dates[-1] + FORESIGHT
        if first <= day <= last:
            return self._surroundings.get(day)
        return regular_session(day) if day.weekday() < SATURDAY else None

    def session_before(self, day: date) -> TradingSession | None:
        """Give the last session before a New York date, of the world or of New York's calendar."""
        found = self.between(day - timedelta(days=LONGEST_CLOSURE_DAYS), day - timedelta(days=1))
        return found[-1] if found else None

    def closes_on(self, day: date) -> datetime:
        """Give when a New York date's session closes; the regular hour where there is none."""
        return (self.session_on(day) or regular_session(day)).closes_at

    @cached_property
    def _surroundings(self) -> dict[date, TradingSession]:
        # Whole years, so that worlds of the same years share one list.
        first, last = self._dates[0] - FORESIGHT, self._dates[-1] + FORESIGHT
        known = trading_sessions(date(first.year, 1, 1), date(last.year, 12, 31))
        return {each.session: each for each in known}

    def events_after(
        self, after: datetime, until: datetime, around_close: Sequence[timedelta]
    ) -> list[datetime]:
        """Give the next opening and the next moments so far from a close in (after, until]."""
        found = []
        shifted_closes = [(self._closes, shift) for shift in around_close]
        for times, shift in [(self._opens, timedelta()), *shifted_closes]:
            index = bisect_right(times, after - shift)
            if index < len(times) and times[index] + shift <= until:
                found.append(times[index] + shift)
        return found
