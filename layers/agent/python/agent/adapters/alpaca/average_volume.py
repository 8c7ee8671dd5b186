"""Average daily volumes of stocks, on all exchanges together."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from agent.adapters.alpaca.session import AlpacaSession
from agent.market.calendar import NEW_YORK, new_york_date

AVERAGE_SESSIONS = 20
AVERAGE_SESSIONS_MIN = 10
"""Under this many bars the average is unknown: a new listing, or a gap in the data."""
WINDOW_DAYS = 35
"""Calendar days that hold 20 sessions, holidays included."""
BARS_PAGE_SIZE = 10_000
SYMBOLS_PER_CALL = 100


class AverageVolumeCache:
    """Keep the 20-day average volumes of one session, for the life of the object.

    They are of completed sessions, so they do not change while one lasts. Not thread-safe.
    """

    def __init__(self, data: AlpacaSession) -> None:
        self._data = data
        self._session: date | None = None
        self._shares: dict[str, int | None] = {}

    def shares(self, symbols: Sequence[str], session: date) -> dict[str, int | None]:
        """Give the averages over the 20 sessions before `session`; None where unknown."""
        if session != self._session:
            self._session = session
            self._shares = {}
        missing = sorted(set(symbols) - self._shares.keys())
        for start in range(0, len(missing), SYMBOLS_PER_CALL):
            self._fetch(missing[start : start + SYMBOLS_PER_CALL], session)
        return {symbol: self._shares[symbol] for symbol in symbols}

    def _fetch(self, symbols: Sequence[str], session: date) -> None:
        pages = self._data.read_pages(
            "/stocks/bars",
            {
                "symbols": ",".join(symbols),
                "timeframe": "1Day",
                "start": _midnight(session - timedelta(days=WINDOW_DAYS)),
                # A second before the session's own day: its bar is not complete, and recent
                # consolidated bars are refused to accounts without a subscription.
                "end": _midnight(session, seconds_before=1),
                "limit": str(BARS_PAGE_SIZE),
                "adjustment": "split",
                "feed": "sip",
            },
        )
        volumes: dict[str, dict[date, int]] = {symbol: {} for symbol in symbols}
        for page in pages:
            bars = page.optional_part("bars")
            if bars is None:
                continue
            for symbol in symbols:
                for bar in bars.parts(symbol) if bars.has(symbol) else ():
                    volumes[symbol][new_york_date(bar.instant("t"))] = bar.whole("v")
        for symbol, by_session in volumes.items():
            self._shares[symbol] = _average(by_session, session)


def _average(volumes: dict[date, int], session: date) -> int | None:
    complete = sorted(day for day in volumes if day < session)[-AVERAGE_SESSIONS:]
    if len(complete) < AVERAGE_SESSIONS_MIN:
        return None
    return round(sum(volumes[day] for day in complete) / len(complete))


def _midnight(day: date, *, seconds_before: int = 0) -> str:
    at = datetime.combine(day, time(0), tzinfo=NEW_YORK) - timedelta(seconds=seconds_before)
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
