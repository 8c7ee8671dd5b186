"""A canned broker, and a session that speaks with it without ever sleeping."""

from collections.abc import Iterator

import pytest

from agent.adapters.alpaca.market_data import AlpacaMarketData
from agent.adapters.alpaca.session import AlpacaSession
from tests.unit.adapters.alpaca.builders import NOON, credentials
from tests.unit.adapters.alpaca.canned_server import CannedServer


@pytest.fixture
def server() -> Iterator[CannedServer]:
    with CannedServer() as running:
        yield running


@pytest.fixture
def naps() -> list[float]:
    """Collect the seconds that the session would have slept."""
    return []


@pytest.fixture
def session(server: CannedServer, naps: list[float]) -> Iterator[AlpacaSession]:
    made = AlpacaSession(server.url, credentials(), sleep=naps.append, now=lambda: NOON)
    yield made
    made.close()


@pytest.fixture
def market(session: AlpacaSession) -> AlpacaMarketData:
    return AlpacaMarketData(session, session)
