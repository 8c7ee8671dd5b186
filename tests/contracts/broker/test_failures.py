"""A broker that is down, hangs, talks nonsense or does not know the keys."""

import socket
import time
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal

import pytest

from agent.adapters.alpaca.connection import AlpacaConnection, connect
from agent.adapters.alpaca.credentials import Credentials
from agent.adapters.alpaca.session import Timeouts
from agent.options.contracts import parse_occ_symbol
from agent.options.structures import Leg, LegSide
from agent.ports import (
    BrokerMisunderstood,
    BrokerUnavailable,
    ChainRequest,
    CredentialsRefused,
    OrderRequest,
    ShareOrderRequest,
)
from simulator.exchange import Exchange, serve
from tests.contracts.broker.conftest import connect_to
from tests.simulation.exchange.builders import NOON, PUT_95, PUT_100, exchange_at_noon
from tests.unit.adapters.alpaca.builders import ACME
from tests.unit.adapters.alpaca.canned_server import CannedServer

TODAY = date(2026, 6, 15)
READ_SECONDS = 0.2
CONTRACTS = [parse_occ_symbol(PUT_100), parse_occ_symbol(PUT_95)]
ENTRY = OrderRequest(
    "entry-1",
    (Leg(CONTRACTS[0], LegSide.SHORT), Leg(CONTRACTS[1], LegSide.LONG)),
    opening=True,
    contracts=1,
    limit_cash=Decimal("0.60"),
)

SALE = ShareOrderRequest("exit-1", "ACME", -100, Decimal("99.00"))

Call = Callable[[AlpacaConnection], object]
READS: dict[str, Call] = {
    "account": lambda connection: connection.broker.account(),
    "order_by_client_id": lambda connection: connection.broker.order_by_client_id("entry-1"),
    "positions": lambda connection: connection.broker.positions(),
    "holdings": lambda connection: connection.broker.holdings(),
    "option_events": lambda connection: connection.broker.option_events(TODAY),
    "leg_fills": lambda connection: connection.broker.leg_fills(TODAY),
    "working_orders": lambda connection: connection.broker.working_orders(),
    "cash_activities": lambda connection: connection.broker.cash_activities(TODAY),
    "fee_charges": lambda connection: connection.broker.fee_charges(TODAY),
    "cash_flows": lambda connection: connection.broker.cash_flows(TODAY),
    "market_clock": lambda connection: connection.hours.market_clock(),
    "sessions": lambda connection: connection.hours.sessions(TODAY, TODAY),
    "underlyings": lambda connection: connection.market.underlyings(["ACME"]),
    "chain": lambda connection: connection.market.chain(ACME, ChainRequest(TODAY, TODAY), NOON),
    "option_quotes": lambda connection: connection.market.option_quotes(CONTRACTS),
}
WRITES: dict[str, Call] = {
    "submit": lambda connection: connection.broker.submit(ENTRY),
    "submit_shares": lambda connection: connection.broker.submit_shares(SALE),
    "cancel": lambda connection: connection.broker.cancel("o1"),
}
EVERYTHING = {**READS, **WRITES}


def connect_briefly(address: str) -> AlpacaConnection:
    keys = {"key_id": "k", "secret_key": "s", "endpoint": f"http://{address}"}
    timeouts = Timeouts(connect_seconds=READ_SECONDS, read_seconds=READ_SECONDS)
    return connect(
        Credentials.model_validate(keys),
        live_trading=False,
        timeouts=timeouts,
        sleep=lambda _: None,
    )


@pytest.fixture
def silent_address() -> Iterator[str]:
    """Give an address that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def closed_address() -> str:
    """Give an address where nobody listens any more."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture(scope="module")
def noon_exchange() -> Iterator[tuple[Exchange, str]]:
    exchange = exchange_at_noon()
    with serve(exchange) as server:
        yield exchange, server.url


def test_a_slow_endpoint_is_waited_for_as_long_as_its_secret_says(silent_address: str) -> None:
    keys = {"key_id": "k", "secret_key": "s", "endpoint": f"http://{silent_address}"}
    credentials = Credentials.model_validate({**keys, "answer_seconds": 1})
    with (
        connect(credentials, live_trading=False, sleep=lambda _: None) as connection,
        pytest.raises(BrokerUnavailable, match="within 1 s"),
    ):
        connection.broker.submit(ENTRY)


@pytest.mark.parametrize("name", EVERYTHING)
def test_an_exchange_that_is_down_is_unavailable_and_its_address_is_named(
    closed_address: str, name: str
) -> None:
    with (
        connect_briefly(closed_address) as connection,
        pytest.raises(BrokerUnavailable, match=closed_address),
    ):
        EVERYTHING[name](connection)


@pytest.mark.parametrize("name", EVERYTHING)
def test_an_exchange_that_hangs_is_unavailable_in_bounded_time(
    silent_address: str, name: str
) -> None:
    started = time.monotonic()
    with (
        connect_briefly(silent_address) as connection,
        pytest.raises(BrokerUnavailable, match=rf"{silent_address}.*did not answer within 0.2 s"),
    ):
        EVERYTHING[name](connection)
    assert READ_SECONDS <= time.monotonic() - started < 10 * READ_SECONDS


@pytest.mark.parametrize("name", EVERYTHING)
def test_keys_that_the_exchange_does_not_know_are_refused(
    noon_exchange: tuple[Exchange, str], name: str
) -> None:
    exchange, url = noon_exchange
    with (
        connect_to(url, exchange.key_id, "another-secret") as connection,
        pytest.raises(CredentialsRefused, match="does not accept the keys") as caught,
    ):
        EVERYTHING[name](connection)
    assert "another-secret" not in str(caught.value)
    assert exchange.orders == ()


GARBAGE = [b"", b"<html>maintenance</html>", b"null", b"7", b'[[{"a": 1}]]', b'{"a": [1]}', b"[1]"]
PATHS = [
    "/v2/orders",
    "/v2/account",
    "/v2/orders:by_client_order_id",
    "/v2/positions",
    "/v2/account/activities/FEE",
    "/v2/account/activities",
    "/v2/clock",
    "/v2/calendar",
    "/v2/stocks/snapshots",
    "/v1beta1/options/snapshots/ACME",
    "/v1beta1/options/snapshots",
]


@pytest.fixture(scope="module", params=GARBAGE)
def garbage_address(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the address of a server that answers everything with the same nonsense."""
    with CannedServer() as server:
        for path in PATHS:
            server.says(f"GET {path}", raw=request.param)
        server.says("GET /v2/options/contracts", {"option_contracts": []})
        server.says("GET /v2/stocks/bars", {"bars": {}})
        server.says("POST /v2/orders", raw=request.param)
        yield server.address


@pytest.mark.parametrize("name", sorted(READS.keys() - {"underlyings"}))
def test_nonsense_is_misunderstood(garbage_address: str, name: str) -> None:
    with (
        connect_briefly(garbage_address) as connection,
        pytest.raises(BrokerMisunderstood, match=garbage_address),
    ):
        READS[name](connection)


def test_nonsense_in_answer_to_an_order_leaves_its_fate_unknown(garbage_address: str) -> None:
    with (
        connect_briefly(garbage_address) as connection,
        pytest.raises(BrokerUnavailable, match="the fate of order entry-1 is unknown"),
    ):
        connection.broker.submit(ENTRY)
