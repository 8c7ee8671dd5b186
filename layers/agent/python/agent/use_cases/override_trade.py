"""Let the owner override what the rules do to a single trade."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import Field

from agent.book.changes import BookChange, BookConflict
from agent.book.overrides import (
    OverrideRefused,
    attach_note,
    move_stop,
    request_manual_exit,
    resume_automation,
    suspend_automation,
)
from agent.book.records import Trade
from agent.ports import Book
from agent.use_cases.steps import Message

ATTEMPTS_MAX = 5
"""A monitor pass may write the trade between reading and writing: then it is read again."""


class Override(StrEnum):
    """Name what the owner wants of a trade."""

    CLOSE = "close"
    SUSPEND = "suspend"
    RESUME = "resume"
    MOVE_STOP = "move_stop"
    NOTE = "note"


class OverrideRequest(Message):
    """Ask for one override; `note` is of a note, `stop_debit` of a stop that is moved."""

    trade_id: str = Field(min_length=1)
    override: Override
    stop_debit: Decimal | None = None
    """Dollars a share; None puts the stop back to where the rules have it."""
    note: str | None = None


def override_trade(book: Book, request: OverrideRequest, at: datetime) -> Trade:
    """Write one override and give the trade as it stands then; the monitor acts on it.

    Raises OverrideRefused where there is no such trade, or it cannot be overridden so now, and
    BookConflict where other writers kept coming between.
    """
    conflict: BookConflict | None = None
    for _ in range(ATTEMPTS_MAX):
        trade = book.trade(request.trade_id)
        if trade is None:
            raise OverrideRefused(f"there is no trade {request.trade_id}")
        change = _change(trade, request, at)
        try:
            book.commit(change)
        except BookConflict as error:
            conflict = error
            continue
        return trade if change.trade is None else change.trade.trade
    raise BookConflict(f"{request.trade_id} kept changing under the write") from conflict


def _change(trade: Trade, request: OverrideRequest, at: datetime) -> BookChange:
    match request.override:
        case Override.CLOSE:
            return request_manual_exit(trade, at)
        case Override.SUSPEND:
            return suspend_automation(trade, at)
        case Override.RESUME:
            return resume_automation(trade, at)
        case Override.MOVE_STOP:
            return move_stop(trade, request.stop_debit, at)
        case Override.NOTE:
            return attach_note(trade, request.note or "", at)
