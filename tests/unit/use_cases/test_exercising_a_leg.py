"""Short shares beside a long call: bought, or brought by exercising it, whichever is cheaper."""

from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

import pytest

from agent.book.identifiers import close_intent_id
from agent.book.intents import Intent, OrderStatus
from agent.book.records import Trade
from agent.book.states import ExitReason, TradeStatus
from agent.ports import Broker, BrokerRefused, BrokerUnavailable
from agent.use_cases.book_lifecycle import book_lifecycle
from agent.use_cases.order_tracking import LANDING_SECONDS_MAX
from agent.use_cases.place_order import place_order
from agent.use_cases.reconcile_order import reconcile_order
from agent.use_cases.steps import StepInput
from tests.simulation.exchange.builders import filled, single_order
from tests.simulation.exchange.small_world import MONDAY
from tests.unit.use_cases.conftest import LONG_PUT, SHORT_PUT, TestDesk
from tests.unit.use_cases.test_four_legs_and_one import (
    LONG_CALL,
    SHORT_CALL,
    a_pass,
    a_structure,
    carry_entry,
    open_condor,
    quote_condor,
)
from tests.unit.use_cases.wheel_desk import at_the_broker, carry_all, cash_moved, stored

OVERNIGHT_SECONDS = 22 * 3600


def raise_stock(desk: TestDesk, bid: str = "9.40", ask: str = "10.60") -> None:
    """Put the stock at 125, the long 115 call bid below its intrinsic value of 10."""
    now = desk.exchange.now
    desk.world.with_stock("124.95", "125.05", since=now)
    desk.world.with_option(LONG_CALL, bid, ask, since=now)
    desk.world.with_option(SHORT_CALL, "14.50", "15.50", since=now)
    desk.world.with_option(SHORT_PUT, "0.03", "0.05", since=now)
    desk.world.with_option(LONG_PUT, "0.01", "0.03", since=now)


def short_shares(desk: TestDesk, bid: str = "9.40") -> Trade:
    """Give the trade of a condor whose short calls were all assigned."""
    trade = open_condor(desk)
    desk.exchange.clock.advance(1)
    raise_stock(desk, bid)
    desk.exchange.assign(SHORT_CALL)
    return trade


def exercise_of(desk: TestDesk, trade: Trade) -> Intent:
    return desk.intent(close_intent_id(trade.trade_id, 1))


def step_of(intent: Intent) -> StepInput:
    return StepInput(intent_id=intent.intent_id)


def test_the_long_call_is_exercised_where_that_is_cheaper(desk: TestDesk) -> None:
    trade = short_shares(desk)
    contracts = trade.contracts_held

    assert a_pass(desk).exits_begun == {"assigned": 1}
    intent = exercise_of(desk, trade)
    assert (intent.leg, intent.shares, intent.exercises) == (LONG_CALL, None, True)
    assert intent.shares_before == -100 * contracts
    carry_all(desk)

    held = stored(desk, trade)
    assert (held.status, held.shares_held) == (TradeStatus.OPEN, 0)
    assert held.leg_quantities[LONG_CALL] == 0
    assert at_the_broker(desk) == {SHORT_PUT: -contracts, LONG_PUT: contracts}
    # Sold at 110 by the assignment, bought at 115 by the exercise; no premium moved.
    assert held.holdings.shares_realized == Decimal(-500) * contracts
    assert held.execution.fees == trade.execution.fees
    assert held.execution.entry_cash + held.execution.exit_cash == cash_moved(desk)
    assert a_pass(desk).differences == 0


def test_what_is_left_closes_and_legs_and_cash_tell_one_pnl(desk: TestDesk) -> None:
    trade = short_shares(desk)
    for _ in range(3):
        a_pass(desk)
        carry_all(desk)
    closed = stored(desk, trade)
    assert (closed.status, closed.exit_reason) == (TradeStatus.CLOSED, ExitReason.ASSIGNED)
    assert at_the_broker(desk) == {}
    assert closed.pnl is not None
    assert closed.pnl + closed.execution.fees == cash_moved(desk)
    legs = sum(each.realized_pnl or 0 for each in desk.book.positions(trade.trade_id))
    assert legs + closed.holdings.shares_realized == closed.pnl + closed.execution.fees


def test_shares_are_bought_where_the_call_sells_for_more_than_it_is_worth_exercised(
    desk: TestDesk,
) -> None:
    trade = short_shares(desk, bid="10.30")
    a_pass(desk)
    intent = exercise_of(desk, trade)
    assert (intent.exercises, intent.shares) == (False, 100 * trade.contracts_held)


def test_an_exercise_is_not_booked_again_when_its_activity_shows(desk: TestDesk) -> None:
    trade = short_shares(desk)
    a_pass(desk)
    carry_all(desk)
    held = stored(desk, trade)
    desk.exchange.clock.advance(OVERNIGHT_SECONDS)
    assert desk.desk.broker.option_events(MONDAY)
    again = book_lifecycle(
        desk.desk, desk.book.active_trades(), at_the_broker(desk), desk.exchange.now
    )
    assert again.booked == 0
    assert stored(desk, trade) == held


def test_calls_of_another_trade_are_never_exercised_with_it(desk: TestDesk) -> None:
    trade = short_shares(desk)
    filled(desk.exchange, single_order(LONG_CALL, "buy", qty=1))
    a_pass(desk)
    assert exercise_of(desk, trade).exercises is False


def test_units_that_are_whole_keep_their_long_calls(desk: TestDesk) -> None:
    trade = open_condor(desk)
    desk.exchange.clock.advance(1)
    raise_stock(desk)
    desk.exchange.assign(SHORT_CALL, 1)
    a_pass(desk)
    assert exercise_of(desk, trade).shares == 100


class LossyBroker:
    """Exercise or not, and lose the answer; count how often it was asked."""

    def __init__(self, broker: Broker, *, takes_effect: bool) -> None:
        self._broker = broker
        self._takes_effect = takes_effect
        self.asked = 0

    def exercise(self, symbol: str) -> None:
        self.asked += 1
        if self._takes_effect:
            self._broker.exercise(symbol)
        raise BrokerUnavailable("no answer")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)


def with_losses(desk: TestDesk, *, takes_effect: bool) -> LossyBroker:
    lossy = LossyBroker(desk.desk.broker, takes_effect=takes_effect)
    desk.desk = replace(desk.desk, broker=cast("Broker", lossy))
    return lossy


def test_an_exercise_whose_answer_was_lost_is_found_in_the_positions(desk: TestDesk) -> None:
    trade = short_shares(desk)
    a_pass(desk)
    lossy = with_losses(desk, takes_effect=True)
    step = step_of(exercise_of(desk, trade))
    with pytest.raises(BrokerUnavailable):
        place_order(desk.desk, step)

    assert place_order(desk.desk, step).reason == "nothing is left to trade"
    assert reconcile_order(desk.desk, step).settled

    assert lossy.asked == 1
    assert stored(desk, trade).shares_held == 0


def test_an_exercise_that_never_took_effect_is_not_asked_for_again_but_shares_are_bought(
    desk: TestDesk,
) -> None:
    trade = short_shares(desk)
    a_pass(desk)
    lossy = with_losses(desk, takes_effect=False)
    step = step_of(exercise_of(desk, trade))
    with pytest.raises(BrokerUnavailable):
        place_order(desk.desk, step)
    assert place_order(desk.desk, step).placed  # Not known yet: it is polled, never sent again.
    desk.exchange.clock.advance(LANDING_SECONDS_MAX + 1)
    assert reconcile_order(desk.desk, step).outcome == "unfilled"
    desk.workflows.end(step.intent_id)

    a_pass(desk)
    carry_all(desk)

    assert lossy.asked == 1
    assert stored(desk, trade).shares_held == 0
    assert at_the_broker(desk)[LONG_CALL] == trade.contracts_held


class RefusingBroker:
    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def exercise(self, symbol: str) -> None:
        raise BrokerRefused(f"{symbol}: not after the close", status=403, code=40310000)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)


def test_an_exercise_that_the_broker_refuses_is_followed_by_a_purchase(desk: TestDesk) -> None:
    trade = short_shares(desk)
    a_pass(desk)
    desk.desk = replace(desk.desk, broker=cast("Broker", RefusingBroker(desk.desk.broker)))
    carry_all(desk)
    (order,) = exercise_of(desk, trade).orders
    assert order.status is OrderStatus.REJECTED

    a_pass(desk)
    carry_all(desk)
    assert stored(desk, trade).shares_held == 0


def test_an_account_that_moved_since_is_not_exercised(desk: TestDesk) -> None:
    trade = short_shares(desk)
    a_pass(desk)
    filled(desk.exchange, single_order("ACME", "buy", qty=100))
    carry_all(desk)
    intent = exercise_of(desk, trade)
    assert (intent.outcome, intent.orders) == ("unfilled", ())


def test_a_vertical_whose_call_is_exercised_is_over(desk: TestDesk) -> None:
    quote_condor(desk)
    trade = carry_entry(
        desk,
        a_structure(SHORT_CALL, LONG_CALL),
        "bear_call_spread",
        underlying_price=Decimal("105.00"),
        credit_mid=Decimal("0.80"),
        credit_natural=Decimal("0.73"),
        credit_min=Decimal("0.73"),
        max_loss=Decimal("4.20"),
        leg_deltas=(0.25, 0.15),
    )
    desk.exchange.clock.advance(1)
    raise_stock(desk)
    desk.exchange.assign(SHORT_CALL)
    a_pass(desk)
    carry_all(desk)
    closed = stored(desk, trade)
    assert (closed.status, closed.exit_reason) == (TradeStatus.CLOSED, ExitReason.ASSIGNED)
    assert at_the_broker(desk) == {}
    assert closed.pnl == closed.execution.entry_cash - 500 * trade.contracts_held - (
        closed.execution.fees
    )
    portfolio = desk.book.ledger("portfolio")
    assert (portfolio.heat_cents, portfolio.positions) == (0, 0)
