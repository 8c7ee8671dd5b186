"""The broker's clock and calendar: the only market time the agent goes by."""

from datetime import UTC, date, datetime, time

from agent.adapters.alpaca.answers import Answer
from agent.adapters.alpaca.session import AlpacaSession
from agent.market.calendar import NEW_YORK, TradingSession
from agent.ports import BrokerMisunderstood, MarketClock


class AlpacaHours:
    """Tell market time by the trading endpoint: both the Clock and the Calendar.

    Every method raises as AlpacaSession does. Not thread-safe: use one object per thread.
    """

    def __init__(self, trading: AlpacaSession) -> None:
        self._trading = trading

    def market_clock(self) -> MarketClock:
        """Read the market's time, as aware UTC."""
        clock = self._trading.read_object("/clock")
        return MarketClock(
            now=clock.instant("timestamp"),
            is_open=clock.flag("is_open"),
            next_open=clock.instant("next_open"),
            next_close=clock.instant("next_close"),
        )

    def sessions(self, start: date, end: date) -> tuple[TradingSession, ...]:
        """List the trading sessions from `start` to `end`, both included, oldest first."""
        days = self._trading.read_objects(
            "/calendar", {"start": start.isoformat(), "end": end.isoformat()}
        )
        sessions = sorted(_session(day) for day in days)
        return tuple(session for session in sessions if start <= session.session <= end)


def _session(day: Answer) -> TradingSession:
    session = day.day("date")
    try:
        return TradingSession(
            session=session,
            opens_at=_new_york(session, day.text("open")),
            closes_at=_new_york(session, day.text("close")),
        )
    except ValueError as error:
        raise BrokerMisunderstood(f"{day.source}: {error}") from error


def _new_york(session: date, wall_time: str) -> datetime:
    at = time.fromisoformat(wall_time)
    return datetime.combine(session, at, tzinfo=NEW_YORK).astimezone(UTC)
