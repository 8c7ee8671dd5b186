"""The switchboard of faults, as a client meets them."""

from datetime import timedelta
from decimal import Decimal

import pytest
import requests
from alpaca.common.exceptions import APIError
from alpaca.data.requests import OptionLatestQuoteRequest

from simulator.exchange import Exchange, RefusalError, serve
from simulator.worlds.scenarios import scenario_named
from tests.simulation.exchange.alpaca_clients import Clients, clients_of, close_clients
from tests.simulation.exchange.builders import (
    PUT_95,
    PUT_100,
    exchange_at_noon,
    filled,
    put_spread,
    put_spread_close,
)


def post_order(clients: Clients, client_order_id: str, timeout_seconds: float = 5) -> int:
    with requests.Session() as session:
        session.trust_env = False
        reply = session.post(
            f"{clients.server.url}/v2/orders",
            json=put_spread(client_order_id=client_order_id),
            headers={
                "APCA-API-KEY-ID": clients.exchange.key_id,
                "APCA-API-SECRET-KEY": clients.exchange.secret_key,
            },
            timeout=timeout_seconds,
        )
        return reply.status_code


@pytest.mark.parametrize(
    ("kind", "status", "orders"),
    [
        ("too_many_requests", 429, 0),
        ("server_error", 500, 0),
        ("gateway_timeout_before", 504, 0),
        ("gateway_timeout_after", 504, 1),
        ("garbage_after", 200, 1),
    ],
)
def test_an_answer_is_lost_before_or_after_the_order_landed(
    clients: Clients, kind: str, status: int, orders: int
) -> None:
    clients.exchange.faults.on_http(kind, method="POST", path_prefix="/v2/orders")
    assert clients.trading.get_clock().is_open
    assert post_order(clients, "first") == status
    assert len(clients.exchange.orders) == orders
    assert clients.exchange.faults.injected == {kind: 1}
    assert post_order(clients, "second") == 200


def test_the_sdks_own_retry_of_a_504_meets_the_order_it_had_placed(clients: Clients) -> None:
    clients.trading._retry_wait = 0
    clients.exchange.faults.on_http("gateway_timeout_after", method="POST")
    with pytest.raises(APIError) as refused:
        clients.trading.post("/orders", put_spread(client_order_id="landed"))
    assert refused.value.code == 40010001
    assert clients.trading.get_order_by_client_id("landed").client_order_id == "landed"


@pytest.mark.parametrize(("kind", "orders"), [("hang_before", 0), ("hang_after", 1)])
def test_a_hanging_exchange_is_met_by_the_clients_own_timeout(
    clients: Clients, kind: str, orders: int
) -> None:
    clients.exchange.faults.on_http(kind, method="POST", seconds=0.4)
    with pytest.raises(requests.exceptions.ReadTimeout):
        post_order(clients, "hanging", timeout_seconds=0.1)
    assert len(clients.exchange.orders) == orders


def test_during_an_outage_of_the_world_nothing_is_answered_and_the_market_goes_on() -> None:
    world = scenario_named("broker-outage").world(seed=7, session_count=8)
    (outage, *_) = world.outages
    exchange = Exchange(world, starts_at=outage.starts_at - timedelta(seconds=1))
    with serve(exchange) as server:
        clients = clients_of(server)
        clients.trading._retry = 0
        assert clients.trading.get_clock().is_open
        exchange.clock.advance_to(outage.starts_at)
        with pytest.raises(APIError) as refused:
            clients.trading.get_clock()
        assert refused.value.status_code == 500
        assert post_order(clients, "outage") == 500
        assert exchange.orders == ()
        exchange.faults.clear()
        assert exchange.faults.is_out_of_reach(exchange.now)
        exchange.clock.advance_to(outage.ends_at)
        assert clients.trading.get_clock().is_open
        assert exchange.faults.injected["outage"] == 2
        close_clients(clients)


def test_an_order_fills_although_its_cancel_was_answered() -> None:
    exchange = exchange_at_noon()
    exchange.faults.late_fills_after_cancel = 1
    order = exchange.place_order(put_spread("-0.69"))
    exchange.clock.advance(1)
    exchange.cancel_order(order.order_id)
    assert order.status == "pending_cancel"
    exchange.clock.advance(5)
    assert (order.status, order.filled_net) == ("filled", Decimal("-0.69"))


def test_a_multi_leg_close_is_refused_as_often_as_told() -> None:
    exchange = exchange_at_noon()
    filled(exchange, put_spread("-0.50"))
    exchange.faults.multileg_closes_refused = 1
    with pytest.raises(RefusalError, match="please use single leg order"):
        exchange.place_order(put_spread_close())
    filled(exchange, put_spread_close())


def test_a_multi_leg_replace_is_refused_as_often_as_told() -> None:
    exchange = exchange_at_noon()
    exchange.faults.multileg_replaces_refused = 1
    order = exchange.place_order(put_spread("-0.69"))
    exchange.clock.advance(1)
    with pytest.raises(RefusalError, match="replace mleg order is disabled"):
        exchange.replace_order(order.order_id, {"qty": 2})
    exchange.replace_order(order.order_id, {"qty": 2})


def test_hidden_quotes_are_missing_from_every_answer_and_fill_nothing(clients: Clients) -> None:
    clients.exchange.faults.hide_quotes(PUT_95)
    request = OptionLatestQuoteRequest(symbol_or_symbols=[PUT_95, PUT_100])
    quotes = clients.options.get_option_latest_quote(request)
    assert (quotes[PUT_95].bid_price, quotes[PUT_95].ask_price) == (0, 0)
    assert quotes[PUT_100].bid_price == 1.4
    order = clients.exchange.place_order(put_spread())
    clients.exchange.clock.advance(60)
    assert order.status == "new"
    clients.exchange.faults.clear()
    clients.exchange.clock.advance(1)
    assert order.status == "filled"


def test_the_rate_limit_refuses_where_it_is_enforced_and_lifts_with_the_next_minute() -> None:
    exchange = exchange_at_noon(rate_limit_per_minute=3)
    with serve(exchange) as server:
        clients = clients_of(server)
        clients.trading._retry = 0
        for _ in range(3):
            clients.trading.get_clock()
        with pytest.raises(APIError) as refused:
            clients.trading.get_clock()
        assert refused.value.status_code == 429
        exchange.clock.advance_to(exchange.now + timedelta(minutes=1))
        assert clients.trading.get_clock().is_open
        close_clients(clients)
