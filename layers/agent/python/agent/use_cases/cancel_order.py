"""Ask the broker to cancel what still works of an intent."""

from agent.book.intents import TERMINAL_ORDER_STATUSES, Intent, IntentStatus
from agent.use_cases.desk import Desk
from agent.use_cases.order_tracking import refresh
from agent.use_cases.steps import CancelResult, StepInput, intent_of, trade_of


def cancel_order(desk: Desk, event: StepInput) -> CancelResult:
    """Ask for the cancel of every order that may still fill; only a later poll tells the end."""
    intent = intent_of(desk.book, event.intent_id)
    if intent.status is IntentStatus.DONE:
        return CancelResult(intent_id=intent.intent_id, requested=False)
    intent = refresh(desk, intent, trade_of(desk.book, intent))
    return CancelResult(intent_id=intent.intent_id, requested=cancel_working(desk, intent) > 0)


def cancel_working(desk: Desk, intent: Intent) -> int:
    """Ask for the cancel of each order that works at the broker; count them."""
    working = [
        order.order_id
        for order in intent.orders
        if order.status not in TERMINAL_ORDER_STATUSES and order.order_id is not None
    ]
    for order_id in working:
        desk.broker.cancel(order_id)
    return len(working)
