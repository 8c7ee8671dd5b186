"""A roll keeps one trade, one stop and one P&L, whatever of it fills."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from agent.book.changes import BookChange, LedgerField, LedgerMove
from agent.book.fills import FillSummary, summarize_fills
from agent.book.intents import (
    IntentKind,
    IntentStatus,
    OrderAttempt,
    OrderPart,
    OrderStatus,
    RefusalKind,
)
from agent.book.records import AlertKind, Campaign, PositionStatus, RollResidue, StopWatch, Trade
from agent.book.roll_fills import (
    RollLadders,
    RollStep,
    is_one_order,
    next_roll_step,
    part_symbols,
    roll_signal_of,
    rolled_contracts,
    summarize_roll,
)
from agent.book.roll_settlement import residue_view, settle_residue, settle_roll
from agent.book.rolling import RollPlan, begin_roll, note_roll_sought
from agent.book.states import ExitReason, TradeStatus
from agent.options.contracts import OptionType
from agent.options.structures import Leg, LegSide, Structure
from tests.builders import (
    AS_OF,
    LATER_EXPIRATION,
    ROLL_INTENT_ID,
    TRADE_ID,
    a_close_intent,
    a_contract,
    a_later_spread,
    a_put_spread,
    a_risk,
    a_roll_intent,
    a_signal,
    a_trade,
    an_execution,
    an_intent,
    positions_of,
)

REFUSED: dict[str, Any] = {"status": OrderStatus.REJECTED, "refusal": RefusalKind.LEGS}
LADDERS = RollLadders(whole=2, close=2, open=2)
FORMER, FOLLOWING = a_put_spread(), a_later_spread()
PRICES = {
    OrderPart.WHOLE: ("2.10", "0.60", "3.00", "1.20"),
    OrderPart.CLOSE: ("2.10", "0.60"),
    OrderPart.OPEN: ("3.00", "1.20"),
}
NET = {
    OrderPart.WHOLE: Decimal("0.30"),
    OrderPart.CLOSE: Decimal("-1.50"),
    OrderPart.OPEN: Decimal("1.80"),
}


def order(
    part: OrderPart = OrderPart.WHOLE,
    filled: int = 0,
    status: OrderStatus | None = None,
    **changes: Any,
) -> OrderAttempt:
    """Trade two contracts of a part: closing costs 1.50, reopening brings 1.80."""
    ended = OrderStatus.FILLED if filled == 2 else OrderStatus.CANCELED
    return OrderAttempt(
        **{
            "client_order_id": f"{ROLL_INTENT_ID}-o1",
            "contracts": 2,
            "part": part,
            "limit_cash": NET[part],
            "mid_cash": NET[part],
            "natural_cash": NET[part],
            "submitted_at": AS_OF,
            "status": status or ended,
            "filled_contracts": filled,
            "filled_cash": NET[part] if filled else None,
            "leg_prices": tuple(map(Decimal, PRICES[part])) if filled else (),
            "filled_at": AS_OF if filled else None,
        }
        | changes
    )


def rolling(**changes: Any) -> Trade:
    return a_trade(TradeStatus.ROLLING, exit_reason=ExitReason.ROLL, **changes)


def settled(orders: Sequence[OrderAttempt], trade: Trade | None = None) -> BookChange:
    before = trade or rolling()
    intent = a_roll_intent(orders=tuple(orders))
    return settle_roll(
        before,
        positions_of(before),
        intent,
        summarize_roll(intent, before.structure),
        fees=Decimal("0.34"),
        max_loss=Decimal("760.00"),
        risk=a_risk(heat_cents=40_000),
        adjustment=(),
        at=AS_OF,
    )


def trade_of(change: BookChange) -> Trade:
    assert change.trade is not None
    return change.trade.trade


# Beginning


def plan() -> RollPlan:
    return RollPlan(
        signal=a_signal(structure=FOLLOWING),
        net_credit_min=Decimal("0.01"),
        risk=a_risk(heat_cents=60_000, capital_cents=70_000),
        sentence="Threatened.",
    )


def test_a_roll_begins_with_its_intent_its_reservation_and_the_trade_in_one_change() -> None:
    move = LedgerMove("portfolio", {LedgerField.HEAT_CENTS: 12_000})
    change, intent = begin_roll(a_trade(), plan(), (move,), AS_OF)
    trade = trade_of(change)
    assert trade.status is TradeStatus.ROLLING
    assert (trade.campaign.attempts, trade.campaign.sought_at) == (1, AS_OF)
    assert (intent.intent_id, intent.kind, intent.contracts) == (
        ROLL_INTENT_ID,
        IntentKind.ROLL,
        2,
    )
    assert roll_signal_of(intent).structure == FOLLOWING
    assert change.ledger == (move,)
    assert [write.intent for write in change.intents] == [intent]


def test_while_it_rolls_a_trade_reserves_the_larger_of_both_structures() -> None:
    trade = trade_of(begin_roll(a_trade(), plan(), (), AS_OF)[0])
    assert (trade.risk.heat_cents, trade.risk.capital_cents) == (60_000, 77_000)
    assert trade.risk.sizing_loss_per_contract == a_risk().sizing_loss_per_contract


def test_a_second_attempt_has_an_id_of_its_own() -> None:
    trade = a_trade(campaign=Campaign(attempts=1))
    assert begin_roll(trade, plan(), (), AS_OF)[1].intent_id == f"{TRADE_ID}-roll-2"


def test_nothing_rolls_on_top_of_a_residue() -> None:
    residue = RollResidue(
        structure=FORMER,
        contracts=1,
        opened=2,
        sizing_loss_per_contract=Decimal(240),
        capital_per_contract=Decimal(385),
    )
    with pytest.raises(ValueError, match="left behind"):
        begin_roll(a_trade(campaign=Campaign(residue=residue)), plan(), (), AS_OF)


def test_a_roll_that_was_not_found_is_kept_with_its_reason() -> None:
    change = note_roll_sought(a_trade(), "no net credit", AS_OF)
    trade = trade_of(change)
    assert (trade.status, trade.campaign.sought_at) == (TradeStatus.OPEN, AS_OF)
    assert change.events[0].details == {"reason": "no net credit"}


def test_an_entry_is_no_roll() -> None:
    with pytest.raises(ValueError, match="not a roll"):
        roll_signal_of(an_intent())


# What is sent next


def step(*orders: OrderAttempt, following: Structure = FOLLOWING) -> RollStep | None:
    signal = a_signal(structure=following)
    return next_roll_step(a_roll_intent(orders=orders, signal=signal), LADDERS)


def test_four_legs_go_as_one_order_down_its_ladder() -> None:
    assert step() == RollStep(OrderPart.WHOLE, 2, 0)
    assert step(order()) == RollStep(OrderPart.WHOLE, 2, 1)
    assert step(order(), order()) is None


def test_what_filled_is_not_sent_again() -> None:
    assert step(order(filled=1)) == RollStep(OrderPart.WHOLE, 1, 1)
    assert step(order(filled=2)) is None


def test_a_broker_that_refuses_the_one_order_gets_the_close_and_then_the_opening() -> None:
    refused = order(**REFUSED)
    assert step(refused) == RollStep(OrderPart.CLOSE, 2, 0)
    unclosed = order(OrderPart.CLOSE)
    assert step(refused, unclosed) == RollStep(OrderPart.CLOSE, 2, 1)
    closed = order(OrderPart.CLOSE, filled=2)
    assert step(refused, closed) == RollStep(OrderPart.OPEN, 2, 0)
    assert step(refused, closed, order(OrderPart.OPEN, filled=2)) is None


def test_any_other_refusal_of_the_one_order_ends_the_roll() -> None:
    assert step(order(status=OrderStatus.REJECTED, refusal=RefusalKind.DAY)) is None
    passing = order(status=OrderStatus.REJECTED, refusal=RefusalKind.RETRYABLE)
    assert step(passing) == RollStep(OrderPart.WHOLE, 2, 1)


def test_only_what_was_closed_is_opened_anew() -> None:
    refused = order(**REFUSED)
    parts = (refused, order(OrderPart.CLOSE, filled=1), order(OrderPart.CLOSE))
    assert step(*parts) == RollStep(OrderPart.OPEN, 1, 0)
    assert step(*parts, order(OrderPart.OPEN)) == RollStep(OrderPart.OPEN, 1, 1)
    assert step(*parts, order(OrderPart.OPEN), order(OrderPart.OPEN)) is None


def test_a_refused_close_or_opening_ends_the_roll() -> None:
    refused = order(**REFUSED)
    assert step(refused, order(OrderPart.CLOSE, **REFUSED)) is None
    closed = order(OrderPart.CLOSE, filled=2)
    assert step(refused, closed, order(OrderPart.OPEN, **REFUSED)) is None


def test_single_puts_and_condors_roll_in_two_orders() -> None:
    put = Structure((Leg(a_contract(expiration=LATER_EXPIRATION), LegSide.SHORT),))
    sold = a_contract(strike="220", option_type=OptionType.CALL)
    bought = a_contract(strike="225", option_type=OptionType.CALL)
    condor = Structure((*FORMER.legs, Leg(sold, LegSide.SHORT), Leg(bought, LegSide.LONG)))
    assert is_one_order(FOLLOWING)
    for structure in (put, condor):
        assert not is_one_order(structure)
        assert step(following=structure) == RollStep(OrderPart.CLOSE, 2, 0)


def test_each_order_knows_the_contracts_it_is_about() -> None:
    assert part_symbols(OrderPart.WHOLE, FORMER, FOLLOWING) == FORMER.symbols + FOLLOWING.symbols
    assert part_symbols(OrderPart.CLOSE, FORMER, FOLLOWING) == FORMER.symbols
    assert part_symbols(OrderPart.OPEN, FORMER, FOLLOWING) == FOLLOWING.symbols


# Fills


def test_one_orders_fill_is_taken_apart_by_its_legs() -> None:
    fills = summarize_roll(a_roll_intent(orders=(order(filled=2),)), FORMER)
    assert (fills.closed.cash_per_share, fills.closed.cash) == (Decimal("-1.50"), Decimal(-300))
    assert (fills.opened.cash_per_share, fills.opened.cash) == (Decimal("1.80"), Decimal(360))
    assert fills.opened.leg_prices == (Decimal("3.00"), Decimal("1.20"))
    assert fills.net_credit == Decimal("0.30")


def test_a_roll_of_which_nothing_filled_has_no_net() -> None:
    fills = summarize_roll(a_roll_intent(orders=(order(), order())), FORMER)
    assert (fills.closed.contracts, fills.opened.contracts, fills.net_credit) == (0, 0, None)
    assert fills.closed.reprices == 1


def test_a_fill_of_unknown_price_is_refused() -> None:
    unknown = order(filled=2, leg_prices=(Decimal("2.10"),))
    with pytest.raises(ValueError, match="unknown price"):
        summarize_roll(a_roll_intent(orders=(unknown,)), FORMER)
    with pytest.raises(ValueError, match="unknown price"):
        summarize_roll(a_roll_intent(orders=(order(filled=2, filled_cash=None),)), FORMER)


# Settling


def test_a_rolled_trade_is_open_in_its_new_structure_with_the_campaigns_credit() -> None:
    change = settled([order(filled=2)])
    trade = trade_of(change)
    assert (trade.status, trade.structure, trade.exit_reason) == (
        TradeStatus.OPEN,
        FOLLOWING,
        None,
    )
    execution = trade.execution
    assert execution.credit == Decimal("1.50")  # 1.20 at entry and 0.30 by the roll
    assert (execution.contracts, execution.contracts_closed) == (2, 0)
    assert (execution.entry_cash, execution.exit_cash) == (Decimal("600.00"), Decimal("-300.00"))
    assert execution.fees == Decimal("0.51")
    assert change.intents[0].intent.outcome == "rolled"
    assert change.intents[0].intent.status is IntentStatus.DONE


def test_the_campaign_keeps_what_was_rolled_and_its_first_budget() -> None:
    campaign = trade_of(settled([order(filled=2)])).campaign
    (part,) = campaign.parts
    assert (campaign.rolls, campaign.residue) == (1, None)
    assert (campaign.budget_per_contract, campaign.max_loss) == (Decimal(240), Decimal(760))
    assert (part.structure, part.contracts, part.exit_reason) == (FORMER, 2, ExitReason.ROLL)
    assert (part.credit, part.debit) == (Decimal("1.20"), Decimal("1.50"))


def test_a_second_roll_keeps_the_budget_of_the_entry() -> None:
    before = rolling(campaign=Campaign(rolls=1, attempts=2, budget_per_contract=Decimal(200)))
    campaign = trade_of(settled([order(filled=2)], before)).campaign
    assert (campaign.rolls, campaign.budget_per_contract) == (2, Decimal(200))


def test_a_stop_that_its_owner_moved_stays_at_the_same_loss_of_the_campaign() -> None:
    before = rolling(stop_debit=Decimal("2.00"), stop_watch=StopWatch(passes=1))
    trade = trade_of(settled([order(filled=2)], before))
    assert trade.stop_debit == Decimal("2.30")
    assert trade.stop_watch == StopWatch()


def test_old_legs_are_closed_and_new_ones_are_held() -> None:
    positions = settled([order(filled=2)]).positions
    assert [p.status for p in positions] == [PositionStatus.CLOSED] * 2 + [PositionStatus.OPEN] * 2
    assert [p.option_symbol for p in positions] == [*FORMER.symbols, *FOLLOWING.symbols]
    assert len({p.position_id for p in positions}) == 4
    assert [p.quantity for p in positions[2:]] == [2, 2]
    assert [p.exit_price for p in positions[:2]] == [Decimal("2.10"), Decimal("0.60")]


def test_the_owner_hears_of_a_roll() -> None:
    (alert,) = settled([order(filled=2)]).alerts
    assert alert.kind is AlertKind.TRADE_EXECUTED
    assert "-190P/+185P 2026-07-17 to AAPL -185P/+180P 2026-08-21" in alert.message
    assert "net credit of 0.30" in alert.message


def test_an_unfilled_roll_leaves_the_trade_as_it_was() -> None:
    change = settled([order(), order()])
    trade = trade_of(change)
    assert (trade.status, trade.structure, trade.contracts_held) == (TradeStatus.OPEN, FORMER, 2)
    assert (trade.campaign.rolls, trade.exit_reason) == (0, None)
    assert change.intents[0].intent.outcome == "unfilled"
    assert (change.alerts, change.positions) == ((), ())


def test_what_could_not_be_closed_is_left_as_a_residue() -> None:
    change = settled([order(filled=1)])
    trade = trade_of(change)
    assert (trade.structure, trade.contracts_held) == (FOLLOWING, 1)
    residue = trade.campaign.residue
    assert residue is not None
    assert (residue.structure, residue.contracts) == (FORMER, 1)
    assert trade.structures_held == ((FOLLOWING, 1), (FORMER, 1))
    assert [p.quantity for p in change.positions] == [1, 1, 1, 1]
    assert {p.status for p in change.positions} == {PositionStatus.OPEN}


def test_a_trade_that_was_closed_and_not_reopened_is_over_for_the_reason_of_the_roll() -> None:
    refused = order(**REFUSED)
    change = settled([refused, order(OrderPart.CLOSE, filled=2), order(OrderPart.OPEN)])
    trade = trade_of(change)
    assert (trade.status, trade.exit_reason) == (TradeStatus.CLOSED, ExitReason.ROLL)
    assert trade.pnl == Decimal("240.00") - Decimal("300.00") - Decimal("0.51")
    assert trade.pnl_pct == trade.pnl / 760
    assert change.alerts[0].kind is AlertKind.POSITION_CLOSED


def test_a_trade_closed_in_part_and_not_reopened_keeps_the_rest() -> None:
    refused = order(**REFUSED)
    change = settled([refused, order(OrderPart.CLOSE, filled=1), order(OrderPart.OPEN)])
    trade = trade_of(change)
    assert (trade.status, trade.structure, trade.contracts_held) == (TradeStatus.OPEN, FORMER, 1)
    assert trade.execution.exit_debit == Decimal("1.50")
    assert trade.campaign.rolls == 0
    assert "the rest stays" in change.alerts[0].message


def test_a_contract_closed_before_keeps_its_price_in_the_average() -> None:
    before = rolling(
        execution=an_execution(
            contracts=3,
            contracts_closed=1,
            exit_debit=Decimal("0.90"),
            exit_cash=Decimal("-90.00"),
        )
    )
    refused = order(**REFUSED)
    trade = trade_of(settled([refused, order(OrderPart.CLOSE, filled=1)], before))
    assert (trade.execution.contracts_closed, trade.execution.exit_debit) == (2, Decimal("1.20"))


def test_more_can_neither_be_opened_than_closed_nor_closed_than_held() -> None:
    with pytest.raises(ValueError, match="more than was held"):
        settled([order(OrderPart.OPEN, filled=1)])
    with pytest.raises(ValueError, match="more than was held"):
        settled([order(filled=2), order(filled=1)])


def test_a_trade_without_a_credit_cannot_roll() -> None:
    with pytest.raises(ValueError, match="without ever having opened"):
        settled([order(filled=2)], rolling(execution=an_execution(credit=None)))


def test_a_leg_of_unknown_entry_price_is_left_as_it_is() -> None:
    before = rolling()
    intent = a_roll_intent(orders=(order(filled=2),))
    unknown = tuple(p.model_copy(update={"entry_price": None}) for p in positions_of(before))
    change = settle_roll(
        before,
        unknown,
        intent,
        summarize_roll(intent, FORMER),
        fees=Decimal(0),
        max_loss=Decimal(0),
        risk=a_risk(),
        adjustment=(),
        at=AS_OF,
    )
    assert change.positions[:2] == unknown


# The residue


def with_residue(contracts: int = 1) -> tuple[Trade, BookChange]:
    change = settled([order(filled=2 - contracts)])
    trade = trade_of(change).model_copy(update={"status": TradeStatus.CLOSING})
    return trade, change


def residue_fills(contracts: int) -> FillSummary:
    return summarize_fills([order(OrderPart.CLOSE, filled=contracts)], FORMER)


def residue_settled(trade: Trade, change: BookChange, contracts: int) -> BookChange:
    return settle_residue(
        trade,
        change.positions,
        a_close_intent(of_residue=True),
        residue_fills(contracts),
        fees=Decimal("0.08"),
        risk=a_risk(),
        release=(),
        at=AS_OF,
    )


def test_a_residue_that_is_closed_leaves_the_new_structure_alone() -> None:
    trade, change = with_residue()
    after = residue_settled(trade, change, 1)
    following = trade_of(after)
    assert (following.status, following.campaign.residue) == (TradeStatus.OPEN, None)
    assert (following.structure, following.contracts_held) == (FOLLOWING, 1)
    assert following.execution.exit_cash == Decimal("-300.00")
    assert [p.status for p in after.positions] == [PositionStatus.CLOSED] * 2
    assert [p.option_symbol for p in after.positions] == list(FORMER.symbols)


def test_a_residue_that_did_not_fill_stays() -> None:
    trade, change = with_residue()
    following = trade_of(residue_settled(trade, change, 0))
    assert following.campaign.residue == trade.campaign.residue
    assert following.status is TradeStatus.OPEN


def test_no_more_of_a_residue_is_closed_than_there_is() -> None:
    trade, change = with_residue()
    with pytest.raises(ValueError, match="left behind"):
        residue_settled(trade, change, 2)
    bare = trade.model_copy(update={"campaign": Campaign()})
    with pytest.raises(ValueError, match="no residue"):
        residue_settled(bare, change, 1)


def test_an_order_about_a_residue_sees_nothing_else_of_the_trade() -> None:
    trade, _ = with_residue()
    view = residue_view(trade)
    assert (view.structure, view.contracts_held, view.version) == (FORMER, 1, trade.version)
    assert view.campaign.residue is None
    with pytest.raises(ValueError, match="no residue"):
        residue_view(view)


def test_contracts_that_went_the_whole_way_are_those_rolled_or_reopened() -> None:
    refused = order(filled=1, **REFUSED)
    closed = order(OrderPart.CLOSE, filled=1)
    intent = a_roll_intent(orders=(refused, closed, order(OrderPart.OPEN, filled=1)))
    assert rolled_contracts(intent) == 2
