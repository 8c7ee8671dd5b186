"""A monitor pass: marks, exits, and what it does about executions that went astray."""

from decimal import Decimal

import pytest

from agent.book.changes import BookChange, IntentWrite
from agent.book.intents import IntentStatus, OrderAttempt, OrderStatus, Urgency
from agent.book.overrides import request_manual_exit
from agent.book.records import AlertKind
from agent.book.states import TradeStatus
from agent.ports import TradingState
from agent.risk.reservation import PORTFOLIO_KEY, day_key
from agent.use_cases.monitor_positions import (
    MonitorReport,
    monitor_positions,
)
from agent.use_cases.place_order import place_order
from agent.use_cases.schedule import ScheduledEvent
from agent.use_cases.steps import StepInput
from agent.use_cases.troubles import PassIncomplete
from tests.builders import a_creation, a_trade, an_intent
from tests.simulation.exchange.small_world import MONDAY
from tests.unit.use_cases.conftest import LONG_PUT, SHORT_PUT, TestDesk


def a_pass(desk: TestDesk, minutes_later: float = 1) -> MonitorReport:
    desk.exchange.clock.advance(60 * minutes_later)
    return monitor_positions(desk.desk, ScheduledEvent(slot=desk.exchange.now))


def quote(desk: TestDesk, short: tuple[str, str], long: tuple[str, str]) -> None:
    desk.world.with_option(SHORT_PUT, *short, since=desk.exchange.now)
    desk.world.with_option(LONG_PUT, *long, since=desk.exchange.now)


def test_a_quiet_market_leaves_the_trade_open_and_marks_it(desk: TestDesk) -> None:
    trade = desk.open_trade()
    report = a_pass(desk)
    assert (report.status, report.trades_watched, report.exits_begun) == ("watched", 1, {})
    short, long = desk.book.positions(trade.trade_id)
    assert short.current_delta is not None
    assert short.implied_volatility is not None
    assert short.underlying_price == desk.desk.market.underlyings(["ACME"])["ACME"].price
    assert short.unrealized_pnl is not None
    assert long.unrealized_pnl is not None


def test_the_profit_target_closes_patiently_and_gives_the_risk_back(desk: TestDesk) -> None:
    trade = desk.open_trade()
    quote(desk, ("0.80", "0.84"), ("0.40", "0.44"))
    assert a_pass(desk).exits_begun == {"profit_target": 1}
    (intent,) = desk.close_intents()
    assert intent.urgency is Urgency.PATIENT
    assert desk.carry(intent).outcome == "closed"
    closed = desk.trade(intent)
    assert closed.status is TradeStatus.CLOSED
    assert closed.pnl is not None
    assert closed.pnl > 0
    assert desk.book.ledger(PORTFOLIO_KEY).heat_cents == 0
    assert desk.book.ledger(PORTFOLIO_KEY).positions == 0
    assert desk.book.ledger(day_key(MONDAY)).entries == 1
    assert not desk.desk.broker.positions()
    assert desk.book.trade(trade.trade_id) == closed


def test_the_target_needs_natural_not_mid(desk: TestDesk) -> None:
    desk.open_trade()
    quote(desk, ("0.70", "1.10"), ("0.25", "0.55"))  # 0.50 at mid, 0.85 at natural
    assert a_pass(desk).exits_begun == {}


def test_a_stop_needs_two_passes(desk: TestDesk) -> None:
    desk.open_trade()
    quote(desk, ("6.30", "6.60"), ("2.50", "2.70"))  # 3.85 at mid; the stop is at 3.48
    assert a_pass(desk).exits_begun == {}
    assert a_pass(desk).exits_begun == {"stop_loss": 1}
    (intent,) = desk.close_intents()
    assert intent.urgency is Urgency.URGENT


def test_the_same_slot_twice_is_one_pass(desk: TestDesk) -> None:
    desk.open_trade()
    quote(desk, ("6.30", "6.60"), ("2.50", "2.70"))
    desk.exchange.clock.advance(60)
    event = ScheduledEvent(slot=desk.exchange.now)
    assert monitor_positions(desk.desk, event).exits_begun == {}
    assert monitor_positions(desk.desk, event).exits_begun == {}


def test_one_bad_quote_is_no_stop(desk: TestDesk) -> None:
    desk.open_trade()
    quote(desk, ("6.30", "6.60"), ("2.50", "2.70"))
    assert a_pass(desk).exits_begun == {}
    quote(desk, ("2.35", "2.45"), ("1.15", "1.25"))
    assert a_pass(desk).exits_begun == {}
    quote(desk, ("6.30", "6.60"), ("2.50", "2.70"))
    assert a_pass(desk).exits_begun == {}


def test_a_stop_that_the_underlying_confirms_acts_at_once(desk: TestDesk) -> None:
    desk.open_trade()
    desk.world.with_stock("96.95", "97.05", since=desk.exchange.now)
    quote(desk, ("6.30", "6.60"), ("2.50", "2.70"))
    assert a_pass(desk).exits_begun == {"stop_loss": 1}


def test_a_missing_quote_alarms_and_does_not_forget_the_stop(desk: TestDesk) -> None:
    desk.open_trade()
    desk.world.with_stock("87.95", "88.05", since=desk.exchange.now)
    desk.world.with_option(SHORT_PUT, None, None, since=desk.exchange.now)
    report = a_pass(desk)
    assert report.exits_begun == {"stop_loss": 1}  # by the model, with the strike breached
    told = [alert for alert in desk.alerts.published if alert.kind is AlertKind.SYSTEM_ERROR]
    assert len(told) == 1


def test_an_alarm_is_told_once_a_day(desk: TestDesk) -> None:
    desk.open_trade()
    desk.world.with_option(LONG_PUT, None, None, since=desk.exchange.now)
    a_pass(desk)
    a_pass(desk)
    told = [alert for alert in desk.alerts.published if alert.kind is AlertKind.SYSTEM_ERROR]
    assert len(told) == 1


def test_the_owner_can_close_a_trade_by_hand(desk: TestDesk) -> None:
    trade = desk.open_trade()
    desk.book.commit(request_manual_exit(trade, desk.exchange.now))
    assert a_pass(desk).exits_begun == {"manual": 1}


def test_a_halted_desk_still_stops_but_takes_no_profit(desk: TestDesk) -> None:
    desk.open_trade()
    desk.control.set_trading_state(TradingState.HALTED)
    quote(desk, ("0.80", "0.84"), ("0.40", "0.44"))
    assert a_pass(desk).exits_begun == {}
    desk.world.with_stock("96.95", "97.05", since=desk.exchange.now)
    quote(desk, ("6.30", "6.60"), ("2.50", "2.70"))
    assert a_pass(desk).exits_begun == {"stop_loss": 1}


def test_an_exit_that_ends_unfilled_is_tried_again_by_the_next_pass(desk: TestDesk) -> None:
    desk.open_trade()
    quote(desk, ("0.80", "0.84"), ("0.40", "0.44"))
    a_pass(desk)
    (first,) = desk.close_intents()
    quote(desk, ("2.35", "2.45"), ("1.15", "1.25"))
    placed = place_order(desk.desk, StepInput(intent_id=first.intent_id))
    assert placed.placed
    desk.workflows.end(first.intent_id)  # its execution dies here
    report = a_pass(desk)
    assert report.reconciled == 1
    assert desk.trade(first).status is TradeStatus.OPEN
    quote(desk, ("0.80", "0.84"), ("0.40", "0.44"))
    assert a_pass(desk).exits_begun == {"profit_target": 1}
    assert [intent.attempt for intent in desk.close_intents()] == [1, 2]


def test_an_intent_without_an_execution_is_driven_again(desk: TestDesk) -> None:
    intent = desk.state_entry()
    report = a_pass(desk)
    assert report.redriven == 1
    assert [started.intent_id for started in desk.workflows.started] == [intent.intent_id]


def test_an_entry_that_is_no_longer_fresh_is_given_up_instead(desk: TestDesk) -> None:
    intent = desk.state_entry()
    report = a_pass(desk, minutes_later=6)
    assert (report.redriven, report.reconciled) == (0, 1)
    assert desk.intent(intent.intent_id).status is IntentStatus.DONE


def test_a_running_execution_is_left_alone(desk: TestDesk) -> None:
    intent = desk.state_entry()
    desk.workflows.start(intent)
    report = a_pass(desk, minutes_later=6)
    assert (report.redriven, report.reconciled, report.unresolved) == (0, 0, 0)


def test_a_stale_slot_is_dropped(desk: TestDesk) -> None:
    slot = desk.exchange.now
    desk.exchange.clock.advance(61)
    assert monitor_positions(desk.desk, ScheduledEvent(slot=slot)).status == "stale_slot"


def test_a_pass_beside_another_does_nothing(desk: TestDesk) -> None:
    desk.open_trade()
    quote(desk, ("0.80", "0.84"), ("0.40", "0.44"))
    other = desk.book.acquire_lease("monitor", desk.exchange.now, 50)
    assert other is not None
    report = a_pass(desk, minutes_later=0.5)
    assert (report.status, report.exits_begun) == ("busy", {})
    # Whoever died with the lease keeps it for less than the time to the next slot.
    assert a_pass(desk, minutes_later=0.5).exits_begun == {"profit_target": 1}


def test_a_closed_market_is_not_watched(desk: TestDesk) -> None:
    desk.exchange.clock.advance(5 * 3600)
    report = monitor_positions(desk.desk, ScheduledEvent(slot=desk.exchange.now))
    assert report.status == "market_closed"
    assert report.counts()["MonitorPasses"] == 1


def test_what_could_not_be_told_is_told_by_a_later_pass(desk: TestDesk) -> None:
    desk.alerts.available = False
    desk.open_trade()
    assert not desk.alerts.published
    desk.alerts.available = True
    assert a_pass(desk).alerts_told == 1
    assert a_pass(desk).alerts_told == 0


def test_one_broken_intent_keeps_no_other_trade_from_its_stop(desk: TestDesk) -> None:
    trade = desk.open_trade()
    nameless = OrderAttempt(
        client_order_id="paper-broken-entry-1-o1",
        contracts=1,
        limit_cash=Decimal(1),
        mid_cash=Decimal(1),
        natural_cash=Decimal(1),
        submitted_at=desk.exchange.now,
        status=OrderStatus.FILLED,
        filled_contracts=1,
    )
    broken = an_intent(
        intent_id="paper-broken-entry-1", trade_id="paper-broken", orders=(nameless,)
    )
    pending = a_trade(TradeStatus.PENDING, trade_id="paper-broken")
    desk.book.commit(a_creation(pending))
    desk.book.commit(BookChange(intents=(IntentWrite(broken, None),)))
    desk.workflows.start(broken)
    desk.workflows.end(broken.intent_id)
    desk.world.with_stock("96.95", "97.05", since=desk.exchange.now)
    quote(desk, ("6.30", "6.60"), ("2.50", "2.70"))

    with pytest.raises(PassIncomplete, match=r"paper-broken-entry-1: ValueError: .*unknown price"):
        a_pass(desk)

    assert [intent.trade_id for intent in desk.close_intents()] == [trade.trade_id]
    assert any("paper-broken-entry-1" in alert.subject for alert in desk.alerts.published)
