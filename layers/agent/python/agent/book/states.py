"""The states of a trade and the one table of the moves between them."""

from collections.abc import Mapping
from enum import StrEnum


class TradeStatus(StrEnum):
    PENDING = "pending"
    OPEN = "open"
    CLOSING = "closing"
    ROLLING = "rolling"
    CLOSED = "closed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class ExitReason(StrEnum):
    MANUAL = "manual"
    EXPIRATION_NEAR = "expiration_near"
    ASSIGNMENT_RISK = "assignment_risk"
    STOP_LOSS = "stop_loss"
    STRIKE_BREACHED = "strike_breached"
    PROFIT_TARGET = "profit_target"
    ROLL = "roll"
    ASSIGNED = "assigned"
    EXPIRED = "expired"
    BROKER_LIQUIDATED = "broker_liquidated"
    COVER_LOST = "cover_lost"
    """A short leg whose long leg is gone from the broker, and nothing says why."""


TRANSITIONS: Mapping[TradeStatus, frozenset[TradeStatus]] = {
    TradeStatus.PENDING: frozenset({TradeStatus.OPEN, TradeStatus.REJECTED, TradeStatus.CANCELLED}),
    TradeStatus.OPEN: frozenset({TradeStatus.CLOSING, TradeStatus.ROLLING, TradeStatus.CLOSED}),
    TradeStatus.CLOSING: frozenset({TradeStatus.CLOSED, TradeStatus.OPEN}),
    TradeStatus.ROLLING: frozenset({TradeStatus.OPEN, TradeStatus.CLOSED}),
    TradeStatus.CLOSED: frozenset(),
    # An entry that was given up, and filled after all.
    TradeStatus.REJECTED: frozenset({TradeStatus.PENDING}),
    TradeStatus.CANCELLED: frozenset({TradeStatus.PENDING}),
}
NEVER_OPENED = frozenset({TradeStatus.REJECTED, TradeStatus.CANCELLED})
ACTIVE_STATUSES = frozenset(TradeStatus) - NEVER_OPENED - {TradeStatus.CLOSED}
"""A trade in one of these still holds, or may come to hold, something at the broker."""


class TransitionRefused(ValueError):
    """Raised for a move that the table does not have."""


def require_transition(current: TradeStatus, following: TradeStatus) -> None:
    """Refuse a move that the table does not have."""
    if following not in TRANSITIONS[current]:
        raise TransitionRefused(f"a {current} trade cannot become {following}")
