"""The adapters of one set of keys, made together."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from agent.adapters.alpaca.broker import AlpacaBroker
from agent.adapters.alpaca.credentials import Credentials, endpoints_for
from agent.adapters.alpaca.hours import AlpacaHours
from agent.adapters.alpaca.market_data import AlpacaMarketData, DataFeeds
from agent.adapters.alpaca.past_sessions import AlpacaPastSessions
from agent.adapters.alpaca.session import AlpacaSession, Timeouts


@dataclass(frozen=True)
class AlpacaConnection:
    """Hold the adapters of one set of keys; `hours` is both Clock and Calendar.

    Not thread-safe: use one connection per thread. As a context it closes itself.
    """

    broker: AlpacaBroker
    hours: AlpacaHours
    market: AlpacaMarketData
    past: AlpacaPastSessions
    sessions: tuple[AlpacaSession, AlpacaSession]

    def close(self) -> None:
        """Close the network connections that are kept for reuse."""
        for session in self.sessions:
            session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def connect(
    credentials: Credentials,
    *,
    live_trading: bool,
    feeds: DataFeeds | None = None,
    timeouts: Timeouts | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> AlpacaConnection:
    """Make the adapters; nothing is sent yet. `sleep` waits in seconds between repeated reads.

    Raises LiveTradingRefused where the keys are for a live endpoint and `live_trading` is off.
    """
    endpoints = endpoints_for(credentials, live_trading=live_trading)
    if timeouts is None and credentials.answer_seconds is not None:
        timeouts = Timeouts(read_seconds=credentials.answer_seconds)
    trading = AlpacaSession(endpoints.trading, credentials, timeouts=timeouts, sleep=sleep)
    data = AlpacaSession(endpoints.data, credentials, timeouts=timeouts, sleep=sleep)
    return AlpacaConnection(
        broker=AlpacaBroker(trading),
        hours=AlpacaHours(trading),
        market=AlpacaMarketData(trading, data, feeds),
        past=AlpacaPastSessions(trading, data),
        sessions=(trading, data),
    )
