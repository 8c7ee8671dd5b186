"""Positions: closing them, exercise, early assignment, liquidation, dividends."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from agent.options.contracts import OptionContract
from simulator.exchange import Exchange, RefusalError
from simulator.exchange.account_endpoints import get_activities
from simulator.exchange.calls import Call
from simulator.exchange.corporate_actions import (
    CashDividend,
    Split,
    adjusted_bars,
)
from simulator.exchange.position_endpoints import delete_position, delete_positions
from tests.simulation.exchange.builders import (
    CALL_110,
    PUT_95,
    PUT_100,
    at_close,
    exchange_at_noon,
    filled,
    put_spread,
    put_spread_close,
    single_order,
    usual_world,
)
from tests.simulation.exchange.small_world import (
    FRIDAY,
    MONDAY,
    WEEK,
    SmallWorld,
    contract_symbol,
)


def held(exchange: Exchange) -> dict[str, int]:
    return {position.symbol: position.quantity for position in exchange.positions}


def close(exchange: Exchange, symbol: str, **query: str) -> Any:
    call = Call(path={"symbol_or_asset_id": symbol}, query=query)
    order = delete_position(exchange, call).body
    exchange.clock.advance(5)
    return order


def with_long_puts() -> Exchange:
    exchange = exchange_at_noon()
    filled(exchange, single_order(PUT_100, "buy", "1.60", qty=5))
    return exchange


def test_a_position_is_closed_by_a_market_order() -> None:
    exchange = with_long_puts()
    order = close(exchange, PUT_100)
    assert (order["side"], order["type"], order["qty"]) == ("sell", "market", "5")
    assert exchange.positions == ()


@pytest.mark.parametrize(
    ("query", "left"), [({"qty": "2"}, 3), ({"percentage": "50"}, 3), ({"percentage": "100"}, 0)]
)
def test_a_position_is_closed_in_part(query: dict[str, str], left: int) -> None:
    exchange = with_long_puts()
    close(exchange, PUT_100, **query)
    assert exchange.book.held(PUT_100) == left


@pytest.mark.parametrize(
    ("symbol", "query", "status"),
    [
        (PUT_95, {}, 404),
        (PUT_100, {"qty": "9"}, 403),
        (PUT_100, {"percentage": "0"}, 422),
        (PUT_100, {"percentage": "1"}, 422),
        (PUT_100, {"qty": "1", "percentage": "50"}, 422),
    ],
)
def test_what_is_not_held_cannot_be_closed(symbol: str, query: Any, status: int) -> None:
    with pytest.raises(RefusalError) as refused:
        close(with_long_puts(), symbol, **query)
    assert refused.value.status == status


def test_closing_everything_knows_no_spreads() -> None:
    exchange = exchange_at_noon()
    filled(exchange, put_spread("-0.50"))
    exchange.place_order(put_spread_close("0.71"))
    rows = delete_positions(exchange, Call(query={"cancel_orders": "True"})).body
    assert [(row["symbol"], row["status"]) for row in rows] == [(PUT_95, 403), (PUT_100, 200)]
    assert rows[0]["body"]["message"] == "account not eligible to trade uncovered option contracts"
    exchange.clock.advance(5)
    assert held(exchange) == {PUT_95: 1}


def in_the_money(exchange: Exchange) -> None:
    world: Any = exchange.world
    world.with_stock("97.95", "98.05", since=exchange.now + timedelta(seconds=1))
    exchange.clock.advance(1)


def exercise_refused(exchange: Exchange, symbol: str) -> tuple[int, str]:
    with pytest.raises(RefusalError) as refused:
        exchange.lifecycle.exercise(symbol, exchange.now)
    return refused.value.status, refused.value.message


def test_a_long_call_is_exercised_into_shares_at_the_strike() -> None:
    call = contract_symbol("C", 100)
    exchange = exchange_at_noon(usual_world().with_option(call, "5.00", "5.20"))
    filled(exchange, single_order(call, "buy", "5.20", qty=2))
    exchange.lifecycle.exercise(call, exchange.now)
    assert held(exchange) == {"ACME": 200}
    assert exchange.cash == Decimal(100_000) - 1_040 - 20_000


def test_exercise_is_refused_for_the_reasons_that_alpaca_gives() -> None:
    exchange = with_long_puts()
    assert exercise_refused(exchange, PUT_95) == (404, f"long position not found: {PUT_95}")
    assert "out of the money" in exercise_refused(exchange, PUT_100)[1]
    in_the_money(exchange)
    assert exercise_refused(exchange, PUT_100)[1] == (
        "insufficient underlying qty available for deliverable: ACME (requested: 500, available: 0)"
    )
    exchange.place_order(single_order(PUT_100, "sell", "1.59", qty=5))
    assert exercise_refused(exchange, PUT_100)[1] == "no qty available to exercise"
    exchange.clock.advance_to(at_close())
    assert exercise_refused(exchange, PUT_100)[1] == (
        "exercise requests are not accepted after market close until midnight"
    )


def test_a_call_without_the_cash_for_its_shares_is_not_exercised() -> None:
    call = contract_symbol("C", 100)
    world = usual_world().with_option(call, "5.00", "5.20")
    exchange = exchange_at_noon(world, starting_cash=Decimal(1_000))
    filled(exchange, single_order(call, "buy", "5.20"))
    assert exercise_refused(exchange, call)[1] == (
        "insufficient cash available (required: 10000, available: 480)"
    )


def test_do_not_exercise_lets_a_long_in_the_money_expire() -> None:
    exchange = exchange_at_noon(usual_world().with_close("97", FRIDAY))
    filled(exchange, single_order(PUT_100, "buy", "1.60", qty=5))
    with pytest.raises(RefusalError, match="only accepted on the expiration day"):
        exchange.lifecycle.do_not_exercise(PUT_100, exchange.now)
    exchange.clock.advance_to(at_close(4) - timedelta(hours=1))
    exchange.lifecycle.do_not_exercise(PUT_100, exchange.now)
    in_the_money(exchange)
    assert "do-not-exercise" in exercise_refused(exchange, PUT_100)[1]
    exchange.clock.advance_to(at_close(4))
    assert exchange.positions == ()
    assert exchange.cash == Decimal(100_000) - 800


def test_a_short_leg_is_assigned_early_on_demand() -> None:
    exchange = exchange_at_noon()
    filled(exchange, put_spread("-0.50", qty=3))
    exchange.assign(PUT_100, 2)
    assert held(exchange) == {"ACME": 200, PUT_95: 3, PUT_100: -1}
    assert exchange.cash == Decimal(100_150) - 20_000
    with pytest.raises(ValueError, match="no short contracts"):
        exchange.assign(PUT_95)


def test_an_assignment_cancels_the_orders_that_would_close_it() -> None:
    exchange = exchange_at_noon()
    filled(exchange, put_spread("-0.50"))
    closing = exchange.place_order(put_spread_close("0.71"))
    exchange.assign(PUT_100)
    assert closing.status == "canceled"


def test_a_rule_assigns_after_the_close() -> None:
    class DeepInTheMoney:
        def contracts_assigned(
            self, contract: OptionContract, short_contracts: int, spot: Decimal, at: datetime
        ) -> int:
            return short_contracts if spot < contract.strike - 1 else 0

    exchange = exchange_at_noon(early_assignment=DeepInTheMoney())
    filled(exchange, put_spread("-0.50"))
    exchange.clock.advance_to(at_close(0))
    assert held(exchange) == {PUT_95: 1, PUT_100: -1}
    in_the_money(exchange)
    exchange.clock.advance_to(at_close(1))
    assert held(exchange) == {"ACME": 100, PUT_95: 1}


def expiring_in_the_money(behaves_like: str, cash: int) -> Exchange:
    world = usual_world().with_close("97", FRIDAY)
    exchange = exchange_at_noon(world, behaves_like=behaves_like, starting_cash=Decimal(cash))
    filled(exchange, put_spread("-0.50"))
    world.with_stock("96.95", "97.05", since=at_close(3))
    exchange.clock.advance_to(at_close(4) - timedelta(minutes=29))
    return exchange


def test_a_live_account_loses_the_leg_it_cannot_settle_and_keeps_the_other() -> None:
    exchange = expiring_in_the_money("live", cash=5_000)
    assert held(exchange) == {PUT_95: 1}
    (liquidation,) = [order for order in exchange.orders if not order.is_multileg]
    assert (liquidation.status, liquidation.legs[0].side) == ("filled", "buy")
    assert exchange.cash == Decimal(5_000) + 50 - 160


def test_a_live_account_with_the_cash_for_the_shares_is_left_alone() -> None:
    assert held(expiring_in_the_money("live", cash=100_000)) == {PUT_95: 1, PUT_100: -1}


def test_a_paper_account_is_not_liquidated() -> None:
    assert held(expiring_in_the_money("paper", cash=5_000)) == {PUT_95: 1, PUT_100: -1}


TUESDAY, WEDNESDAY = WEEK[1].session, WEEK[2].session
DIVIDEND = CashDividend("ACME", TUESDAY, WEDNESDAY, Decimal("0.25"))


@pytest.mark.parametrize(("behaves_like", "paid"), [("live", 25), ("paper", 0)])
def test_live_shares_held_at_the_ex_date_earn_the_dividend(behaves_like: str, paid: int) -> None:
    world = SmallWorld(actions=[DIVIDEND]).with_stock("104.95", "105.05")
    exchange = exchange_at_noon(world, behaves_like=behaves_like)
    filled(exchange, single_order("ACME", "buy", "106", qty=100))
    exchange.clock.advance_to(at_close(1))
    cash = exchange.cash
    filled_after_ex_date = single_order("ACME", "buy", "106", qty=100)
    exchange.clock.advance_to(WEEK[2].opens_at)
    filled(exchange, filled_after_ex_date)
    assert exchange.cash == cash + paid - Decimal("10505.00")
    rows = get_activities(exchange, Call(path={"activity_type": "DIV"})).body
    assert [row["per_share_amount"] for row in rows] == ["0.25"] * (paid > 0)


def test_bars_are_restated_for_what_happened_since() -> None:
    split = Split("ACME", TUESDAY, new_rate=Decimal(2), old_rate=Decimal(1))
    world = SmallWorld(actions=[split, DIVIDEND]).with_stock("104.95", "105.05")
    raw = world.daily_bars("ACME", MONDAY, at_close(2))
    closes = {
        adjustment: [bar.close for bar in adjusted_bars(world, "ACME", raw, adjustment, WEDNESDAY)]
        for adjustment in ("raw", "split", "dividend", "all")
    }
    assert closes["raw"] == [100, 101, 102]
    assert closes["split"] == [50, 101, 102]
    assert closes["dividend"] == [Decimal("99.75"), 101, 102]
    assert closes["all"] == [Decimal("49.875"), 101, 102]
    (before, *_) = adjusted_bars(world, "ACME", raw, "split", WEDNESDAY)
    assert before.volume == 2 * raw[0].volume


def test_a_suspended_account_takes_no_new_orders() -> None:
    exchange = exchange_at_noon()
    exchange.configuration = exchange.configuration.changed({"suspend_trade": True})
    with pytest.raises(RefusalError, match="rejected by user request"):
        exchange.place_order(put_spread())


def test_the_configured_options_level_is_the_lower_bound() -> None:
    exchange = exchange_at_noon(options_level=2)
    exchange.configuration = exchange.configuration.changed({"max_options_trading_level": 3})
    assert exchange.options_level == 2
    exchange.configuration = exchange.configuration.changed({"max_options_trading_level": 1})
    assert exchange.options_level == 1


@pytest.mark.parametrize(
    "body",
    [
        None,
        {"max_options_trading_level": 4},
        {"suspend_trade": "yes"},
        {"trade_confirm_email": "x"},
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(body: Any) -> None:
    with pytest.raises(RefusalError) as refused:
        exchange_at_noon().configuration.changed(body)
    assert refused.value.status == 422


def test_a_covered_call_in_the_money_takes_the_shares_away() -> None:
    exchange = exchange_at_noon(usual_world().with_close("115", FRIDAY))
    filled(exchange, single_order("ACME", "buy", "106", qty=100))
    filled(exchange, single_order(CALL_110, "sell", "1.00"))
    exchange.clock.advance_to(at_close(4))
    assert exchange.positions == ()
    assert exchange.cash == Decimal(100_000) - Decimal("10505.00") + 100 + 11_000
