"""The keys of `agent_state` and `agent_control`: every kind of item has its own `pk`."""

from datetime import UTC, date, datetime
from typing import NamedTuple

from agent.adapters.dynamodb.attributes import timestamp

INTENT = "intent"
"""Every intent: few enough a day for one partition, and so they are listed by one query."""
OPEN_INTENT = "open_intent"
"""Markers: one item for each intent that is not done, found by one consistent query."""
ACTIVE_TRADE = "active_trade"
"""Markers: one item for each trade whose status is not terminal."""
OUTBOX = "outbox"
ACCOUNT_ENTRY = "account_entry"
"""What moved the account's cash beside trades: some a day, listed by one query."""


class Key(NamedTuple):
    pk: str
    sk: str


TRADING_STATE = Key("control", "trading_state")
ACCOUNT_NUMBER = Key("binding", "account_number")
"""In a partition of its own: who may bind the account must not be able to loosen trading."""
CASH_BASELINE = Key("cash", "baseline")
BLOCK = "block"
"""The partition of what blocks entries: who may block must not be able to loosen trading."""
ACCOUNT_BLOCK = Key(BLOCK, "account")


def intent_key(intent_id: str) -> Key:
    return Key(INTENT, intent_id)


def open_intent_key(intent_id: str) -> Key:
    return Key(OPEN_INTENT, intent_id)


def active_trade_key(trade_id: str) -> Key:
    return Key(ACTIVE_TRADE, trade_id)


def ledger_key(key: str) -> Key:
    return Key(f"ledger#{key}", "ledger")


def journal_partition(day: date) -> str:
    """Name the partition of a UTC day's events."""
    return f"journal#{day.isoformat()}"


def event_key(at: datetime, event_id: str) -> Key:
    return Key(journal_partition(at.astimezone(UTC).date()), event_id)


def account_entry_key(entry_id: str) -> Key:
    return Key(ACCOUNT_ENTRY, entry_id)


def alert_key(alert_id: str) -> Key:
    return Key(OUTBOX, alert_id)


def volatility_key(symbol: str, source: str) -> Key:
    return Key(f"iv#{symbol}", f"samples#{source}")


def reports_key(symbol: str) -> Key:
    return Key(f"events#{symbol}", "reports")


def beat_key(function: str) -> Key:
    return Key(f"beat#{function}", "latest")


def day_block_key(session: date) -> Key:
    return Key(BLOCK, f"day#{session.isoformat()}")


def lease_key(name: str) -> Key:
    return Key(f"lease#{name}", "lease")


def slot_key(schedule: str, slot: datetime) -> Key:
    return Key(f"slot#{schedule}", timestamp(slot))
