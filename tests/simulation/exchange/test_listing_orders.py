"""GET /v2/orders: which orders a query finds, and in which order."""

from datetime import timedelta

import pytest

from simulator.exchange import Exchange, RefusalError
from simulator.exchange.calls import Call
from simulator.exchange.numbers import timestamp
from simulator.exchange.trading_endpoints import get_order_by_client_id, get_orders
from tests.simulation.exchange.builders import (
    NOON,
    PUT_95,
    PUT_100,
    exchange_at_noon,
    put_spread,
    single_order,
)


def with_four_orders() -> Exchange:
    """Place, ten minutes apart: a stock order, a put, a spread that fills, a cancelled put."""
    exchange = exchange_at_noon()
    bodies = (
        single_order("ACME", "buy", "90", client_order_id="stock"),
        single_order(PUT_95, "buy", "0.71", client_order_id="put"),
        put_spread("-0.50", client_order_id="spread"),
        single_order(PUT_100, "buy", "1.41", client_order_id="gone"),
    )
    for body in bodies:
        order = exchange.place_order(body)
        exchange.clock.advance(600)
    exchange.cancel_order(order.order_id)
    return exchange


def listed(**query: str) -> list[str]:
    exchange = with_four_orders()
    ids = {order.client_order_id: order.order_id for order in exchange.orders}
    asked = {
        name: ids.get(value, value) if name.endswith("order_id") else value
        for name, value in query.items()
    }
    rows = get_orders(exchange, Call(query={"nested": "true", "status": "all", **asked})).body
    return [row["client_order_id"] for row in rows]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["gone", "spread", "put", "stock"]),
        ({"direction": "asc"}, ["stock", "put", "spread", "gone"]),
        ({"status": "open"}, ["put", "stock"]),
        ({"status": "closed"}, ["gone", "spread"]),
        ({"limit": "2"}, ["gone", "spread"]),
        ({"symbols": "ACME"}, ["gone", "spread", "put", "stock"]),
        ({"symbols": f"{PUT_95},OTHER"}, ["spread", "put"]),
        ({"asset_class": "us_equity"}, ["stock"]),
        ({"asset_class": "us_option"}, ["gone", "spread", "put"]),
        ({"asset_class": "us_option,us_equity"}, ["gone", "spread", "put", "stock"]),
        ({"asset_class": "all"}, ["gone", "spread", "put", "stock"]),
        ({"side": "buy"}, ["gone", "put", "stock"]),
        ({"side": "sell"}, []),
        ({"after": timestamp(NOON + timedelta(minutes=10))}, ["gone", "spread"]),
        ({"until": timestamp(NOON + timedelta(minutes=10))}, ["put", "stock"]),
        ({"after_order_id": "put", "direction": "asc"}, ["spread", "gone"]),
        ({"before_order_id": "spread", "direction": "asc"}, ["stock", "put"]),
    ],
)
def test_a_query_finds_its_orders(query: dict[str, str], found: list[str]) -> None:
    assert listed(**query) == found


def test_a_side_that_is_none_is_refused() -> None:
    with pytest.raises(RefusalError, match="invalid side"):
        listed(side="sideways")


def test_a_leg_is_found_by_the_client_id_it_was_given() -> None:
    exchange = with_four_orders()
    leg = exchange.orders[2].legs[1]
    row = get_order_by_client_id(
        exchange, Call(query={"client_order_id": leg.client_order_id})
    ).body
    assert (row["id"], row["symbol"], row["ratio_qty"]) == (leg.order_id, PUT_95, "1")


def test_a_look_up_needs_an_id() -> None:
    with pytest.raises(RefusalError, match="client_order_id is required"):
        get_order_by_client_id(exchange_at_noon(), Call())
