"""An order that filled after its intent had ended unfilled: stated anew, so that it is booked."""

from collections.abc import Sequence
from datetime import datetime

from agent.book.changes import BookChange, IntentWrite, LedgerMove, TradeWrite
from agent.book.identifiers import close_intent_id, late_entry_intent_id, roll_intent_id
from agent.book.intents import (
    TERMINAL_ORDER_STATUSES,
    Intent,
    IntentKind,
    IntentStatus,
    OrderAttempt,
)
from agent.book.records import Alert, AlertKind, JournalEvent, Trade
from agent.book.states import TradeStatus, require_transition
from agent.book.transitions import describe


def take_up_again(
    trade: Trade,
    given_up: Intent,
    orders: Sequence[OrderAttempt],
    *,
    reservation: Sequence[LedgerMove] = (),
    at: datetime,
) -> tuple[BookChange, Intent]:
    """State anew what ended unfilled, because `orders` of it filled after all.

    The settlement of the intent that is given books them. `reservation` takes the risk of an entry
    again: no bound may refuse what the broker holds. Raises ValueError where fills of it were
    booked before, or where one of `orders` may still fill.
    """
    booked = any(order.filled_contracts for order in given_up.orders)
    working = any(order.status not in TERMINAL_ORDER_STATUSES for order in orders)
    if given_up.status is not IntentStatus.DONE or booked or working:
        raise ValueError(f"{given_up.intent_id} is not an intent that ended unfilled")
    state_again = _close_again
    if given_up.kind is IntentKind.ENTRY:
        state_again = _entry_again
    elif given_up.of_shares:
        state_again = _cover_again
    moved, again = state_again(trade, given_up)
    require_transition(trade.status, moved.status)
    again = again.model_copy(
        update={
            "status": IntentStatus.WRITTEN,
            "outcome": None,
            "orders": tuple(orders),
            "version": 1,
        }
    )
    change = BookChange(
        trade=TradeWrite(moved, trade.status, trade.version),
        intents=(IntentWrite(again, None),),
        ledger=tuple(reservation),
        events=(
            JournalEvent(
                event_id=f"{again.intent_id}-late_fill",
                at=at,
                kind="late_fill",
                trade_id=trade.trade_id,
                details={"given_up": given_up.intent_id},
            ),
        ),
        alerts=(_alert(trade, given_up, again, at),),
    )
    return change, again


def _entry_again(trade: Trade, given_up: Intent) -> tuple[Trade, Intent]:
    attempt = given_up.attempt + 1
    moved = trade.model_copy(
        update={
            "status": TradeStatus.PENDING,
            "timestamp_exit": None,
            "notes": "",
            "version": trade.version + 1,
        }
    )
    name = late_entry_intent_id(trade.trade_id, attempt)
    return moved, given_up.model_copy(update={"intent_id": name, "attempt": attempt})


def _close_again(trade: Trade, given_up: Intent) -> tuple[Trade, Intent]:
    attempt = trade.close_attempts + 1
    moved = trade.model_copy(
        update={
            "status": TradeStatus.CLOSING,
            "close_attempts": attempt,
            "exit_reason": given_up.exit_reason,
            "version": trade.version + 1,
        }
    )
    name = close_intent_id(trade.trade_id, attempt)
    return moved, given_up.model_copy(update={"intent_id": name, "attempt": attempt})


def _cover_again(trade: Trade, given_up: Intent) -> tuple[Trade, Intent]:
    attempt = trade.campaign.attempts + 1
    moved = trade.model_copy(
        update={
            "status": TradeStatus.ROLLING,
            "campaign": trade.campaign.model_copy(update={"attempts": attempt}),
            "version": trade.version + 1,
        }
    )
    name = roll_intent_id(trade.trade_id, attempt)
    return moved, given_up.model_copy(update={"intent_id": name, "attempt": attempt})


def _alert(trade: Trade, given_up: Intent, again: Intent, at: datetime) -> Alert:
    return Alert(
        alert_id=f"{again.intent_id}-late-fill",
        kind=AlertKind.SYSTEM_ERROR,
        at=at,
        subject=f"{trade.symbol}: an order filled that was given up",
        message=(
            f"An order of {describe(trade)} was given up ({given_up.outcome}), and filled after"
            f" all. It is booked, beyond whatever limit it breaks ({trade.trade_id})."
        ),
    )
