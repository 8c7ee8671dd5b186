"""Compare what the book holds with what the broker holds, and tell the owner where they differ."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from agent.book.changes import BookChange
from agent.book.comparison import PositionDifference, booked_positions, compare_positions
from agent.book.records import Alert, AlertKind, Trade
from agent.market.calendar import new_york_date
from agent.options.contracts import OCC_SYMBOL_PATTERN
from agent.use_cases.desk import Desk


def compare_book(desk: Desk, before: Sequence[Trade], now: datetime) -> int:
    """Raise an alarm for each contract that book and broker count differently, once a day.

    `before` are the active trades as read ahead of this call. What orders are about to change is
    left out: a fill that is not yet booked is no difference. Gives the number that differ. Nothing
    is repaired.
    """
    held = {position.symbol: position.quantity for position in desk.broker.holdings()}
    if not _differences(before, held):
        return 0
    after = desk.book.active_trades()
    found = _differences(after, held, unsettled_contracts(desk, before, after))
    if found:
        desk.book.commit(BookChange(alerts=tuple(_alert(each, now) for each in found)))
    return len(found)


def _differences(
    trades: Sequence[Trade], held: Mapping[str, int], unsettled: Collection[str] = ()
) -> tuple[PositionDifference, ...]:
    """Leave out shares that somebody else may well hold: more than the book has of its own."""
    return tuple(
        each
        for each in compare_positions(trades, held, unsettled)
        if OCC_SYMBOL_PATTERN.fullmatch(each.symbol) or not 0 <= each.booked <= each.held
    )


def unsettled_contracts(desk: Desk, before: Sequence[Trade], after: Sequence[Trade]) -> set[str]:
    """Name what moved meanwhile, or what an unfinished intent may move: contracts and shares."""
    earlier, later = booked_positions(before), booked_positions(after)
    moved = {
        symbol
        for symbol in earlier.keys() | later.keys()
        if earlier.get(symbol, 0) != later.get(symbol, 0)
    }
    trades = {trade.trade_id: trade for trade in (*before, *after)}
    for intent in desk.book.unfinished_intents():
        if intent.signal is not None:
            moved.update(intent.signal.structure.symbols)
        if intent.trade_id in trades:
            moved.update(trades[intent.trade_id].leg_quantities)
            moved.add(trades[intent.trade_id].symbol)
    return moved


def _alert(difference: PositionDifference, now: datetime) -> Alert:
    symbol = difference.symbol
    return Alert(
        alert_id=f"{symbol}-differs-{new_york_date(now):%Y%m%d}",
        kind=AlertKind.SYSTEM_ERROR,
        at=now,
        subject=f"Book and broker differ: {symbol}",
        message=(
            f"The book holds {difference.booked} of {symbol}, the broker {difference.held}, and no "
            "order is on the way. It may have been assigned, exercised or traded by somebody else; "
            "nothing was changed. See to it at the broker."
        ),
    )
