from decimal import Decimal

import pytest

from agent.book.changes import BookChange
from agent.book.fills import FillSummary
from agent.book.intents import IntentStatus, Urgency
from agent.book.records import AlertKind, PositionStatus, Trade
from agent.book.states import ExitReason, TradeStatus, TransitionRefused
from agent.book.transitions import (
    abandon_entry,
    begin_close,
    describe,
    mark_open,
    note_outcome,
    open_trade,
    record_orders,
    refuse_entry,
    reserve_entry,
    settle_close,
    write_entry_intent,
)
from tests.builders import (
    AS_OF,
    ENTRY_INTENT_ID,
    TRADE_ID,
    a_close_intent,
    a_risk,
    a_signal,
    a_trade,
    an_execution,
    an_intent,
    an_order_attempt,
)


def fills(contracts: int, cash_per_share: str, legs: tuple[str, str]) -> FillSummary:
    price = Decimal(cash_per_share)
    return FillSummary(
        contracts=contracts,
        cash=price * contracts * 100,
        cash_per_share=price,
        leg_prices=(Decimal(legs[0]), Decimal(legs[1])),
        slippage=Decimal("0.05"),
        filled_at=AS_OF,
        reprices=1,
    )


NOTHING = FillSummary(0, Decimal(0), None, None, None, None, 0)


def opened(contracts: int = 2) -> BookChange:
    return open_trade(
        a_trade(TradeStatus.PENDING),
        an_intent(),
        fills(contracts, "1.20", ("3.40", "2.20")),
        risk=a_risk(contracts_reserved=contracts),
        fees=Decimal("0.17"),
        adjustment=(),
        at=AS_OF,
    )


def test_the_alert_of_an_entry_says_what_the_owner_should_know_of_it() -> None:
    warned = a_signal(warnings=("The stop is out of reach.",))
    change = open_trade(
        a_trade(TradeStatus.PENDING),
        an_intent(signal=warned),
        fills(2, "1.20", ("3.40", "2.20")),
        risk=a_risk(),
        fees=Decimal("0.17"),
        adjustment=(),
        at=AS_OF,
    )
    assert change.alerts[0].message.endswith(f"({TRADE_ID}). The stop is out of reach.")


def settled(trade: Trade, exit_fills: FillSummary) -> BookChange:
    return settle_close(
        trade,
        opened().positions,
        a_close_intent(),
        exit_fills,
        fees=Decimal("0.17"),
        max_loss=Decimal("760.00"),
        release=(),
        risk=a_risk(),
        at=AS_OF,
    )


def closing(**changes: object) -> Trade:
    return a_trade(
        TradeStatus.CLOSING, exit_reason=ExitReason.PROFIT_TARGET, close_attempts=1, **changes
    )


def trade_of(change: BookChange) -> Trade:
    assert change.trade is not None
    return change.trade.trade


def test_an_entry_is_stated_before_anything_else() -> None:
    change = write_entry_intent(ENTRY_INTENT_ID, TRADE_ID, a_signal(), AS_OF)
    assert change.trade is None
    assert change.intents[0].expected_version is None


def test_a_refused_entry_keeps_its_findings() -> None:
    change = refuse_entry(an_intent(), "portfolio_heat", AS_OF, {"portfolio_heat": "too hot"})
    assert change.intents[0].intent.status is IntentStatus.DONE
    assert change.intents[0].intent.outcome == "refused: portfolio_heat"
    assert change.events[0].details["portfolio_heat"] == "too hot"


def test_reserving_creates_the_pending_trade_and_moves_the_intent_along() -> None:
    change = reserve_entry(an_intent(), a_risk(), (), AS_OF)
    assert trade_of(change).status is TradeStatus.PENDING
    assert change.trade is not None
    assert change.trade.expected_status is None
    # An entry that was given up in between has another version: this write then fails.
    assert change.intents[0].expected_version == an_intent().version
    assert change.intents[0].intent.status is IntentStatus.WRITTEN


def test_reserving_needs_a_signal() -> None:
    with pytest.raises(ValueError, match="is not an entry"):
        reserve_entry(a_close_intent(), a_risk(), (), AS_OF)


def test_orders_and_outcomes_are_kept_under_the_intents_version() -> None:
    intent = an_intent()
    orders = record_orders(intent, [an_order_attempt()])
    noted = note_outcome(intent, "trading is halted")
    assert orders.expected_version == noted.expected_version == intent.version
    assert noted.intent.status is IntentStatus.WRITTEN


def test_a_filled_entry_opens_one_position_a_leg() -> None:
    change = opened()
    trade = trade_of(change)
    assert trade.status is TradeStatus.OPEN
    assert trade.execution.credit == Decimal("1.20")
    assert trade.execution.entry_cash == Decimal("240.00")
    assert [position.quantity for position in change.positions] == [2, 2]
    assert [position.entry_delta for position in change.positions] == [-0.25, -0.18]
    assert change.alerts[0].kind is AlertKind.TRADE_EXECUTED


def test_an_entry_of_which_nothing_filled_cannot_open() -> None:
    with pytest.raises(ValueError, match="nothing filled"):
        open_trade(
            a_trade(TradeStatus.PENDING),
            an_intent(),
            NOTHING,
            risk=a_risk(),
            fees=Decimal(0),
            adjustment=(),
            at=AS_OF,
        )


def test_an_abandoned_entry_keeps_why() -> None:
    change = abandon_entry(
        a_trade(TradeStatus.PENDING),
        an_intent(),
        status=TradeStatus.CANCELLED,
        reason="nobody took the other side",
        release=(),
        at=AS_OF,
    )
    assert trade_of(change).status is TradeStatus.CANCELLED
    assert change.intents[0].intent.outcome == "cancelled: nobody took the other side"


def test_a_close_is_stated_with_the_trade_in_one_change() -> None:
    change, intent = begin_close(
        a_trade(), ExitReason.STOP_LOSS, Urgency.URGENT, "the stop was seen twice", AS_OF
    )
    assert trade_of(change).status is TradeStatus.CLOSING
    assert trade_of(change).close_attempts == intent.attempt == 1
    assert change.intents[0].intent is intent


def test_a_trade_that_is_closing_cannot_begin_to_close_again() -> None:
    with pytest.raises(TransitionRefused):
        begin_close(closing(), ExitReason.STOP_LOSS, Urgency.URGENT, "again", AS_OF)


def test_a_full_exit_closes_with_the_sum_of_signed_cash_flows() -> None:
    change = settled(closing(), fills(2, "-0.60", ("1.50", "0.90")))
    trade = trade_of(change)
    assert trade.status is TradeStatus.CLOSED
    assert trade.execution.exit_debit == Decimal("0.60")
    # 240 received, 120 paid, fees of 0.17 each way.
    assert trade.pnl == Decimal("119.66")
    assert trade.pnl_pct == trade.pnl / Decimal("760.00")
    assert change.alerts[0].kind is AlertKind.POSITION_CLOSED
    assert [position.status for position in change.positions] == [PositionStatus.CLOSED] * 2
    assert [position.realized_pnl for position in change.positions] == [380, -260]


def test_an_unfilled_exit_leaves_the_trade_open_for_the_next_attempt() -> None:
    change = settled(closing(), NOTHING)
    trade = trade_of(change)
    assert trade.status is TradeStatus.OPEN
    assert trade.exit_reason is None
    assert trade.close_attempts == 1
    assert not change.alerts


def test_an_exit_in_parts_books_each_part_once() -> None:
    first = settled(closing(), fills(1, "-0.60", ("1.50", "0.90")))
    rest = trade_of(first)
    assert rest.status is TradeStatus.OPEN
    assert rest.contracts_held == 1
    assert [position.quantity for position in first.positions] == [1, 1]
    second = settle_close(
        rest.model_copy(update={"status": TradeStatus.CLOSING}),
        first.positions,
        a_close_intent(),
        fills(1, "-0.80", ("1.90", "1.10")),
        fees=Decimal("0.09"),
        max_loss=Decimal("760.00"),
        release=(),
        risk=a_risk(),
        at=AS_OF,
    )
    closed = trade_of(second)
    assert closed.execution.exit_debit == Decimal("0.70")
    assert closed.execution.exit_cash == Decimal("-140.00")
    assert [position.exit_price for position in second.positions] == [
        Decimal("1.70"),
        Decimal("1.00"),
    ]
    assert sum(p.realized_pnl or 0 for p in second.positions) == Decimal("100.00")


def test_no_exit_closes_more_than_is_held() -> None:
    with pytest.raises(ValueError, match="closed 3 contracts of a trade of 2"):
        settled(closing(), fills(3, "-0.60", ("1.50", "0.90")))


def test_a_free_trade_has_no_return_on_its_loss() -> None:
    change = settle_close(
        closing(),
        (),
        a_close_intent(),
        fills(2, "-0.60", ("1.50", "0.90")),
        fees=Decimal(0),
        max_loss=Decimal(0),
        release=(),
        risk=a_risk(),
        at=AS_OF,
    )
    assert trade_of(change).pnl_pct is None


def test_a_leg_that_never_had_an_entry_price_is_left_as_it_is() -> None:
    nameless = opened().positions[0].model_copy(update={"entry_price": None})
    change = settle_close(
        closing(),
        (nameless,),
        a_close_intent(),
        fills(2, "-0.60", ("1.50", "0.90")),
        fees=Decimal(0),
        max_loss=Decimal("760.00"),
        release=(),
        risk=a_risk(),
        at=AS_OF,
    )
    assert change.positions == (nameless,)


def test_marking_keeps_the_status_and_moves_the_version() -> None:
    trade = a_trade()
    change = mark_open(trade)
    assert trade_of(change).status is TradeStatus.OPEN
    assert trade_of(change).version == trade.version + 1


def test_a_trade_is_described_as_its_owner_would() -> None:
    assert describe(a_trade(execution=an_execution())) == "AAPL -190P/+185P 2026-07-17"
