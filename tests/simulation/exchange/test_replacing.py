"""PATCH: a new order takes the place of a working one."""

from decimal import Decimal
from typing import Any

import pytest

from simulator.exchange import Exchange, Order, RefusalError
from tests.simulation.exchange.builders import (
    PUT_95,
    exchange_at_noon,
    filled,
    put_spread,
    put_spread_close,
    single_order,
)

UNSUPPORTED = "order_time_in_force provided not supported for options trading"


def working(exchange: Exchange, body: dict[str, Any]) -> Order:
    """Place an order that does not fill and let the exchange acknowledge it."""
    order = exchange.place_order(body)
    exchange.clock.advance(1)
    assert order.status == "new"
    return order


def refused(exchange: Exchange, order_id: str, body: Any) -> tuple[int, str]:
    with pytest.raises(RefusalError) as told:
        exchange.replace_order(order_id, body)
    return told.value.status, told.value.message


def test_a_repriced_order_fills_and_points_back_at_the_one_it_replaced() -> None:
    exchange = exchange_at_noon()
    old = working(exchange, put_spread("-0.69"))
    new = exchange.replace_order(old.order_id, {"limit_price": "-0.60"})
    assert (old.status, old.replaced_by, new.replaces) == ("replaced", new.order_id, old.order_id)
    exchange.clock.advance(5)
    assert (new.status, new.filled_net) == ("filled", Decimal("-0.60"))
    assert [fill.order_id for fill in exchange.fills] == [new.order_id] * 2


def test_a_new_quantity_counts_what_is_already_filled() -> None:
    exchange = exchange_at_noon(partial_fill_probability=1)
    order = exchange.place_order(put_spread("-0.60", qty=6))
    exchange.clock.advance(5)
    done = order.filled_units
    assert order.status == "partially_filled"
    new = exchange.replace_order(order.order_id, {"qty": 8})
    assert new.units == 8 - done
    assert refused(exchange, new.order_id, {"qty": 9})[1].startswith("cannot replace order in")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, (422, "order parameters are not changed")),
        ({"qty": 2, "limit_price": -0.69}, (422, "order parameters are not changed")),
        ({"qty": 0}, (422, "qty must be > 0")),
        ({"time_in_force": "fok"}, (422, UNSUPPORTED)),
        ({"client_order_id": "mine"}, (422, "order parameters are not changed")),
        (
            {"limit_price": "-0.60", "client_order_id": "mine"},
            (422, "client_order_id must be unique"),
        ),
    ],
)
def test_what_changes_nothing_or_nothing_sensible_is_refused(change: Any, expected: Any) -> None:
    exchange = exchange_at_noon()
    order = working(exchange, put_spread("-0.69", qty=2, client_order_id="mine"))
    assert refused(exchange, order.order_id, change) == expected
    assert order.status == "new"


def test_an_order_not_yet_acknowledged_or_no_longer_working_cannot_be_replaced() -> None:
    exchange = exchange_at_noon()
    order = exchange.place_order(put_spread("-0.60"))
    change = {"limit_price": "-0.61"}
    assert refused(exchange, order.order_id, change) == (
        422,
        "cannot replace order in accepted status",
    )
    exchange.clock.advance(5)
    assert refused(exchange, order.order_id, change)[1] == "cannot replace order in filled status"


def test_an_order_is_replaced_once_and_its_legs_never() -> None:
    exchange = exchange_at_noon()
    order = working(exchange, put_spread("-0.69"))
    assert refused(exchange, order.legs[0].order_id, {"qty": 2}) == (
        422,
        "cannot replace individual legs of a mleg order",
    )
    exchange.replace_order(order.order_id, {"qty": 2})
    assert refused(exchange, order.order_id, {"qty": 3}) == (422, "order already replaced")


def test_a_quantity_held_by_the_old_close_is_there_for_the_new_one() -> None:
    exchange = exchange_at_noon()
    filled(exchange, put_spread("-0.50", qty=2))
    order = working(exchange, put_spread_close("0.71", qty=2))
    new = exchange.replace_order(order.order_id, {"limit_price": 0.8})
    exchange.clock.advance(5)
    assert new.status == "filled"
    assert exchange.positions == ()


def test_a_replacement_that_cannot_be_afforded_leaves_the_old_order_working() -> None:
    exchange = exchange_at_noon(starting_cash=Decimal(100))
    order = working(exchange, single_order(PUT_95, "buy", "0.71"))
    status, message = refused(exchange, order.order_id, {"qty": 5})
    assert status == 403
    assert "insufficient options buying power" in message
    assert exchange.working_orders == (order,)
