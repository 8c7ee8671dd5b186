"""An entry from its intent to its record, step by step."""

from decimal import Decimal

import pytest

from agent.book.intents import IntentStatus, OrderStatus
from agent.book.states import TradeStatus
from agent.ports import TradingState
from agent.risk.checks import Check
from agent.risk.reservation import PORTFOLIO_KEY, day_key, symbol_key
from agent.use_cases.check_risk import check_risk
from agent.use_cases.place_order import AccountMismatch, place_order
from agent.use_cases.poll_fill import poll_fill
from agent.use_cases.reconcile_order import reconcile_order
from agent.use_cases.record_fill import record_fill
from agent.use_cases.size_position import size_position
from agent.use_cases.steps import FillStatus, IntentMissing, OrderStillWorking, StepInput
from tests.simulation.exchange.small_world import MONDAY
from tests.unit.use_cases.conftest import TestDesk


def step(intent_id: str) -> StepInput:
    return StepInput(intent_id=intent_id)


def test_an_entry_walks_its_ladder_until_the_exchange_fills_it(desk: TestDesk) -> None:
    trade = desk.open_trade()
    intent = desk.book.all_intents()[0]
    # Mid 1.20, natural 1.10; the exchange fills 30 % of the way: the second rung, at 35 %.
    assert [order.limit_cash for order in intent.orders] == [Decimal("1.20"), Decimal("1.17")]
    assert trade.status is TradeStatus.OPEN
    assert trade.execution.credit == Decimal("1.17")
    assert trade.execution.entry_slippage == Decimal("0.03")
    assert trade.execution.reprices == 1
    quality = trade.execution.entry_quality
    assert quality is not None
    assert quality.slippage_at_fill == Decimal("0.03")
    assert quality.conceded_fraction == Decimal("0.3")
    assert quality.fill_seconds is not None
    assert quality.fill_seconds > 0
    assert len(desk.alerts.published) == 1


def test_the_broker_holds_what_the_book_says(desk: TestDesk) -> None:
    trade = desk.open_trade()
    held = {position.symbol: position.quantity for position in desk.desk.broker.positions()}
    contracts = trade.execution.contracts
    short, long = trade.structure.symbols
    assert held == {short: -contracts, long: contracts}


def test_the_ledger_holds_the_filled_risk(desk: TestDesk) -> None:
    trade = desk.open_trade()
    assert desk.book.ledger(PORTFOLIO_KEY).heat_cents == trade.risk.heat_cents
    assert desk.book.ledger(symbol_key("ACME")).positions == 1
    assert desk.book.ledger(day_key(MONDAY)).entries == 1


def test_fixed_risk_sizes_the_trade(desk: TestDesk) -> None:
    intent = desk.reserve()
    # 1 % of 100,000 over a loss of 3.90 a share at the least credit, and fees: two contracts.
    assert desk.trade(intent).risk.contracts_reserved == 2


def test_every_step_may_run_twice_and_trades_once(desk: TestDesk) -> None:
    intent = desk.reserve()
    assert size_position(desk.desk, step(intent.intent_id)).contracts == 2
    assert check_risk(desk.desk, step(intent.intent_id)).approved
    first = place_order(desk.desk, step(intent.intent_id))
    second = place_order(desk.desk, step(intent.intent_id))
    assert first == second
    assert len(desk.exchange.orders) == 1


def test_a_settled_intent_is_left_alone_by_every_step(desk: TestDesk) -> None:
    trade = desk.open_trade()
    intent = desk.book.all_intents()[0]
    assert not check_risk(desk.desk, step(intent.intent_id)).approved
    assert not size_position(desk.desk, step(intent.intent_id)).reserved
    assert not place_order(desk.desk, step(intent.intent_id)).placed
    assert poll_fill(desk.desk, step(intent.intent_id)).status is FillStatus.COMPLETE
    assert record_fill(desk.desk, step(intent.intent_id)).outcome == "opened"
    assert reconcile_order(desk.desk, step(intent.intent_id)).settled
    assert desk.trade(intent) == trade
    assert len(desk.alerts.published) == 1


def test_an_entry_that_nobody_takes_gives_its_risk_back(desk: TestDesk) -> None:
    intent = desk.reserve()
    # The market moves away after the decision: natural is now below the least credit.
    desk.world.with_option(
        desk.trade(intent).structure.symbols[0], "2.20", "2.44", since=desk.exchange.now
    )
    result = desk.carry(intent)
    assert result.outcome.startswith("cancelled")
    assert desk.trade(intent).status is TradeStatus.CANCELLED
    assert desk.book.ledger(PORTFOLIO_KEY).heat_cents == 0
    assert desk.book.ledger(day_key(MONDAY)).entries == 0
    assert not desk.book.positions(intent.trade_id)


def test_an_entry_needs_a_quote_of_now(desk: TestDesk) -> None:
    intent = desk.reserve()
    desk.world.with_option(
        desk.trade(intent).structure.symbols[0], None, "2.45", since=desk.exchange.now
    )
    assert not place_order(desk.desk, step(intent.intent_id)).placed
    assert not desk.exchange.orders
    assert "quote" in record_fill(desk.desk, step(intent.intent_id)).outcome


@pytest.mark.parametrize("state", [TradingState.REDUCING, TradingState.HALTED])
def test_the_trading_state_is_asked_again_at_submission(
    desk: TestDesk, state: TradingState
) -> None:
    intent = desk.reserve()
    desk.control.set_trading_state(state)
    placed = place_order(desk.desk, step(intent.intent_id))
    assert placed.reason == f"trading is {state}"
    assert not desk.exchange.orders


def test_keys_of_another_account_place_nothing(desk: TestDesk) -> None:
    intent = desk.reserve()
    desk.control.bind_account("PA-SOMEBODY-ELSE")
    with pytest.raises(AccountMismatch, match="PA-SOMEBODY-ELSE"):
        place_order(desk.desk, step(intent.intent_id))
    assert not desk.exchange.orders


def test_a_refused_entry_keeps_every_finding(desk: TestDesk) -> None:
    desk.exchange.book.cash = Decimal(20_000)  # 1 % of it bears no contract of this spread
    intent = desk.state_entry()
    verdict = check_risk(desk.desk, step(intent.intent_id))
    assert not verdict.approved
    assert verdict.reason is not None
    assert "sizing" in verdict.reason
    refused = next(e for e in desk.book.journal(MONDAY) if e.kind == "entry_refused")
    assert set(Check) <= set(refused.details)
    assert not desk.exchange.orders


@pytest.mark.parametrize("state", [TradingState.REDUCING, TradingState.HALTED])
def test_no_entry_is_approved_while_trading_is_restricted(
    desk: TestDesk, state: TradingState
) -> None:
    desk.control.set_trading_state(state)
    intent = desk.state_entry()
    assert check_risk(desk.desk, step(intent.intent_id)).reason == f"trading_{state}"


def test_a_decision_grows_stale(desk: TestDesk) -> None:
    intent = desk.state_entry()
    desk.exchange.clock.advance(301)
    assert check_risk(desk.desk, step(intent.intent_id)).reason == "stale_signal"


def test_no_entry_is_approved_after_the_close(desk: TestDesk) -> None:
    intent = desk.state_entry()
    desk.exchange.clock.advance(5 * 3600)
    assert check_risk(desk.desk, step(intent.intent_id)).reason == "market_closed"


def test_an_intent_that_nobody_stated_is_an_error(desk: TestDesk) -> None:
    with pytest.raises(IntentMissing, match="no intent nobody"):
        place_order(desk.desk, step("nobody"))


def test_an_order_that_works_is_not_recorded(desk: TestDesk) -> None:
    intent = desk.reserve()
    assert place_order(desk.desk, step(intent.intent_id)).placed
    with pytest.raises(OrderStillWorking):
        record_fill(desk.desk, step(intent.intent_id))


def test_reconciling_cancels_what_works_and_settles_the_rest(desk: TestDesk) -> None:
    intent = desk.reserve()
    assert place_order(desk.desk, step(intent.intent_id)).placed
    assert reconcile_order(desk.desk, step(intent.intent_id)).settled
    assert desk.trade(intent).status is TradeStatus.CANCELLED
    assert desk.intent(intent.intent_id).status is IntentStatus.DONE
    assert [order.status for order in desk.intent(intent.intent_id).orders] == [
        OrderStatus.CANCELED
    ]


def test_an_entry_that_was_never_reserved_is_given_up(desk: TestDesk) -> None:
    intent = desk.state_entry()
    assert reconcile_order(desk.desk, step(intent.intent_id)).outcome == "never_reserved"
    # A sizing step that comes late finds it ended.
    assert not size_position(desk.desk, step(intent.intent_id)).reserved
    assert desk.book.trade(intent.trade_id) is None
