"""The close of a day: expiration, assignment, fees, and what the activities tell of it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from simulator.exchange import Exchange, FeeType, fees_for_fill
from simulator.exchange.account_endpoints import get_activities
from simulator.exchange.calls import Call
from tests.simulation.exchange.builders import (
    CALL_110,
    NOON,
    PUT_95,
    PUT_100,
    at_close,
    exchange_at_noon,
    filled,
    put_spread,
    single_order,
    usual_world,
)
from tests.simulation.exchange.small_world import FRIDAY, MONDAY

THE_NEXT_MORNING = at_close(4) + timedelta(hours=14)


def activities(exchange: Exchange, *types: str) -> list[dict[str, Any]]:
    query = {"activity_types": ",".join(types), "direction": "asc"}
    rows: list[dict[str, Any]] = get_activities(exchange, Call(query=query)).body
    return rows


def held(exchange: Exchange) -> dict[str, int]:
    return {position.symbol: position.quantity for position in exchange.positions}


def test_out_of_the_money_contracts_expire_worthless() -> None:
    exchange = exchange_at_noon(usual_world().with_close("105", FRIDAY))
    filled(exchange, put_spread("-0.60"))
    exchange.clock.advance_to(THE_NEXT_MORNING)
    assert exchange.positions == ()
    assert exchange.cash == Decimal(100_060)
    rows = activities(exchange, "OPEXP")
    assert [(row["symbol"], row["qty"]) for row in rows] == [(PUT_95, "-1"), (PUT_100, "1")]
    assert exchange.book.realized_profit == Decimal(60)


def test_a_short_put_in_the_money_is_assigned_its_shares_at_the_strike() -> None:
    exchange = exchange_at_noon(usual_world().with_close("97", FRIDAY))
    filled(exchange, put_spread("-0.60"))
    exchange.clock.advance_to(THE_NEXT_MORNING)
    assert held(exchange) == {"ACME": 100}
    assert exchange.cash == Decimal(100_060) - 10_000
    assert [row["qty"] for row in activities(exchange, "OPASN")] == ["1"]
    (delivery,) = activities(exchange, "OPTRD")
    assert (delivery["qty"], delivery["price"], delivery["net_amount"]) == ("100", "100", "-10000")


def test_a_spread_wholly_in_the_money_loses_its_width_and_leaves_no_shares() -> None:
    exchange = exchange_at_noon(usual_world().with_close("90", FRIDAY))
    filled(exchange, put_spread("-0.60"))
    exchange.clock.advance_to(at_close(4))
    assert exchange.positions == ()
    assert exchange.cash == Decimal(100_060) - 500
    exchange.clock.advance_to(THE_NEXT_MORNING)
    assert len(activities(exchange, "OPASN", "OPEXC")) == 2


def test_a_penny_in_the_money_is_in_the_money_and_less_is_not() -> None:
    for close, shares in (("99.99", {"ACME": 100}), ("100.00", {})):
        exchange = exchange_at_noon(usual_world().with_close(close, FRIDAY))
        filled(exchange, single_order(PUT_100, "sell", "1.40"))
        exchange.clock.advance_to(at_close(4))
        assert held(exchange) == shares


def test_non_trade_activities_show_from_the_next_day_on_while_cash_moves_at_once() -> None:
    exchange = exchange_at_noon(usual_world().with_close("97", FRIDAY))
    filled(exchange, put_spread("-0.60"))
    exchange.clock.advance_to(at_close(4) + timedelta(hours=3))
    assert held(exchange) == {"ACME": 100}
    assert activities(exchange, "OPASN", "OPTRD", "OPEXP") == []
    exchange.clock.advance_to(THE_NEXT_MORNING)
    assert len(activities(exchange, "OPASN", "OPTRD", "OPEXP")) == 3


def test_assigned_shares_can_be_sold_and_covered_by_a_call() -> None:
    later = usual_world().with_close("97", MONDAY)
    early_put = PUT_100.replace(f"{FRIDAY:%y%m%d}", f"{MONDAY:%y%m%d}")
    exchange = exchange_at_noon(later.with_option(early_put, "3.00", "3.20"))
    filled(exchange, single_order(early_put, "sell", "3.00"))
    exchange.clock.advance_to(at_close(0) + timedelta(hours=18))
    assert held(exchange) == {"ACME": 100}
    covered = filled(exchange, single_order(CALL_110, "sell", "1.00"))
    filled(exchange, single_order(CALL_110, "buy", "1.10"))
    filled(exchange, single_order("ACME", "sell", "104", qty=100))
    assert covered.legs[0].position_intent == "sell_to_open"
    assert exchange.positions == ()
    assert exchange.cash == 100_000 + 300 - 10_000 + 100 - 110 + Decimal("104.95") * 100


def test_fees_accrue_by_fill_and_are_charged_after_the_close_each_type_rounded_up() -> None:
    exchange = exchange_at_noon(fees="regulatory")
    filled(exchange, put_spread("-0.60", qty=3))
    expected: dict[FeeType, Decimal] = {}
    for fill in exchange.fills:
        for kind, amount in fees_for_fill(
            on=MONDAY,
            is_option=True,
            is_sell=fill.side == "sell",
            quantity=fill.quantity,
            price=fill.price,
        ).items():
            expected[kind] = expected.get(kind, Decimal(0)) + amount
    assert exchange.accrued_fees == sum(expected.values())
    assert exchange.cash == Decimal(100_180)
    exchange.clock.advance_to(at_close() + timedelta(hours=1))
    rows = activities(exchange, "FEE")
    charged = {row["activity_sub_type"]: -Decimal(row["net_amount"]) for row in rows}
    assert set(charged) == {"ORF", "OCC", "TAF", "REG", "CAT"}
    for kind, amount in expected.items():
        assert amount <= charged[kind.value] < amount + Decimal("0.01")
    assert exchange.cash == Decimal(100_180) - sum(charged.values())
    assert exchange.accrued_fees == 0


def test_a_day_is_charged_once() -> None:
    exchange = exchange_at_noon(fees="regulatory")
    filled(exchange, put_spread("-0.60"))
    exchange.clock.advance_to(at_close(3))
    assert len(activities(exchange, "FEE")) == 5


def test_paper_charges_no_fees() -> None:
    exchange = exchange_at_noon(fees="none")
    filled(exchange, put_spread("-0.60"))
    exchange.clock.advance_to(at_close(1))
    assert exchange.cash == Decimal(100_060)


@pytest.mark.parametrize("is_sell", [True, False])
def test_only_sells_pay_the_transaction_fees(is_sell: bool) -> None:
    fees = fees_for_fill(
        on=MONDAY, is_option=True, is_sell=is_sell, quantity=2, price=Decimal("1.50")
    )
    assert (FeeType.TAF in fees, FeeType.SEC in fees) == (is_sell, is_sell)
    assert fees[FeeType.ORF] == Decimal("0.05370")


def test_fills_tell_each_leg_with_its_order_and_simulated_time() -> None:
    exchange = exchange_at_noon()
    order = filled(exchange, put_spread("-0.60"))
    sold, bought = activities(exchange, "FILL")
    assert sold["order_id"] == order.legs[0].order_id
    assert (sold["side"], sold["qty"], sold["type"]) == ("sell", "1", "fill")
    assert sold["transaction_time"].startswith("2026-06-15T16:00:02")
    assert bought["symbol"] == PUT_95
    assert order.filled_at > NOON


def test_cash_is_what_the_activities_say() -> None:
    exchange = exchange_at_noon(
        usual_world().with_close("97", FRIDAY), fees="regulatory", partial_fill_probability=1
    )
    filled_order = exchange.place_order(put_spread("-0.60", qty=7))
    exchange.clock.advance(5)
    exchange.clock.advance_to(THE_NEXT_MORNING)
    assert filled_order.status == "filled"
    moved = sum((row.cash_change for row in exchange.book.activities), Decimal(0))
    assert exchange.cash == exchange.book.starting_cash + moved
