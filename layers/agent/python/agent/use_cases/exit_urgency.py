"""How urgently an exit is carried out, after what earlier attempts came to."""

from agent.book.identifiers import close_intent_id
from agent.book.intents import Intent, Urgency
from agent.book.records import Trade
from agent.book.states import ExitReason
from agent.strategies.exits import ExitDecision
from agent.use_cases.desk import Desk

OPTIONAL_REASONS = frozenset({ExitReason.PROFIT_TARGET, ExitReason.ROLL})
"""Exits that nothing forces: paying up for them would give away what they are for."""


def urgency_of(desk: Desk, trade: Trade, decision: ExitDecision) -> Urgency:
    """Give the decision's own urgency, or urgent where patience has failed often enough.

    It has where the last attempts, as many as `patient_attempts_max`, were for the same reason
    and left something over: that much is read from the book, and kept nowhere else.
    """
    attempts = desk.settings.execution.patient_attempts_max
    if decision.urgency is Urgency.URGENT or decision.reason in OPTIONAL_REASONS:
        return decision.urgency
    if trade.close_attempts < attempts:
        return decision.urgency
    before = (
        desk.book.intent(close_intent_id(trade.trade_id, attempt))
        for attempt in range(trade.close_attempts - attempts + 1, trade.close_attempts + 1)
    )
    failed = all(_is_for(intent, decision) for intent in before)
    return Urgency.URGENT if failed else decision.urgency


def _is_for(intent: Intent | None, decision: ExitDecision) -> bool:
    return intent is not None and intent.exit_reason is decision.reason
