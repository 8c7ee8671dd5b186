"""Orders: how they are accepted, filled, cancelled and expired, and what that does to cash."""

from datetime import timedelta
from decimal import Decimal

import pytest

from simulator.exchange import Exchange, NaturalFillModel, RefusalError
from simulator.exchange.fills import PartialFillRule
from simulator.exchange.order_rendering import render_order
from simulator.exchange.rendering import render_account, render_position
from tests.simulation.exchange.builders import (
    NOON,
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
from tests.simulation.exchange.small_world import WEEK


def held(exchange: Exchange) -> dict[str, int]:
    return {position.symbol: position.quantity for position in exchange.positions}


def test_a_credit_spread_fills_at_its_own_limit_after_conceding_a_third_of_the_width() -> None:
    exchange = exchange_at_noon()
    order = exchange.place_order(put_spread("-0.60"))
    assert order.status == "accepted"
    exchange.clock.advance(1)
    assert order.status == "new"
    exchange.clock.advance(1)
    assert order.status == "filled"
    assert order.filled_net == Decimal("-0.60")
    assert exchange.cash == Decimal("100060.00")
    assert held(exchange) == {PUT_100: -1, PUT_95: 1}


def test_a_limit_short_of_the_concession_keeps_working() -> None:
    exchange = exchange_at_noon()
    order = exchange.place_order(put_spread("-0.65"))
    exchange.clock.advance(60)
    assert order.status == "new"
    assert exchange.fills == ()


@pytest.mark.parametrize("limit", ["-0.50", "-0.10", "0.70", "9.00"])
def test_a_marketable_order_fills_at_natural_whatever_its_sign(limit: str) -> None:
    exchange = exchange_at_noon()
    order = filled(exchange, put_spread(limit))
    assert order.filled_net == Decimal("-0.50")
    assert [fill.price for fill in exchange.fills] == [Decimal("1.40"), Decimal("0.90")]


def test_a_market_order_fills_at_natural() -> None:
    exchange = exchange_at_noon()
    assert filled(exchange, put_spread(None)).filled_net == Decimal("-0.50")


def test_the_natural_model_fills_nothing_short_of_natural() -> None:
    exchange = exchange_at_noon(fill_model=NaturalFillModel())
    order = exchange.place_order(put_spread("-0.51"))
    exchange.clock.advance(60)
    assert order.status == "new"


def test_an_order_fills_once_the_market_comes_to_it() -> None:
    world = usual_world().with_option(PUT_100, "1.60", "1.80", since=NOON + timedelta(minutes=3))
    exchange = exchange_at_noon(world)
    order = exchange.place_order(put_spread("-0.75"))
    exchange.clock.advance(60)
    assert order.status == "new"
    exchange.clock.advance(180)
    assert order.filled_at == NOON + timedelta(minutes=4)
    assert exchange.cash == Decimal("100075.00")


def test_opening_and_closing_moves_cash_by_exactly_the_two_nets() -> None:
    exchange = exchange_at_noon()
    filled(exchange, put_spread("-0.60", qty=3))
    filled(exchange, put_spread_close("0.80", qty=3))
    assert exchange.cash == Decimal(100_000) + 3 * (60 - 80)
    assert exchange.positions == ()
    assert exchange.book.realized_profit == Decimal(-60)


def test_a_leg_that_is_bought_needs_no_bid() -> None:
    exchange = exchange_at_noon(usual_world().with_option(PUT_95, None, "0.90", since=NOON))
    filled(exchange, put_spread("0.50"))


def test_a_leg_that_is_sold_beside_a_bought_one_is_given_away_where_nobody_bids() -> None:
    world = usual_world()
    exchange = exchange_at_noon(world)
    filled(exchange, put_spread("-0.60"))
    world.with_option(PUT_95, None, "0.05", since=exchange.now)
    closing = filled(exchange, put_spread_close("3.00"))
    assert closing.legs[1].filled_value == 0
    assert exchange.positions == ()


def test_nobody_takes_a_single_contract_without_a_bid() -> None:
    exchange = exchange_at_noon(usual_world().with_option(PUT_95, None, "0.90", since=NOON))
    order = exchange.place_order(single_order(PUT_95, "sell", "0.05"))
    exchange.clock.advance(60)
    assert order.status == "new"


def test_a_leg_without_an_offer_stops_the_fill() -> None:
    exchange = exchange_at_noon(usual_world().with_option(PUT_95, "0.80", None, since=NOON))
    order = exchange.place_order(put_spread("0.50"))
    exchange.clock.advance(60)
    assert order.status == "new"


def test_nothing_fills_before_the_delay_has_passed() -> None:
    exchange = exchange_at_noon(fill_delay_seconds=30)
    order = exchange.place_order(put_spread("-0.50"))
    exchange.clock.advance(29)
    assert order.status == "new"
    exchange.clock.advance(1)
    assert order.filled_at == NOON + timedelta(seconds=30)


def test_a_first_part_fills_and_the_rest_follows_at_the_next_clock_move() -> None:
    exchange = exchange_at_noon(partial_fill_probability=Decimal(1))
    order = exchange.place_order(put_spread("-0.60", qty=4, client_order_id="parted"))
    exchange.clock.advance(10)
    first = order.filled_units
    assert order.status == "partially_filled"
    assert 1 <= first <= 3
    assert held(exchange) == {PUT_100: -first, PUT_95: first}
    exchange.clock.advance(1)
    assert order.status == "filled"
    assert exchange.cash == Decimal(100_240)


def test_partial_fills_depend_on_the_client_order_id_and_the_seed_alone() -> None:
    rule = PartialFillRule(seed=3, probability=Decimal("0.5"))
    names = [f"order-{number}" for number in range(40)]
    forwards = {name: rule.first_units(name, 10) for name in names}
    backwards = {name: rule.first_units(name, 10) for name in reversed(names)}
    assert forwards == backwards
    assert {units < 10 for units in forwards.values()} == {True, False}


def test_a_cancelled_order_fills_no_more() -> None:
    exchange = exchange_at_noon()
    order = exchange.place_order(put_spread("-0.60"))
    exchange.cancel_order(order.order_id)
    exchange.clock.advance(60)
    assert order.status == "canceled"
    assert exchange.fills == ()


def test_an_order_may_still_fill_while_its_cancel_is_pending() -> None:
    exchange = exchange_at_noon(cancel_delay_seconds=10)
    order = exchange.place_order(put_spread("-0.60"))
    exchange.cancel_order(order.order_id)
    assert order.status == "pending_cancel"
    exchange.clock.advance(5)
    assert order.status == "filled"


def test_a_filled_order_cannot_be_cancelled() -> None:
    exchange = exchange_at_noon()
    order = filled(exchange, put_spread())
    with pytest.raises(RefusalError, match="already in") as refused:
        exchange.cancel_order(order.order_id)
    assert refused.value.status == 422


def test_a_leg_cannot_be_cancelled_alone() -> None:
    exchange = exchange_at_noon()
    order = exchange.place_order(put_spread())
    with pytest.raises(RefusalError, match="cannot cancel individual legs of a mleg order"):
        exchange.cancel_order(order.legs[0].order_id)


def test_a_day_order_expires_at_the_close() -> None:
    exchange = exchange_at_noon()
    order = exchange.place_order(put_spread("-0.69"))
    exchange.clock.advance_to(at_close() + timedelta(hours=1))
    assert order.status == "expired"
    assert order.expired_at == at_close()


def test_a_limit_order_sent_at_night_waits_for_the_next_open() -> None:
    exchange = exchange_at_noon(starts_at=at_close() + timedelta(hours=2))
    order = exchange.place_order(put_spread())
    exchange.clock.advance(3600)
    assert order.status == "accepted"
    exchange.clock.advance_to(WEEK[1].opens_at + timedelta(minutes=1))
    assert order.filled_at == WEEK[1].opens_at + timedelta(seconds=2)


def test_a_quote_of_the_session_before_fills_nothing() -> None:
    world = usual_world()
    world.recorded_at, world.quote_times = NOON, (NOON,)
    exchange = exchange_at_noon(world, starts_at=at_close() + timedelta(hours=1))
    order = exchange.place_order(put_spread())
    exchange.clock.advance_to(at_close(1))
    assert order.status == "expired"


def test_the_parent_shows_the_signed_net_and_the_legs_their_own_prices() -> None:
    exchange = exchange_at_noon()
    order = filled(exchange, put_spread("-0.60", qty=2))
    parent = render_order(order, exchange.identifiers)
    assert parent["filled_avg_price"] == "-0.6"
    assert parent["limit_price"] == "-0.6"
    assert (parent["symbol"], parent["side"], parent["qty"]) == ("", "", "2")
    sold, bought = parent["legs"]
    assert Decimal(bought["filled_avg_price"]) - Decimal(sold["filled_avg_price"]) == Decimal(
        "-0.60"
    )
    assert (sold["side"], sold["position_intent"]) == ("sell", "sell_to_open")
    assert (sold["limit_price"], sold["type"], sold["legs"]) == (None, "", None)


def test_a_ratio_multiplies_the_contracts_of_its_leg() -> None:
    exchange = exchange_at_noon()
    legs = [leg(PUT_100, "buy_to_open", 1), leg(PUT_95, "buy_to_open", 2)]
    order = filled(exchange, multileg_order(legs, "3.40", qty=2))
    assert held(exchange) == {PUT_100: 2, PUT_95: 4}
    assert exchange.cash == 100_000 - 200 * order.filled_net / 2
    assert render_order(order, exchange.identifiers)["legs"][1]["qty"] == "4"


def test_buying_power_falls_by_width_less_credit_and_comes_back_on_close() -> None:
    exchange = exchange_at_noon()
    order = exchange.place_order(put_spread("-0.60", qty=2))
    assert exchange.balances().buying_power == 100_000 - 2 * (500 - 60)
    exchange.clock.advance(5)
    assert order.status == "filled"
    assert exchange.balances().buying_power == 100_000 - 2 * (500 - 60)
    filled(exchange, put_spread_close("0.90", qty=2))
    assert exchange.balances().buying_power == exchange.cash


def test_positions_are_marked_at_mid() -> None:
    exchange = exchange_at_noon()
    filled(exchange, put_spread("-0.50"))
    assert exchange.equity == Decimal(100_000) + 50 - 70
    short = render_position(exchange, exchange.book.positions[PUT_100])
    assert (short["qty"], short["side"], short["market_value"]) == ("-1", "short", "-150")
    assert (short["cost_basis"], short["unrealized_pl"]) == ("-140", "-10")


def test_a_cash_secured_put_claims_its_strike_less_premium() -> None:
    exchange = exchange_at_noon()
    filled(exchange, single_order(PUT_100, "sell", "1.40"))
    assert exchange.cash == Decimal(100_140)
    assert exchange.balances().buying_power == Decimal(100_140) - 10_000


def test_the_account_shows_the_close_before_as_last_equity() -> None:
    exchange = exchange_at_noon()
    filled(exchange, put_spread("-0.50"))
    assert render_account(exchange)["last_equity"] == "100000"
    exchange.clock.advance_to(WEEK[1].opens_at)
    assert render_account(exchange)["last_equity"] == "99980"


def test_the_same_seed_and_requests_give_the_same_ids() -> None:
    def ids(seed: int) -> list[str]:
        exchange = exchange_at_noon(seed=seed)
        named = exchange.place_order(put_spread(client_order_id="mine"))
        nameless = exchange.place_order(put_spread())
        return [named.order_id, named.legs[1].order_id, nameless.client_order_id]

    assert ids(1) == ids(1)
    assert not set(ids(1)) & set(ids(2))


def test_a_resting_order_is_looked_at_when_the_world_has_new_quotes() -> None:
    quoted_at = WEEK[1].opens_at + timedelta(hours=3)
    world = usual_world().with_option(PUT_100, "1.60", "1.80", since=quoted_at)
    world.quote_times = (NOON, quoted_at)
    exchange = exchange_at_noon(world)
    order = exchange.place_order(put_spread("-0.80", time_in_force="gtc"))
    exchange.clock.advance_to(at_close(1))
    assert order.filled_at == quoted_at


def test_a_clock_needs_aware_times() -> None:
    exchange = exchange_at_noon()
    with pytest.raises(ValueError, match="aware"):
        exchange.clock.advance_to(NOON.replace(tzinfo=None))


def test_an_exchange_is_told_only_what_it_knows() -> None:
    with pytest.raises(ValueError, match="fees must be"):
        exchange_at_noon(fees="some")
    with pytest.raises(ValueError, match="behaves_like must be"):
        exchange_at_noon(behaves_like="life")


def test_time_cannot_go_back() -> None:
    exchange = exchange_at_noon()
    with pytest.raises(ValueError, match="cannot go back"):
        exchange.clock.advance(-1)
