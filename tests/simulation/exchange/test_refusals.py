"""What the exchange refuses, with Alpaca's status, code and message, and in which order."""

from datetime import timedelta
from typing import Any

import pytest

from simulator.exchange import Exchange, RefusalError
from tests.simulation.exchange.builders import (
    CALL_110,
    CALL_115,
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
)
from tests.simulation.exchange.small_world import FRIDAY, contract_symbol


def refusal(exchange: Exchange, body: Any) -> RefusalError:
    cash, orders = exchange.cash, len(exchange.orders)
    with pytest.raises(RefusalError) as refused:
        exchange.place_order(body)
    assert (exchange.cash, len(exchange.orders)) == (cash, orders), "a refusal changes nothing"
    return refused.value


def told(exchange: Exchange, body: Any) -> tuple[int, int | None, str]:
    refused = refusal(exchange, body)
    return refused.status, refused.code, refused.message


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"qty": 0}, (422, 40010001, "qty must be > 0")),
        ({"qty": 1.5}, (422, 42210000, "qty must be integer for options trading")),
        ({"qty": None}, (422, 40010001, "qty is required")),
        ({"limit_price": None}, (422, 42210000, "limit price is required for limit orders")),
        (
            {"limit_price": "-0.605"},
            (
                422,
                42210000,
                (
                    "invalid limit_price -0.605. "
                    "sub-penny increment does not fulfill minimum pricing criteria"
                ),
            ),
        ),
        ({"type": "stop"}, (422, 42210000, "invalid order type for options trading")),
        (
            {"time_in_force": "ioc"},
            (422, 42210000, "order_time_in_force provided not supported for options trading"),
        ),
        (
            {"notional": "100"},
            (422, 42210000, "notional orders are not supported for options trading"),
        ),
        (
            {"extended_hours": True},
            (422, 42210000, "extended hours is not supported for options trading"),
        ),
        (
            {"order_class": "bracket"},
            (422, 42210000, "complex orders not supported for options trading"),
        ),
        (
            {"client_order_id": "x" * 129},
            (422, 40010001, "client_order_id must be no more than 128 characters"),
        ),
        ({"qty": "many"}, (422, 40010001, "qty is invalid: not a number: 'many'")),
        ({"qty": 200_000}, (422, 42210000, "options order qty must be <= 100000")),
        ({"limit_price": "cheap"}, (422, 42210000, "invalid limit price")),
        ({"type": None}, (422, 40010001, "type is required")),
        ({"type": "market"}, (422, 42210000, "limit price is only valid for limit orders")),
        ({"time_in_force": None}, (422, 40010001, "time_in_force is required")),
        ({"client_order_id": 7}, (422, 40010001, "client_order_id must be a string")),
        (
            {"legs": [leg(PUT_100, "sell_to_open"), leg(PUT_100, "buy_to_open")]},
            (422, 42210000, "legs must have unique symbols"),
        ),
        (
            {"legs": [{**leg(PUT_100, "sell_to_open"), "side": "buy"}, leg(PUT_95, "buy_to_open")]},
            (422, 40010001, "side buy and position_intent sell_to_open contradict each other"),
        ),
        (
            {"legs": [{**leg(PUT_100, "sell_to_open"), "ratio_qty": 1.5}] * 2},
            (422, 40010001, "leg.0 ratio_qty must be a whole number > 0"),
        ),
        (
            {"legs": [{"ratio_qty": 1, "side": "buy"}] * 2},
            (422, 40010001, "leg.0 symbol is required"),
        ),
        (
            {"legs": [leg("ACME", "buy_to_open"), leg(PUT_95, "buy_to_open")]},
            (
                422,
                42210000,
                "equity legs are allowed only with a corresponding amount of call contracts",
            ),
        ),
        ({"legs": []}, (422, 42210000, "mleg orders must have at least 2 legs and at most 4 legs")),
        (
            {"legs": [{"symbol": PUT_100, "ratio_qty": 1}, leg(PUT_95, "buy_to_open")]},
            (422, 42210000, "leg.0 position intent is required"),
        ),
    ],
)
def test_an_order_must_say_what_orders_say(change: dict[str, Any], expected: Any) -> None:
    assert told(exchange_at_noon(), put_spread(**change)) == expected


def test_a_client_order_id_is_used_once() -> None:
    exchange = exchange_at_noon()
    filled(exchange, put_spread(client_order_id="once"))
    again = told(exchange, put_spread_close(client_order_id="once"))
    assert again == (422, 40010001, "client_order_id must be unique")


def test_ratios_are_relatively_prime() -> None:
    legs = [leg(PUT_100, "sell_to_open", 2), leg(PUT_95, "buy_to_open", 2)]
    assert told(exchange_at_noon(), multileg_order(legs, "-0.60")) == (
        422,
        42210000,
        "leg ratio quantities should be relatively prime: GCD[2 2] = 2",
    )


def test_every_short_leg_is_covered_in_its_own_order() -> None:
    legs = [leg(PUT_100, "sell_to_open", 2), leg(PUT_95, "buy_to_open", 1)]
    status, _, message = told(exchange_at_noon(), multileg_order(legs, "-1.00"))
    assert (status, message) == (
        403,
        "mleg uncovered short contracts not allowed, please use single leg order",
    )


def test_rolling_a_single_short_in_one_order_is_refused() -> None:
    exchange = exchange_at_noon()
    filled(exchange, single_order(PUT_100, "sell", "1.40"))
    legs = [leg(PUT_100, "buy_to_close"), leg(PUT_95, "sell_to_open")]
    assert "uncovered" in refusal(exchange, multileg_order(legs, "1.00")).message


def test_an_intent_that_contradicts_the_holdings_is_refused() -> None:
    exchange = exchange_at_noon()
    filled(exchange, single_order(PUT_95, "buy", "0.90"))
    legs = [leg(PUT_95, "sell_to_open"), leg(contract_symbol("P", 100), "buy_to_open")]
    assert told(exchange, multileg_order(legs, "1.00")) == (
        422,
        42210000,
        "position intent mismatch, inferred: sell_to_close, specified: sell_to_open",
    )


def test_intents_are_inferred_where_only_sides_are_said() -> None:
    exchange = exchange_at_noon()
    legs = [
        {"symbol": PUT_100, "ratio_qty": "1", "side": "sell"},
        {"symbol": PUT_95, "ratio_qty": "1", "side": "buy"},
    ]
    order = filled(exchange, multileg_order(legs, "-0.50"))
    assert [each.position_intent for each in order.legs] == ["sell_to_open", "buy_to_open"]


def test_selling_the_long_leg_first_is_refused() -> None:
    exchange = exchange_at_noon()
    filled(exchange, put_spread("-0.50"))
    assert told(exchange, single_order(PUT_95, "sell", "0.70")) == (
        403,
        40310000,
        "account not eligible to trade uncovered option contracts",
    )
    filled(exchange, single_order(PUT_100, "buy", "1.60"))
    filled(exchange, single_order(PUT_95, "sell", "0.70"))
    assert exchange.positions == ()


def test_a_quantity_held_for_one_close_is_not_there_for_another() -> None:
    exchange = exchange_at_noon()
    filled(exchange, put_spread("-0.50", qty=5))
    working = exchange.place_order(put_spread_close("0.71", qty=5))
    body = refusal(exchange, put_spread_close("0.90", qty=2)).body
    assert body == {
        "code": 40310000,
        "message": "insufficient qty available for order (requested: 2, available: 0)",
        "available": "0",
        "existing_qty": "5",
        "held_for_orders": "5",
        "related_orders": [working.order_id],
        "symbol": PUT_100,
    }
    exchange.cancel_order(working.order_id)
    filled(exchange, put_spread_close("0.90", qty=2))


def test_opposite_orders_on_one_contract_look_like_a_wash_trade() -> None:
    exchange = exchange_at_noon()
    filled(exchange, single_order(PUT_95, "buy", "0.90", qty=2))
    buying = exchange.place_order(single_order(PUT_95, "buy", "0.75"))
    body = refusal(exchange, single_order(PUT_95, "sell", "0.85")).body
    assert body["message"] == "potential wash trade detected. use complex orders"
    assert body["existing_order_id"] == buying.order_id


def test_a_call_sold_alone_needs_shares() -> None:
    assert told(exchange_at_noon(), single_order(CALL_110, "sell", "1.00", qty=2)) == (
        403,
        40310000,
        "insufficient underlying qty available for covered call (required: 200, available: 0)",
    )


def test_shares_that_cover_a_call_cannot_be_sold() -> None:
    exchange = exchange_at_noon()
    filled(exchange, single_order("ACME", "buy", "106", qty=100))
    filled(exchange, single_order(CALL_110, "sell", "1.00"))
    assert refusal(exchange, single_order("ACME", "sell", "100", qty=1)).status == 403


def test_a_put_needs_the_cash_that_secures_it() -> None:
    exchange = exchange_at_noon(starting_cash=9_000)
    assert told(exchange, single_order(PUT_100, "sell", "1.40")) == (
        403,
        40310000,
        "insufficient options buying power for cash-secured put (required: 9860, available: 9000)",
    )


def test_working_orders_claim_buying_power() -> None:
    exchange = exchange_at_noon(starting_cash=900)
    exchange.place_order(put_spread("-0.60"))
    assert told(exchange, put_spread("-0.60", qty=2))[2] == (
        "insufficient options buying power (required: 880, available: 460)"
    )
    exchange.place_order(put_spread("-0.60"))


@pytest.mark.parametrize(
    ("level", "body", "message"),
    [
        (0, single_order(PUT_100, "sell", "1.40"), "account not authorized to trade options"),
        (
            1,
            single_order(PUT_100, "buy", "1.60"),
            "account not eligible to trade long option contracts",
        ),
        (2, put_spread(), "account not eligible to trade spreads or uncovered contracts"),
    ],
)
def test_the_options_level_bounds_what_may_open(level: int, body: Any, message: str) -> None:
    assert told(exchange_at_noon(options_level=level), body) == (403, 40310000, message)


def test_market_orders_need_an_open_market() -> None:
    exchange = exchange_at_noon(starts_at=at_close())
    assert told(exchange, put_spread(None)) == (
        422,
        42210000,
        "options market orders are only allowed during market hours",
    )


def test_unknown_and_expired_contracts_are_refused() -> None:
    exchange = exchange_at_noon()
    unlisted = contract_symbol("P", 55)
    assert told(exchange, single_order(unlisted, "buy", "1.00"))[2] == (
        f'contract "{unlisted}" not found'
    )
    exchange.clock.advance_to(at_close(4))
    assert told(exchange, single_order(PUT_95, "buy", "1.00"))[2] == (
        f'contract "{PUT_95}" is expired'
    )


def test_nothing_opens_in_the_last_hour_of_a_contract_but_closing_goes_on() -> None:
    exchange = exchange_at_noon()
    filled(exchange, put_spread("-0.50"))
    exchange.clock.advance_to(at_close(4) - timedelta(minutes=30))
    legs = [leg(CALL_110, "sell_to_open"), leg(CALL_115, "buy_to_open")]
    assert told(exchange, multileg_order(legs, "-0.50"))[2] == (
        f'contract "{CALL_110}" expires soon, unable to open new positions'
    )
    filled(exchange, put_spread_close("0.90"))


def test_legs_share_one_underlying() -> None:
    exchange = exchange_at_noon()
    world: Any = exchange.world
    other = contract_symbol("P", 95, FRIDAY, "OTHR")
    world.with_stock("95", "96", symbol="OTHR").with_option(other, "0.70", "0.90")
    legs = [leg(PUT_100, "sell_to_open"), leg(other, "buy_to_open")]
    assert told(exchange, multileg_order(legs, "-0.50"))[2] == (
        "underlying asset mismatch: ACME != OTHR"
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (single_order("NOPE", "buy", "1"), 'asset "NOPE" not found'),
        (single_order("ACME", "buy", "0"), "limit price must be > 0"),
        (single_order("ACME", "buy", "106", qty=2000), "insufficient buying power"),
        (
            single_order("ACME", "sell", "100", qty=5),
            "account is not allowed to short",
        ),
        (single_order("ACME", "buy", "106", qty=0.5), 'asset "ACME" is not fractionable'),
        (single_order("ACME", "buy", "106", notional=5), 'asset "ACME" is not fractionable'),
        (
            single_order("ACME", "buy", "106", type="trailing_stop"),
            "trailing stop orders must specify one of trail_price or trail_percent",
        ),
        (
            single_order("ACME", "buy", type="trailing_stop", trail_percent=100),
            "trail_percent must be > 0 and < 100",
        ),
        (
            single_order("ACME", "buy", type="trailing_stop", trail_percent="far"),
            "invalid trail_percent",
        ),
        (single_order("ACME", "buy", "106", type="iceberg"), "invalid order type: iceberg"),
        (single_order("ACME", "buy", "106", order_class="pair"), "invalid order_class: pair"),
        (
            single_order("ACME", "buy", extended_hours=True),
            "extended hours order must be DAY or GTC limit orders",
        ),
        (
            single_order("ACME", "buy", "106", time_in_force="opg"),
            "time_in_force opg is not supported by this exchange",
        ),
        ({"qty": 1, "type": "market", "time_in_force": "day"}, "symbol is required"),
        (single_order("ACME", "", "106"), "side is required"),
    ],
)
def test_stock_orders_are_refused_too(body: Any, message: str) -> None:
    assert refusal(exchange_at_noon(), body).message == message


def test_checks_run_in_alpacas_order() -> None:
    exchange = exchange_at_noon(options_level=0, starting_cash=0)
    ratio_and_level_wrong = [leg(PUT_100, "sell_to_open", 2), leg(PUT_95, "buy_to_open", 2)]
    everything_wrong = [leg(PUT_100, "sell_to_close", 2), leg(PUT_95, "buy_to_open", 2)]
    assert "intent mismatch" in refusal(exchange, multileg_order(everything_wrong, "1")).message
    assert "GCD" in refusal(exchange, multileg_order(ratio_and_level_wrong, "1")).message
    assert "not authorized" in refusal(exchange, put_spread()).message
