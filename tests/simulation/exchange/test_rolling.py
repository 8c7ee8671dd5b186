"""A roll as the broker takes it: both halves in one order, each short leg covered within it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from simulator.exchange import Exchange, RefusalError
from tests.simulation.exchange.builders import (
    PUT_95,
    PUT_100,
    exchange_at_noon,
    filled,
    leg,
    multileg_order,
    put_spread,
    single_order,
    usual_world,
)
from tests.simulation.exchange.small_world import FRIDAY, contract_symbol

LATER = FRIDAY + timedelta(days=28)
LATER_100, LATER_95 = contract_symbol("P", 100, LATER), contract_symbol("P", 95, LATER)


@pytest.fixture
def exchange() -> Exchange:
    """Quote the spread of Friday at 0.70 and the same of four weeks later at 1.50."""
    world = (
        usual_world().with_option(LATER_100, "2.90", "3.10").with_option(LATER_95, "1.40", "1.60")
    )
    return exchange_at_noon(world)


def roll(limit: str, qty: float = 1.0) -> dict[str, Any]:
    legs = [
        leg(PUT_100, "buy_to_close"),
        leg(PUT_95, "sell_to_close"),
        leg(LATER_100, "sell_to_open"),
        leg(LATER_95, "buy_to_open"),
    ]
    return multileg_order(legs, limit, qty)


def test_a_roll_of_a_spread_is_one_order_at_a_net_credit(exchange: Exchange) -> None:
    filled(exchange, put_spread(limit="-0.50"))
    before = exchange.cash
    filled(exchange, roll("-0.40"))
    held = {position.symbol: position.quantity for position in exchange.positions}
    assert held == {LATER_100: -1, LATER_95: 1}
    assert exchange.cash - before >= Decimal(40)


def test_a_roll_that_asks_for_more_than_the_market_works_on(exchange: Exchange) -> None:
    filled(exchange, put_spread(limit="-0.50"))
    order = exchange.place_order(roll("-1.60"))
    exchange.clock.advance(60)
    assert (order.is_working, order.filled_units) == (True, 0)


def test_what_is_not_held_cannot_be_rolled(exchange: Exchange) -> None:
    with pytest.raises(RefusalError):
        exchange.place_order(roll("-0.40"))
    filled(exchange, put_spread(limit="-0.50"))
    with pytest.raises(RefusalError, match="insufficient qty"):
        exchange.place_order(roll("-0.40", qty=2))


def test_a_short_leg_that_its_order_does_not_cover_is_not_rolled_to(exchange: Exchange) -> None:
    filled(exchange, single_order(PUT_100, "sell", "1.40"))
    legs = [leg(PUT_100, "buy_to_close"), leg(LATER_100, "sell_to_open")]
    with pytest.raises(RefusalError, match="uncovered short contracts"):
        exchange.place_order(multileg_order(legs, "-1.00"))


def test_a_roll_can_be_refused_for_its_legs_as_a_close_can(exchange: Exchange) -> None:
    filled(exchange, put_spread(limit="-0.50"))
    exchange.faults.multileg_closes_refused = 1
    with pytest.raises(RefusalError, match="uncovered short contracts"):
        exchange.place_order(roll("-0.40"))
    filled(exchange, roll("-0.40"))
