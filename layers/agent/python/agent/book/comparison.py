"""Where the book and the broker disagree about what is held."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from agent.book.records import Trade
from agent.book.states import ACTIVE_STATUSES


@dataclass(frozen=True)
class PositionDifference:
    """Hold one symbol of which book and broker count differently; negative is short."""

    symbol: str
    booked: int
    held: int


def booked_positions(trades: Sequence[Trade]) -> dict[str, int]:
    """Count what active trades hold, signed: contracts by OCC symbol, shares by their ticker.

    What nets to nothing is left out.
    """
    counts: Counter[str] = Counter()
    for trade in trades:
        if trade.status in ACTIVE_STATUSES:
            for symbol, quantity in trade.leg_quantities.items():
                counts[symbol] += quantity
            counts[trade.symbol] += trade.shares_held
    return {symbol: count for symbol, count in sorted(counts.items()) if count}


def compare_positions(
    trades: Sequence[Trade], held: Mapping[str, int], unsettled: Collection[str] = ()
) -> tuple[PositionDifference, ...]:
    """List what the broker's signed quantities and the book's differ in, by symbol.

    Contracts in `unsettled`, on which orders may have filled that are not yet booked, are left out.
    """
    booked = booked_positions(trades)
    return tuple(
        PositionDifference(symbol, booked.get(symbol, 0), held.get(symbol, 0))
        for symbol in sorted(booked.keys() | held.keys())
        if symbol not in unsettled and booked.get(symbol, 0) != held.get(symbol, 0)
    )
