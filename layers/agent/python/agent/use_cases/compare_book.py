"""Compare what the book holds with what the broker holds, and tell the owner where they differ."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from agent.book.changes import BookChange
from agent.book.comparison import PositionDifference, booked_positions, compare_positions
from agent.book.records import Alert, AlertKind, Trade
from agent.market.calendar import new_york_date
from agent.options.contracts import OCC_SYMBOL_PATTERN
from agent.use_cases.desk import Desk
from agent.use_cases.late_fills import adopt_late_fills


def compare_book(
    desk: Desk, before: Sequence[Trade], now: datetime, held: Mapping[str, int] | None = None
) -> int:
    """Raise an alarm for each contract that book and broker count differently, once a day.

    `before` are the active trades as read ahead of this call, and `held` what the broker held
    after that; None asks for it. What orders are about to change is
    left out: a fill that is not yet booked is no difference. Orders that filled after they were
    given up are booked first. Contracts that no trade ever had are somebody else's: told, and no
    difference. Gives the number that differ; nothing else is repaired.
    """
    if held is None:
        held = {position.symbol: position.quantity for position in desk.broker.holdings()}
    if not _differences(before, held):
        return 0
    after = desk.book.active_trades()
    found = _differences(after, held, unsettled_contracts(desk, before, after))
    if not found:
        return 0
    ever = desk.book.all_trades()
    if adopt_late_fills(desk, ever, {each.symbol for each in found}, now):
        # What is settled by now has moved; the next pass sees what is left.
        after = desk.book.active_trades()
        found = _differences(after, held, unsettled_contracts(desk, before, after))
    ours = _ours(ever, after)
    alerts = [
        difference_alert(each, now) if each.symbol in ours else _foreign(each, now)
        for each in found
    ]
    if alerts:
        desk.book.commit(BookChange(alerts=tuple(alerts)))
    return sum(each.symbol in ours for each in found)


def own_differences(desk: Desk, before: Sequence[Trade]) -> int:
    """Count the contracts of ours that book and broker count differently; nothing is written.

    `before` are the active trades as read ahead of this call.
    """
    held = {position.symbol: position.quantity for position in desk.broker.holdings()}
    if not _differences(before, held):
        return 0
    after = desk.book.active_trades()
    found = _differences(after, held, unsettled_contracts(desk, before, after))
    if not found:
        return 0
    ours = _ours(desk.book.all_trades(), after)
    return sum(each.symbol in ours for each in found)


def _ours(ever: Sequence[Trade], active: Sequence[Trade]) -> set[str]:
    # The active ones once more: a list of all trades may lack what was written a moment ago.
    return {symbol for trade in (*ever, *active) for symbol in _contracts_of(trade)}


def _contracts_of(trade: Trade) -> set[str]:
    """Name what a trade has, or once had, in it: contracts, and its shares while it holds some."""
    shares = [trade.symbol] if trade.shares_held else []
    return {*trade.symbols_ever, *shares}


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


def _foreign(difference: PositionDifference, now: datetime) -> Alert:
    """Tell once of what is in the account and was never the agent's."""
    return Alert(
        alert_id=f"{difference.symbol}-is-foreign",
        kind=AlertKind.SYSTEM_ERROR,
        at=now,
        subject=f"Held by somebody else: {difference.symbol}",
        message=(
            f"The account holds {difference.held} of {difference.symbol}, which no trade of the"
            " book ever had. It is left alone, and counts in no limit."
        ),
    )


def difference_alert(difference: PositionDifference, now: datetime) -> Alert:
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
