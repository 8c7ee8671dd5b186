"""A close whose legs the broker does not take together: one intent, shorts first, then longs."""

from decimal import Decimal

import pytest

from agent.book.changes import BookChange, TradeWrite
from agent.book.holdings import Holdings, SharesHeld
from agent.book.intents import Intent, RefusalKind
from agent.book.overrides import request_manual_exit
from agent.book.records import PositionStatus
from agent.book.states import ExitReason, TradeStatus
from agent.ports import BrokerUnavailable
from agent.risk.reservation import PORTFOLIO_KEY
from agent.use_cases.place_order import place_order
from agent.use_cases.poll_fill import poll_fill
from agent.use_cases.reconcile_order import reconcile_order
from agent.use_cases.record_fill import record_fill
from agent.use_cases.settlement import settle
from agent.use_cases.steps import FillStatus, StepInput
from tests.unit.use_cases.conftest import LONG_PUT, SHORT_PUT, TestDesk
from tests.unit.use_cases.test_monitor_positions import a_pass


def refused_together(desk: TestDesk, times: int = 1) -> Intent:
    """Ask for an exit that the broker will not take as one order."""
    trade = desk.open_trade()
    desk.book.commit(request_manual_exit(trade, desk.exchange.now))
    a_pass(desk)
    desk.exchange.faults.multileg_closes_refused = times
    (intent,) = desk.close_intents()
    return intent


def step(intent: Intent) -> StepInput:
    return StepInput(intent_id=intent.intent_id)


def traded(desk: TestDesk, intent: Intent) -> list[tuple[int | None, str]]:
    """List the legs and statuses of an intent's orders."""
    return [(o.leg, str(o.status)) for o in desk.intent(intent.intent_id).orders]


def walk(desk: TestDesk, intent: Intent) -> None:
    """Place orders and let them work until nothing more is placed."""
    for _ in range(20):
        if not place_order(desk.desk, step(intent)).placed:
            return
        desk.exchange.clock.advance(5)
        polled = poll_fill(desk.desk, step(intent))
        if polled.status is FillStatus.WORKING:
            reconcile_needed = [o for o in desk.exchange.orders if o.is_working]
            for order in reconcile_needed:
                desk.exchange.cancel_order(order.order_id)
            desk.exchange.clock.advance(2)
            polled = poll_fill(desk.desk, step(intent))
        if polled.status is FillStatus.COMPLETE or not polled.rungs_left:
            return


def test_the_shorts_are_bought_back_before_the_longs_are_sold(desk: TestDesk) -> None:
    intent = refused_together(desk)
    walk(desk, intent)
    orders = desk.intent(intent.intent_id).orders
    assert orders[0].refusal is RefusalKind.LEGS
    filled = [o.leg for o in orders if o.filled_contracts]
    assert filled == [1, 2]
    assert [o.client_order_id for o in orders[:2]] == [
        f"{intent.intent_id}-o1",
        f"{intent.intent_id}-leg1-o1",
    ]
    assert record_fill(desk.desk, step(intent)).outcome == "closed"
    assert desk.desk.broker.positions() == ()


def test_a_close_leg_by_leg_is_booked_like_any_other(desk: TestDesk) -> None:
    intent = refused_together(desk)
    before = desk.trade(intent)
    walk(desk, intent)
    record_fill(desk.desk, step(intent))
    closed = desk.trade(intent)
    short, long = (
        next(o for o in desk.intent(intent.intent_id).orders if o.leg == leg and o.filled_contracts)
        for leg in (1, 2)
    )
    paid = short.leg_prices[0] - long.leg_prices[0]
    assert closed.status is TradeStatus.CLOSED
    assert closed.exit_reason is ExitReason.MANUAL
    assert closed.execution.exit_debit == paid
    assert closed.execution.exit_cash == -paid * 200
    assert closed.execution.fees > before.execution.fees
    assert desk.book.ledger(PORTFOLIO_KEY).heat_cents == 0
    for position in desk.book.positions(closed.trade_id):
        assert position.status is PositionStatus.CLOSED
        assert position.exit_price is not None
    assert len([a for a in desk.alerts.published if a.kind == "position_closed"]) == 1


def test_a_close_leg_by_leg_ended_when_its_last_leg_filled(desk: TestDesk) -> None:
    intent = refused_together(desk)
    walk(desk, intent)
    desk.exchange.clock.advance(300)
    record_fill(desk.desk, step(intent))
    last = max(o.filled_at for o in desk.intent(intent.intent_id).orders if o.filled_at)
    assert desk.trade(intent).timestamp_exit == last


def test_without_its_shorts_bought_back_no_long_is_sold(desk: TestDesk) -> None:
    intent = refused_together(desk)
    desk.world.with_option(SHORT_PUT, "2.35", "9.00", since=desk.exchange.now)
    desk.exchange.faults.hide_quotes(SHORT_PUT)
    walk(desk, intent)
    assert all(leg in {None, 1} for leg, _ in traded(desk, intent))
    assert record_fill(desk.desk, step(intent)).outcome == "unfilled"
    assert desk.trade(intent).is_whole


def left_half_way(desk: TestDesk) -> Intent:
    """Let the process die after the shorts are back and before the longs are sold."""
    intent = refused_together(desk)
    place_order(desk.desk, step(intent))
    for _ in range(6):
        place_order(desk.desk, step(intent))
        desk.exchange.clock.advance(5)
        poll_fill(desk.desk, step(intent))
        if traded(desk, intent)[-1] == (1, "filled"):
            return intent
        for order in [o for o in desk.exchange.orders if o.is_working]:
            desk.exchange.cancel_order(order.order_id)
        desk.exchange.clock.advance(2)
    raise AssertionError("the short leg was never bought back")


def test_a_crash_in_the_middle_is_booked_as_far_as_it_went(desk: TestDesk) -> None:
    intent = left_half_way(desk)
    assert reconcile_order(desk.desk, step(intent)).outcome == "partly filled"
    trade = desk.trade(intent)
    assert trade.status is TradeStatus.OPEN
    assert trade.leg_quantities == {SHORT_PUT: 0, LONG_PUT: 2}
    held = {position.symbol: position.quantity for position in desk.desk.broker.positions()}
    assert held == {LONG_PUT: 2}
    short, long = desk.book.positions(trade.trade_id)
    assert (short.status, long.status) == (PositionStatus.CLOSED, PositionStatus.OPEN)


def test_a_close_leg_by_leg_that_leaves_shares_alone_is_closed_and_says_so(
    desk: TestDesk,
) -> None:
    intent = refused_together(desk)
    before = desk.trade(intent)
    since = desk.exchange.now
    shares = SharesHeld(quantity=200, basis=Decimal(100), tax_basis=Decimal(98), since=since)
    with_shares = before.model_copy(
        update={
            "holdings": Holdings(shares=shares, reason=ExitReason.ASSIGNED),
            "version": before.version + 1,
        }
    )
    desk.book.commit(BookChange(trade=TradeWrite(with_shares, before.status, before.version)))
    walk(desk, intent)
    assert record_fill(desk.desk, step(intent)).outcome == "closed"
    trade = desk.trade(intent)
    assert (trade.status, trade.contracts_held, trade.shares_held) == (TradeStatus.OPEN, 0, 200)
    assert [alert.subject for alert in desk.alerts.published][-1] == (
        "Closed options of ACME bull_put_spread: manual"
    )


def test_what_a_crash_has_left_goes_in_the_next_pass(desk: TestDesk) -> None:
    first = left_half_way(desk)
    reconcile_order(desk.desk, step(first))
    desk.workflows.end(first.intent_id)
    assert a_pass(desk).exits_begun == {"manual": 1}
    second = desk.close_intents()[-1]
    walk(desk, second)
    assert record_fill(desk.desk, step(second)).outcome == "closed"
    assert desk.desk.broker.positions() == ()
    closed = desk.trade(second)
    assert closed.status is TradeStatus.CLOSED
    assert closed.exit_reason is ExitReason.MANUAL
    # To the cent, whatever way it went.
    fills = desk.exchange.book.fills
    cash = sum((-f.side.sign * f.price * f.quantity * 100 for f in fills), Decimal(0))
    assert closed.execution.entry_cash + closed.execution.exit_cash == cash


def test_what_another_settled_between_two_reads_is_found_settled(desk: TestDesk) -> None:
    first = left_half_way(desk)
    reconcile_order(desk.desk, step(first))
    desk.workflows.end(first.intent_id)
    a_pass(desk)
    second = desk.close_intents()[-1]
    walk(desk, second)
    intent, trade = desk.intent(second.intent_id), desk.trade(second)
    outcome = record_fill(desk.desk, step(second)).outcome
    written = desk.trade(second)
    assert settle(desk.desk, intent, trade).outcome == outcome
    assert desk.trade(second) == written


@pytest.mark.parametrize("lost", [1, 2])
def test_a_leg_order_whose_answer_was_lost_is_looked_up_and_not_sent_twice(
    desk: TestDesk, lost: int
) -> None:
    intent = refused_together(desk)
    place_order(desk.desk, step(intent))
    desk.exchange.faults.on_http(
        "gateway_timeout_after", method="POST", path_prefix="/v2/orders", times=lost
    )
    for _ in range(lost):
        with pytest.raises(BrokerUnavailable):
            place_order(desk.desk, step(intent))
        desk.exchange.faults.clear()
        break
    assert place_order(desk.desk, step(intent)).placed
    leg_orders = [o for o in desk.exchange.orders if "-leg1-" in o.client_order_id]
    assert len(leg_orders) == 1
