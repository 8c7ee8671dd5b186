"""What a rebuild reads and gives: orders by their names, trades, and doubts."""

from dataclasses import dataclass

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
