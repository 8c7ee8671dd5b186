"""Follow the orders of an intent at the broker, by the ids that the intent wrote down first."""

from datetime import datetime
from decimal import Decimal

from agent.book.changes import BookChange
from agent.book.intents import (
    TERMINAL_ORDER_STATUSES,
    Intent,
    IntentKind,
    OrderAttempt,
    OrderStatus,
    Urgency,
)
from agent.book.order_plan import ends_attempt, next_order, order_structure
from agent.book.records import Trade
from agent.book.roll_fills import RollLadders, RollStep, next_roll_step, rolled_contracts
from agent.book.transitions import record_orders
from agent.config.settings import ExecutionSettings
from agent.options.contracts import parse_occ_symbol
from agent.ports import BrokerOrder
from agent.use_cases.desk import Desk

LANDING_SECONDS_MAX = 60
"""An order that the broker does not know this long after it was sent never reached it."""


def ladder_of(intent: Intent, execution: ExecutionSettings) -> int:
    """Count the rungs that an intent may use."""
    if intent.kind is IntentKind.ROLL:
        return len(intent.orders) + (roll_step(intent, execution) is not None)
    if intent.exercises:
        return 1  # What may have taken effect is never asked for again.
    if intent.kind is IntentKind.ENTRY:
        return len(execution.entry_ladder)
    if intent.urgency is Urgency.URGENT:
        return len(execution.urgent_ladder)
    return len(execution.patient_ladder)


def roll_step(intent: Intent, execution: ExecutionSettings) -> RollStep | None:
    """Say what a roll sends next, once no order of it works; None where it is over."""
    ladders = RollLadders(
        whole=len(execution.patient_ladder),
        close=len(execution.patient_ladder),
        open=len(execution.entry_ladder),
    )
    return next_roll_step(intent, ladders)


def is_refused(intent: Intent) -> bool:
    """Say whether a refusal of the broker ends the attempt; a roll has its own ways round one."""
    if intent.kind is IntentKind.ROLL:
        return False
    return any(ends_attempt(intent, order) for order in intent.orders)


def contracts_wanted(intent: Intent, trade: Trade) -> int:
    """Count the contracts that the intent is to trade in all."""
    if intent.kind is IntentKind.ENTRY:
        return trade.risk.contracts_reserved
    if intent.shares is not None:
        return abs(intent.shares)
    wanted = trade.contracts_whole
    return wanted if intent.contracts is None else min(intent.contracts, wanted)


def contracts_left(intent: Intent, trade: Trade) -> int:
    """Count the contracts of the order that the intent sends next; 0 where it is complete."""
    if intent.kind is IntentKind.ROLL:
        return (intent.contracts or 0) - rolled_contracts(intent)
    following = next_order(intent, trade, contracts_wanted(intent, trade))
    return 0 if following is None else following.contracts


def rungs_left(intent: Intent, trade: Trade, execution: ExecutionSettings) -> int:
    """Count the orders that the intent may still send for what it trades next."""
    if is_refused(intent):
        return 0
    sent = len(intent.orders)
    if intent.kind is not IntentKind.ROLL:
        following = next_order(intent, trade, contracts_wanted(intent, trade))
        if following is None:
            return 0
        sent = following.rung
    return max(0, ladder_of(intent, execution) - sent)


def refresh(desk: Desk, intent: Intent, trade: Trade) -> Intent:
    """Bring every unfinished order of the intent up to what the broker says.

    An order the broker does not know stays `sending` until it cannot land any more.
    """
    if all(order.status in TERMINAL_ORDER_STATUSES for order in intent.orders):
        return intent
    now: datetime | None = None
    orders: list[OrderAttempt] = []
    for order in intent.orders:
        if order.status in TERMINAL_ORDER_STATUSES:
            orders.append(order)
            continue
        if intent.exercises:
            orders.append(_as_exercised(desk, intent, order))
            continue
        found = desk.broker.order_by_client_id(order.client_order_id)
        if found is not None:
            orders.append(as_found(order, found, trade))
            continue
        now = now or desk.clock.market_clock().now
        orders.append(_as_unknown(order, now))
    if tuple(orders) == intent.orders:
        return intent
    return store_orders(desk, intent, orders)


def store_orders(desk: Desk, intent: Intent, orders: list[OrderAttempt]) -> Intent:
    write = record_orders(intent, orders)
    desk.book.commit(BookChange(intents=(write,)))
    return write.intent


def as_found(order: OrderAttempt, found: BrokerOrder, trade: Trade) -> OrderAttempt:
    """Merge what the broker says of an order into what we wrote of it."""
    legs = order.legs or order_structure(order, trade).symbols
    complete = all(symbol in found.leg_prices for symbol in legs)
    return order.model_copy(
        update={
            "order_id": found.order_id,
            "status": found.status,
            "filled_contracts": found.filled_contracts,
            "filled_cash": found.filled_cash if found.filled_contracts else None,
            "leg_prices": tuple(found.leg_prices[symbol] for symbol in legs) if complete else (),
            "filled_at": found.filled_at,
        }
    )


def _as_exercised(desk: Desk, intent: Intent, order: OrderAttempt) -> OrderAttempt:
    """Read from positions what came of an exercise: contracts that are gone, shares that came.

    The broker gives it no name to look it up by, and activities tell of it a day later. What shows
    neither has not taken effect; it counts as lost as an order does.
    """
    contract = parse_occ_symbol(intent.leg or "")
    held = {position.symbol: position.quantity for position in desk.broker.holdings()}
    came = held.get(contract.underlying, 0) - (intent.shares_before or 0)
    gone = order.contracts - max(held.get(contract.symbol, 0), 0)
    exercised = min(gone, came // contract.multiplier)
    now = desk.clock.market_clock().now
    if exercised < 1:
        return _as_unknown(order, now)
    is_whole = exercised == order.contracts
    return order.model_copy(
        update={
            "status": OrderStatus.FILLED if is_whole else OrderStatus.CANCELED,
            "filled_contracts": exercised,
            "filled_cash": Decimal(0),
            "leg_prices": (Decimal(0),),
            "filled_at": now,
        }
    )


def _as_unknown(order: OrderAttempt, now: datetime) -> OrderAttempt:
    if order.status is not OrderStatus.SENDING:
        # The broker knew this order once: silence about it now is no proof of its end.
        return order
    if (now - order.submitted_at).total_seconds() < LANDING_SECONDS_MAX:
        return order
    return order.model_copy(
        update={"status": OrderStatus.REJECTED, "message": "never reached the broker"}
    )
