"""Ids that are pure functions of what they name, so that doing a thing twice is visible.

Every id matches `[A-Za-z0-9_-]{1,80}`: it also names a state machine execution (which allows no
more) and the broker's `client_order_id`.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

IDENTIFIER_PATTERN = re.compile(r"^[A-Za-z0-9_-]{1,80}$")
ORDER_NAME_PATTERN = re.compile(
    r"(?P<trade>(?P<stage>[A-Za-z0-9_-]+)-[0-9]{8}T[0-9]{4}Z-(?P<symbol>[^-]+)-(?P<strategy>[^-]+))"
    r"-(?P<purpose>entry|close|roll)-(?P<attempt>[0-9]+)(?:-leg(?P<leg>[0-9]+))?-o(?P<rung>[0-9]+)"
)


def slot_name(slot: datetime) -> str:
    """Name a schedule slot by its UTC minute."""
    if slot.tzinfo is None:
        raise ValueError(f"a slot needs a time zone: {slot.isoformat()}")
    return f"{slot.astimezone(UTC):%Y%m%dT%H%MZ}"


def trade_id(stage: str, slot: datetime, symbol: str, strategy: str) -> str:
    """Name the trade that a slot may enter in a symbol by a strategy."""
    return _checked(f"{stage}-{slot_name(slot)}-{symbol}-{strategy}")


def entry_intent_id(trade: str) -> str:
    return _checked(f"{trade}-entry-1")


def late_entry_intent_id(trade: str, attempt: int) -> str:
    """Name the intent, from 2, that books an entry which filled after it was given up."""
    if attempt < 2:
        raise ValueError(f"the first entry of {trade} is no late one")
    return _checked(f"{trade}-entry-{attempt}")


def close_intent_id(trade: str, attempt: int) -> str:
    """Name attempt `attempt`, from 1, to close a trade."""
    return _checked(f"{trade}-close-{_positive(attempt)}")


def roll_intent_id(trade: str, attempt: int) -> str:
    """Name attempt `attempt`, from 1, to roll a trade."""
    return _checked(f"{trade}-roll-{_positive(attempt)}")


def client_order_id(intent: str, rung: int) -> str:
    """Name the order that an intent sends at rung `rung`, from 1, of its ladder."""
    return _checked(f"{intent}-o{_positive(rung)}")


def leg_order_id(intent: str, leg: int, rung: int) -> str:
    """Name the order for leg `leg` alone, from 1, that an intent sends at rung `rung`, from 1."""
    return _checked(f"{intent}-leg{_positive(leg)}-o{_positive(rung)}")


def position_id(trade: str, leg: int) -> str:
    """Name the position in leg `leg`, from 1, of a trade."""
    return _checked(f"{trade}-leg-{_positive(leg)}")


def rolled_position_id(intent: str, leg: int) -> str:
    """Name the position in leg `leg`, from 1, of the structure that a roll moved on to."""
    return _checked(f"{intent}-leg-{_positive(leg)}")


@dataclass(frozen=True)
class OrderName:
    """Hold what the client id of an order of ours says of it."""

    stage: str
    trade_id: str
    symbol: str
    strategy: str
    """The strategy's code."""
    purpose: str
    """`entry`, `close` or `roll`."""
    attempt: int
    rung: int
    leg: int | None = None
    """The leg that the order trades alone, from 1; None for one of all of them."""

    @property
    def intent_id(self) -> str:
        """Name the intent that sent the order."""
        return f"{self.trade_id}-{self.purpose}-{self.attempt}"


def read_order_name(client_order_id: str) -> OrderName | None:
    """Read the client id of an order of ours; None where it is another's, or no order's."""
    found = ORDER_NAME_PATTERN.fullmatch(client_order_id)
    if found is None:
        return None
    stage, trade, symbol, strategy, purpose, attempt, leg, rung = found.group(
        "stage", "trade", "symbol", "strategy", "purpose", "attempt", "leg", "rung"
    )
    number = None if leg is None else int(leg)
    return OrderName(stage, trade, symbol, strategy, purpose, int(attempt), int(rung), number)


def _positive(number: int) -> int:
    if number < 1:
        raise ValueError(f"attempts, rungs and legs count from 1, not {number}")
    return number


def _checked(identifier: str) -> str:
    if IDENTIFIER_PATTERN.match(identifier) is None:
        raise ValueError(f"not an id of 1-80 letters, digits, - or _: {identifier!r}")
    return identifier
