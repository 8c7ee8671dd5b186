"""Settle an intent whose orders can fill no more: one change of book, ledger and alerts."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from agent.book.changes import BookChange, BookConflict
from agent.book.fills import FillSummary, is_settled, summarize_fills
from agent.book.intents import Intent, IntentKind, IntentStatus, OrderStatus, Urgency
from agent.book.lifecycle import LegEvent, LegEventKind, after_leg_event
from agent.book.order_plan import leg_fills
from agent.book.outcome import reduce_position
from agent.book.records import Alert, AlertKind, Position, PositionStatus, Trade
from agent.book.states import TradeStatus
from agent.book.transitions import abandon_entry, describe, open_trade, settle_close
from agent.market.calendar import new_york_date
from agent.risk.fees import fill_fees
from agent.risk.reservation import adjust_moves, release_moves
from agent.risk.sizing import fill_exposure, scaled_risk, trade_risk
from agent.use_cases.alerting import publish_alerts
from agent.use_cases.blocked_orders import blocked_exit
from agent.use_cases.cover_orders import cover_change
from agent.use_cases.desk import Desk
from agent.use_cases.losing_streak import commit_outcome
from agent.use_cases.order_tracking import contracts_left
from agent.use_cases.remainder_orders import remainder_change, units_at_stake
from agent.use_cases.roll_settling import (
    leg_fill_fees,
    max_loss_at_entry,
    residue_change,
    roll_change,
)
from agent.use_cases.steps import OrderStillWorking, SettlementResult

STATUS_WHILE = {
    IntentKind.ENTRY: TradeStatus.PENDING,
    IntentKind.CLOSE: TradeStatus.CLOSING,
    IntentKind.ROLL: TradeStatus.ROLLING,
}
"""The status of a trade while an intent of a kind is carried out."""


def settle(desk: Desk, intent: Intent, trade: Trade) -> SettlementResult:
    """Write the outcome of an intent, or find that it is written.

    Raises OrderStillWorking where an order may still fill.
    """
    if not is_settled(intent):
        raise OrderStillWorking(f"an order of {intent.intent_id} may still fill")
    if trade.status is not STATUS_WHILE[intent.kind]:
        # Somebody settled it between our two reads: the next read shows the intent as done.
        raise BookConflict(f"{trade.trade_id} is {trade.status} already")
    try:
        change = _change(desk, intent, trade)
        outcome = change.intents[0].intent.outcome or ""
        commit_outcome(desk, change)
    except BookConflict:
        stored = desk.book.intent(intent.intent_id)
        if stored is None or stored.status is not IntentStatus.DONE:
            raise
        outcome = stored.outcome or ""
    publish_alerts(desk)
    return SettlementResult(intent_id=intent.intent_id, settled=True, outcome=outcome)


def _change(desk: Desk, intent: Intent, trade: Trade) -> BookChange:
    if intent.kind is IntentKind.ENTRY:
        return _settle_entry(desk, intent, trade)
    if intent.of_shares:
        return cover_change(desk, intent, trade)
    if intent.kind is IntentKind.ROLL:
        return roll_change(desk, intent, trade)
    if intent.of_residue:
        return residue_change(desk, intent)
    if intent.leg is not None or intent.shares is not None:
        return _settle_remainder(desk, intent, trade)
    return _settle_exit(desk, intent, trade)


def _settle_entry(desk: Desk, intent: Intent, trade: Trade) -> BookChange:
    at = desk.clock.market_clock().now
    fills = summarize_fills(intent.orders, trade.structure)
    fees = desk.settings.fees
    if not fills.contracts or fills.leg_prices is None or fills.cash_per_share is None:
        refused = [order for order in intent.orders if order.status is OrderStatus.REJECTED]
        return abandon_entry(
            trade,
            intent,
            status=TradeStatus.REJECTED if refused else TradeStatus.CANCELLED,
            reason=intent.outcome or "nobody took the other side within the ladder",
            release=release_moves(
                trade.risk,
                symbol=trade.symbol,
                unfilled_session=new_york_date(trade.timestamp_enter),
            ),
            at=at,
        )
    exposure = fill_exposure(
        trade.structure,
        fills.cash_per_share,
        trade.market_snapshot.underlying_price,
        desk.settings,
        trade.market_snapshot.stress_debit,
    )
    held = trade_risk(exposure, fills.contracts)
    return open_trade(
        trade,
        intent,
        fills,
        risk=held,
        fees=fill_fees(trade.structure, fills.leg_prices, fills.contracts, opening=True, fees=fees),
        adjustment=adjust_moves(trade.risk, held, symbol=trade.symbol),
        at=at,
    )


def _settle_exit(desk: Desk, intent: Intent, trade: Trade) -> BookChange:
    credit = trade.execution.credit
    if credit is None:
        raise ValueError(f"{trade.trade_id} closes without ever having opened")
    fills = summarize_fills(intent.orders, trade.structure)
    stored = desk.book.positions(trade.trade_id)
    before = trade.contracts_held
    fills = replace(fills, filled_at=_last_fill_at(intent, trade, fills))
    trade, alone = _with_legs_gone(desk, intent, trade, stored)
    positions = [alone.get(each.position_id, each) for each in stored]
    left = trade.contracts_held - fills.contracts
    held = units_at_stake(trade, left, trade.shares_held)
    remaining = scaled_risk(trade.risk, held)
    fees = Decimal(0)
    if fills.leg_prices is not None:
        fees = fill_fees(
            trade.structure,
            fills.leg_prices,
            fills.contracts,
            opening=False,
            fees=desk.settings.fees,
        )
    at = desk.clock.market_clock().now
    change = settle_close(
        trade,
        positions,
        intent,
        fills,
        fees=fees,
        max_loss=max_loss_at_entry(trade, credit),
        release=(
            adjust_moves(trade.risk, remaining, symbol=trade.symbol)
            if held
            else release_moves(trade.risk, symbol=trade.symbol)
        ),
        risk=remaining,
        at=at,
    )
    # A whole close leaves alone what is closed already: what its own legs did alone is kept too.
    kept = {**alone, **{each.position_id: each for each in change.positions}}
    change = replace(change, positions=tuple(kept[name] for name in sorted(kept)))
    unfilled = (before if intent.contracts is None else intent.contracts) - (before - left)
    if unfilled > 0 and intent.urgency is Urgency.URGENT:
        told = (_unfilled_exit(trade, intent, unfilled, at), *blocked_exit(trade, intent, at))
        return replace(change, alerts=(*change.alerts, *told))
    return change


def _settle_remainder(desk: Desk, intent: Intent, trade: Trade) -> BookChange:
    """Record what filled of a leg or of shares alone; what did not is told, once a day and trade.

    Raises BookConflict where the trade has moved on since the intent was read.
    """
    change = remainder_change(desk, intent)
    left = contracts_left(intent, trade)
    if not left:
        return change
    at = desk.clock.market_clock().now
    unit = "shares" if intent.shares is not None else "contracts"
    told = (_unfilled_exit(trade, intent, left, at, unit), *blocked_exit(trade, intent, at))
    return replace(change, alerts=(*change.alerts, *told))


def _last_fill_at(intent: Intent, trade: Trade, fills: FillSummary) -> datetime | None:
    """Give when the last of an exit filled, of whole structures or of legs alone."""
    moments = [fill.filled_at for fill in leg_fills(intent, trade.structure)]
    return max((at for at in (fills.filled_at, *moments) if at is not None), default=None)


def _with_legs_gone(
    desk: Desk, intent: Intent, trade: Trade, positions: Sequence[Position]
) -> tuple[Trade, dict[str, Position]]:
    """Book the legs that the intent traded alone; give the trade and the positions they changed."""
    changed: dict[str, Position] = {}
    for fill in leg_fills(intent, trade.structure):
        event = LegEvent(
            event_id=f"{intent.intent_id}-leg{fill.number}",
            kind=LegEventKind.TRADED,
            symbol=fill.leg.contract.symbol,
            contracts=fill.contracts,
            at=fill.filled_at or desk.clock.market_clock().now,
            price=fill.price,
        )
        fees = leg_fill_fees(fill, desk.settings.fees)
        for position in positions:
            if position.option_symbol == event.symbol and position.status is PositionStatus.OPEN:
                changed[position.position_id] = reduce_position(
                    position, trade, fill.contracts, fill.price
                )
        trade = after_leg_event(trade, event, fees)
    if changed and trade.holdings.reason is None:
        # Whatever is left goes for the reason for which the rest went.
        holdings = trade.holdings.model_copy(update={"reason": intent.exit_reason})
        trade = trade.model_copy(update={"holdings": holdings})
    return trade, changed


def _unfilled_exit(
    trade: Trade, intent: Intent, held: int, at: datetime, unit: str = "contracts"
) -> Alert:
    """Tell, once a day and trade, that an urgent exit has ended and something is still held."""
    stopped = intent.outcome or "the ladder is used up"
    last = ""
    if intent.orders:
        order = intent.orders[-1]
        last = (
            f" The last order paid up to {-order.limit_cash:.2f} a share; natural was"
            f" {-order.natural_cash:.2f}, mid {-order.mid_cash:.2f}."
        )
    return Alert(
        alert_id=f"{trade.trade_id}-exit-unfilled-{new_york_date(at):%Y%m%d}",
        kind=AlertKind.SYSTEM_ERROR,
        at=at,
        subject=f"{trade.symbol}: an urgent exit is not filled",
        message=(
            f"Attempt {intent.attempt} to close {describe(trade)} ({trade.exit_reason}) has left"
            f" {held} {unit}: {stopped}.{last} The next pass tries again."
        ),
    )
