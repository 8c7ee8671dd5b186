"""Settle a roll, or the close of what one left behind: what the book needs to know of it."""

from decimal import Decimal

from agent.book.changes import BookChange, BookConflict
from agent.book.fills import summarize_fills
from agent.book.intents import Intent
from agent.book.records import RollResidue, Trade, TradeRisk
from agent.book.roll_fills import RollFills, roll_signal_of, summarize_roll
from agent.book.roll_settlement import settle_residue, settle_roll
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
    credit = trade.execution.credit
    if credit is None:
        raise ValueError(f"{trade.trade_id} rolls without ever having opened")
    fills = summarize_roll(intent, trade.structure)
    risk = _risk_after(desk, intent, trade, fills)
    is_over = fills.closed.contracts == trade.contracts_held and not fills.opened.contracts
    return settle_roll(
        trade,
        desk.book.positions(trade.trade_id),
        intent,
        fills,
        fees=_fees(desk, intent, trade, fills),
        max_loss=max_loss_at_entry(trade, credit),
        risk=risk,
        adjustment=(
            release_moves(trade.risk, symbol=trade.symbol)
            if is_over
            else adjust_moves(trade.risk, risk, symbol=trade.symbol)
        ),
        at=desk.clock.market_clock().now,
    )


def _risk_after(desk: Desk, intent: Intent, trade: Trade, fills: RollFills) -> TradeRisk:
    """Count what is at stake once a roll is settled: by the new structure, and by what is left."""
    left = trade.contracts_held - fills.closed.contracts
    net, credit = fills.net_credit, trade.execution.credit
    if net is None or credit is None:
        return scaled_risk(trade.risk, left)
    signal = roll_signal_of(intent)
    exposure = fill_exposure(signal.structure, credit + net, signal.underlying_price, desk.settings)
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


def _fees(desk: Desk, intent: Intent, trade: Trade, fills: RollFills) -> Decimal:
    settings, total = desk.settings.fees, ZERO
    closed, opened = fills.closed, fills.opened
    if closed.leg_prices is not None:
        total += fill_fees(
            trade.structure, closed.leg_prices, closed.contracts, opening=False, fees=settings
        )
    if opened.leg_prices is not None:
        following = roll_signal_of(intent).structure
        total += fill_fees(
            following, opened.leg_prices, opened.contracts, opening=True, fees=settings
        )
    return total


def residue_change(desk: Desk, intent: Intent) -> BookChange:
    """Give the change that records the close of a residue; raises BookConflict where it is gone."""
    trade = desk.book.trade(intent.trade_id)
    residue = None if trade is None else trade.campaign.residue
    if trade is None or residue is None:
        raise BookConflict(f"{intent.trade_id} holds no residue any more")
    fills = summarize_fills(intent.orders, residue.structure)
    fees = ZERO
    if fills.leg_prices is not None:
        fees = fill_fees(
            residue.structure,
            fills.leg_prices,
            fills.contracts,
            opening=False,
            fees=desk.settings.fees,
        )
    left = residue.contracts - fills.contracts
    remaining = residue.model_copy(update={"contracts": left}) if left else None
    risk = with_residue(scaled_risk(trade.risk, trade.contracts_held), remaining)
    return settle_residue(
        trade,
        desk.book.positions(trade.trade_id),
        intent,
        fills,
        fees=fees,
        risk=risk,
        release=adjust_moves(trade.risk, risk, symbol=trade.symbol),
        at=desk.clock.market_clock().now,
    )
