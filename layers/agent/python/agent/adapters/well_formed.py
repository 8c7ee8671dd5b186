"""What every book demands of a change before it looks at what is stored."""

from collections.abc import Iterable

from agent.book.changes import BookChange, IntentWrite, TradeWrite


def require_well_formed(change: BookChange) -> None:
    """Refuse a change that no stored state could make right; raise ValueError saying why.

    One write an item, versions that advance by one, and positions beside their own trade, whose
    condition guards them.
    """
    if change.trade is not None:
        _require_following_trade(change.trade)
    for write in change.intents:
        _require_following_intent(write)
    _require_distinct("intent", (write.intent.intent_id for write in change.intents))
    marked = [mark.position_id for mark in change.marks]
    _require_distinct("position", [*(p.position_id for p in change.positions), *marked])
    _require_distinct("ledger entry", (move.key for move in change.ledger))
    _require_distinct("event", (event.event_id for event in change.events))
    _require_distinct("account entry", (entry.entry_id for entry in change.account_entries))
    _require_distinct("alert", (alert.alert_id for alert in change.alerts))
    guardian = None if change.trade is None else change.trade.trade.trade_id
    for position in change.positions:
        if position.trade_id != guardian:
            raise ValueError(f"{position.position_id} is written without its trade")


def _require_following_trade(write: TradeWrite) -> None:
    if (write.expected_status is None) != (write.expected_version is None):
        raise ValueError(f"{write.trade.trade_id} expects a status or a version, but not both")
    _require_next_version(write.trade.trade_id, write.trade.version, write.expected_version)


def _require_following_intent(write: IntentWrite) -> None:
    _require_next_version(write.intent.intent_id, write.intent.version, write.expected_version)


def _require_next_version(name: str, version: int, expected: int | None) -> None:
    if version != (expected or 0) + 1:
        raise ValueError(f"{name} has version {version}, which does not follow {expected}")


def _require_distinct(kind: str, keys: Iterable[str]) -> None:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            raise ValueError(f"a change writes the {kind} {key} twice")
        seen.add(key)
