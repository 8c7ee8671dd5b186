"""What the owner may do to a single trade: close it, leave it alone, move its stop, note something.

Each is a pure function from the trade as it stands to the change that is to be written. A trade
that an execution is moving is not touched: the execution ends soon, one way or the other.
"""

from datetime import UTC, datetime
from decimal import Decimal

from pydantic import JsonValue

from agent.book.changes import BookChange, TradeWrite
from agent.book.records import JournalEvent, Trade
from agent.book.states import ACTIVE_STATUSES, TradeStatus

NOTE_LENGTH_MAX = 500
NOTES_LENGTH_MAX = 4_000


class OverrideRefused(ValueError):
    """Raised where a trade cannot be overridden so; the sentence says why."""


def request_manual_exit(trade: Trade, at: datetime) -> BookChange:
    """Have the next monitor pass close an open trade, whatever its rules say."""
    _require_open(trade)
    return _changed(trade, "manual_exit_requested", at, {"manual_exit_requested": True})


def suspend_automation(trade: Trade, at: datetime) -> BookChange:
    """Leave an open trade to its owner: no target, no roll, no exit by days to expiration.

    Its stop, the breach of a structure that closes on one, and expiration protect it still.
    """
    _require_open(trade)
    return _changed(trade, "automation_suspended", at, {"automation_suspended": True})


def resume_automation(trade: Trade, at: datetime) -> BookChange:
    """Apply every rule to an open trade again."""
    _require_open(trade)
    return _changed(trade, "automation_resumed", at, {"automation_suspended": False})


def move_stop(trade: Trade, stop_debit: Decimal | None, at: datetime) -> BookChange:
    """Stop an open trade where closing costs `stop_debit` dollars a share; None as its rules say.

    What the stop has been seen to do so far is forgotten. Refused where closing can never cost so
    much: such a stop would be none.
    """
    _require_open(trade)
    if stop_debit is not None:
        most = trade.structure.width or max(leg.contract.strike for leg in trade.structure.legs)
        if not 0 < stop_debit < most:
            raise OverrideRefused(
                f"a stop at a debit of {stop_debit} is not between 0 and the {most} that closing "
                f"{trade.trade_id} can cost"
            )
    told = None if stop_debit is None else str(stop_debit)
    changes: dict[str, object] = {
        "stop_debit": stop_debit,
        "stop_watch": type(trade.stop_watch)(),
    }
    return _changed(trade, "stop_moved", at, changes, {"stop_debit": told})


def attach_note(trade: Trade, note: str, at: datetime) -> BookChange:
    """Add a line to the notes of a trade that nothing is moving, ended or not."""
    if trade.status in ACTIVE_STATUSES:
        _require_open(trade)
    text = " ".join(note.split())
    if not 0 < len(text) <= NOTE_LENGTH_MAX:
        raise OverrideRefused(f"a note has 1 to {NOTE_LENGTH_MAX} characters, not {len(text)}")
    line = f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC: {text}"
    notes = f"{trade.notes}\n{line}" if trade.notes else line
    if len(notes) > NOTES_LENGTH_MAX:
        raise OverrideRefused(f"the notes of {trade.trade_id} are full")
    return _changed(trade, "note_attached", at, {"notes": notes}, {"note": text})


def _require_open(trade: Trade) -> None:
    if trade.status is not TradeStatus.OPEN:
        raise OverrideRefused(f"{trade.trade_id} is {trade.status}, not open")


def _changed(
    trade: Trade,
    kind: str,
    at: datetime,
    changes: dict[str, object],
    details: dict[str, JsonValue] | None = None,
) -> BookChange:
    following = trade.model_copy(update={**changes, "version": trade.version + 1})
    event = JournalEvent(
        event_id=f"{trade.trade_id}-{kind}-{trade.version}",
        at=at,
        kind=kind,
        trade_id=trade.trade_id,
        details=details or {},
    )
    return BookChange(trade=TradeWrite(following, trade.status, trade.version), events=(event,))
