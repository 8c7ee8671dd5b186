"""Orders that work at the broker are held against those that the book has under way."""

from dataclasses import replace
from decimal import Decimal
from typing import cast

from agent.book.changes import BookChange
from agent.book.identifiers import client_order_id, entry_intent_id, leg_order_id, trade_id
from agent.book.intents import OrderStatus
from agent.book.transitions import record_orders
from agent.ports import Broker, BrokerOrder, OrderRequest, WorkingOrder
from agent.use_cases.compare_orders import compare_orders
from agent.use_cases.place_order import place_order
from agent.use_cases.reconcile_order import reconcile_order
from agent.use_cases.steps import StepInput
from simulator.exchange import Order
from tests.builders import an_order_attempt
from tests.simulation.exchange.builders import put_spread
from tests.unit.use_cases.conftest import (
    LONG_PUT,
    SHORT_PUT,
    SLOT,
    TestDesk,
    a_spread_on_the_exchange,
)
from tests.unit.use_cases.test_compare_book import a_pass, told

FAR_FROM_THE_MARKET = Decimal("4.90")


def send(desk: TestDesk, name: str) -> Order:
    """Have an order at the broker that nobody will take."""
    desk.desk.broker.submit(
        OrderRequest(
            client_order_id=name,
            legs=a_spread_on_the_exchange().legs,
            opening=True,
            contracts=1,
            limit_cash=FAR_FROM_THE_MARKET,
        )
    )
    desk.exchange.clock.advance(2)
    return next(each for each in desk.exchange.orders if each.client_order_id == name)


def is_working(desk: TestDesk, name: str) -> bool:
    found = desk.desk.broker.order_by_client_id(name)
    assert found is not None
    return found.status is OrderStatus.WORKING


class ListedBefore:
    """Show the working orders of a moment ago, and everything else as it is."""

    def __init__(self, broker: Broker, listed: tuple[WorkingOrder, ...]) -> None:
        self._broker = broker
        self._listed = listed

    def working_orders(self) -> tuple[WorkingOrder, ...]:
        return self._listed

    def order_by_client_id(self, name: str) -> BrokerOrder | None:
        return self._broker.order_by_client_id(name)


def given_up(desk: TestDesk) -> str:
    """Give up an entry whose order was lost, and let the order come to light after all."""
    intent = desk.reserve()
    name = client_order_id(intent.intent_id, 1)
    attempt = an_order_attempt(client_order_id=name, contracts=1, submitted_at=desk.exchange.now)
    desk.book.commit(BookChange(intents=(record_orders(intent, [attempt]),)))
    desk.exchange.clock.advance(90)
    reconcile_order(desk.desk, StepInput(intent_id=intent.intent_id))
    send(desk, name)
    return name


def test_an_order_that_its_intent_carries_is_left_to_it(desk: TestDesk) -> None:
    intent = desk.reserve()
    place_order(desk.desk, StepInput(intent_id=intent.intent_id))
    desk.exchange.clock.advance(1)
    assert len(desk.desk.broker.working_orders()) == 1
    assert compare_orders(desk.desk, desk.exchange.now) == 0
    assert len(desk.desk.broker.working_orders()) == 1


def test_an_order_of_ours_that_nobody_waits_for_is_cancelled_and_told(desk: TestDesk) -> None:
    name = given_up(desk)

    assert a_pass(desk).differences == 1

    assert not is_working(desk, name)
    assert told(desk) == ["ACME: an order that nobody waits for"]
    assert a_pass(desk).differences == 0
    assert len(told(desk)) == 1


def test_an_order_of_one_leg_is_read_by_its_name_too(desk: TestDesk) -> None:
    trade = desk.open_trade()
    name = leg_order_id(f"{trade.trade_id}-close-1", 1, 1)
    send(desk, name)

    assert compare_orders(desk.desk, desk.exchange.now) == 1

    desk.exchange.clock.advance(2)
    assert not is_working(desk, name)


def test_an_order_of_our_name_that_the_book_knows_nothing_of_is_told_and_left_alone(
    desk: TestDesk,
) -> None:
    name = client_order_id(entry_intent_id(trade_id("paper", SLOT, "ACME", "bps")), 1)
    send(desk, name)

    assert a_pass(desk).differences == 1

    assert is_working(desk, name)
    assert told(desk) == ["ACME: an order that nobody waits for"]


def test_an_order_of_another_stage_or_of_somebody_else_is_told_once_and_never_touched(
    desk: TestDesk,
) -> None:
    name = client_order_id(entry_intent_id(trade_id("paper-2", SLOT, "ACME", "bps")), 1)
    send(desk, name)
    body = put_spread("-4.90")
    body["legs"][0]["symbol"], body["legs"][1]["symbol"] = SHORT_PUT, LONG_PUT
    desk.exchange.place_order(body)
    desk.exchange.clock.advance(2)

    assert [a_pass(desk).differences for _ in range(2)] == [0, 0]

    assert len(desk.desk.broker.working_orders()) == 2
    (subject,) = told(desk)
    assert subject.startswith("An order of somebody else: ")


def test_an_order_that_ended_since_the_list_was_read_is_no_difference(desk: TestDesk) -> None:
    name = given_up(desk)
    listed = desk.desk.broker.working_orders()
    desk.exchange.cancel_order(listed[0].order_id)
    desk.exchange.clock.advance(2)
    assert not is_working(desk, name)

    broker = ListedBefore(desk.desk.broker, listed)
    desk.desk = replace(desk.desk, broker=cast("Broker", broker))
    assert compare_orders(desk.desk, desk.exchange.now) == 0
    assert told(desk) == []
