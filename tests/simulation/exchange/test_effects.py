"""What changed an exchange, repeated, brings another of the same seed to the same point."""

import json
from typing import Any

import pytest

from simulator.exchange import Effect, Exchange, NotRepeatableError, repeat, serve
from tests.simulation.exchange.alpaca_clients import clients_of, close_clients
from tests.simulation.exchange.builders import (
    PUT_100,
    exchange_at_noon,
    put_spread,
    put_spread_close,
    single_order,
)

FEES: dict[str, Any] = {"fees": "regulatory", "partial_fill_probability": 1, "seed": 5}


def what_stands(exchange: Exchange) -> tuple[object, ...]:
    return (
        exchange.now,
        exchange.clock.moves,
        exchange.cash,
        exchange.accrued_fees,
        exchange.orders,
        exchange.positions,
        exchange.fills,
        [activity.body for activity in exchange.book.activities],
    )


def test_moves_and_granted_requests_bring_another_exchange_to_the_same_point() -> None:
    effects: list[Effect] = []
    exchange = exchange_at_noon(**FEES)
    exchange.watch(lambda effect: effects.append(json.loads(json.dumps(effect))))
    with serve(exchange) as server:
        clients = clients_of(server)
        post = clients.trading.post
        post("/orders", put_spread("-0.60", qty=4, client_order_id="opened"))
        exchange.clock.advance(60)
        post("/orders", put_spread_close("0.75", qty=2, client_order_id="closed"))
        late = post("/orders", single_order(PUT_100, "buy", "0.05"))
        exchange.clock.advance(5)
        clients.trading.delete(f"/orders/{late['id']}")
        clients.trading.get("/positions")
        exchange.clock.advance(86_400)
        close_clients(clients)
    assert exchange.fills
    another = exchange_at_noon(**FEES)
    for effect in effects:
        repeat(another, effect)
    assert what_stands(another) == what_stands(exchange)


def test_reads_and_refusals_are_no_effects() -> None:
    effects: list[Effect] = []
    exchange = exchange_at_noon()
    exchange.watch(effects.append)
    with serve(exchange) as server:
        clients = clients_of(server)
        clients.trading.get("/account")
        with pytest.raises(Exception, match="must be > 0"):
            clients.trading.post("/orders", put_spread(qty=0))
        close_clients(clients)
    assert effects == []


def test_an_effect_that_comes_out_otherwise_is_named() -> None:
    order: Effect = {
        "method": "DELETE",
        "route": "/v2/orders/{order_id}",
        "query": {},
        "body": None,
    }
    with pytest.raises(NotRepeatableError, match="is refused now: order not found"):
        repeat(exchange_at_noon(), {**order, "path": {"order_id": "none"}})
    with pytest.raises(NotRepeatableError, match="no request of this exchange"):
        repeat(exchange_at_noon(), {"method": "POST", "route": "/v2/wishes"})
