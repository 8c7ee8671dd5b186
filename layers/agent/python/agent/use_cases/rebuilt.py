"""What a rebuild reads and gives: orders by their names, trades, and doubts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from agent.book.changes import BookChange
from agent.book.identifiers import OrderName
from agent.book.records import Position, Trade
from agent.ports import PastOrder


class Doubtful(Exception):
    """Raised where orders do not tell a trade beyond doubt; the sentence says why."""


@dataclass(frozen=True)
class NamedOrder:
    name: OrderName
    past: PastOrder

    @property
    def filled(self) -> int:
        return self.past.order.filled_contracts


@dataclass(frozen=True)
class RebuiltTrade:
    trade: Trade
    positions: tuple[Position, ...]


Step = Callable[[RebuiltTrade], RebuiltTrade]
"""What happened, done to a trade; raises ValueError where the trade cannot have it yet."""


@dataclass(frozen=True)
class Happening:
    at: datetime
    name: str
    step: Step


def after_change(rebuilt: RebuiltTrade, change: BookChange) -> RebuiltTrade:
    """Give a trade as a change of the book leaves it and its legs."""
    assert change.trade is not None
    positions = {each.position_id: each for each in (*rebuilt.positions, *change.positions)}
    return RebuiltTrade(change.trade.trade, tuple(positions.values()))
