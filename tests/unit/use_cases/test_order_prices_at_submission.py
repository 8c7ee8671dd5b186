"""The collar and the ladders, from the quote on the exchange to the order that is not there."""

from datetime import timedelta
from decimal import Decimal

import pytest

from agent.book.changes import BookChange, IntentWrite, TradeWrite
from agent.book.intents import Urgency
from agent.book.overrides import request_manual_exit
from agent.book.records import Trade
from agent.book.states import TradeStatus
from agent.use_cases.place_order import place_order
from agent.use_cases.record_fill import record_fill
from agent.use_cases.steps import StepInput
from tests.unit.use_cases.conftest import LONG_PUT, SHORT_PUT, TestDesk
from tests.unit.use_cases.test_monitor_positions import a_pass, quote


def ask_for_an_exit(desk: TestDesk, trade: Trade) -> None:
    desk.book.commit(request_manual_exit(trade, desk.exchange.now))


def test_an_entry_is_refused_where_the_market_is_not_the_one_that_was_decided_on(
    desk: TestDesk,
) -> None:
    step = StepInput(intent_id=desk.reserve().intent_id)
    quote(desk, ("4.35", "4.45"), ("1.15", "1.25"))
    placed = place_order(desk.desk, step)
    assert placed.reason is not None
    assert placed.reason.startswith("collar_market_moved")
    assert not desk.exchange.orders
    assert record_fill(desk.desk, step).outcome.startswith("cancelled: collar_market_moved")


def test_an_entry_is_refused_at_a_price_the_structure_cannot_cost(desk: TestDesk) -> None:
    intent = desk.reserve()
    assert intent.signal is not None
    dear = intent.signal.model_copy(update={"credit_mid": Decimal("8.00")})
    changed = intent.model_copy(update={"signal": dear, "version": intent.version + 1})
    desk.book.commit(BookChange(intents=(IntentWrite(changed, intent.version),)))
    quote(desk, ("9.35", "9.45"), ("1.15", "1.25"))
    placed = place_order(desk.desk, StepInput(intent_id=intent.intent_id))
    assert placed.reason is not None
    assert placed.reason.startswith("collar_beyond_worth")
    assert not desk.exchange.orders


def test_a_spread_deep_in_the_money_is_left_at_what_the_market_asks(desk: TestDesk) -> None:
    trade = desk.open_trade()
    desk.world.with_stock("74.95", "75.05", since=desk.exchange.now)
    quote(desk, ("24.50", "25.70"), ("19.60", "20.80"))
    assert a_pass(desk).exits_begun == {"stop_loss": 1}
    (intent,) = desk.close_intents()
    assert desk.carry(intent).outcome == "closed"
    limits = [order.limit_cash for order in desk.intent(intent.intent_id).orders]
    # The width first; then what the market asks, 25.70 less 19.60.
    assert limits == [Decimal("-5.00"), Decimal("-6.10")]
    assert desk.trade(intent).execution.exit_debit == Decimal("6.10")
    assert trade.structure.width == Decimal(5)


def test_an_urgent_exit_that_ends_unfilled_is_told_once_a_day(desk: TestDesk) -> None:
    desk.open_trade()
    desk.world.with_stock("74.95", "75.05", since=desk.exchange.now)
    # A quote that is no good: the stop acts by model, and pays no more than the width.
    quote(desk, ("5.00", "40.00"), ("1.15", "1.25"))
    for _ in range(2):
        a_pass(desk)
        intent = desk.close_intents()[-1]
        assert desk.carry(intent).outcome == "unfilled"
    told = [alert for alert in desk.alerts.published if "exit-unfilled" in alert.alert_id]
    assert len(told) == 1
    assert "paid up to 5.00 a share; natural was 38.85" in told[0].message


def unfilled_attempts(desk: TestDesk, count: int) -> Trade:
    """Ask for an exit on a quote that nobody trades at, and fail so many times."""
    trade = desk.open_trade()
    ask_for_an_exit(desk, trade)
    quote(desk, ("0.90", "30.00"), ("0.40", "0.50"))
    for _ in range(count):
        a_pass(desk)
        desk.carry(desk.close_intents()[-1])
    return desk.trade(desk.close_intents()[-1])


def test_an_exit_that_must_happen_turns_urgent_after_patience_has_failed(desk: TestDesk) -> None:
    unfilled_attempts(desk, 4)
    urgencies = [intent.urgency for intent in desk.close_intents()]
    assert urgencies == [Urgency.PATIENT] * 3 + [Urgency.URGENT]


def test_attempts_for_another_reason_are_no_failure_of_this_ones_patience(desk: TestDesk) -> None:
    trade = unfilled_attempts(desk, 3)
    calm = trade.model_copy(update={"manual_exit_requested": False, "version": trade.version + 1})
    desk.book.commit(BookChange(trade=TradeWrite(calm, TradeStatus.OPEN, trade.version)))
    desk.exchange.clock.advance_to(desk.exchange.now + timedelta(minutes=1))
    quote(desk, ("0.40", "0.44"), ("0.10", "0.14"))
    assert a_pass(desk).exits_begun == {"profit_target": 1}
    assert desk.close_intents()[-1].urgency is Urgency.PATIENT


@pytest.mark.parametrize("leg", [SHORT_PUT, LONG_PUT])
def test_a_stale_quote_is_no_price_for_an_entry(desk: TestDesk, leg: str) -> None:
    step = StepInput(intent_id=desk.reserve().intent_id)
    desk.exchange.faults.hide_quotes(leg)
    assert not place_order(desk.desk, step).placed
    assert not desk.exchange.orders
