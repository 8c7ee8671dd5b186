"""Brackets, OCO and OTO orders, trailing stops and orders that do not wait, as of stocks."""

from decimal import Decimal
from typing import Any

import pytest
from alpaca.trading.enums import OrderClass, OrderSide, QueryOrderStatus, TimeInForce
from alpaca.trading.requests import (
    GetOrdersRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    ReplaceOrderRequest,
    StopLossRequest,
    TakeProfitRequest,
    TrailingStopOrderRequest,
)

from simulator.exchange import Exchange, Order, RefusalError
from tests.simulation.exchange.alpaca_clients import Clients
from tests.simulation.exchange.builders import (
    NOON,
    PUT_100,
    at_close,
    exchange_at_noon,
    filled,
    single_order,
    usual_world,
)
from tests.simulation.exchange.small_world import SmallWorld

LATER = NOON.replace(hour=NOON.hour + 1)
LAST = NOON.replace(hour=NOON.hour + 2)


def world_that_moves_to(*quotes: tuple[str, str]) -> SmallWorld:
    """Quote ACME at 105 until an hour from noon, and then as said, each for an hour."""
    world = usual_world()
    for since, (bid, ask) in zip((LATER, LAST), quotes, strict=False):
        world.with_stock(bid, ask, since=since)
    return world


def bracket(**fields: Any) -> dict[str, Any]:
    exits = {"take_profit": {"limit_price": "110"}, "stop_loss": {"stop_price": "100"}}
    return single_order("ACME", "buy", qty=10, order_class="bracket", **{**exits, **fields})


def statuses(exchange: Exchange) -> list[str]:
    return [order.status.value for order in exchange.orders]


def test_the_exits_of_a_bracket_are_held_until_its_entry_fills() -> None:
    exchange = exchange_at_noon()
    exchange.place_order(bracket())
    assert statuses(exchange) == ["accepted", "held", "held"]
    exchange.clock.advance(5)
    assert statuses(exchange) == ["filled", "new", "new"]
    assert exchange.book.held("ACME") == 10


@pytest.mark.parametrize(
    ("quote", "ends", "price"),
    [
        (("111.00", "111.10"), ["filled", "filled", "canceled"], "111.00"),
        (("99.00", "99.10"), ["filled", "canceled", "filled"], "99.00"),
    ],
)
def test_the_exit_that_fills_ends_the_other(
    quote: tuple[str, str], ends: list[str], price: str
) -> None:
    exchange = exchange_at_noon(world_that_moves_to(quote))
    filled(exchange, bracket())
    exchange.clock.advance_to(LATER)
    exchange.clock.advance(60)
    assert statuses(exchange) == ends
    assert exchange.book.held("ACME") == 0
    assert exchange.fills[-1].price == Decimal(price)


def test_both_exits_claim_the_same_shares_once() -> None:
    exchange = exchange_at_noon()
    filled(exchange, single_order("ACME", "buy", "106", qty=5))
    filled(exchange, bracket())
    sale = filled(exchange, single_order("ACME", "sell", "104", qty=5))
    assert sale.filled_units == 5
    with pytest.raises(RefusalError, match=r"requested: 1, available: 0"):
        exchange.place_order(single_order("ACME", "sell", "104"))


def test_cancelling_one_of_a_bracket_cancels_what_is_left_of_it() -> None:
    exchange = exchange_at_noon()
    below = {"limit_price": "90", "type": "limit", "stop_loss": {"stop_price": "80"}}
    entry = exchange.place_order(bracket(**below))
    exchange.clock.advance(5)
    exchange.cancel_order(entry.order_id)
    assert statuses(exchange) == ["canceled", "canceled", "canceled"]
    filled(exchange, bracket())
    exchange.cancel_order(exchange.orders[-1].order_id)
    assert statuses(exchange)[3:] == ["filled", "canceled", "canceled"]


def test_an_entry_that_expires_takes_its_exits_along() -> None:
    exchange = exchange_at_noon()
    below = {"limit_price": "90", "type": "limit", "stop_loss": {"stop_price": "80"}}
    exchange.place_order(bracket(**below))
    exchange.clock.advance_to(at_close())
    assert set(statuses(exchange)) <= {"expired", "canceled"}
    assert exchange.working_orders == ()


def test_an_order_that_cancels_the_other() -> None:
    exchange = exchange_at_noon(world_that_moves_to(("99.00", "99.10")))
    filled(exchange, single_order("ACME", "buy", "106", qty=10))
    exchange.place_order(
        single_order(
            "ACME",
            "sell",
            qty=10,
            type="limit",
            order_class="oco",
            take_profit={"limit_price": "110"},
            stop_loss={"stop_price": "100", "limit_price": "98"},
        )
    )
    assert exchange.orders[1].limit_price == Decimal(110)
    exchange.clock.advance_to(LATER)
    exchange.clock.advance(60)
    assert statuses(exchange) == ["filled", "canceled", "filled"]


def test_a_rival_that_has_begun_to_fill_leaves_nothing_to_the_other() -> None:
    exchange = exchange_at_noon(
        world_that_moves_to(("111.00", "111.10"), ("99.00", "99.10")),
        partial_fill_probability=Decimal(1),
    )
    filled_in_parts = exchange.place_order(bracket())
    exchange.clock.advance(90)
    assert filled_in_parts.status == "filled"
    exchange.clock.advance_to(LAST)
    exchange.clock.advance(90)
    sold = sum(fill.quantity for fill in exchange.fills if fill.side == "sell")
    assert (sold, exchange.book.held("ACME")) == (10, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"take_profit": {"limit_price": "104"}}, "take_profit.limit_price must be >= base_price"),
        ({"stop_loss": {"stop_price": "106"}}, "stop_loss.stop_price must be <= base_price"),
        ({"stop_loss": None}, "bracket orders require stop_loss.stop_price"),
        ({"take_profit": {}}, "bracket orders require take_profit.limit_price"),
        ({"order_class": "oto"}, "oto orders require one of take_profit and stop_loss"),
        ({"symbol": PUT_100}, "complex orders not supported for options trading"),
        ({"side": "sell"}, "account is not allowed to short"),
    ],
)
def test_a_bracket_must_make_sense(change: dict[str, Any], message: str) -> None:
    exchange = exchange_at_noon()
    with pytest.raises(RefusalError, match=message.replace("(", r"\(")):
        exchange.place_order({**bracket(), **change})
    assert exchange.orders == ()


@pytest.mark.parametrize("trail", [{"trail_price": "2"}, {"trail_percent": "1.9047619"}])
def test_a_trailing_stop_follows_the_best_price_and_never_back(trail: dict[str, str]) -> None:
    exchange = exchange_at_noon(world_that_moves_to(("109.95", "110.05"), ("107.80", "107.90")))
    filled(exchange, single_order("ACME", "buy", "106", qty=10))
    order: Order = exchange.place_order(
        single_order("ACME", "sell", qty=10, type="trailing_stop", **trail)
    )
    assert (order.best_price, order.stop_price) == (Decimal(105), Decimal(103))
    exchange.clock.advance_to(LATER)
    exchange.clock.advance(1)
    assert order.best_price == Decimal(110)
    assert order.stop_price is not None
    assert Decimal("107.9") <= order.stop_price <= Decimal(108)
    exchange.clock.advance_to(LAST)
    exchange.clock.advance(60)
    assert (order.status, exchange.fills[-1].price) == ("filled", Decimal("107.80"))


@pytest.mark.parametrize("time_in_force", ["ioc", "fok"])
def test_an_order_that_does_not_wait_fills_at_once_or_ends(time_in_force: str) -> None:
    exchange = exchange_at_noon(partial_fill_probability=Decimal(1))
    for limit in ("106", "90"):
        exchange.place_order(
            single_order("ACME", "buy", limit, qty=10, time_in_force=time_in_force)
        )
        exchange.clock.advance(120)
    taken, missed = exchange.orders
    assert missed.status == "canceled"
    assert missed.filled_units == 0
    if time_in_force == "fok":
        assert (taken.status, taken.filled_units) == ("filled", 10)
    else:
        assert taken.status == "canceled"
        assert 0 < taken.filled_units < 10


def test_options_take_neither(clients: Clients) -> None:
    for change in ({"type": "trailing_stop", "trail_price": 1}, {"time_in_force": "ioc"}):
        with pytest.raises(RefusalError, match="options trading"):
            clients.exchange.place_order({**single_order(PUT_100, "buy", "1.60"), **change})


def test_typed_clients_place_and_read_them(clients: Clients) -> None:
    trading = clients.trading
    placed = trading.submit_order(
        MarketOrderRequest(
            symbol="ACME",
            qty=5,
            side=OrderSide.BUY,
            time_in_force=TimeInForce.GTC,
            order_class=OrderClass.BRACKET,
            take_profit=TakeProfitRequest(limit_price=110),
            stop_loss=StopLossRequest(stop_price=100, limit_price=99),
        )
    )
    assert [leg.status.value for leg in placed.legs] == ["held", "held"]
    clients.exchange.clock.advance(5)
    (stop, limit) = trading.get_orders(GetOrdersRequest(status=QueryOrderStatus.OPEN))
    moved = trading.replace_order_by_id(limit.id, ReplaceOrderRequest(limit_price=112))
    again = trading.get_orders(GetOrdersRequest(status=QueryOrderStatus.ALL, nested=True))
    parent = next(order for order in again if order.id == placed.id)
    assert {leg.id for leg in parent.legs} == {moved.id, stop.id}
    trading.cancel_order_by_id(moved.id)
    assert trading.get_order_by_id(stop.id).status.value == "canceled"
    trailing = trading.submit_order(
        TrailingStopOrderRequest(
            symbol="ACME",
            qty=5,
            side=OrderSide.SELL,
            time_in_force=TimeInForce.DAY,
            trail_percent=2,
        )
    )
    assert (trailing.hwm, trailing.stop_price) == ("105", "102.9")
    clients.exchange.clock.advance(5)
    tighter = trading.replace_order_by_id(trailing.id, ReplaceOrderRequest(trail=1))
    assert (tighter.trail_percent, tighter.stop_price) == ("1", "103.95")
    trading.cancel_orders()
    trading.submit_order(
        LimitOrderRequest(
            symbol="ACME",
            qty=5,
            side=OrderSide.SELL,
            time_in_force=TimeInForce.DAY,
            order_class=OrderClass.OCO,
            take_profit=TakeProfitRequest(limit_price=110),
            stop_loss=StopLossRequest(stop_price=100),
        )
    )
    assert len(trading.get_orders()) == 2
    assert len(trading.cancel_orders()) == 2
