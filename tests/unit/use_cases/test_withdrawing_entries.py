"""What a monitor pass does with working entries once the owner wants none any more."""

import pytest

from agent.book.intents import TERMINAL_ORDER_STATUSES, Intent, IntentStatus, OrderStatus
from agent.book.overrides import request_manual_exit
from agent.book.states import TradeStatus
from agent.ports import TradingState
from agent.risk.reservation import PORTFOLIO_KEY
from agent.use_cases.monitor_positions import MonitorReport, monitor_positions
from agent.use_cases.place_order import place_order
from agent.use_cases.poll_fill import poll_fill
from agent.use_cases.record_fill import record_fill
from agent.use_cases.schedule import ScheduledEvent
from agent.use_cases.steps import FillStatus, StepInput
from tests.unit.use_cases.conftest import LONG_PUT, SHORT_PUT, TestDesk

RESTRICTED = (TradingState.REDUCING, TradingState.HALTED)


def a_pass(desk: TestDesk) -> MonitorReport:
    return monitor_positions(desk.desk, ScheduledEvent(slot=desk.exchange.now))


def a_working_entry(desk: TestDesk) -> Intent:
    """Have the first order of an entry at the broker; before time passes nobody takes it."""
    intent = desk.reserve()
    desk.workflows.start(intent)
    assert place_order(desk.desk, StepInput(intent_id=intent.intent_id)).placed
    intent = desk.intent(intent.intent_id)
    assert intent.orders[-1].status not in TERMINAL_ORDER_STATUSES
    return intent


@pytest.mark.parametrize("state", RESTRICTED)
def test_a_working_entry_is_withdrawn_and_its_execution_sees_the_end(
    desk: TestDesk, state: TradingState
) -> None:
    intent = a_working_entry(desk)
    desk.control.set_trading_state(state)
    report = a_pass(desk)
    assert (report.withdrawn, report.reconciled, report.redriven) == (1, 0, 0)

    desk.exchange.clock.advance(2)
    step = StepInput(intent_id=intent.intent_id)
    assert poll_fill(desk.desk, step).status is FillStatus.ENDED
    assert not place_order(desk.desk, step).placed
    assert record_fill(desk.desk, step).settled
    assert desk.trade(intent).status is TradeStatus.CANCELLED
    assert desk.book.ledger(PORTFOLIO_KEY).heat_cents == 0
    assert [order.status for order in desk.exchange.orders] == ["canceled"]


def test_the_pass_leaves_the_intent_as_its_execution_knows_it(desk: TestDesk) -> None:
    intent = a_working_entry(desk)
    desk.control.set_trading_state(TradingState.HALTED)
    a_pass(desk)
    assert desk.intent(intent.intent_id) == intent


def test_asking_again_harms_nothing(desk: TestDesk) -> None:
    intent = a_working_entry(desk)
    desk.control.set_trading_state(TradingState.REDUCING)
    a_pass(desk)
    desk.exchange.clock.advance(60)
    assert a_pass(desk).withdrawn == 1
    polled = poll_fill(desk.desk, StepInput(intent_id=intent.intent_id))
    assert polled.status is FillStatus.ENDED
    assert a_pass(desk).withdrawn == 0


def test_an_active_desk_lets_its_entries_work(desk: TestDesk) -> None:
    intent = a_working_entry(desk)
    assert a_pass(desk).withdrawn == 0
    poll_fill(desk.desk, StepInput(intent_id=intent.intent_id))
    assert desk.intent(intent.intent_id).orders[-1].status is OrderStatus.WORKING


@pytest.mark.parametrize("state", RESTRICTED)
def test_a_working_exit_is_never_withdrawn(desk: TestDesk, state: TradingState) -> None:
    trade = desk.open_trade()
    desk.book.commit(request_manual_exit(trade, desk.exchange.now))
    a_pass(desk)
    (intent,) = desk.close_intents()
    desk.workflows.start(intent)
    assert place_order(desk.desk, StepInput(intent_id=intent.intent_id)).placed
    desk.control.set_trading_state(state)
    assert a_pass(desk).withdrawn == 0
    assert desk.carry(intent).outcome == "closed"


def test_an_entry_that_filled_before_the_word_came_is_booked(desk: TestDesk) -> None:
    intent = desk.reserve()
    desk.workflows.start(intent)
    step = StepInput(intent_id=intent.intent_id)
    assert place_order(desk.desk, step).placed
    desk.world.with_option(SHORT_PUT, "2.60", "2.60", since=desk.exchange.now)
    desk.world.with_option(LONG_PUT, "1.10", "1.10", since=desk.exchange.now)
    desk.exchange.clock.advance(10)
    desk.control.set_trading_state(TradingState.HALTED)
    a_pass(desk)
    assert poll_fill(desk.desk, step).status is FillStatus.COMPLETE
    assert record_fill(desk.desk, step).outcome == "opened"
    assert desk.intent(intent.intent_id).status is IntentStatus.DONE
