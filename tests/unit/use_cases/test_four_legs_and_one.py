"""Condors and single puts over the exchange, from the entry to the last cent."""

from datetime import timedelta
from decimal import Decimal

from agent.book.identifiers import entry_intent_id, trade_id
from agent.book.intents import Intent, Urgency
from agent.book.records import Trade
from agent.book.states import ExitReason, TradeStatus
from agent.book.transitions import write_entry_intent
from agent.options.contracts import parse_occ_symbol
from agent.options.structures import Leg, LegSide, Structure
from agent.risk.reservation import PORTFOLIO_KEY
from agent.use_cases.check_risk import check_risk
from agent.use_cases.monitor_positions import MonitorReport, monitor_positions
from agent.use_cases.schedule import ScheduledEvent
from agent.use_cases.size_position import size_position
from agent.use_cases.steps import StepInput
from simulator.worlds.events import CashDividend
from tests.builders import a_signal
from tests.simulation.exchange.small_world import MONDAY, contract_symbol
from tests.unit.use_cases.conftest import EXPIRATION, LONG_PUT, SHORT_PUT, SLOT, TestDesk

SHORT_CALL = contract_symbol("C", 110, EXPIRATION)
LONG_CALL = contract_symbol("C", 115, EXPIRATION)
CHEAP_PUT = contract_symbol("P", 30, EXPIRATION)
LEG_SIDES = (LegSide.SHORT, LegSide.LONG, LegSide.SHORT, LegSide.LONG)


def a_structure(*symbols: str) -> Structure:
    sides = LEG_SIDES[: len(symbols)]
    return Structure(
        tuple(
            Leg(parse_occ_symbol(symbol), side) for symbol, side in zip(symbols, sides, strict=True)
        )
    )


CONDOR = a_structure(SHORT_PUT, LONG_PUT, SHORT_CALL, LONG_CALL)


def quote_condor(desk: TestDesk) -> None:
    """Quote the call side at 0.80 beside the put side at 1.20: a condor at 2.00, natural 1.83."""
    desk.world.with_option(SHORT_CALL, "1.35", "1.45", since=desk.exchange.now)
    desk.world.with_option(LONG_CALL, "0.58", "0.62", since=desk.exchange.now)


def carry_entry(desk: TestDesk, structure: Structure, strategy: str, **changes: object) -> Trade:
    code = desk.desk.strategies[strategy].code
    trade = trade_id("paper", SLOT, "ACME", code)
    signal = a_signal(structure=structure, strategy=strategy, as_of=SLOT, **changes)
    desk.book.commit(write_entry_intent(entry_intent_id(trade), trade, signal, SLOT))
    intent = desk.intent(entry_intent_id(trade))
    step = StepInput(intent_id=intent.intent_id)
    assert check_risk(desk.desk, step).approved
    assert size_position(desk.desk, step).reserved
    assert desk.carry(intent).outcome == "opened"
    desk.workflows.start(intent)
    desk.workflows.end(intent.intent_id)
    return desk.trade(intent)


def open_condor(desk: TestDesk) -> Trade:
    quote_condor(desk)
    return carry_entry(
        desk,
        CONDOR,
        "iron_condor",
        underlying_price=Decimal("105.00"),
        credit_mid=Decimal("2.00"),
        credit_natural=Decimal("1.83"),
        credit_min=Decimal("1.83"),
        max_loss=Decimal("3.00"),
        leg_deltas=(-0.18, -0.10, 0.18, 0.10),
    )


def open_put(desk: TestDesk) -> Trade:
    """Sell the 30 put on a stock at 32: the gap of 20 % costs 4.40 - 0.70 a share."""
    desk.world.with_stock("31.95", "32.05", since=desk.exchange.now)
    desk.world.with_option(CHEAP_PUT, "0.72", "0.78", since=desk.exchange.now)
    return carry_entry(
        desk,
        a_structure(CHEAP_PUT),
        "cash_secured_put",
        underlying_price=Decimal("32.00"),
        credit_mid=Decimal("0.75"),
        credit_natural=Decimal("0.72"),
        credit_min=Decimal("0.72"),
        max_loss=Decimal("29.25"),
        leg_deltas=(-0.25,),
    )


def a_pass(desk: TestDesk) -> MonitorReport:
    desk.exchange.clock.advance(60)
    return monitor_positions(desk.desk, ScheduledEvent(slot=desk.exchange.now))


def closing(desk: TestDesk) -> Intent:
    (intent,) = desk.close_intents()
    return intent


def cash_of_legs(desk: TestDesk, trade: Trade, *, at_exit: bool) -> Decimal:
    """Add up what the legs say was paid and received, in dollars a share."""
    total = Decimal(0)
    for position in desk.book.positions(trade.trade_id):
        price = position.exit_price if at_exit else position.entry_price
        assert price is not None
        received = (position.side is LegSide.SHORT) is not at_exit
        total += price if received else -price
    return total


def test_a_condor_opens_with_a_price_for_each_of_its_legs(desk: TestDesk) -> None:
    trade = open_condor(desk)
    assert trade.status is TradeStatus.OPEN
    assert trade.execution.contracts == 3
    assert trade.execution.credit == cash_of_legs(desk, trade, at_exit=False)
    held = {position.symbol: position.quantity for position in desk.desk.broker.positions()}
    assert held == {SHORT_PUT: -3, LONG_PUT: 3, SHORT_CALL: -3, LONG_CALL: 3}


def test_a_condor_risks_one_side_less_the_whole_credit(desk: TestDesk) -> None:
    trade = open_condor(desk)
    assert trade.execution.credit is not None
    assert trade.risk.capital_per_contract == (5 - trade.execution.credit) * 100


def test_a_condor_closes_when_the_stock_is_through_its_call(desk: TestDesk) -> None:
    trade = open_condor(desk)
    desk.world.with_stock("110.45", "110.55", since=desk.exchange.now)
    desk.world.with_option(SHORT_CALL, "3.10", "3.20", since=desk.exchange.now)
    desk.world.with_option(LONG_CALL, "1.30", "1.40", since=desk.exchange.now)
    desk.world.with_option(SHORT_PUT, "0.75", "0.85", since=desk.exchange.now)
    desk.world.with_option(LONG_PUT, "0.30", "0.36", since=desk.exchange.now)
    assert a_pass(desk).exits_begun == {"strike_breached": 1}
    intent = closing(desk)
    assert intent.urgency is Urgency.URGENT
    assert desk.carry(intent).outcome == "closed"
    closed = desk.trade(intent)
    assert closed.exit_reason is ExitReason.STRIKE_BREACHED
    assert closed.execution.exit_debit == -cash_of_legs(desk, trade, at_exit=True)
    assert not desk.desk.broker.positions()
    assert desk.book.ledger(PORTFOLIO_KEY).heat_cents == 0


def test_a_condor_closes_when_the_stock_is_through_its_put(desk: TestDesk) -> None:
    open_condor(desk)
    desk.world.with_stock("99.45", "99.55", since=desk.exchange.now)
    assert a_pass(desk).exits_begun == {"strike_breached": 1}


def test_a_condor_closes_though_nobody_bids_for_its_far_side(desk: TestDesk) -> None:
    open_condor(desk)
    desk.world.with_option(SHORT_CALL, None, "0.03", since=desk.exchange.now)
    desk.world.with_option(LONG_CALL, None, "0.02", since=desk.exchange.now)
    desk.world.with_option(SHORT_PUT, "0.60", "0.64", since=desk.exchange.now)
    desk.world.with_option(LONG_PUT, "0.20", "0.24", since=desk.exchange.now)
    assert a_pass(desk).exits_begun == {"profit_target": 1}
    assert desk.carry(closing(desk)).outcome == "closed"
    assert not desk.desk.broker.positions()


def test_a_single_put_opens_and_closes_at_unsigned_prices(desk: TestDesk) -> None:
    trade = open_put(desk)
    # The gap costs 30 - 25.60 - 0.72 a share and the fees: two contracts at 1 % of 100,000.
    assert trade.execution.contracts == 2
    assert trade.execution.credit == cash_of_legs(desk, trade, at_exit=False)
    assert trade.risk.capital_per_contract == Decimal(3000)
    sent = desk.exchange.orders[0]
    assert (sent.limit_price, sent.legs[0].side) == (Decimal("0.75"), "sell")
    desk.world.with_option(CHEAP_PUT, "0.30", "0.34", since=desk.exchange.now)
    assert a_pass(desk).exits_begun == {"profit_target": 1}
    assert desk.carry(closing(desk)).outcome == "closed"
    closed = desk.trade(closing(desk))
    assert closed.execution.exit_debit == -cash_of_legs(desk, trade, at_exit=True)
    assert closed.pnl is not None
    assert closed.pnl > 0
    assert not desk.desk.broker.positions()


def test_a_put_on_a_dear_stock_is_refused_by_its_sizing(desk: TestDesk) -> None:
    trade = trade_id("paper", SLOT, "ACME", "csp")
    signal = a_signal(
        structure=a_structure(SHORT_PUT),
        strategy="cash_secured_put",
        as_of=SLOT,
        underlying_price=Decimal("105.00"),
        credit_mid=Decimal("2.40"),
        credit_natural=Decimal("2.35"),
        credit_min=Decimal("2.35"),
        max_loss=Decimal("97.60"),
        leg_deltas=(-0.25,),
    )
    desk.book.commit(write_entry_intent(entry_intent_id(trade), trade, signal, SLOT))
    verdict = check_risk(desk.desk, StepInput(intent_id=entry_intent_id(trade)))
    assert verdict.reason == "sizing"


def declare_dividend(desk: TestDesk, rate: str) -> None:
    """Let ACME go ex tomorrow."""
    today = MONDAY
    desk.world.actions.append(
        CashDividend(
            "ACME",
            ex_date=today + timedelta(days=1),
            rate=Decimal(rate),
            declared_on=today - timedelta(days=20),
            payable_date=today + timedelta(days=9),
        )
    )


def put_the_call_in_the_money(desk: TestDesk) -> None:
    """Quote the 110 call at 2.10 with the stock at 112: 0.10 beyond its intrinsic value."""
    desk.world.with_stock("111.95", "112.05", since=desk.exchange.now)
    desk.world.with_option(SHORT_CALL, "2.05", "2.15", since=desk.exchange.now)
    desk.world.with_option(LONG_CALL, "0.78", "0.82", since=desk.exchange.now)


def test_a_short_call_leaves_before_the_dividend_it_would_be_exercised_for(
    desk: TestDesk,
) -> None:
    declare_dividend(desk, "0.11")
    open_condor(desk)
    put_the_call_in_the_money(desk)
    assert a_pass(desk).exits_begun == {"assignment_risk": 1}
    assert closing(desk).urgency is Urgency.URGENT


def test_a_dividend_smaller_than_what_exercise_gives_up_changes_nothing(desk: TestDesk) -> None:
    declare_dividend(desk, "0.09")
    open_condor(desk)
    put_the_call_in_the_money(desk)
    assert a_pass(desk).exits_begun == {"strike_breached": 1}
