"""An order whose fate is unknown is neither taken for dead nor sent under another name."""

from datetime import timedelta

import pytest

from agent.book.intents import OrderStatus
from agent.ports import BrokerUnavailable
from agent.use_cases.order_tracking import LANDING_SECONDS_MAX
from agent.use_cases.place_order import place_order
from agent.use_cases.poll_fill import poll_fill
from agent.use_cases.steps import FillStatus, StepInput
from tests.unit.use_cases.conftest import TestDesk


def lose_the_first_order(desk: TestDesk) -> StepInput:
    """Reserve an entry and lose its first order on the way to the broker."""
    step = StepInput(intent_id=desk.reserve().intent_id)
    desk.exchange.faults.on_http("gateway_timeout_before", method="POST", path_prefix="/v2/orders")
    with pytest.raises(BrokerUnavailable):
        place_order(desk.desk, step)
    assert not desk.exchange.orders
    return step


def test_a_lost_order_is_sent_again_under_its_own_name(desk: TestDesk) -> None:
    step = lose_the_first_order(desk)
    assert place_order(desk.desk, step).placed
    assert [order.client_order_id for order in desk.exchange.orders] == [
        desk.intent(step.intent_id).orders[0].client_order_id
    ]


def test_a_refusal_of_the_second_sending_says_nothing_of_the_first(desk: TestDesk) -> None:
    step = lose_the_first_order(desk)
    desk.exchange.configuration = desk.exchange.configuration.changed({"suspend_trade": True})
    # What was sent first may still be on its way: it is polled for, not given up.
    assert place_order(desk.desk, step).placed
    assert desk.intent(step.intent_id).orders[0].status is OrderStatus.SENDING
    assert poll_fill(desk.desk, step).status is FillStatus.WORKING


def test_an_order_counts_as_lost_only_long_after_its_last_sending(desk: TestDesk) -> None:
    step = lose_the_first_order(desk)
    desk.exchange.clock.advance(LANDING_SECONDS_MAX - 5)
    desk.exchange.configuration = desk.exchange.configuration.changed({"suspend_trade": True})
    place_order(desk.desk, step)
    sent_at = desk.intent(step.intent_id).orders[0].submitted_at
    assert sent_at == desk.exchange.now
    desk.exchange.clock.advance(30)
    assert poll_fill(desk.desk, step).status is FillStatus.WORKING
    desk.exchange.clock.advance_to(sent_at + timedelta(seconds=LANDING_SECONDS_MAX))
    assert poll_fill(desk.desk, step).status is FillStatus.ENDED
    assert desk.intent(step.intent_id).orders[0].status is OrderStatus.REJECTED
