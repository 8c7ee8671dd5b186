"""Record what an intent's orders came to, once none of them can fill any more."""

from agent.book.intents import IntentStatus
from agent.use_cases.desk import Desk
from agent.use_cases.order_tracking import refresh
from agent.use_cases.settlement import settle
from agent.use_cases.steps import SettlementResult, StepInput, intent_of, trade_of


def record_fill(desk: Desk, event: StepInput) -> SettlementResult:
    """Settle the intent; raise OrderStillWorking where an order may still fill."""
    intent = intent_of(desk.book, event.intent_id)
    if intent.status is IntentStatus.DONE:
        return SettlementResult(
            intent_id=intent.intent_id, settled=True, outcome=intent.outcome or ""
        )
    trade = trade_of(desk.book, intent)
    return settle(desk, refresh(desk, intent, trade), trade)
