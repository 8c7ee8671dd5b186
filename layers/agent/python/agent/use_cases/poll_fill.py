"""Ask the broker how the intent's last order stands."""

from agent.book.intents import TERMINAL_ORDER_STATUSES, IntentStatus
from agent.use_cases.desk import Desk
from agent.use_cases.order_tracking import contracts_left, refresh, rungs_left
from agent.use_cases.steps import FillResult, FillStatus, StepInput, intent_of, trade_of


def poll_fill(desk: Desk, event: StepInput) -> FillResult:
    """Bring the intent's orders up to date and say what is to be done next."""
    intent = intent_of(desk.book, event.intent_id)
    if intent.status is IntentStatus.DONE:
        return FillResult(intent_id=intent.intent_id, status=FillStatus.COMPLETE, rungs_left=0)
    trade = trade_of(desk.book, intent)
    intent = refresh(desk, intent, trade)
    left = rungs_left(intent, trade, desk.settings.execution)
    if not all(order.status in TERMINAL_ORDER_STATUSES for order in intent.orders):
        status = FillStatus.WORKING
    elif contracts_left(intent, trade) < 1:
        status = FillStatus.COMPLETE
    else:
        status = FillStatus.ENDED
    return FillResult(intent_id=intent.intent_id, status=status, rungs_left=left)
