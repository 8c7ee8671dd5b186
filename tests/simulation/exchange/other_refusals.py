"""Refusals of what is not a new order, by the rows of Alpaca's table: how each is provoked."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import requests

from simulator.exchange import Exchange, RefusalError, serve
from tests.simulation.exchange.builders import (
    CALL_115,
    PUT_100,
    at_close,
    exchange_at_noon,
    filled,
    put_spread,
    put_spread_close,
    single_order,
    usual_world,
)
from tests.simulation.exchange.order_refusals import Act, disabled, with_spread
from tests.simulation.exchange.small_world import contract_symbol

LONG_CALL = contract_symbol("C", 100)
LONG_PUT = contract_symbol("P", 110)


def with_long(symbol: str, bid: str, ask: str, **settings: Any) -> Exchange:
    exchange = exchange_at_noon(usual_world().with_option(symbol, bid, ask), **settings)
    filled(exchange, single_order(symbol, "buy", ask))
    return exchange


def after(exchange: Exchange, moment: Any) -> Exchange:
    exchange.clock.advance_to(moment)
    return exchange


def exercise(exchange: Exchange, symbol: str) -> None:
    exchange.lifecycle.exercise(symbol, exchange.now)


def do_not_exercise(exchange: Exchange, symbol: str) -> None:
    exchange.lifecycle.do_not_exercise(symbol, exchange.now)


def working(act: Callable[[Exchange, str], object], body: Any = None) -> Act:
    def refused() -> None:
        exchange = with_spread() if body else exchange_at_noon()
        order = exchange.place_order(body or put_spread("-0.69", qty=2))
        exchange.clock.advance(1)
        act(exchange, order.order_id)

    return refused


def on_leg(act: Callable[[Exchange, str], object], limit: str) -> Act:
    def refused() -> None:
        exchange = exchange_at_noon()
        order = exchange.place_order(put_spread(limit))
        exchange.clock.advance(5)
        act(exchange, order.legs[0].order_id)

    return refused


def replace_twice(exchange: Exchange, order_id: str) -> None:
    for limit in ("-0.68", "-0.67"):
        exchange.replace_order(order_id, {"limit_price": limit})


def replace_what_ended(exchange: Exchange, order_id: str) -> None:
    exchange.cancel_order(order_id)
    exchange.replace_order(order_id, {"limit_price": "-0.68"})


def shrink_below_what_is_filled() -> None:
    exchange = exchange_at_noon(partial_fill_probability=Decimal(1))
    order = exchange.place_order(put_spread("-0.50", qty=5))
    exchange.clock.advance(3)
    exchange.replace_order(order.order_id, {"qty": order.filled_units})


def exercise_what_is_being_sold() -> None:
    exchange = with_long(LONG_CALL, "5.50", "5.70")
    exchange.place_order(single_order(LONG_CALL, "sell", "9"))
    exercise(exchange, LONG_CALL)


def exercise_what_shall_not_be() -> None:
    exchange = after(with_long(LONG_CALL, "5.50", "5.70"), at_close(4) - timedelta(hours=3))
    do_not_exercise(exchange, LONG_CALL)
    exercise(exchange, LONG_CALL)


def read_data_without_keys() -> None:
    with serve(exchange_at_noon()) as server, requests.Session() as session:
        session.trust_env = False
        reply = session.get(f"{server.url}/v1beta1/options/snapshots/ACME", timeout=20)
    raise RefusalError(reply.status_code, None, reply.json()["message"])


def expired_and_unsettled() -> Exchange:
    exchange = with_long(LONG_CALL, "5.50", "5.70")
    world = exchange.world
    setattr(world, "stock", lambda _symbol, _at: None)  # noqa: B010 - a field of no protocol
    return after(exchange, at_close(4) + timedelta(minutes=5))


def looked_up(path: str) -> Act:
    def refused() -> None:
        exchange = exchange_at_noon()
        with serve(exchange) as server, requests.Session() as session:
            session.trust_env = False
            keys = {
                "APCA-API-KEY-ID": exchange.key_id,
                "APCA-API-SECRET-KEY": exchange.secret_key,
            }
            reply = session.get(server.url + path, headers=keys, timeout=20)
        body = reply.json()
        raise RefusalError(reply.status_code, body["code"], body["message"])

    return refused


REFUSALS: dict[str, list[tuple[str, Act]]] = {
    "cancel": [
        (
            "cancel mleg order is disabled",
            disabled("multileg_cancels_refused", lambda exchange, it: exchange.cancel_order(it)),
        ),
        (
            "leg order is already in {status} state",
            on_leg(lambda exchange, it: exchange.cancel_order(it), "-0.50"),
        ),
        (
            "cannot cancel individual legs of a mleg order",
            on_leg(lambda exchange, it: exchange.cancel_order(it), "-0.69"),
        ),
    ],
    "replace": [
        (
            "replace mleg order is disabled",
            disabled(
                "multileg_replaces_refused",
                lambda exchange, it: exchange.replace_order(it, {"limit_price": "-0.68"}),
            ),
        ),
        ("cannot replace order in {status} status", working(replace_what_ended)),
        ("order already replaced", working(replace_twice)),
        (
            "order parameters are not changed",
            working(lambda exchange, it: exchange.replace_order(it, {"limit_price": "-0.69"})),
        ),
        ("qty must be > filled_qty", shrink_below_what_is_filled),
        (
            "cannot replace individual legs of a mleg order",
            on_leg(lambda exchange, it: exchange.replace_order(it, {"qty": 2}), "-0.69"),
        ),
        (
            "insufficient qty available for order (requested: X, available: 0)",
            working(
                lambda exchange, it: exchange.replace_order(it, {"qty": 2}),
                put_spread_close("0.71"),
            ),
        ),
    ],
    "exercise": [
        (
            "cannot exercise position marked as do-not-exercise",
            exercise_what_shall_not_be,
        ),
        (
            "exercise requests are not accepted after market close until midnight",
            lambda: exercise(
                after(with_long(LONG_CALL, "5.50", "5.70"), at_close() + timedelta(hours=1)),
                LONG_CALL,
            ),
        ),
        (
            "insufficient cash available (required: {r}, available: {a})",
            lambda: exercise(
                with_long(LONG_CALL, "5.50", "5.70", starting_cash=Decimal(1000)), LONG_CALL
            ),
        ),
        (
            (
                "insufficient underlying qty available for deliverable: "
                "{symbol} (requested: {r}, available: {a})"
            ),
            lambda: exercise(with_long(LONG_PUT, "5.50", "5.70"), LONG_PUT),
        ),
        ("no qty available to exercise", exercise_what_is_being_sold),
        (
            (
                "you are attempting to exercise an out of the money option contract, "
                "please contact support@alpaca.markets to complete this request"
            ),
            lambda: exercise(with_long(CALL_115, "0.30", "0.40"), CALL_115),
        ),
        ("long position not found: {symbol}", lambda: exercise(with_spread(), PUT_100)),
    ],
    "dne": [
        (
            "dne requests are not accepted after {time}",
            # A holding that outlives its close: its stock has no price there to settle it at.
            lambda: do_not_exercise(expired_and_unsettled(), LONG_CALL),
        ),
        (
            "dne requests are only accepted on the expiration day of the option contract",
            lambda: do_not_exercise(with_long(LONG_CALL, "5.50", "5.70"), LONG_CALL),
        ),
        ("long position not found: {symbol}", lambda: do_not_exercise(with_spread(), PUT_100)),
    ],
    "lookup": [
        ("option contract {symbol} not found", looked_up("/v2/options/contracts/NOPE")),
        (
            "order not found for {uuid}",
            looked_up("/v2/orders/61e69015-8549-4bfd-b9c3-01e75843f47d"),
        ),
        ("position does not exist", looked_up("/v2/positions/ACME")),
    ],
    "data": [("unauthorized.", read_data_without_keys)],
}
