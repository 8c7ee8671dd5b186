"""Let go of what is left of a trade that an assignment, or anything else, has taken apart."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from agent.book.certain_holdings import CertainHolding, as_held
from agent.book.changes import BookConflict
from agent.book.covering import first_structure
from agent.book.lifecycle import mark_shares
from agent.book.records import Alert, AlertKind, Trade
from agent.book.states import ExitReason, TradeStatus
from agent.book.transitions import describe, mark_open
from agent.book.winding_up import Remainder, begin_remainder, next_to_go
from agent.config.settings import ExitSettings
from agent.market.calendar import new_york_date
from agent.options.structures import LegSide
from agent.risk.sizing import is_short_put
from agent.use_cases.desk import Desk
from agent.use_cases.exercise_leg import exercise_instead
from agent.use_cases.troubles import Troubles


def wind_up_all(
    desk: Desk, trades: Sequence[Trade], troubles: Troubles, now: datetime
) -> Counter[str]:
    """Begin to let go of what is no whole structure any more, and count it by reason."""
    begun: Counter[str] = Counter()
    for trade in trades:
        if trade.status is TradeStatus.OPEN and not trade.is_whole:
            with troubles.of(trade.trade_id):
                reason = wind_up(desk, trade, now)
                begun.update([reason] if reason else [])
    return begun


def wind_up(
    desk: Desk, trade: Trade, now: datetime, holding: CertainHolding | None = None
) -> ExitReason | None:
    """Begin to close what cannot stay of an open trade, and say so; None where all may stay.

    One thing goes at a time: the next pass begins the next. The trading state does not matter,
    since all of this protects. Where the broker lacks some of it, `holding` says what is there.
    """
    seen = trade if holding is None else as_held(trade, holding)
    if not (seen.shares_held or any(seen.leg_quantities.values())):
        return None
    remainder = next_to_go(seen, keeps_shares=keeps_shares(trade, desk.settings.exits))
    if holding is not None and remainder is not None and (remainder.shares or 0) < 0:
        return None  # Shares held long are no danger: they wait for what explains the rest.
    if remainder is not None and (remainder.shares or 0) > 0 and holding is None:
        remainder = exercise_instead(desk, trade, remainder)
    if remainder is None or _cannot_be_sold(desk, trade, remainder):
        return None
    bound = None
    if holding is not None and remainder.shares is None:
        bound = remainder.contracts or seen.contracts_whole
    change, intent = begin_remainder(trade, remainder, now, contracts=bound)
    alerts = (_orphaned(trade, remainder, now),) if trade.holdings.legs_gone else ()
    try:
        desk.book.commit(replace(change, alerts=alerts))
    except BookConflict:
        return None  # Another pass moved the trade: it acts, this one does not.
    desk.workflows.start(intent)
    return intent.exit_reason


def _cannot_be_sold(desk: Desk, trade: Trade, remainder: Remainder) -> bool:
    """Say whether a long leg is left that nobody bids for: it may expire, and costs nothing."""
    leg = next((leg for leg in trade.structure.legs if leg.contract.symbol == remainder.leg), None)
    if leg is None or leg.side is LegSide.SHORT:
        return False
    quote = desk.market.option_quotes([leg.contract]).get(leg.contract.symbol)
    return quote is None or not quote.bid


def keeps_shares(trade: Trade, exits: ExitSettings) -> bool:
    """Say whether the owner keeps shares that came of this trade: of a put sold alone only.

    Those on which calls are written are kept as well.
    """
    if trade.manual_exit_requested or not is_short_put(first_structure(trade)):
        return False
    if trade.symbol in exits.sell_assigned_shares:
        return False
    kept = {*exits.hold_assigned_shares, *exits.cover_assigned_shares}
    return bool({trade.strategy, trade.symbol} & kept)


def mark_held_shares(desk: Desk, trades: Sequence[Trade]) -> None:
    """Store the price at which the shares of open trades are seen now.

    A pass does so once its exits are begun: what it stores here moves a trade on, and an exit
    that was decided on the trade before could not be stated any more.
    """
    holders = [trade for trade in trades if trade.shares_held]
    if not holders:
        return
    snapshots = desk.market.underlyings(sorted({trade.symbol for trade in holders}))
    for holder in holders:
        trade = desk.book.trade(holder.trade_id)
        if trade is None or trade.status is not TradeStatus.OPEN:
            continue
        snapshot = snapshots.get(trade.symbol)
        price = None if snapshot is None else snapshot.price
        shares = trade.holdings.shares
        if price is None or shares is None or shares.mark == price:
            continue
        try:
            desk.book.commit(mark_open(mark_shares(trade, price)))
        except BookConflict:
            continue  # Another pass moved the trade; the next one marks it.


def _orphaned(trade: Trade, remainder: Remainder, now: datetime) -> Alert:
    return Alert(
        alert_id=f"{trade.trade_id}-orphaned-{new_york_date(now):%Y%m%d}",
        kind=AlertKind.SYSTEM_ERROR,
        at=now,
        subject=f"{trade.symbol}: a leg is left alone",
        message=(
            f"{describe(trade)} is no whole structure any more ({trade.holdings.reason}). What is "
            f"left is being closed: {remainder.sentence} ({trade.trade_id})"
        ),
    )
