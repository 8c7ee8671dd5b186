"""Find orders that filled after they were given up, and have them booked."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from agent.book.changes import BookConflict, LedgerMove
from agent.book.covering import calls_to_write
from agent.book.fills import filled_contracts
from agent.book.identifiers import close_intent_id, entry_intent_id, roll_intent_id
from agent.book.intents import (
    TERMINAL_ORDER_STATUSES,
    Intent,
    IntentKind,
    IntentStatus,
    OrderAttempt,
)
from agent.book.late_fills import take_up_again
from agent.book.records import Trade
from agent.book.states import NEVER_OPENED, TradeStatus
from agent.market.calendar import new_york_date
from agent.options.contracts import OCC_SYMBOL_PATTERN, parse_occ_symbol
from agent.risk.reservation import held_moves
from agent.use_cases.desk import Desk
from agent.use_cases.order_tracking import as_found
from agent.use_cases.reconcile_order import reconcile_order
from agent.use_cases.steps import OrderStillWorking, StepInput

LOOK_BACK = timedelta(days=5)
"""All orders are for the day: what ended longer ago than a long weekend cannot fill any more."""
ATTEMPTS_MAX = 5
"""So many of a trade's last attempts to close are looked at."""


def adopt_late_fills(desk: Desk, trades: Sequence[Trade], symbols: set[str], now: datetime) -> int:
    """Book what given-up orders on `symbols` filled after all; give the number of intents.

    Only what ended with nothing filled is certain: its orders are then all there is to book. Orders
    of which a part was booked before stay a difference, and are told as one.
    """
    adopted = 0
    for trade in trades:
        if not _may_concern(trade, symbols) or not _is_recent(trade, now):
            continue
        for intent in _given_up(desk, trade):
            orders = _as_they_are(desk, intent, trade)
            if filled_contracts(orders) and _are_over(orders):
                adopted += _adopt(desk, trade, intent, orders, now)
                break
    return adopted


def _may_concern(trade: Trade, symbols: set[str]) -> bool:
    """Say whether an order of a trade may have moved a symbol: on shares, any call."""
    if not symbols.isdisjoint(trade.structure.symbols):
        return True
    return calls_to_write(trade) > 0 and any(
        parse_occ_symbol(symbol).underlying == trade.symbol
        for symbol in symbols
        if OCC_SYMBOL_PATTERN.fullmatch(symbol)
    )


def _is_recent(trade: Trade, now: datetime) -> bool:
    if trade.status is TradeStatus.OPEN:
        return True
    return trade.status in NEVER_OPENED and now - trade.timestamp_enter < LOOK_BACK


def _given_up(desk: Desk, trade: Trade) -> list[Intent]:
    names = [entry_intent_id(trade.trade_id)]
    if trade.status is TradeStatus.OPEN:
        last = trade.close_attempts
        attempts = range(last, max(0, last - ATTEMPTS_MAX), -1)
        names = [close_intent_id(trade.trade_id, attempt) for attempt in attempts]
    if calls_to_write(trade):
        last = trade.campaign.attempts
        attempts = range(last, max(0, last - ATTEMPTS_MAX), -1)
        names += [roll_intent_id(trade.trade_id, attempt) for attempt in attempts]
    found = [desk.book.intent(name) for name in names]
    return [
        intent
        for intent in found
        if intent is not None
        and intent.status is IntentStatus.DONE
        and (intent.kind is not IntentKind.ROLL or intent.of_shares)
        and not filled_contracts(intent.orders)
    ]


def _as_they_are(desk: Desk, intent: Intent, trade: Trade) -> list[OrderAttempt]:
    orders = []
    for order in intent.orders:
        found = desk.broker.order_by_client_id(order.client_order_id)
        orders.append(order if found is None else as_found(order, found, trade))
    return orders


def _are_over(orders: Sequence[OrderAttempt]) -> bool:
    return all(order.status in TERMINAL_ORDER_STATUSES for order in orders)


def _adopt(
    desk: Desk, trade: Trade, intent: Intent, orders: Sequence[OrderAttempt], now: datetime
) -> int:
    reservation: tuple[LedgerMove, ...] = ()
    if trade.status in NEVER_OPENED:
        session = new_york_date(trade.timestamp_enter)
        reservation = held_moves(trade.risk, symbol=trade.symbol, session=session)
    try:
        change, again = take_up_again(trade, intent, orders, reservation=reservation, at=now)
        desk.book.commit(change)
    except BookConflict:
        return 0  # Another pass takes it up.
    with suppress(OrderStillWorking, BookConflict):
        # What cannot be settled now is unfinished, and every pass comes back to it.
        reconcile_order(desk, StepInput(intent_id=again.intent_id))
    return 1
