"""What each class of refusal by a real exchange leads to, step by step."""

from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

import pytest

from agent.book.intents import Intent, OrderStatus, RefusalKind
from agent.book.overrides import request_manual_exit
from agent.book.states import TradeStatus
from agent.options.money import from_cents
from agent.ports import Account, BlockScope, Broker, BrokerUnavailable, EntryBlock
from agent.use_cases.buying_power import in_flight_cents, lacks_for_check
from agent.use_cases.check_risk import check_risk
from agent.use_cases.place_order import place_order
from agent.use_cases.poll_fill import poll_fill
from agent.use_cases.record_fill import record_fill
from agent.use_cases.steps import FillStatus, StepInput
from tests.simulation.exchange.builders import single_order
from tests.simulation.exchange.small_world import MONDAY
from tests.unit.use_cases.conftest import SHORT_PUT, TestDesk
from tests.unit.use_cases.test_monitor_positions import a_pass


def step(intent: Intent) -> StepInput:
    return StepInput(intent_id=intent.intent_id)


def an_exit_asked_for(desk: TestDesk) -> Intent:
    trade = desk.open_trade()
    desk.book.commit(request_manual_exit(trade, desk.exchange.now))
    a_pass(desk)
    (intent,) = desk.close_intents()
    return intent


class RichBroker:
    """Report the buying power of a moment ago: somebody else has used it since."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def account(self) -> Account:
        return replace(self._broker.account(), options_buying_power=Decimal(100_000))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)


def poor(desk: TestDesk) -> None:
    desk.exchange.book.cash = Decimal(100)
    rich = cast("Broker", RichBroker(desk.desk.broker))
    desk.desk = replace(desk.desk, broker=rich)


def test_an_order_that_the_reported_buying_power_does_not_bear_is_not_sent(desk: TestDesk) -> None:
    intent = desk.reserve()
    desk.exchange.book.cash = Decimal(100)
    placed = place_order(desk.desk, step(intent))
    assert placed.reason is not None
    assert placed.reason.startswith("buying_power: the order needs 760.00 USD")
    assert not desk.exchange.orders
    assert desk.control.entry_block(MONDAY) is None


def test_a_check_counts_entries_on_their_way_against_the_reported_buying_power(
    desk: TestDesk,
) -> None:
    reserved = desk.reserve()
    capital = desk.trade(reserved).risk.capital_cents
    trades, intents = desk.book.active_trades(), desk.book.unfinished_intents()
    assert in_flight_cents(trades, intents) == capital
    place_order(desk.desk, step(reserved))
    # The broker has the order, and counts it itself.
    intents = desk.book.unfinished_intents()
    assert in_flight_cents(desk.book.active_trades(), intents) == 0


def test_a_check_that_lacks_buying_power_refuses_the_entry(desk: TestDesk) -> None:
    reserved = desk.reserve()
    account = desk.desk.broker.account()
    capital = desk.trade(reserved).risk.capital_cents
    bare = replace(account, options_buying_power=from_cents(2 * capital))
    assert lacks_for_check(desk.desk, bare, capital) is None
    short = replace(account, options_buying_power=from_cents(2 * capital - 1))
    assert "reserved for entries" in (lacks_for_check(desk.desk, short, capital) or "")


def test_want_of_buying_power_ends_the_entries_of_the_day_and_is_told_once(desk: TestDesk) -> None:
    intent = desk.reserve()
    poor(desk)
    placed = place_order(desk.desk, step(intent))
    assert placed.reason is not None
    assert "insufficient options buying power" in placed.reason
    assert record_fill(desk.desk, step(intent)).outcome.startswith("rejected: the broker refused")
    assert desk.trade(intent).status is TradeStatus.REJECTED
    block = desk.control.entry_block(MONDAY)
    assert block is not None
    assert block.scope is BlockScope.DAY
    place_order(desk.desk, step(intent))
    told = [a for a in desk.alerts.published if a.alert_id.startswith("entries-blocked-day")]
    assert len(told) == 1
    assert "for the rest of the session" in told[0].message


def test_an_account_that_may_not_trade_ends_entries_until_the_owner_lifts_it(
    desk: TestDesk,
) -> None:
    intent = desk.reserve()
    desk.exchange.configuration = desk.exchange.configuration.changed({"suspend_trade": True})
    place_order(desk.desk, step(intent))
    block = desk.control.entry_block(MONDAY)
    assert block is not None
    assert block.scope is BlockScope.ACCOUNT
    desk.control.lift_entry_block()
    assert desk.control.entry_block(MONDAY) is None


@pytest.mark.parametrize("scope", BlockScope)
def test_a_block_bars_checks_and_orders_of_entries(desk: TestDesk, scope: BlockScope) -> None:
    intent = desk.reserve()
    desk.control.block_entries(EntryBlock(scope, "the broker said so", desk.exchange.now))
    placed = place_order(desk.desk, step(intent))
    assert placed.reason == f"entries are blocked ({scope}): the broker said so"
    assert not desk.exchange.orders


@pytest.mark.parametrize("scope", BlockScope)
def test_a_block_bars_the_check_of_the_next_entry(desk: TestDesk, scope: BlockScope) -> None:
    intent = desk.state_entry()
    desk.control.block_entries(EntryBlock(scope, "the broker said so", desk.exchange.now))
    assert check_risk(desk.desk, step(intent)).reason == f"entries_blocked_{scope}"


def test_a_block_bars_no_exit(desk: TestDesk) -> None:
    intent = an_exit_asked_for(desk)
    desk.control.block_entries(EntryBlock(BlockScope.ACCOUNT, "no", desk.exchange.now))
    assert desk.carry(intent).outcome == "closed"


def test_contracts_held_for_another_order_are_waited_for_and_asked_for_again(
    desk: TestDesk,
) -> None:
    intent = an_exit_asked_for(desk)
    foreign = desk.exchange.place_order(single_order(SHORT_PUT, "buy", "0.10", qty=2))
    assert place_order(desk.desk, step(intent)).placed
    refused = desk.intent(intent.intent_id).orders[0]
    assert (refused.status, refused.refusal) == (OrderStatus.REJECTED, RefusalKind.RETRYABLE)
    polled = poll_fill(desk.desk, step(intent))
    assert (polled.status, polled.rungs_left) == (FillStatus.ENDED, 2)
    desk.exchange.cancel_order(foreign.order_id)
    desk.exchange.clock.advance(2)
    assert desk.carry(intent).outcome == "closed"
    assert desk.control.entry_block(MONDAY) is None


def test_contracts_that_stay_held_leave_the_trade_open_for_the_next_pass(desk: TestDesk) -> None:
    intent = an_exit_asked_for(desk)
    desk.exchange.place_order(single_order(SHORT_PUT, "buy", "0.10", qty=2))
    assert desk.carry(intent).outcome == "unfilled"
    assert desk.trade(intent).status is TradeStatus.OPEN
    refusals = [order.refusal for order in desk.intent(intent.intent_id).orders]
    assert refusals == [RefusalKind.RETRYABLE] * 3


def test_a_position_that_is_not_what_the_book_says_ends_the_attempt(desk: TestDesk) -> None:
    intent = an_exit_asked_for(desk)
    desk.exchange.place_order(single_order(SHORT_PUT, "buy", "2.60", qty=2))
    desk.exchange.clock.advance(2)
    placed = place_order(desk.desk, step(intent))
    assert placed.reason is not None
    assert "the broker refused (signal)" in placed.reason
    assert desk.intent(intent.intent_id).orders[0].refusal is RefusalKind.SIGNAL
    assert desk.control.entry_block(MONDAY) is None


@pytest.mark.parametrize(
    "fault", ["server_error", "gateway_timeout_before", "gateway_timeout_after", "garbage_after"]
)
def test_a_broker_that_fails_leaves_the_fate_unknown_and_is_asked_before_anything_is_sent_again(
    desk: TestDesk, fault: str
) -> None:
    intent = desk.reserve()
    desk.exchange.faults.on_http(fault, method="POST", path_prefix="/v2/orders")
    with pytest.raises(BrokerUnavailable):
        place_order(desk.desk, step(intent))
    assert desk.intent(intent.intent_id).orders[0].status is OrderStatus.SENDING
    assert place_order(desk.desk, step(intent)).placed
    assert [order.client_order_id for order in desk.exchange.orders] == [
        desk.intent(intent.intent_id).orders[0].client_order_id
    ]


def test_a_rate_limit_is_waited_for_within_the_step(desk: TestDesk) -> None:
    intent = desk.reserve()
    desk.exchange.faults.on_http("too_many_requests", method="POST", path_prefix="/v2/orders")
    assert place_order(desk.desk, step(intent)).placed
    assert len(desk.exchange.orders) == 1


def test_nothing_is_entered_in_the_last_minutes_of_a_session(desk: TestDesk) -> None:
    reserved = desk.reserve()
    desk.exchange.clock.advance(3 * 3600 + 50 * 60)
    assert place_order(desk.desk, step(reserved)).reason == "the session is about to close"
    assert not desk.exchange.orders
