"""The adapters, speaking over HTTP with a real exchange of this project."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from agent.adapters.alpaca.connection import AlpacaConnection, connect
from agent.adapters.alpaca.credentials import Credentials
from simulator.exchange import Exchange, serve
from tests.simulation.exchange.builders import exchange_at_noon

Opened = tuple[Exchange, AlpacaConnection]


def connect_to(url: str, key_id: str, secret_key: str) -> AlpacaConnection:
    keys = {"key_id": key_id, "secret_key": secret_key, "endpoint": url, "answer_seconds": 25}
    return connect(Credentials.model_validate(keys), live_trading=False)


@pytest.fixture
def open_exchange() -> Iterator[Callable[..., Opened]]:
    """Serve an exchange on Monday noon and connect to it; arguments as of exchange_at_noon."""
    with ExitStack() as stack:

        def opened(*arguments: Any, **options: Any) -> Opened:
            exchange = exchange_at_noon(*arguments, **options)
            server = stack.enter_context(serve(exchange))
            connection = connect_to(server.url, exchange.key_id, exchange.secret_key)
            return exchange, stack.enter_context(connection)

        yield opened


@pytest.fixture
def usual(open_exchange: Callable[..., Opened]) -> Opened:
    """Serve the usual world: a put spread worth 0.70 at mid and 0.50 at natural."""
    return open_exchange()


@pytest.fixture
def exchange(usual: Opened) -> Exchange:
    return usual[0]


@pytest.fixture
def connection(usual: Opened) -> AlpacaConnection:
    return usual[1]
