"""What befalls positions of ours without an order of ours, as the broker's own records have it.

Contracts are assigned, exercised, expire, bear other names after a split, are liquidated by the
broker or closed by the owner's own hand. The book learns of it in a pass of the monitor; until then
the two differ rightly.
"""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime

from agent.options.contracts import OCC_SYMBOL_PATTERN, parse_occ_symbol
from simulator.exchange import Exchange
from simulator.exchange.records import Fill, OrderType
from simulator.worlds.events import Split, contract_after

ADJUSTED, SPLIT = "adjusted", "split"
KINDS = {
    "OPASN": "assigned",
    "OPEXC": "exercised",
    "OPEXP": "expired",
    "OPTRD": "delivered",
    "OPCA": ADJUSTED,
    "SSP": SPLIT,
}
BY_HAND, LIQUIDATED = "by_hand", "liquidated"


@dataclass(frozen=True)
class Move:
    """Say how many contracts or shares came (positive) or went, and since when it can be known."""

    symbol: str
    quantity: int
    kind: str
    at: datetime
    known_from: datetime
    visible_at: datetime
    """When the broker's activities tell of it."""

    @property
    def underlying(self) -> str:
        return underlying_of(self.symbol)


def underlying_of(symbol: str) -> str:
    """Give the stock of a contract, or the stock itself."""
    is_option = OCC_SYMBOL_PATTERN.fullmatch(symbol) is not None
    return parse_occ_symbol(symbol).underlying if is_option else symbol


@dataclass
class Mishaps:
    """Read the broker's records as they grow, and keep what the book has not yet caught up with."""

    exchange: Exchange
    foreign_client_ids: Collection[str]
    splits: Collection[Split] = ()
    by_hand_client_ids: set[str] = field(default_factory=set)
    moves: list[Move] = field(default_factory=list)
    pending: list[Move] = field(default_factory=list)
    held: Counter[str] = field(default_factory=Counter)
    """What all moves come to, by symbol."""
    _activities: int = 0
    _fills: int = 0

    def refresh(self) -> None:
        """Take in what happened since."""
        book = self.exchange.book
        for activity in book.activities[self._activities :]:
            kind = KINDS.get(activity.activity_type)
            if kind is not None:
                symbol = str(activity.body["symbol"])
                known_from = self._known_from(symbol, activity.at, activity.visible_at)
                if kind in {ADJUSTED, SPLIT}:
                    known_from = self._split_known_from(symbol, activity.at)
                quantity = int(activity.body["qty"])
                seen_at = activity.visible_at
                self._take(Move(symbol, quantity, kind, activity.at, known_from, seen_at))
        self._activities = len(book.activities)
        for fill in book.fills[self._fills :]:
            kind = self.kind_of(fill)
            if kind is not None:
                self._take(Move(fill.symbol, _signed(fill), kind, fill.at, fill.at, fill.at))
            elif fill.client_order_id in self.foreign_client_ids:
                self._blur(fill.symbol)
        self._fills = len(book.fills)

    def kind_of(self, fill: Fill) -> str | None:
        """Say whose a fill is that no order of ours asked for; None for ours and a stranger's."""
        if fill.client_order_id in self.by_hand_client_ids:
            return BY_HAND
        if fill.client_order_id in self.foreign_client_ids:
            return None
        is_brokers = self.exchange.order(fill.order_id).order_type is OrderType.MARKET
        return LIQUIDATED if is_brokers else None

    def settle(self, is_booked: Callable[[str], bool]) -> None:
        """Forget what the book has caught up with."""
        caught = {
            name
            for name in {move.underlying for move in self.pending}
            if all(
                is_booked(symbol)
                for move in self.pending
                if move.underlying == name
                for symbol in {name, *self.names_of(move.symbol)}
            )
        }
        self.pending = [move for move in self.pending if move.underlying not in caught]

    @property
    def pending_symbols(self) -> set[str]:
        """Name the contracts and the stocks in which book and broker may differ."""
        return {
            name for move in self.pending for name in (move.underlying, *self.names_of(move.symbol))
        }

    def names_of(self, symbol: str) -> tuple[str, ...]:
        """Give the symbols under which a book may have a contract: a split gives it another."""
        if OCC_SYMBOL_PATTERN.fullmatch(symbol) is None:
            return (symbol,)
        contract = parse_occ_symbol(symbol)
        return (
            symbol,
            *(
                contract_after(contract, split).symbol
                for split in self.splits
                if split.symbol == contract.underlying
            ),
        )

    def _blur(self, stock: str) -> None:
        """Leave to the activities what shares do not tell any more: others have traded some."""
        self.moves, self.pending = (
            [
                replace(move, known_from=move.visible_at) if move.underlying == stock else move
                for move in moves
            ]
            for moves in (self.moves, self.pending)
        )

    def _take(self, move: Move) -> None:
        self.moves.append(move)
        self.pending.append(move)
        self.held[move.symbol] += move.quantity

    def _split_known_from(self, symbol: str, at: datetime) -> datetime:
        """Say from when a split can be told: at once, or when what came before it is known."""
        stock = underlying_of(symbol)
        before = [
            move.known_from
            for move in self.pending
            if move.underlying == stock and move.kind not in {ADJUSTED, SPLIT}
        ]
        return max([at, *before])

    def _known_from(self, symbol: str, at: datetime, visible_at: datetime) -> datetime:
        """Say from when the agent can tell: at once where nothing else explains what is there."""
        underlying = underlying_of(symbol)
        others = any(
            fill.symbol == underlying and fill.client_order_id in self.foreign_client_ids
            for fill in self.exchange.book.fills
        )
        several = any(
            move.underlying == underlying and move.symbol not in {symbol, underlying}
            for move in self.pending
        )
        return visible_at if others or several else at


def _signed(fill: Fill) -> int:
    return fill.side.sign * fill.quantity
