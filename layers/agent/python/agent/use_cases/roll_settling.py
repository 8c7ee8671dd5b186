"""Settle a roll, or the close of what one left behind: what the book needs to know of it."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from agent.book.changes import BookChange, BookConflict
from agent.book.fills import FillSummary, summarize_fills
from agent.book.intents import Intent
from agent.book.order_plan import LegFill, leg_fills, lone_leg
from agent.book.records import Position, RollResidue, Trade, TradeRisk
from agent.book.roll_fills import RollFills, roll_signal_of, summarize_roll
from agent.book.roll_settlement import residue_after, settle_residue, settle_roll
from agent.config.settings import FeeSettings, Settings
from agent.options.structures import Structure
from agent.risk.campaigns import with_residue
from agent.risk.fees import fill_fees
from agent.risk.reservation import adjust_moves, release_moves
from agent.risk.sizing import fill_exposure, scaled_risk, trade_risk
from agent.use_cases.desk import Desk

ZERO = Decimal(0)


def max_loss_at_entry(trade: Trade, credit: Decimal) -> Decimal:
    """Give the most that a trade could lose when it was entered, in dollars for the whole of it."""
    if trade.campaign.max_loss is not None:
        return trade.campaign.max_loss
    structure = trade.structure
    return structure.max_loss_per_share(credit) * structure.multiplier * trade.execution.contracts


def roll_change(desk: Desk, intent: Intent, trade: Trade) -> BookChange:
    """Give the change that records a roll whose orders can fill no more."""
    return book_roll(
        trade,
        desk.book.positions(trade.trade_id),
        intent,
        summarize_roll(intent, trade.structure),
        settings=desk.settings,
        underlying_price=roll_signal_of(intent).underlying_price,
        at=desk.clock.market_clock().now,
    )


def book_roll(
    trade: Trade,
    positions: Sequence[Position],
    intent: Intent,
    fills: RollFills,
    *,
    settings: Settings,
    underlying_price: Decimal | None,
    at: datetime,
) -> BookChange:
    """Book what a roll filled; `underlying_price` is the stock when it was sought, if known."""
    credit = trade.execution.credit
    if credit is None:
        raise ValueError(f"{trade.trade_id} rolls without ever having opened")
    risk = _risk_after(trade, fills, underlying_price, settings)
    is_over = fills.closed.contracts == trade.contracts_held and not fills.opened.contracts
    return settle_roll(
        trade,
        positions,
        intent,
        fills,
        fees=_fees(trade, fills, settings.fees),
        max_loss=max_loss_at_entry(trade, credit),
        risk=risk,
        adjustment=(
            release_moves(trade.risk, symbol=trade.symbol)
            if is_over
            else adjust_moves(trade.risk, risk, symbol=trade.symbol)
        ),
        at=at,
    )


def _risk_after(
    trade: Trade, fills: RollFills, underlying_price: Decimal | None, settings: Settings
) -> TradeRisk:
    """Count what is at stake once a roll is settled: by the new structure, and by what is left."""
    left = trade.contracts_held - fills.closed.contracts
    net, credit = fills.net_credit, trade.execution.credit
    if net is None or credit is None or fills.following is None:
        return scaled_risk(trade.risk, left)
    exposure = fill_exposure(fills.following, credit + net, underlying_price, settings)
    own = trade_risk(exposure, fills.opened.contracts)
    if not left:
        return own
    residue = RollResidue(
        structure=trade.structure,
        contracts=left,
        opened=trade.execution.contracts,
        sizing_loss_per_contract=trade.risk.sizing_loss_per_contract,
        capital_per_contract=trade.risk.capital_per_contract,
    )
    return with_residue(own, residue)


def _fees(trade: Trade, fills: RollFills, fees: FeeSettings) -> Decimal:
    closed = _fees_of(trade.structure, fills.closed, fees, opening=False)
    return closed + opening_fees(fills, fees)


def opening_fees(fills: RollFills, fees: FeeSettings) -> Decimal:
    """Give the fees in dollars of what a roll opened, or of calls that were written."""
    if fills.following is None:
        return ZERO
    return _fees_of(fills.following, fills.opened, fees, opening=True)


def _fees_of(
    structure: Structure, fills: FillSummary, fees: FeeSettings, *, opening: bool
) -> Decimal:
    if fills.leg_prices is None:
        return ZERO
    return fill_fees(structure, fills.leg_prices, fills.contracts, opening=opening, fees=fees)


def leg_fill_fees(fill: LegFill, fees: FeeSettings) -> Decimal:
    """Give the fees in dollars of a leg that was closed alone."""
    return fill_fees(lone_leg(fill.leg), (fill.price,), fill.contracts, opening=False, fees=fees)


def residue_change(desk: Desk, intent: Intent) -> BookChange:
    """Give the change that records the close of a residue; raises BookConflict where it is gone."""
    trade = desk.book.trade(intent.trade_id)
    residue = None if trade is None else trade.campaign.residue
    if trade is None or residue is None:
        raise BookConflict(f"{intent.trade_id} holds no residue any more")
    return book_residue(
        trade,
        desk.book.positions(trade.trade_id),
        intent,
        summarize_fills(intent.orders, residue.structure),
        alone=leg_fills(intent, residue.structure),
        fees=desk.settings.fees,
        at=desk.clock.market_clock().now,
    )


def book_residue(
    trade: Trade,
    positions: Sequence[Position],
    intent: Intent,
    fills: FillSummary,
    *,
    alone: Sequence[LegFill] = (),
    fees: FeeSettings,
    at: datetime,
) -> BookChange:
    """Book what was closed of a residue, whole or by legs alone.

    Raises ValueError where there is none, or less of it.
    """
    residue = trade.campaign.residue
    if residue is None:
        raise ValueError(f"{trade.trade_id} holds no residue of a roll")
    remaining = residue_after(residue, fills, alone)
    risk = with_residue(scaled_risk(trade.risk, trade.contracts_held), remaining)
    paid = _fees_of(residue.structure, fills, fees, opening=False)
    return settle_residue(
        trade,
        positions,
        intent,
        fills,
        alone=alone,
        fees=paid + sum((leg_fill_fees(fill, fees) for fill in alone), ZERO),
        risk=risk,
        release=adjust_moves(trade.risk, risk, symbol=trade.symbol),
        at=at,
    )
