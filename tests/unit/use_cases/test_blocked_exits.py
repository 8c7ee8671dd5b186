"""An order of somebody else on the other side: gone round where that helps, told, never touched."""

from decimal import Decimal

from agent.book.intents import Intent
from agent.book.records import Trade
from agent.book.states import TradeStatus
from agent.use_cases.place_order import place_order
from agent.use_cases.steps import StepInput
from tests.simulation.exchange.builders import single_order
from tests.unit.use_cases.conftest import LONG_PUT, SHORT_PUT, TestDesk
from tests.unit.use_cases.test_closing_leg_by_leg import refused_together, step, traded
from tests.unit.use_cases.test_four_legs_and_one import CHEAP_PUT, a_pass, open_put
from tests.unit.use_cases.wheel_desk import at_the_broker, carry_all, set_settings, stored

BLOCKED = "ACME: an order of somebody else blocks an exit"
STRANGER = "a-strangers-own"


def shares_to_sell(desk: TestDesk) -> Trade:
    """Have a put assigned whose shares, at 31.97 to 32.03, are to be sold."""
    trade = open_put(desk)
    set_settings(desk, "exits", sell_assigned_shares=("ACME",))
    desk.exchange.assign(CHEAP_PUT)
    return trade


def stranger_buys(desk: TestDesk, limit: str, symbol: str = "ACME") -> str:
    order = desk.exchange.place_order(
        {**single_order(symbol, "buy", limit), "client_order_id": STRANGER}
    )
    return order.order_id


def sale_of_a_pass(desk: TestDesk) -> Intent:
    """Let a pass begin the sale, and carry it."""
    a_pass(desk)
    carry_all(desk)
    return desk.close_intents()[-1]


def told(desk: TestDesk) -> list[str]:
    return [alert.message for alert in desk.alerts.published if alert.subject == BLOCKED]


def test_a_far_order_of_a_stranger_blocks_the_sale_of_shares_and_is_named_once(
    desk: TestDesk,
) -> None:
    trade = shares_to_sell(desk)
    theirs = stranger_buys(desk, "5.00")
    first = sale_of_a_pass(desk)
    assert [(o.blocked_by, o.filled_contracts) for o in first.orders] == [(theirs, 0)]
    second = sale_of_a_pass(desk)
    assert second.attempt == first.attempt + 1
    (message,) = told(desk)
    assert f"{STRANGER} ({theirs}) of somebody else, which buys ACME at 5.00" in message
    assert trade.trade_id in message
    assert stored(desk, trade).status is TradeStatus.OPEN
    assert [o.order_id for o in desk.exchange.orders if o.is_working] == [theirs]


def test_the_sale_goes_through_in_the_first_pass_after_that_order_is_gone(desk: TestDesk) -> None:
    trade = shares_to_sell(desk)
    theirs = stranger_buys(desk, "5.00")
    assert sale_of_a_pass(desk).outcome != "closed"
    desk.exchange.cancel_order(theirs)
    assert sale_of_a_pass(desk).outcome == "closed"
    assert stored(desk, trade).status is TradeStatus.CLOSED
    assert at_the_broker(desk) == {}


def test_an_order_that_ours_would_have_met_is_gone_round_by_the_next_price(desk: TestDesk) -> None:
    shares_to_sell(desk)
    a_pass(desk)
    (intent,) = desk.close_intents()
    theirs = stranger_buys(desk, "32.10")
    carry = StepInput(intent_id=intent.intent_id)
    assert place_order(desk.desk, carry).placed
    assert desk.intent(intent.intent_id).orders[-1].blocked_by == theirs
    assert place_order(desk.desk, carry).placed
    last = desk.intent(intent.intent_id).orders[-1]
    assert (last.limit_cash, last.blocked_by) == (Decimal("32.11"), theirs)
    assert not place_order(desk.desk, carry).placed
    assert len(desk.intent(intent.intent_id).orders) == 2


def test_what_was_refused_for_an_order_of_ours_is_asked_for_again(desk: TestDesk) -> None:
    trade = shares_to_sell(desk)
    a_pass(desk)
    (intent,) = desk.close_intents()
    name = f"{trade.trade_id}-close-9-o1"
    ours = desk.exchange.place_order(
        {**single_order("ACME", "buy", "5.00"), "client_order_id": name}
    )
    carry = StepInput(intent_id=intent.intent_id)
    assert place_order(desk.desk, carry).placed
    desk.exchange.cancel_order(ours.order_id)
    desk.exchange.clock.advance(2)
    assert desk.carry(intent).outcome == "closed"
    assert not told(desk)


def test_a_leg_alone_is_held_up_by_an_order_on_its_contract_alike(desk: TestDesk) -> None:
    intent = refused_together(desk)
    theirs = desk.exchange.place_order(
        {**single_order(SHORT_PUT, "sell", "9.00"), "client_order_id": STRANGER}
    ).order_id
    assert place_order(desk.desk, step(intent)).placed
    assert place_order(desk.desk, step(intent)).placed
    assert not place_order(desk.desk, step(intent)).placed
    assert traded(desk, intent) == [(None, "rejected"), (1, "rejected")]
    outcome = desk.intent(intent.intent_id).outcome
    assert outcome is not None
    assert f"which sells {SHORT_PUT} at 9.00" in outcome
    assert LONG_PUT in {position.symbol for position in desk.desk.broker.positions()}
    assert theirs in outcome
