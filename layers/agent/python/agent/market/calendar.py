"""Trading sessions and New York time. The sessions themselves come from the broker."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
SECONDS_PER_MINUTE = 60.0
SECONDS_PER_YEAR = 365 * 86_400.0

_EXPIRATION_CLOSE = time(16, 0)


@dataclass(frozen=True, order=True)
class TradingSession:
    """Name one day of trading; `opens_at` and `closes_at` are aware UTC.

    Raises ValueError where a time has no zone or the session does not end after it starts.
    """

    session: date
    opens_at: datetime
    closes_at: datetime

    def __post_init__(self) -> None:
        if self.opens_at.tzinfo is None or self.closes_at.tzinfo is None:
            raise ValueError(f"the session {self.session} has times without a zone")
        if self.opens_at >= self.closes_at:
            raise ValueError(f"the session {self.session} closes before it opens")

    def is_open(self, as_of: datetime) -> bool:
        """Say whether the market trades at `as_of`; the closing instant is outside."""
        return self.opens_at <= as_of < self.closes_at


@lru_cache(maxsize=4096)
def new_york_date(as_of: datetime) -> date:
    """Give the calendar date in New York; raises ValueError for a time without a zone."""
    if as_of.tzinfo is None:
        raise ValueError(f"a time without a zone has no New York date: {as_of}")
    return as_of.astimezone(NEW_YORK).date()


def next_session(sessions: Iterable[TradingSession], after: date) -> TradingSession | None:
    """Find the earliest session strictly after the New York date `after`; None where unknown."""
    return min((session for session in sessions if session.session > after), default=None)


def session_at(sessions: Iterable[TradingSession], as_of: datetime) -> TradingSession | None:
    """Find the session that is open at `as_of`; None where the market is closed."""
    return next((session for session in sessions if session.is_open(as_of)), None)


def market_minutes_since_open(session: TradingSession, as_of: datetime) -> float:
    """Count the minutes since `session` opened; negative before it."""
    return (as_of - session.opens_at).total_seconds() / SECONDS_PER_MINUTE


def expires_at(expiration: date) -> datetime:
    """Give the instant an option of that expiration stops living: 16:00 New York, as UTC."""
    return datetime.combine(expiration, _EXPIRATION_CLOSE, tzinfo=NEW_YORK).astimezone(UTC)


def years_to_expiration(expiration: date, as_of: datetime) -> float:
    """Measure the time to 16:00 New York of `expiration` in years of 365 days; 0 once past."""
    return max((expires_at(expiration) - as_of).total_seconds(), 0.0) / SECONDS_PER_YEAR
