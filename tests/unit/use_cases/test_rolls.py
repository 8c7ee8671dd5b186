"""A roll over the exchange: one order or two halves, filled, in parts, not at all, gone astray."""

from datetime import timedelta
from decimal import Decimal

import pytest

from agent.book.intents import Intent, IntentStatus, OrderPart
from agent.book.records import Position, PositionStatus, Trade
from agent.book.rolling import RollPlan, begin_roll, reserved_while_rolling
from agent.book.states import ExitReason, TradeStatus
from agent.options.contracts import parse_occ_symbol
from agent.options.structures import Leg, LegSide, Structure
from agent.ports import TradingState
from agent.risk.limits import account_limits
from agent.risk.reservation import PORTFOLIO_KEY, day_key, reopen_moves, symbol_key
from agent.risk.sizing import fill_exposure, trade_risk
from agent.use_cases.cancel_order import cancel_order
from agent.use_cases.monitor_positions import MonitorReport, monitor_positions
from agent.use_cases.place_order import place_order
from agent.use_cases.poll_fill import poll_fill
from agent.use_cases.reconcile_order import reconcile_order
from agent.use_cases.record_fill import record_fill
from agent.use_cases.schedule import ScheduledEvent
from agent.use_cases.steps import FillStatus, StepInput
from tests.builders import a_signal
from tests.simulation.exchange.small_world import MONDAY, contract_symbol
from tests.unit.use_cases.conftest import EXPIRATION, LONG_PUT, SHORT_PUT, TestDesk

LATER = EXPIRATION + timedelta(days=28)
LATER_SHORT, LATER_LONG = contract_symbol("P", 100, LATER), contract_symbol("P", 95, LATER)
FOLLOWING = Structure(
    (
        Leg(parse_occ_symbol(LATER_SHORT), LegSide.SHORT),
        Leg(parse_occ_symbol(LATER_LONG), LegSide.LONG),
    )
)


def begin(desk: TestDesk, trade: Trade, *, starts: bool = True) -> Intent:
    """Begin to roll the spread to the one of four weeks later, which is worth 1.90 at mid."""
    now = desk.exchange.now
    desk.world.with_option(LATER_SHORT, "3.36", "3.44", since=now)
    desk.world.with_option(LATER_LONG, "1.47", "1.53", since=now)
    signal = a_signal(
        structure=FOLLOWING,
        as_of=now,
        underlying_price=Decimal("105.00"),
        credit_mid=Decimal("1.90"),
        credit_natural=Decimal("1.83"),
        credit_min=Decimal("1.83"),
        max_loss=Decimal("3.10"),
    )
    assert trade.execution.credit is not None
    exposure = fill_exposure(
        FOLLOWING, trade.execution.credit, signal.underlying_price, desk.desk.settings
    )
    risk = trade_risk(exposure, trade.contracts_held)
    plan = RollPlan(signal, Decimal("0.01"), risk, "Threatened.")
    limits = account_limits(desk.desk.broker.account().equity, desk.desk.settings.risk)
    reserved = reserved_while_rolling(trade.risk, risk)
    moves = reopen_moves(trade.risk, reserved, symbol=trade.symbol, limits=limits)
    change, intent = begin_roll(trade, plan, moves, now)
    desk.book.commit(change)
    if starts:
        desk.workflows.start(intent)
    return intent


def requote(desk: TestDesk, short: tuple[str, str], long: tuple[str, str]) -> None:
    """Quote the later spread anew, a second on."""
    desk.exchange.clock.advance(1)
    desk.world.with_option(LATER_SHORT, *short, since=desk.exchange.now)
    desk.world.with_option(LATER_LONG, *long, since=desk.exchange.now)


def reach_target(desk: TestDesk) -> None:
    """Quote the later spread at its target."""
    desk.world.with_option(LATER_SHORT, "0.80", "0.84", since=desk.exchange.now)
    desk.world.with_option(LATER_LONG, "0.40", "0.44", since=desk.exchange.now)


CHEAP = ("2.30", "2.34"), ("1.47", "1.53")
"""Nothing nets a credit any more."""
DEAR_TO_REACH = ("2.62", "2.82"), ("1.44", "1.56")
"""At mid a net credit of 0.02 is left; nobody is there to give it."""


def held(desk: TestDesk) -> dict[str, int]:
    return {position.symbol: position.quantity for position in desk.desk.broker.positions()}


def booked(trade: Trade) -> dict[str, int]:
    return {symbol: count for symbol, count in trade.leg_quantities.items() if count}


def a_pass(desk: TestDesk) -> MonitorReport:
    desk.exchange.clock.advance(60)
    return monitor_positions(desk.desk, ScheduledEvent(slot=desk.exchange.now))


def test_a_roll_is_one_order_for_a_net_credit_and_leaves_one_trade(desk: TestDesk) -> None:
    before = desk.open_trade()
    intent = begin(desk, before)
    assert desk.trade(intent).status is TradeStatus.ROLLING
    assert desk.carry(intent).outcome == "rolled"
    trade = desk.trade(intent)
    assert (trade.trade_id, trade.status) == (before.trade_id, TradeStatus.OPEN)
    assert trade.structure == FOLLOWING
    assert (
        held(desk)
        == booked(trade)
        == {
            LATER_SHORT: -trade.contracts_held,
            LATER_LONG: trade.contracts_held,
        }
    )
    assert {order.part for order in desk.intent(intent.intent_id).orders} == {OrderPart.WHOLE}
    assert before.execution.credit is not None
    assert trade.execution.credit is not None
    assert trade.execution.credit >= before.execution.credit + Decimal("0.01")


def test_a_roll_that_another_call_settles_between_two_reads_is_settled_once(
    desk: TestDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    intent = begin(desk, desk.open_trade())
    step = StepInput(intent_id=intent.intent_id)
    while place_order(desk.desk, step).placed:
        desk.exchange.clock.advance(5)
        poll_fill(desk.desk, step)
        cancel_order(desk.desk, step)
    read = desk.book.positions

    def positions_of_after(trade_id: str) -> tuple[Position, ...]:
        monkeypatch.setattr(desk.book, "positions", read)
        assert record_fill(desk.desk, step).outcome == "rolled"
        return read(trade_id)

    monkeypatch.setattr(desk.book, "positions", positions_of_after)
    assert record_fill(desk.desk, step).outcome == "rolled"
    assert len(desk.trade(intent).campaign.parts) == 1
    assert held(desk) == booked(desk.trade(intent))


def test_the_campaign_is_told_and_its_first_part_left_for_the_reason_of_a_roll(
    desk: TestDesk,
) -> None:
    before = desk.open_trade()
    intent = begin(desk, before)
    desk.carry(intent)
    (part,) = desk.trade(intent).campaign.parts
    assert (part.structure, part.exit_reason) == (before.structure, ExitReason.ROLL)
    assert any("Rolled" in alert.message for alert in desk.alerts.published)


def test_the_ledger_follows_a_roll_and_counts_no_other_trade(desk: TestDesk) -> None:
    intent = begin(desk, desk.open_trade())
    rolling = desk.trade(intent)
    assert desk.book.ledger(PORTFOLIO_KEY).heat_cents == rolling.risk.heat_cents
    desk.carry(intent)
    risk = desk.trade(intent).risk
    for key in (PORTFOLIO_KEY, symbol_key("ACME")):
        entry = desk.book.ledger(key)
        assert (entry.heat_cents, entry.positions) == (risk.heat_cents, 1)
    assert desk.book.ledger(day_key(MONDAY)).entries == 1


def test_a_rolled_trade_is_closed_as_a_whole_and_earns_what_its_cash_says(desk: TestDesk) -> None:
    intent = begin(desk, desk.open_trade())
    desk.carry(intent)
    desk.workflows.end(intent.intent_id)
    reach_target(desk)
    assert a_pass(desk).exits_begun == {"profit_target": 1}
    (closing,) = desk.close_intents()
    assert desk.carry(closing).outcome == "closed"
    trade = desk.trade(closing)
    assert trade.status is TradeStatus.CLOSED
    assert trade.pnl == (
        trade.execution.entry_cash + trade.execution.exit_cash - trade.execution.fees
    )
    legs = desk.book.positions(trade.trade_id)
    assert len(legs) == 4
    earned = sum((leg.realized_pnl or Decimal(0) for leg in legs), Decimal(0))
    assert abs(earned - trade.execution.fees - trade.pnl) < Decimal("0.0001")
    assert not held(desk)
    assert desk.book.ledger(PORTFOLIO_KEY).heat_cents == 0


def test_where_the_broker_refuses_so_many_legs_the_close_goes_first(desk: TestDesk) -> None:
    intent = begin(desk, desk.open_trade())
    desk.exchange.faults.multileg_closes_refused = 1
    assert desk.carry(intent).outcome == "rolled"
    parts = [order.part for order in desk.intent(intent.intent_id).orders]
    assert (parts[0], parts[1], parts[-1]) == (OrderPart.WHOLE, OrderPart.CLOSE, OrderPart.OPEN)
    orders = desk.intent(intent.intent_id).orders
    closed = next(o for o in orders if o.part is OrderPart.CLOSE and o.filled_cash is not None)
    opened = next(o for o in orders if o.part is OrderPart.OPEN and o.filled_cash is not None)
    assert closed.filled_cash is not None
    assert opened.filled_cash is not None
    assert opened.filled_cash + closed.filled_cash >= Decimal("0.01")
    assert held(desk) == booked(desk.trade(intent))


def test_a_roll_without_a_net_credit_is_not_sent(desk: TestDesk) -> None:
    intent = begin(desk, desk.open_trade())
    requote(desk, *CHEAP)
    step = StepInput(intent_id=intent.intent_id)
    assert not place_order(desk.desk, step).placed
    assert record_fill(desk.desk, step).outcome == "unfilled"
    assert desk.trade(intent).status is TradeStatus.OPEN


def close_first(desk: TestDesk, intent: Intent) -> None:
    """Have the one order refused, and the close filled."""
    desk.exchange.faults.multileg_closes_refused = 1
    step = StepInput(intent_id=intent.intent_id)
    assert place_order(desk.desk, step).placed
    assert poll_fill(desk.desk, step).status is FillStatus.ENDED
    for _ in range(3):
        assert place_order(desk.desk, step).placed
        desk.exchange.clock.advance(10)
        if poll_fill(desk.desk, step).status is FillStatus.WORKING:
            cancel_order(desk.desk, step)
            desk.exchange.clock.advance(2)
            poll_fill(desk.desk, step)
        if not held(desk):
            return
    raise AssertionError("the close did not fill")


def test_a_market_that_left_after_the_close_leaves_the_trade_closed_for_its_roll(
    desk: TestDesk,
) -> None:
    intent = begin(desk, desk.open_trade())
    close_first(desk, intent)
    requote(desk, *CHEAP)
    step = StepInput(intent_id=intent.intent_id)
    assert not place_order(desk.desk, step).placed
    assert record_fill(desk.desk, step).outcome == "closed"
    trade = desk.trade(intent)
    assert (trade.status, trade.exit_reason) == (TradeStatus.CLOSED, ExitReason.ROLL)
    assert not held(desk)
    assert desk.book.ledger(PORTFOLIO_KEY).heat_cents == 0


def test_an_execution_that_dies_between_the_halves_is_brought_to_a_known_end(
    desk: TestDesk,
) -> None:
    intent = begin(desk, desk.open_trade())
    close_first(desk, intent)
    desk.workflows.end(intent.intent_id)
    report = a_pass(desk)
    assert report.reconciled == 1
    assert desk.trade(intent).status is TradeStatus.CLOSED
    assert held(desk) == {}


def test_a_roll_that_nobody_takes_leaves_the_trade_to_its_other_rules(desk: TestDesk) -> None:
    trade = desk.open_trade()
    intent = begin(desk, trade)
    requote(desk, *DEAR_TO_REACH)
    outcome = desk.carry(intent).outcome
    after = desk.trade(intent)
    assert outcome == "unfilled"
    assert (after.status, after.structure) == (TradeStatus.OPEN, trade.structure)
    assert after.risk.heat_cents == trade.risk.heat_cents
    assert desk.book.ledger(PORTFOLIO_KEY).heat_cents == trade.risk.heat_cents


def fill_a_part(desk: TestDesk, intent: Intent) -> int:
    """Carry a roll until a part of it has filled, settle it, and give how many contracts did."""
    step = StepInput(intent_id=intent.intent_id)
    filled = 0
    while not filled:
        assert place_order(desk.desk, step).placed
        for _ in range(10):
            desk.exchange.clock.advance(1)
            poll_fill(desk.desk, step)
            filled = sum(o.filled_contracts for o in desk.intent(intent.intent_id).orders)
            if filled:
                break
        cancel_order(desk.desk, step)
        desk.exchange.clock.advance(2)
        poll_fill(desk.desk, step)
    assert record_fill(desk.desk, step).outcome == "partly rolled"
    return filled


def test_part_of_a_roll_leaves_a_residue_that_the_next_pass_closes(
    parting_desk: TestDesk,
) -> None:
    desk = parting_desk
    trade = desk.open_trade()
    intent = begin(desk, trade)
    filled = fill_a_part(desk, intent)
    assert 0 < filled < trade.contracts_held
    after = desk.trade(intent)
    residue = after.campaign.residue
    assert residue is not None
    assert (after.contracts_held, residue.contracts) == (filled, trade.contracts_held - filled)
    assert held(desk) == booked(after)
    assert desk.book.ledger(PORTFOLIO_KEY).heat_cents == after.risk.heat_cents
    desk.workflows.end(intent.intent_id)
    assert a_pass(desk).exits_begun == {"roll_residue": 1}
    (closing,) = desk.close_intents()
    assert closing.of_residue
    assert desk.carry(closing).outcome == "closed"
    cleared = desk.trade(closing)
    assert (cleared.status, cleared.campaign.residue) == (TradeStatus.OPEN, None)
    assert held(desk) == booked(cleared) == {LATER_SHORT: -filled, LATER_LONG: filled}
    assert desk.book.ledger(PORTFOLIO_KEY).heat_cents == cleared.risk.heat_cents


def residue_to_close(desk: TestDesk) -> Intent:
    """Leave a residue behind and have its close stated; the broker refuses its legs together."""
    intent = begin(desk, desk.open_trade())
    fill_a_part(desk, intent)
    desk.workflows.end(intent.intent_id)
    a_pass(desk)
    desk.exchange.faults.multileg_closes_refused = 1
    return desk.close_intents()[-1]


def test_a_residue_goes_leg_by_leg_where_the_broker_refuses_its_legs_together(
    parting_desk: TestDesk,
) -> None:
    desk = parting_desk
    closing = residue_to_close(desk)
    before = desk.trade(closing).execution
    assert desk.carry(closing).outcome == "closed"
    trade = desk.trade(closing)
    assert [o.leg for o in desk.intent(closing.intent_id).orders if o.filled_contracts] == [1, 2]
    assert trade.campaign.residue is None
    assert held(desk) == booked(trade)
    cash = trade.execution.entry_cash + trade.execution.exit_cash
    assert cash == desk.desk.broker.account().cash - Decimal(100_000)
    assert trade.execution.fees > before.fees
    assert desk.book.ledger(PORTFOLIO_KEY).heat_cents == trade.risk.heat_cents
    legs = {leg.option_symbol: leg.status for leg in desk.book.positions(trade.trade_id)}
    assert (legs[SHORT_PUT], legs[LONG_PUT]) == (PositionStatus.CLOSED, PositionStatus.CLOSED)


def test_a_leg_of_a_residue_that_is_left_alone_goes_in_the_next_pass(
    parting_desk: TestDesk,
) -> None:
    desk = parting_desk
    closing = residue_to_close(desk)
    buy_the_short_back(desk, closing)
    assert record_fill(desk.desk, StepInput(intent_id=closing.intent_id)).outcome == "partly filled"
    trade = desk.trade(closing)
    assert trade.campaign.residue is not None
    assert held(desk) == booked(trade)
    assert LONG_PUT in booked(trade)
    assert SHORT_PUT not in booked(trade)
    desk.workflows.end(closing.intent_id)
    report = a_pass(desk)
    assert (report.exits_begun, report.differences) == ({"roll_residue": 1}, 0)
    assert desk.carry(desk.close_intents()[-1]).outcome == "closed"
    assert desk.trade(closing).campaign.residue is None
    assert held(desk) == booked(desk.trade(closing))


def buy_the_short_back(desk: TestDesk, closing: Intent) -> None:
    """Carry a close until its short leg has filled alone, and no further."""
    step = StepInput(intent_id=closing.intent_id)
    for _ in range(8):
        place_order(desk.desk, step)
        desk.exchange.clock.advance(10)
        if poll_fill(desk.desk, step).status is FillStatus.WORKING:
            cancel_order(desk.desk, step)
            desk.exchange.clock.advance(2)
            poll_fill(desk.desk, step)
        if SHORT_PUT not in held(desk):
            return
    raise AssertionError("the short leg was never bought back")


def test_a_halt_sends_no_order_of_a_roll_and_withdraws_what_works(desk: TestDesk) -> None:
    intent = begin(desk, desk.open_trade())
    step = StepInput(intent_id=intent.intent_id)
    requote(desk, *DEAR_TO_REACH)
    assert place_order(desk.desk, step).placed
    desk.control.set_trading_state(TradingState.HALTED)
    assert a_pass(desk).withdrawn == 1
    assert poll_fill(desk.desk, step).status is FillStatus.ENDED
    assert not place_order(desk.desk, step).placed
    assert record_fill(desk.desk, step).outcome == "unfilled"


@pytest.mark.parametrize("state", [TradingState.ACTIVE, TradingState.REDUCING])
def test_otherwise_a_roll_goes_on(desk: TestDesk, state: TradingState) -> None:
    intent = begin(desk, desk.open_trade())
    desk.control.set_trading_state(state)
    assert a_pass(desk).withdrawn == 0
    assert desk.carry(intent).outcome == "rolled"


def test_a_roll_that_was_never_started_is_given_up_once_it_is_old(desk: TestDesk) -> None:
    trade = desk.open_trade()
    intent = begin(desk, trade, starts=False)
    desk.exchange.clock.advance(301)
    assert a_pass(desk).reconciled == 1
    after = desk.trade(intent)
    assert (after.status, after.structure) == (TradeStatus.OPEN, trade.structure)
    assert desk.intent(intent.intent_id).outcome == "unfilled"


def test_a_roll_that_was_never_started_is_started_while_it_is_fresh(desk: TestDesk) -> None:
    intent = begin(desk, desk.open_trade(), starts=False)
    assert a_pass(desk).redriven == 1
    assert desk.workflows.started[-1].intent_id == intent.intent_id


def test_a_lost_answer_to_a_roll_is_looked_up_and_not_sent_twice(desk: TestDesk) -> None:
    intent = begin(desk, desk.open_trade())
    step = StepInput(intent_id=intent.intent_id)
    assert place_order(desk.desk, step).placed
    assert place_order(desk.desk, step).placed
    assert len(desk.intent(intent.intent_id).orders) == 1
    desk.exchange.clock.advance(30)
    assert reconcile_order(desk.desk, step).settled
    assert reconcile_order(desk.desk, step).settled
    assert desk.intent(intent.intent_id).status is IntentStatus.DONE
    assert held(desk) == booked(desk.trade(intent))


def test_legs_of_the_former_structure_are_not_those_of_the_new(desk: TestDesk) -> None:
    intent = begin(desk, desk.open_trade())
    desk.carry(intent)
    assert set(desk.trade(intent).structure.symbols).isdisjoint({SHORT_PUT, LONG_PUT})
