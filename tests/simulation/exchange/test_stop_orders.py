"""Stop and stop-limit orders: they wait for a price, then trade at the market or at their limit."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from alpaca.trading.enums import OrderSide, TimeInForce
from alpaca.trading.models import Order as AlpacaOrder
from alpaca.trading.requests import StopLimitOrderRequest, StopOrderRequest

from simulator.exchange import Exchange, Order, RefusalError
from tests.simulation.exchange.alpaca_clients import Clients
from tests.simulation.exchange.builders import (
    NOON,
    PUT_95,
    exchange_at_noon,
    filled,
    put_spread,
    single_order,
    usual_world,
)

LATER = NOON + timedelta(minutes=10)


def exchange_where_acme_moves_to(bid: str, ask: str) -> Exchange:
    """Quote ACME at 104.95 to 105.05 at noon, and elsewhere ten minutes later."""
    world = usual_world().with_stock(bid, ask, since=LATER)
    return exchange_at_noon(world)


def stop(side: str, at: str, *, limit: str | None = None, **fields: Any) -> dict[str, Any]:
    kind = "stop" if limit is None else "stop_limit"
    return {**single_order("ACME", side, limit, **fields), "type": kind, "stop_price": at}


def after_the_move(exchange: Exchange, body: dict[str, Any]) -> Order:
    """Place an order, see it wait, and let the price move."""
    order = exchange.place_order(body)
    exchange.clock.advance(60)
    assert (order.status, order.triggered_at) == ("new", None)
    exchange.clock.advance_to(LATER + timedelta(minutes=1))
    return order


def test_a_sell_stop_sells_at_the_market_once_the_price_has_fallen_to_it() -> None:
    exchange = exchange_where_acme_moves_to("99.95", "100.05")
    filled(exchange, single_order("ACME", "buy"))
    order = after_the_move(exchange, stop("sell", "100"))
    assert order.status == "filled"
    assert exchange.fills[-1].price == Decimal("99.95")


def test_a_buy_stop_buys_at_the_market_once_the_price_has_risen_to_it() -> None:
    exchange = exchange_where_acme_moves_to("109.95", "110.05")
    order = after_the_move(exchange, stop("buy", "108"))
    assert order.status == "filled"
    assert exchange.fills[-1].price == Decimal("110.05")


def test_a_price_that_does_not_reach_the_stop_trades_nothing() -> None:
    exchange = exchange_where_acme_moves_to("100.95", "101.05")
    filled(exchange, single_order("ACME", "buy"))
    assert after_the_move(exchange, stop("sell", "100")).status == "new"


def test_a_stop_limit_that_is_jumped_over_waits_at_its_limit() -> None:
    exchange = exchange_where_acme_moves_to("95.95", "96.05")
    filled(exchange, single_order("ACME", "buy"))
    order = after_the_move(exchange, stop("sell", "100", limit="99"))
    assert order.status == "new"
    assert order.triggered_at is not None


def test_a_stop_limit_once_triggered_fills_when_the_price_comes_back() -> None:
    world = (
        usual_world()
        .with_stock("95.95", "96.05", since=LATER)
        .with_stock("101.95", "102.05", since=LATER + timedelta(minutes=5))
    )
    exchange = exchange_at_noon(world)
    filled(exchange, single_order("ACME", "buy"))
    order = after_the_move(exchange, stop("sell", "100", limit="99"))
    exchange.clock.advance_to(LATER + timedelta(minutes=6))
    assert order.status == "filled"
    assert exchange.fills[-1].price == Decimal("101.95")


def test_a_stop_guards_a_single_option_too() -> None:
    world = usual_world().with_option(PUT_95, "0.30", "0.40", since=LATER)
    exchange = exchange_at_noon(world)
    filled(exchange, single_order(PUT_95, "buy"))
    body = {**single_order(PUT_95, "sell"), "type": "stop", "stop_price": "0.50"}
    assert after_the_move(exchange, body).status == "filled"
    assert exchange.fills[-1].price == Decimal("0.30")


def test_a_buy_stop_claims_what_it_will_cost_at_its_stop() -> None:
    exchange = exchange_at_noon(starting_cash=1_000)
    with pytest.raises(RefusalError, match="insufficient buying power"):
        exchange.place_order(stop("buy", "110", qty=10))
    assert exchange.place_order(stop("buy", "110", qty=9)).reservation == 990


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({**single_order("ACME", "buy"), "type": "stop"}, "stop orders require a stop price"),
        (
            {**single_order("ACME", "buy"), "type": "stop_limit", "stop_price": "108"},
            "stop limit orders require both stop and limit price",
        ),
        (
            {**single_order("ACME", "buy", "108"), "type": "stop_limit"},
            "stop limit orders require both stop and limit price",
        ),
        (stop("buy", "0"), "stop price must be > 0"),
        (stop("buy", "much"), "invalid stop price"),
        (
            stop("buy", "108.001"),
            (
                "invalid stop_price 108.001. "
                "sub-penny increment does not fulfill minimum pricing criteria"
            ),
        ),
        ({**put_spread(), "type": "stop"}, "invalid order type for options trading"),
        ({**put_spread(), "type": "stop_limit"}, "invalid order type for options trading"),
    ],
)
def test_a_stop_order_that_says_too_little_is_refused(body: Any, message: str) -> None:
    with pytest.raises(RefusalError) as told:
        exchange_at_noon().place_order(body)
    assert told.value.message == message


def test_a_stop_is_moved_by_replacing_the_order() -> None:
    exchange = exchange_where_acme_moves_to("101.95", "102.05")
    filled(exchange, single_order("ACME", "buy"))
    old = exchange.place_order(stop("sell", "100"))
    exchange.clock.advance(1)
    new = exchange.replace_order(old.order_id, {"stop_price": "103"})
    exchange.clock.advance(1)
    assert (new.stop_price, new.order_type) == (Decimal(103), "stop")
    with pytest.raises(RefusalError, match="not changed"):
        exchange.replace_order(new.order_id, {"stop_price": "103"})
    with pytest.raises(RefusalError, match="only valid for limit orders"):
        exchange.replace_order(new.order_id, {"limit_price": "103"})
    exchange.clock.advance_to(LATER + timedelta(minutes=1))
    assert (old.status, new.status) == ("replaced", "filled")


def test_a_limit_order_has_no_stop_to_move() -> None:
    exchange = exchange_at_noon()
    order = exchange.place_order(single_order("ACME", "buy", "100"))
    exchange.clock.advance(1)
    with pytest.raises(RefusalError, match="only valid for stop orders"):
        exchange.replace_order(order.order_id, {"stop_price": "99"})


def test_alpacas_own_client_places_and_reads_them(clients: Clients) -> None:
    common: dict[str, Any] = {"symbol": "ACME", "qty": 1, "time_in_force": TimeInForce.DAY}
    stopped = clients.trading.submit_order(
        StopOrderRequest(side=OrderSide.BUY, stop_price=108, **common)
    )
    limited = clients.trading.submit_order(
        StopLimitOrderRequest(side=OrderSide.BUY, stop_price=108, limit_price=109, **common)
    )
    assert isinstance(stopped, AlpacaOrder)
    assert isinstance(limited, AlpacaOrder)
    assert (stopped.type, stopped.stop_price, stopped.limit_price) == ("stop", "108", None)
    assert (limited.type, limited.stop_price, limited.limit_price) == ("stop_limit", "108", "109")
