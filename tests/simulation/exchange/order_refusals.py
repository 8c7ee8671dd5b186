"""Refusals of new orders, by the rows of Alpaca's table: how each is provoked."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from simulator.exchange import Exchange
from tests.simulation.exchange.builders import (
    CALL_110,
    PUT_95,
    PUT_100,
    at_close,
    exchange_at_noon,
    filled,
    leg,
    multileg_order,
    put_spread,
    put_spread_close,
    single_order,
    usual_world,
)
from tests.simulation.exchange.small_world import contract_symbol

Act = Callable[[], object]


def place(body: dict[str, Any], **settings: Any) -> Act:
    return lambda: exchange_at_noon(**settings).place_order(body)


def leg_out() -> None:
    with_spread().place_order(single_order(PUT_95, "sell", "0.70"))


def mix_underlyings() -> None:
    others = contract_symbol("P", 100, stock="BETA")
    world = usual_world().with_stock("50", "51", symbol="BETA").with_option(others, "1", "2")
    legs = [leg(PUT_100, "buy_to_open"), leg(others, "buy_to_open")]
    exchange_at_noon(world).place_order(put_spread(legs=legs))


def with_spread(**settings: Any) -> Exchange:
    exchange = exchange_at_noon(**settings)
    filled(exchange, put_spread("-0.50"))
    return exchange


def sell_more_than_is_held() -> None:
    exchange = with_spread()
    exchange.place_order(put_spread_close("0.71"))
    exchange.place_order(put_spread_close("0.72"))


def trade_against_oneself() -> None:
    exchange = exchange_at_noon()
    exchange.place_order(single_order(PUT_100, "buy", "1.00"))
    exchange.place_order(single_order(PUT_100, "sell", "2.00"))


def use_an_id_twice() -> None:
    exchange = exchange_at_noon()
    for _ in range(2):
        exchange.place_order(single_order(PUT_100, "buy", "1.00", client_order_id="once"))


def disabled(name: str, act: Callable[[Exchange, str], object]) -> Act:
    def refused() -> None:
        exchange = exchange_at_noon()
        order = exchange.place_order(put_spread("-0.69"))
        exchange.clock.advance(1)
        setattr(exchange.faults, name, 1)
        act(exchange, order.order_id)

    return refused


UNCOVERED = multileg_order([leg(PUT_100, "sell_to_open"), leg(CALL_110, "buy_to_open")], "-0.1")
COMMON_RATIO = multileg_order(
    [leg(PUT_100, "sell_to_open", 2), leg(PUT_95, "buy_to_open", 2)], "-1"
)
NO_INTENT = [{"symbol": PUT_100, "ratio_qty": 1}, leg(PUT_95, "buy_to_open")]
BUY = single_order(PUT_100, "buy", "1.60")
REFUSALS: dict[str, list[tuple[str, Act]]] = {
    "submit_single": [
        ("account not authorized to trade options", place(BUY, options_level=0)),
        ("account not eligible to trade long option contracts", place(BUY, options_level=1)),
        (
            "account not eligible to trade spreads or uncovered contracts",
            place(put_spread(), options_level=2),
        ),
        (
            "account not eligible to trade uncovered option contracts",
            leg_out,
        ),
        (
            "insufficient options buying power (required: {required}, available: {available})",
            place(put_spread(), starting_cash=Decimal(100)),
        ),
        (
            (
                "insufficient options buying power for cash-secured put "
                "(required: {r}, available: {a})"
            ),
            place(single_order(PUT_100, "sell", "1.40"), starting_cash=Decimal(100)),
        ),
        (
            (
                "insufficient underlying qty available for covered call "
                "(required: {r}, available: {a})"
            ),
            place(single_order(CALL_110, "sell", "1.00")),
        ),
        (
            "insufficient qty available for order (requested: {r}, available: {a})",
            sell_more_than_is_held,
        ),
        ("potential wash trade detected. use complex orders", trade_against_oneself),
        ("complex orders not supported for options trading", place({**BUY, "order_class": "oco"})),
        (
            'contract "{symbol}" expires soon, unable to open new positions',
            place(BUY, starts_at=at_close(4) - timedelta(minutes=20)),
        ),
        ('contract "{symbol}" is expired', place(BUY, starts_at=at_close(4))),
        ('contract "{symbol}" not found', place({**BUY, "symbol": contract_symbol("P", 5)})),
        (
            "extended hours is not supported for options trading",
            place({**BUY, "extended_hours": True}),
        ),
        ("invalid contract", place({**BUY, "symbol": "ACME269999P00100000"})),
        ("invalid option order_type", place({**BUY, "type": "iceberg"})),
        ("invalid option time_in_force", place({**BUY, "time_in_force": "soon"})),
        (
            "invalid order type for options trading",
            place({**BUY, "type": "trailing_stop", "trail_price": 1}),
        ),
        (
            "notional orders are not supported for options trading",
            place({**BUY, "notional": 100, "qty": None}),
        ),
        (
            "options market orders are only allowed during market hours",
            place(single_order(PUT_100, "buy"), starts_at=at_close()),
        ),
        ("options order qty must be <= {max}", place({**BUY, "qty": 100_001})),
        (
            "order_time_in_force provided not supported for options trading",
            place({**BUY, "time_in_force": "ioc"}),
        ),
        (
            "position intent mismatch, inferred: {inferred}, specified: {specified}",
            place({**BUY, "position_intent": "buy_to_close"}),
        ),
        ("qty must be integer for options trading", place({**BUY, "qty": 1.5})),
        (
            'underlying asset "{symbol}" not found',
            place({**BUY, "symbol": contract_symbol("P", 5, stock="NONE")}),
        ),
        (
            (
                "invalid limit_price {p}. "
                "sub-penny increment does not fulfill minimum pricing criteria"
            ),
            place({**BUY, "limit_price": 1.605}),
        ),
        ("client_order_id must be unique", use_an_id_twice),
        (
            "client_order_id must be no more than 128 characters",
            place({**BUY, "client_order_id": "x" * 129}),
        ),
        ("limit orders require a limit price", place({**BUY, "limit_price": None})),
        ("qty must be > 0", place({**BUY, "qty": 0})),
    ],
    "submit_mleg": [
        (
            "submit mleg order is disabled",
            disabled(
                "multileg_submits_refused", lambda exchange, _: exchange.place_order(put_spread())
            ),
        ),
        (
            "asset not found for {symbol}",
            place(put_spread(legs=[leg("NOPE", "sell_to_open"), leg(PUT_95, "buy_to_open")])),
        ),
        (
            "equity legs are allowed only with a corresponding amount of call contracts",
            place(put_spread(legs=[leg("ACME", "buy_to_open"), leg(CALL_110, "sell_to_open")])),
        ),
        ("invalid limit price", place(put_spread("cheap"))),
        ("invalid time in force", place(put_spread(time_in_force="soon"))),
        (
            "leg.{i} position intent is required",
            place(put_spread(legs=NO_INTENT)),
        ),
        ("limit price is only valid for limit orders", place(put_spread(type="market"))),
        ("limit price is required for limit orders", place(put_spread(limit_price=None))),
        (
            "underlying asset mismatch: {underlying} != {asset}",
            mix_underlyings,
        ),
        (
            "leg ratio quantities should be relatively prime: GCD[2 2] = 2",
            place(COMMON_RATIO),
        ),
        (
            "mleg orders must have at least 2 legs and at most 4 legs",
            place(put_spread(legs=[leg(PUT_100, "buy_to_open")])),
        ),
        (
            "mleg uncovered short contracts not allowed, please use single leg order",
            place(UNCOVERED),
        ),
    ],
}
