"""Sessions that are given, and a clock that moves when it is told to."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

from agent.market.calendar import TradingSession, session_at
from agent.ports import MarketClock


class MemoryCalendar:
    """Know the given sessions, sorted."""

    def __init__(self, sessions: Iterable[TradingSession]) -> None:
        self._sessions = tuple(sorted(sessions))

    def sessions(self, start: date, end: date) -> tuple[TradingSession, ...]:
        """Give the sessions from `start` to `end`, both inclusive."""
        return tuple(session for session in self._sessions if start <= session.session <= end)


class MemoryClock:
    """Tell the time that was set, and the market's hours from the given sessions."""

    def __init__(self, now: datetime, sessions: Iterable[TradingSession]) -> None:
        self._sessions = tuple(sorted(sessions))
        self.set(now)

    def set(self, now: datetime) -> None:
        """Move to `now`, aware and of any zone, forwards or backwards."""
        if now.tzinfo is None:
            raise ValueError(f"a clock needs a time zone: {now.isoformat()}")
        self._now = now.astimezone(UTC)

    def market_clock(self) -> MarketClock:
        """Read the clock; raise ValueError where the sessions do not reach past the time set."""
        opens = [session.opens_at for session in self._sessions if session.opens_at > self._now]
        closes = [session.closes_at for session in self._sessions if session.closes_at > self._now]
        if not opens or not closes:
            raise ValueError(f"no session opens after {self._now.isoformat()}")
        return MarketClock(
            now=self._now,
            is_open=session_at(self._sessions, self._now) is not None,
            next_open=min(opens),
            next_close=min(closes),
        )
