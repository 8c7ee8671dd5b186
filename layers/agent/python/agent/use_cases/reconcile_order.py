"""Bring an intent whose execution went astray to a known end."""

from agent.book.fills import is_settled
from agent.book.intents import IntentStatus
from agent.book.transitions import refuse_entry
from agent.use_cases.cancel_order import cancel_working
from agent.use_cases.desk import Desk
from agent.use_cases.order_tracking import refresh
from agent.use_cases.settlement import settle
from agent.use_cases.steps import (
    OrderStillWorking,
    SettlementResult,
    StepInput,
    as_carried,
    intent_of,
)


def reconcile_order(desk: Desk, event: StepInput) -> SettlementResult:
    """Find every order of the intent at the broker, cancel what works, and settle the rest.

    Raises OrderStillWorking where an order may still fill: ask again later.
    """
    intent = intent_of(desk.book, event.intent_id)
    if intent.status is IntentStatus.DONE:
        return SettlementResult(
            intent_id=intent.intent_id, settled=True, outcome=intent.outcome or ""
        )
    trade = desk.book.trade(intent.trade_id)
    if trade is None:
        reason = "never_reserved"
        desk.book.commit(refuse_entry(intent, reason, desk.clock.market_clock().now, {}))
        return SettlementResult(intent_id=intent.intent_id, settled=True, outcome=reason)
    trade = as_carried(trade, intent)
    intent = refresh(desk, intent, trade)
    if not is_settled(intent):
        cancel_working(desk, intent)
        # A cancel that was accepted may still have filled: what the broker says next decides.
        intent = refresh(desk, intent, trade)
    if not is_settled(intent):
        raise OrderStillWorking(f"an order of {intent.intent_id} may still fill")
    return settle(desk, intent, trade)
