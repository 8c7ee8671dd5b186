"""The owner is told where book and broker differ, and not where a fill is only late."""

from decimal import Decimal

from agent.book.changes import BookChange
from agent.book.identifiers import client_order_id
from agent.book.intents import Intent, OrderAttempt, Urgency
from agent.book.records import AlertKind
from agent.book.states import ExitReason, TradeStatus
from agent.book.transitions import begin_close, record_orders
from agent.options.contracts import parse_occ_symbol
from agent.ports import OrderRequest
from agent.use_cases.cancel_order import cancel_order
from agent.use_cases.compare_book import compare_book
from agent.use_cases.monitor_positions import MonitorReport, monitor_positions
from agent.use_cases.order_tracking import contracts_wanted
from agent.use_cases.place_order import place_order
from agent.use_cases.poll_fill import poll_fill
from agent.use_cases.reconcile_order import reconcile_order
from agent.use_cases.schedule import ScheduledEvent
from agent.use_cases.steps import StepInput
from tests.builders import an_order_attempt
from tests.simulation.exchange.builders import put_spread
from tests.unit.use_cases.conftest import LONG_PUT, SHORT_PUT, TestDesk


def a_pass(desk: TestDesk) -> MonitorReport:
    desk.exchange.clock.advance(60)
    return monitor_positions(desk.desk, ScheduledEvent(slot=desk.exchange.now))


def told(desk: TestDesk) -> list[str]:
    return [a.subject for a in desk.alerts.published if a.kind is AlertKind.SYSTEM_ERROR]


def compared(desk: TestDesk) -> int:
    return compare_book(desk.desk, desk.book.active_trades(), desk.exchange.now)


def test_a_book_that_agrees_with_its_broker_tells_nothing(desk: TestDesk) -> None:
    desk.open_trade()
    assert a_pass(desk).differences == 0
    assert told(desk) == []


def test_what_nobody_explains_is_told_in_the_next_pass_and_once_a_day(desk: TestDesk) -> None:
    trade = desk.open_trade()
    contract = parse_occ_symbol(SHORT_PUT)
    desk.exchange.book.trade(SHORT_PUT, contract, trade.contracts_held, Decimal(0))
    assert [a_pass(desk).differences for _ in range(3)] == [1, 1, 1]
    assert told(desk) == [f"Book and broker differ: {SHORT_PUT}"]
    (alert,) = [a for a in desk.alerts.published if a.kind is AlertKind.SYSTEM_ERROR]
    assert f"holds -{trade.contracts_held} of {SHORT_PUT}, the broker 0" in alert.message
    assert desk.book.trade(trade.trade_id) is not None


def test_contracts_of_somebody_else_are_told_and_left_alone(desk: TestDesk) -> None:
    body = put_spread("-1.10")
    body["legs"][0]["symbol"], body["legs"][1]["symbol"] = SHORT_PUT, LONG_PUT
    desk.exchange.place_order(body)
    desk.exchange.clock.advance(5)
    assert [a_pass(desk).differences for _ in range(2)] == [0, 0]
    assert told(desk) == [f"Held by somebody else: {s}" for s in sorted([SHORT_PUT, LONG_PUT])]
    assert [p.symbol for p in desk.exchange.positions] == sorted([SHORT_PUT, LONG_PUT])
    assert len(desk.exchange.orders) == 1


def test_a_fill_that_is_not_yet_booked_is_no_difference(desk: TestDesk) -> None:
    intent = desk.reserve()
    step = StepInput(intent_id=intent.intent_id)
    while not desk.exchange.positions and place_order(desk.desk, step).placed:
        desk.exchange.clock.advance(5)
        poll_fill(desk.desk, step)
        cancel_order(desk.desk, step)
    assert desk.exchange.positions
    assert compared(desk) == 0


def test_a_close_that_was_begun_meanwhile_is_no_difference(desk: TestDesk) -> None:
    trade = desk.open_trade()
    before = desk.book.active_trades()
    change, _ = begin_close(
        trade, ExitReason.MANUAL, Urgency.PATIENT, "The owner says so.", desk.exchange.now
    )
    desk.book.commit(change)
    desk.exchange.assign(SHORT_PUT)
    assert compare_book(desk.desk, before, desk.exchange.now) == 0


def test_a_trade_that_was_booked_between_the_two_reads_is_no_difference(desk: TestDesk) -> None:
    before = desk.book.active_trades()
    desk.open_trade()
    assert compare_book(desk.desk, before, desk.exchange.now) == 0
    assert told(desk) == []


def landed_late(desk: TestDesk, intent: Intent) -> OrderAttempt:
    """Lose an order on its way, give it up after its minute, and let it land after all."""
    attempt = an_order_attempt(
        client_order_id=client_order_id(intent.intent_id, len(intent.orders) + 1),
        contracts=contracts_wanted(intent, desk.trade(intent)),
        limit_cash=Decimal("1.10") if intent.signal is not None else Decimal("-1.30"),
        submitted_at=desk.exchange.now,
    )
    desk.book.commit(BookChange(intents=(record_orders(intent, [*intent.orders, attempt]),)))
    desk.exchange.clock.advance(90)
    reconcile_order(desk.desk, StepInput(intent_id=intent.intent_id))
    opening = intent.signal is not None
    desk.desk.broker.submit(
        OrderRequest(
            client_order_id=attempt.client_order_id,
            legs=desk.trade(intent).structure.legs,
            opening=opening,
            contracts=attempt.contracts,
            limit_cash=attempt.limit_cash,
        )
    )
    desk.exchange.clock.advance(5)
    return attempt


def test_an_entry_that_fills_after_it_was_given_up_becomes_a_trade(desk: TestDesk) -> None:
    intent = desk.reserve()
    reserved = desk.book.ledger("portfolio")
    desk.workflows.start(intent)
    desk.workflows.end(intent.intent_id)
    attempt = landed_late(desk, intent)
    assert desk.trade(intent).status is TradeStatus.REJECTED
    assert desk.book.ledger("portfolio").heat_cents == 0
    assert a_pass(desk).differences == 0
    trade = desk.trade(intent)
    assert (trade.status, trade.contracts_held) == (TradeStatus.OPEN, attempt.contracts)
    assert (trade.timestamp_exit, trade.notes) == (None, "")
    ledger = desk.book.ledger("portfolio")
    assert (ledger.heat_cents, ledger.positions) == (trade.risk.heat_cents, 1)
    assert ledger.heat_cents <= reserved.heat_cents
    assert "ACME: an order filled that was given up" in told(desk)
    assert a_pass(desk).differences == 0


def test_an_exit_that_fills_after_it_was_given_up_closes_its_trade(desk: TestDesk) -> None:
    trade = desk.open_trade()
    change, intent = begin_close(
        trade, ExitReason.PROFIT_TARGET, Urgency.PATIENT, "It is reached.", desk.exchange.now
    )
    desk.book.commit(change)
    desk.workflows.start(intent)
    desk.workflows.end(intent.intent_id)
    landed_late(desk, intent)
    assert desk.trade(intent).status is TradeStatus.OPEN
    assert a_pass(desk).differences == 0
    closed = desk.trade(intent)
    assert (closed.status, closed.exit_reason) == (TradeStatus.CLOSED, ExitReason.PROFIT_TARGET)
    assert closed.pnl is not None
    assert desk.exchange.positions == ()
    assert desk.book.ledger("portfolio").heat_cents == 0
