"""A split: more of what was held, each worth less, and not a cent of equity moved by it."""

from dataclasses import replace
from decimal import Decimal

import pytest

from agent.options.contracts import parse_occ_symbol
from simulator.exchange import Exchange
from simulator.exchange.account_endpoints import get_activities
from simulator.exchange.calls import Call
from simulator.worlds.events import Split
from tests.simulation.exchange.builders import (
    PUT_95,
    PUT_100,
    at_close,
    exchange_at_noon,
    filled,
    put_spread,
    single_order,
)
from tests.simulation.exchange.small_world import WEEK, SmallWorld, contract_symbol

TUESDAY = WEEK[1]
PUT_50 = contract_symbol("P", 50)
PUT_47_50 = replace(parse_occ_symbol(PUT_50), strike=Decimal("47.5")).symbol


def split_world(new_rate: str, old_rate: str = "1") -> SmallWorld:
    """Split ACME on Tuesday, from 104.95 to 105.05 on Monday to what that makes."""
    split = Split("ACME", TUESDAY.session, Decimal(new_rate), Decimal(old_rate))
    ratio = Decimal(new_rate) / Decimal(old_rate)
    bid, ask = (f"{Decimal(side) / ratio:.2f}" for side in ("104.95", "105.05"))
    return (
        SmallWorld(actions=[split])
        .with_stock("104.95", "105.05")
        .with_stock(bid, ask, since=TUESDAY.opens_at)
        .with_option(PUT_100, "1.40", "1.60")
        .with_option(PUT_95, "0.70", "0.90")
        .with_option(PUT_50, "0.70", "0.80", since=TUESDAY.opens_at)
        .with_option(PUT_47_50, "0.35", "0.45", since=TUESDAY.opens_at)
    )


def held(exchange: Exchange) -> dict[str, int]:
    return {position.symbol: position.quantity for position in exchange.positions}


def kinds(exchange: Exchange) -> list[tuple[str, str, str]]:
    exchange.clock.advance_to(at_close(2))
    rows = get_activities(exchange, Call()).body
    split_rows = [row for row in rows if row["activity_type"] in {"SSP", "OPCA", "CIL"}]
    return sorted((row["activity_type"], row["symbol"], row["qty"]) for row in split_rows)


@pytest.mark.parametrize("behaves_like", ["live", "paper"])
def test_shares_are_multiplied_and_cost_what_they_did(behaves_like: str) -> None:
    exchange = exchange_at_noon(split_world("2"), behaves_like=behaves_like)
    filled(exchange, single_order("ACME", "buy", qty=10))
    cash, (before,) = exchange.cash, exchange.positions
    cost = before.cost
    exchange.clock.advance_to(TUESDAY.opens_at)
    (after,) = exchange.positions
    assert (after.quantity, after.cost) == (20, cost)
    assert after.average_entry_price == Decimal("52.525")
    assert exchange.cash == cash
    assert kinds(exchange) == [("SSP", "ACME", "10")]


def test_a_spread_becomes_twice_as_many_of_half_the_strikes() -> None:
    exchange = exchange_at_noon(split_world("2"))
    filled(exchange, put_spread(qty=3))
    equity, costs = exchange.equity, sum(each.cost for each in exchange.positions)
    exchange.clock.advance_to(TUESDAY.opens_at)
    assert held(exchange) == {PUT_50: -6, PUT_47_50: 6}
    assert sum(each.cost for each in exchange.positions) == costs
    assert {each.contract for each in exchange.positions} == {
        parse_occ_symbol(PUT_50),
        parse_occ_symbol(PUT_47_50),
    }
    # The world quotes the new spread at half of the old one's mid: 0.35 against 0.70.
    assert exchange.equity == equity
    assert kinds(exchange) == [
        ("OPCA", PUT_47_50, "6"),
        ("OPCA", PUT_50, "-6"),
        ("OPCA", PUT_95, "-3"),
        ("OPCA", PUT_100, "3"),
    ]


def test_the_new_contracts_can_be_bought_back() -> None:
    exchange = exchange_at_noon(split_world("2"))
    filled(exchange, put_spread(qty=1))
    exchange.clock.advance_to(TUESDAY.opens_at)
    filled(exchange, single_order(PUT_50, "buy", "0.80", qty=2))
    assert held(exchange) == {PUT_47_50: 2}


def test_a_reverse_split_pays_the_fraction_of_a_share_in_cash() -> None:
    exchange = exchange_at_noon(split_world("1", "4"))
    filled(exchange, single_order("ACME", "buy", qty=10))
    equity, cash = exchange.equity, exchange.cash
    exchange.clock.advance_to(TUESDAY.opens_at)
    assert held(exchange) == {"ACME": 2}
    assert exchange.cash == cash + Decimal("210.00")  # half a share at 420.00
    assert exchange.equity == equity
    assert kinds(exchange) == [("CIL", "ACME", "0.5"), ("SSP", "ACME", "-8")]


def test_contracts_of_a_split_into_fractions_stay_as_they_are() -> None:
    exchange = exchange_at_noon(split_world("3", "2"))
    filled(exchange, put_spread(qty=1))
    exchange.clock.advance_to(TUESDAY.opens_at)
    assert held(exchange) == {PUT_100: -1, PUT_95: 1}
    assert kinds(exchange) == []


def test_orders_that_work_in_what_splits_are_withdrawn() -> None:
    exchange = exchange_at_noon(split_world("2"))
    body = single_order("ACME", "buy", "90", time_in_force="gtc")
    order = exchange.place_order(body)
    exchange.clock.advance_to(TUESDAY.opens_at)
    assert order.status == "canceled"


def test_a_split_of_what_nobody_holds_is_nothing() -> None:
    exchange = exchange_at_noon(split_world("2"))
    exchange.clock.advance_to(TUESDAY.opens_at)
    assert held(exchange) == {}
    assert kinds(exchange) == []
