"""What ended unfilled is stated anew where an order of it filled after all."""

import pytest

from agent.book.identifiers import late_entry_intent_id
from agent.book.intents import IntentStatus, OrderAttempt, OrderStatus
from agent.book.late_fills import take_up_again
from agent.book.states import ExitReason, TradeStatus, TransitionRefused
from tests.builders import AS_OF, TRADE_ID, a_close_intent, a_trade, an_intent, an_order_attempt

REJECTED = an_order_attempt(status=OrderStatus.REJECTED)
FILLED = an_order_attempt(status=OrderStatus.FILLED, filled_contracts=2)


def test_an_entry_is_pending_again_under_its_second_name() -> None:
    given_up = an_intent(status=IntentStatus.DONE, orders=(REJECTED,), outcome="rejected: x")
    trade = a_trade(TradeStatus.REJECTED, timestamp_exit=AS_OF, notes="x")
    change, again = take_up_again(trade, given_up, [FILLED], at=AS_OF)
    assert (again.intent_id, again.attempt) == (f"{TRADE_ID}-entry-2", 2)
    assert (again.status, again.outcome, again.orders) == (IntentStatus.WRITTEN, None, (FILLED,))
    assert change.trade is not None
    moved = change.trade.trade
    assert (moved.status, moved.timestamp_exit, moved.notes) == (TradeStatus.PENDING, None, "")
    assert change.alerts[0].subject == "AAPL: an order filled that was given up"


def test_a_close_becomes_the_next_attempt_for_the_reason_of_the_first() -> None:
    given_up = a_close_intent(status=IntentStatus.DONE, orders=(REJECTED,))
    change, again = take_up_again(a_trade(close_attempts=3), given_up, [FILLED], at=AS_OF)
    assert (again.intent_id, again.attempt) == (f"{TRADE_ID}-close-4", 4)
    assert change.trade is not None
    moved = change.trade.trade
    assert (moved.status, moved.close_attempts) == (TradeStatus.CLOSING, 4)
    assert moved.exit_reason is ExitReason.PROFIT_TARGET


@pytest.mark.parametrize(
    ("before", "status", "now"),
    [
        (REJECTED, IntentStatus.WRITTEN, FILLED),
        (FILLED, IntentStatus.DONE, FILLED),
        (REJECTED, IntentStatus.DONE, an_order_attempt(status=OrderStatus.WORKING)),
    ],
)
def test_only_what_ended_unfilled_and_has_ended_for_good_is_taken_up(
    before: OrderAttempt, status: IntentStatus, now: OrderAttempt
) -> None:
    given_up = an_intent(status=status, orders=(before,))
    with pytest.raises(ValueError, match="not an intent that ended unfilled"):
        take_up_again(a_trade(TradeStatus.REJECTED), given_up, [now], at=AS_OF)


def test_a_closed_trade_takes_nothing_up() -> None:
    given_up = a_close_intent(status=IntentStatus.DONE, orders=(REJECTED,))
    with pytest.raises(TransitionRefused):
        take_up_again(a_trade(TradeStatus.CLOSED), given_up, [FILLED], at=AS_OF)


def test_the_first_entry_is_no_late_one() -> None:
    with pytest.raises(ValueError, match="no late one"):
        late_entry_intent_id(TRADE_ID, 1)
