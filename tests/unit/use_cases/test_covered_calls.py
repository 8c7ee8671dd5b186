"""Calls on the shares of an assigned put: written, ended and assigned, in one trade."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, cast

import pytest

from agent.book.identifiers import roll_intent_id
from agent.book.intents import Intent, IntentStatus
from agent.book.overrides import request_manual_exit
from agent.book.records import Trade
from agent.book.states import ExitReason, TradeStatus
from agent.market.calendar import new_york_date
from agent.options.contracts import parse_occ_symbol
from agent.ports import Broker, BrokerOrder, BrokerUnavailable, OrderRequest, TradingState
from agent.use_cases.monitor_positions import MonitorReport
from agent.use_cases.order_tracking import LANDING_SECONDS_MAX
from agent.use_cases.place_order import place_order
from agent.use_cases.reconcile_order import reconcile_order
from agent.use_cases.steps import StepInput
from tests.simulation.exchange.builders import filled, single_order
from tests.simulation.exchange.small_world import contract_symbol
from tests.unit.use_cases.conftest import EXPIRATION, TestDesk
from tests.unit.use_cases.test_four_legs_and_one import a_pass
from tests.unit.use_cases.wheel_desk import (
    assigned_put,
    at_the_broker,
    call_of,
    carry_all,
    cash_moved,
    quote_chain,
    set_settings,
    stored,
)

PUT_STRIKE = Decimal(30)


def covered(desk: TestDesk) -> Trade:
    """Give the trade of an assigned put on whose shares calls are written."""
    trade = assigned_put(desk)
    assert a_pass(desk).covers_begun == 1
    carry_all(desk)
    return stored(desk, trade)


def latest_cover(desk: TestDesk, trade: Trade) -> Intent:
    return desk.intent(roll_intent_id(trade.trade_id, trade.campaign.attempts))


def refusals(desk: TestDesk) -> list[str]:
    told = desk.book.journal(new_york_date(desk.exchange.now))
    return [str(event.details["reason"]) for event in told if event.kind == "cover_refused"]


def test_calls_are_written_on_the_shares_of_an_assigned_put(desk: TestDesk) -> None:
    put = assigned_put(desk)
    report = a_pass(desk)
    assert (report.lifecycle_events, report.covers_begun) == (1, 1)
    assert stored(desk, put).status is TradeStatus.ROLLING
    carry_all(desk)

    trade = stored(desk, put)
    shares = 100 * put.contracts_held
    contract = parse_occ_symbol(call_of(trade))
    assert trade.status is TradeStatus.OPEN
    assert trade.contracts_held == put.contracts_held
    assert trade.shares_held == shares
    assert contract.strike >= PUT_STRIKE
    assert latest_cover(desk, trade).outcome == "covered"
    assert at_the_broker(desk) == {"ACME": shares, contract.symbol: -put.contracts_held}
    assert trade.execution.entry_cash + trade.execution.exit_cash == cash_moved(desk)
    (part,) = trade.campaign.parts
    assert (part.structure, part.exit_reason) == (put.structure, ExitReason.ASSIGNED)
    assert a_pass(desk).differences == 0
    assert "Wrote calls on shares of ACME" in [each.subject for each in desk.alerts.published]


def test_a_call_on_shares_takes_no_more_of_any_limit(desk: TestDesk) -> None:
    put = assigned_put(desk)
    a_pass(desk)
    before = (desk.book.ledger("portfolio"), stored(desk, put).risk)
    carry_all(desk)
    assert (desk.book.ledger("portfolio"), stored(desk, put).risk) == before
    assert stored(desk, put).risk == put.risk


def test_a_falling_account_writes_calls_all_the_same(desk: TestDesk) -> None:
    set_settings(desk, "risk", max_trades_per_day=1)
    put = assigned_put(desk)
    set_settings(desk, "risk", heat_max_fraction=Decimal(0), symbol_positions_max=0)
    assert a_pass(desk).covers_begun == 1
    carry_all(desk)
    assert stored(desk, put).contracts_held == put.contracts_held


def test_an_assigned_call_ends_the_whole_wheel_with_one_pnl(desk: TestDesk) -> None:
    trade = covered(desk)
    call = parse_occ_symbol(call_of(trade))
    quote_chain(desk, 36.0)
    desk.exchange.assign(call.symbol)

    a_pass(desk)

    closed = stored(desk, trade)
    shares = trade.shares_held
    assert (closed.status, closed.exit_reason) == (TradeStatus.CLOSED, ExitReason.ASSIGNED)
    assert at_the_broker(desk) == {}
    gained = (call.strike - PUT_STRIKE) * shares
    premiums = trade.execution.entry_cash
    assert closed.pnl == premiums + gained - closed.execution.fees
    assert closed.pnl == cash_moved(desk) - closed.execution.fees
    legs = sum(each.realized_pnl or 0 for each in desk.book.positions(trade.trade_id))
    assert legs + closed.holdings.shares_realized == closed.pnl + closed.execution.fees
    portfolio = desk.book.ledger("portfolio")
    assert (portfolio.heat_cents, portfolio.capital_cents, portfolio.positions) == (0, 0, 0)


def bought_back(desk: TestDesk) -> tuple[Trade, MonitorReport]:
    trade = covered(desk)
    desk.world.with_option(call_of(trade), "0.04", "0.05", since=desk.exchange.now)
    report = a_pass(desk)
    carry_all(desk)
    return trade, report


def test_a_call_at_its_target_is_bought_back_and_the_shares_stay(desk: TestDesk) -> None:
    trade, report = bought_back(desk)
    assert report.exits_begun == {"profit_target": 1}
    held = stored(desk, trade)
    assert (held.status, held.exit_reason) == (TradeStatus.OPEN, None)
    assert (held.contracts_held, held.shares_held) == (0, trade.shares_held)
    assert at_the_broker(desk) == {"ACME": trade.shares_held}
    assert desk.close_intents()[-1].outcome == "closed"
    assert held.risk == trade.risk
    told = [each.subject for each in desk.alerts.published]
    assert "Closed options of ACME cash_secured_put: profit_target" in told


def test_a_call_ends_though_the_price_of_its_shares_moves_in_every_pass(desk: TestDesk) -> None:
    trade = covered(desk)
    quote_chain(desk, 32.5)
    assert a_pass(desk).exits_begun == {}
    quote_chain(desk, 31.5)
    desk.exchange.clock.advance(1)
    desk.world.with_option(call_of(trade), "0.04", "0.05", since=desk.exchange.now)
    assert a_pass(desk).exits_begun == {"profit_target": 1}
    carry_all(desk)
    held = stored(desk, trade)
    assert held.contracts_held == 0
    assert held.holdings.shares is not None
    assert held.holdings.shares.mark == Decimal("32.50")


def test_the_next_call_is_written_once_the_pause_is_over(desk: TestDesk) -> None:
    trade, _ = bought_back(desk)
    quote_chain(desk)
    assert a_pass(desk).covers_begun == 0
    desk.exchange.clock.advance(timedelta(minutes=15).total_seconds())
    quote_chain(desk)

    assert a_pass(desk).covers_begun == 1
    carry_all(desk)

    again = stored(desk, trade)
    assert again.contracts_held == trade.contracts_held
    put, call = again.campaign.parts
    assert (put.exit_reason, call.exit_reason) == (ExitReason.ASSIGNED, ExitReason.PROFIT_TARGET)
    assert call.structure == trade.structure
    assert again.execution.entry_cash + again.execution.exit_cash == cash_moved(desk)


def test_a_call_is_never_stopped_however_far_the_stock_rises(desk: TestDesk) -> None:
    trade = covered(desk)
    quote_chain(desk, 37.5)
    for _ in range(3):
        assert a_pass(desk).exits_begun == {}
    assert stored(desk, trade).contracts_held == trade.contracts_held


def test_an_owner_who_closes_the_trade_has_the_call_bought_back_before_its_shares_go(
    desk: TestDesk,
) -> None:
    trade = covered(desk)
    desk.book.commit(request_manual_exit(stored(desk, trade), desk.exchange.now))

    a_pass(desk)
    (call_close,) = desk.close_intents()
    assert (call_close.leg, call_close.shares) == (None, None)
    carry_all(desk)
    assert at_the_broker(desk) == {"ACME": trade.shares_held}

    a_pass(desk)
    assert desk.close_intents()[-1].shares == -trade.shares_held
    carry_all(desk)
    closed = stored(desk, trade)
    assert closed.status is TradeStatus.CLOSED
    assert at_the_broker(desk) == {}
    assert closed.pnl == cash_moved(desk) - closed.execution.fees


def test_shares_stay_as_long_as_their_call_cannot_be_bought_back(desk: TestDesk) -> None:
    trade = covered(desk)
    desk.book.commit(request_manual_exit(stored(desk, trade), desk.exchange.now))
    desk.world.with_option(call_of(trade), "0.40", None, since=desk.exchange.now)
    for _ in range(3):
        a_pass(desk)
        carry_all(desk)
    assert at_the_broker(desk) == {"ACME": trade.shares_held, call_of(trade): -trade.contracts_held}


def test_no_call_is_written_for_an_owner_who_did_not_ask(desk: TestDesk) -> None:
    trade = assigned_put(desk)
    set_settings(desk, "exits", cover_assigned_shares=())
    assert a_pass(desk).covers_begun == 0
    assert stored(desk, trade).shares_held == 100 * trade.contracts_held


def test_no_call_is_written_while_nothing_may_be_entered(desk: TestDesk) -> None:
    trade = assigned_put(desk)
    desk.control.set_trading_state(TradingState.REDUCING)
    assert a_pass(desk).covers_begun == 0
    assert stored(desk, trade).campaign.sought_at is None


def test_calls_on_their_way_send_no_order_once_entries_are_stopped(desk: TestDesk) -> None:
    trade = assigned_put(desk)
    assert a_pass(desk).covers_begun == 1
    desk.control.set_trading_state(TradingState.REDUCING)
    carry_all(desk)
    held = stored(desk, trade)
    assert (held.status, held.contracts_held) == (TradeStatus.OPEN, 0)
    assert latest_cover(desk, held).orders == ()


def test_no_call_is_written_on_shares_that_the_broker_does_not_hold(desk: TestDesk) -> None:
    trade = assigned_put(desk)
    shares = 100 * trade.contracts_held
    filled(desk.exchange, single_order("ACME", "sell", qty=shares))
    assert a_pass(desk).covers_begun == 0
    assert at_the_broker(desk) == {}


def test_shares_that_somebody_else_wrote_calls_on_are_not_free(desk: TestDesk) -> None:
    trade = assigned_put(desk)
    theirs = contract_symbol("C", 36, EXPIRATION)
    filled(desk.exchange, single_order(theirs, "sell", qty=trade.contracts_held))

    assert a_pass(desk).covers_begun == 0

    assert refusals(desk) == ["the broker does not hold the shares free that the book has"]
    assert at_the_broker(desk)[theirs] == -trade.contracts_held


@pytest.mark.parametrize("symbol", ["ACME", contract_symbol("C", 36, EXPIRATION)])
def test_no_call_is_written_beside_an_order_of_somebody_else_on_the_shares(
    desk: TestDesk, symbol: str
) -> None:
    trade = assigned_put(desk)
    desk.exchange.place_order(single_order(symbol, "sell", limit="90.00", qty=1))

    assert a_pass(desk).covers_begun == 0

    assert refusals(desk) == ["an order of somebody else works on the shares, or on calls on them"]
    assert stored(desk, trade).status is TradeStatus.OPEN


def test_shares_sold_between_the_decision_and_the_order_end_the_attempt(desk: TestDesk) -> None:
    trade = assigned_put(desk)
    assert a_pass(desk).covers_begun == 1
    filled(desk.exchange, single_order("ACME", "sell", qty=100))
    carry_all(desk)
    intent = latest_cover(desk, stored(desk, trade))
    assert (intent.status, intent.outcome, intent.orders) == (IntentStatus.DONE, "unfilled", ())


def test_a_call_below_the_basis_is_not_written(desk: TestDesk) -> None:
    trade = assigned_put(desk)
    quote_chain(desk, 25.5)
    set_settings(desk, "covered_call", credit_min=Decimal("0.20"))

    assert a_pass(desk).covers_begun == 0
    (why,) = refusals(desk)
    assert "strike_below_basis" in why
    assert stored(desk, trade).campaign.sought_at is not None


def test_an_owner_may_have_a_call_written_below_the_basis(desk: TestDesk) -> None:
    trade = assigned_put(desk)
    quote_chain(desk, 25.5)
    set_settings(desk, "covered_call", below_basis=("ACME",), credit_min=Decimal("0.20"))
    assert a_pass(desk).covers_begun == 1
    carry_all(desk)
    assert parse_occ_symbol(call_of(stored(desk, trade))).strike < PUT_STRIKE


def test_a_call_that_nobody_buys_leaves_the_shares_as_they_were(desk: TestDesk) -> None:
    trade = assigned_put(desk)
    a_pass(desk)
    wanted = latest_cover(desk, stored(desk, trade)).signal
    assert wanted is not None
    symbol = wanted.structure.symbols[0]
    desk.world.with_option(symbol, "0.05", "0.10", since=desk.exchange.now)
    carry_all(desk)
    held = stored(desk, trade)
    assert (held.status, held.contracts_held, held.campaign.parts) == (TradeStatus.OPEN, 0, ())
    assert latest_cover(desk, held).outcome == "unfilled"


class BlindBroker:
    """Take an order, lose the answer, and show nothing of the order as long as it is blind."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self.is_blind = True

    def submit(self, request: OrderRequest) -> BrokerOrder:
        self._broker.submit(request)
        raise BrokerUnavailable("no answer")

    def order_by_client_id(self, client_order_id: str) -> BrokerOrder | None:
        return None if self.is_blind else self._broker.order_by_client_id(client_order_id)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)


def test_calls_that_filled_after_they_were_given_up_are_booked(desk: TestDesk) -> None:
    put = assigned_put(desk)
    a_pass(desk)
    blind = BlindBroker(desk.desk.broker)
    desk.desk = replace(desk.desk, broker=cast("Broker", blind))
    step = StepInput(intent_id=latest_cover(desk, stored(desk, put)).intent_id)
    with pytest.raises(BrokerUnavailable):
        place_order(desk.desk, step)
    symbol = order_of(desk)
    desk.world.with_option(symbol, "2.00", "2.05", since=desk.exchange.now)
    desk.exchange.clock.advance(LANDING_SECONDS_MAX + 5)
    assert reconcile_order(desk.desk, step).outcome == "unfilled"
    desk.workflows.end(step.intent_id)
    assert at_the_broker(desk)[symbol] == -put.contracts_held
    blind.is_blind = False

    assert a_pass(desk).differences == 0

    again = stored(desk, put)
    assert (again.status, call_of(again)) == (TradeStatus.OPEN, symbol)
    assert again.contracts_held == put.contracts_held
    assert again.execution.entry_cash + again.execution.exit_cash == cash_moved(desk)


def order_of(desk: TestDesk) -> str:
    return desk.exchange.orders[-1].legs[0].symbol
