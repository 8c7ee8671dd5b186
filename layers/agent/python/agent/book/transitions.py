"""Every move of a trade, as a pure function from what stands to the change that is to be written.

Ledger moves and fees come from the caller: the book records limits, it does not set them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial

from pydantic import JsonValue

from agent.book.changes import BookChange, IntentWrite, LedgerMove, TradeWrite
from agent.book.fills import FillSummary, filled_contracts
from agent.book.identifiers import close_intent_id, position_id
from agent.book.intents import Intent, IntentKind, OrderAttempt, Signal, Urgency
from agent.book.moves import ended, event_of, moved, opened_legs
from agent.book.outcome import days_held, final_figures, realized_pnl, reduce_position
from agent.book.records import (
    Alert,
    AlertKind,
    JournalEvent,
    MarketSnapshotAtEntry,
    Position,
    PositionStatus,
    Trade,
    TradeExecution,
    TradeRisk,
)
from agent.book.states import ExitReason, TradeStatus
from agent.options.structures import LegSide

ZERO = Decimal(0)


def write_entry_intent(intent_id: str, trade_id: str, signal: Signal, at: datetime) -> BookChange:
    """State that the signal is about to be entered; refused by the store where it was before."""
    intent = Intent(
        intent_id=intent_id,
        kind=IntentKind.ENTRY,
        trade_id=trade_id,
        attempt=1,
        created_at=at,
        signal=signal,
    )
    return BookChange(intents=(IntentWrite(intent, None),))


def refuse_entry(
    intent: Intent, reason: str, at: datetime, findings: Mapping[str, str]
) -> BookChange:
    """End an entry before anything was reserved for it; `reason` names what refused it."""
    return BookChange(
        intents=(ended(intent, f"refused: {reason}"),),
        events=(event_of(intent, "entry_refused", at, **{"reason": reason, **findings}),),
    )


def reserve_entry(
    intent: Intent, risk: TradeRisk, reservation: Sequence[LedgerMove], at: datetime
) -> BookChange:
    """Create the pending trade and move the ledger, together."""
    signal = _signal_of(intent)
    trade = Trade(
        trade_id=intent.trade_id,
        symbol=signal.symbol,
        strategy=signal.strategy,
        status=TradeStatus.PENDING,
        structure=signal.structure,
        timestamp_enter=at,
        params=signal.parameters,
        market_snapshot=MarketSnapshotAtEntry(
            as_of=signal.as_of,
            underlying_price=signal.underlying_price,
            credit_mid=signal.credit_mid,
            credit_natural=signal.credit_natural,
            implied_volatility=signal.implied_volatility,
            iv_rank=signal.iv_rank,
            liquidity_score=signal.liquidity_score,
            dte=signal.dte,
            probability_of_profit=signal.probability_of_profit,
            stress_debit=signal.stress_debit,
        ),
        risk=risk,
    )
    return BookChange(
        trade=TradeWrite(trade, None, None),
        # The intent moves too, so that an entry that was given up cannot be reserved late.
        intents=(record_orders(intent, intent.orders),),
        ledger=tuple(reservation),
        events=(event_of(intent, "entry_reserved", at, contracts=risk.contracts_reserved),),
    )


def record_orders(intent: Intent, orders: Sequence[OrderAttempt]) -> IntentWrite:
    """Keep what is known of an intent's orders."""
    following = intent.model_copy(update={"orders": tuple(orders), "version": intent.version + 1})
    return IntentWrite(following, intent.version)


def note_outcome(intent: Intent, outcome: str) -> IntentWrite:
    """Keep why an intent stopped where it did; its settlement follows."""
    noted = intent.model_copy(update={"outcome": outcome, "version": intent.version + 1})
    return IntentWrite(noted, intent.version)


def open_trade(
    trade: Trade,
    intent: Intent,
    fills: FillSummary,
    *,
    risk: TradeRisk,
    fees: Decimal,
    adjustment: Sequence[LedgerMove],
    at: datetime,
) -> BookChange:
    """Record a filled entry, in full or in part, and give back what was not needed."""
    if not fills.contracts or fills.leg_prices is None or fills.cash_per_share is None:
        raise ValueError(f"{trade.trade_id} cannot open: nothing filled")
    signal = _signal_of(intent)
    opened = moved(
        trade,
        TradeStatus.OPEN,
        risk=risk,
        execution=TradeExecution(
            contracts=fills.contracts,
            credit=fills.cash_per_share,
            entry_cash=fills.cash,
            fees=fees,
            entry_slippage=fills.slippage,
            reprices=fills.reprices,
            entry_quality=fills.quality,
        ),
    )
    positions = opened_legs(
        trade.trade_id,
        trade.structure,
        fills.contracts,
        fills.leg_prices,
        signal.leg_deltas,
        name_of=partial(position_id, trade.trade_id),
    )
    return BookChange(
        trade=TradeWrite(opened, trade.status, trade.version),
        intents=(ended(intent, "opened"),),
        positions=positions,
        ledger=tuple(adjustment),
        events=(event_of(intent, "trade_opened", at, contracts=fills.contracts),),
        alerts=(
            Alert(
                alert_id=f"{intent.intent_id}-alert",
                kind=AlertKind.TRADE_EXECUTED,
                at=at,
                subject=f"Opened {trade.symbol} {trade.strategy}",
                message=(
                    f"Opened {fills.contracts} x {describe(trade)} for a net credit of "
                    f"{fills.cash_per_share:.2f} a share{_odds(trade)} ({trade.trade_id})."
                    + "".join(f" {warning}" for warning in signal.warnings)
                ),
            ),
        ),
    )


def abandon_entry(
    trade: Trade,
    intent: Intent,
    *,
    status: TradeStatus,
    reason: str,
    release: Sequence[LedgerMove],
    at: datetime,
) -> BookChange:
    """End an entry of which nothing filled; `status` is rejected or cancelled."""
    return BookChange(
        trade=TradeWrite(
            moved(trade, status, timestamp_exit=at, notes=reason), trade.status, trade.version
        ),
        intents=(ended(intent, f"{status}: {reason}"),),
        ledger=tuple(release),
        events=(event_of(intent, f"entry_{status}", at, reason=reason),),
    )


def begin_close(
    trade: Trade,
    reason: ExitReason,
    urgency: Urgency,
    sentence: str,
    at: datetime,
    *,
    contracts: int | None = None,
) -> tuple[BookChange, Intent]:
    """Move an open trade to closing and state the attempt, together.

    `contracts` bounds it to so many units, where the broker holds no more; None closes all.
    """
    attempt = trade.close_attempts + 1
    intent = Intent(
        intent_id=close_intent_id(trade.trade_id, attempt),
        kind=IntentKind.CLOSE,
        trade_id=trade.trade_id,
        attempt=attempt,
        created_at=at,
        urgency=urgency,
        exit_reason=reason,
        contracts=contracts,
    )
    closing = moved(trade, TradeStatus.CLOSING, close_attempts=attempt, exit_reason=reason)
    change = BookChange(
        trade=TradeWrite(closing, trade.status, trade.version),
        intents=(IntentWrite(intent, None),),
        events=(event_of(intent, "close_begun", at, reason=reason, why=sentence),),
    )
    return change, intent


def settle_close(
    trade: Trade,
    positions: Sequence[Position],
    intent: Intent,
    fills: FillSummary,
    *,
    fees: Decimal,
    max_loss: Decimal,
    release: Sequence[LedgerMove],
    risk: TradeRisk,
    at: datetime,
) -> BookChange:
    """Record an exit: closed where all is gone, open again where something is left.

    Where nothing but shares is left, the exit is closed and the trade open. `fees` are those of
    these fills; `max_loss` is the trade's at entry, in dollars.
    """
    execution = _after_exit(trade.execution, fills, fees)
    own = [
        position
        for position in positions
        if position.option_symbol in trade.structure.symbols
        and position.status is PositionStatus.OPEN
    ]
    left = tuple(_after_leg_exit(position, fills, trade) for position in own)
    events = [event_of(intent, "close_settled", at, contracts=fills.contracts)]
    following = trade.model_copy(update={"execution": execution, "risk": risk})
    if not following.is_flat:
        # Legs that went alone are in the trade already: the orders tell that they did.
        has_filled = fills.contracts or filled_contracts(intent.orders)
        is_over = has_filled and not following.contracts_held
        outcome = "closed" if is_over else "partly filled" if has_filled else "unfilled"
        return BookChange(
            trade=TradeWrite(
                moved(following, TradeStatus.OPEN, exit_reason=None), trade.status, trade.version
            ),
            intents=(ended(intent, outcome),),
            positions=left,
            ledger=tuple(release),
            events=tuple(events),
            alerts=(_shares_stay(following, intent, at),) if is_over else (),
        )
    pnl, held = realized_pnl(execution), days_held(trade, at)
    closed = moved(
        following,
        TradeStatus.CLOSED,
        **final_figures(following, max_loss=max_loss, at=fills.filled_at or at),
    )
    return BookChange(
        trade=TradeWrite(closed, trade.status, trade.version),
        intents=(ended(intent, "closed"),),
        positions=left,
        ledger=tuple(release),
        events=tuple(events),
        alerts=(
            Alert(
                alert_id=f"{intent.intent_id}-alert",
                kind=AlertKind.POSITION_CLOSED,
                at=at,
                subject=f"Closed {trade.symbol} {trade.strategy}: {trade.exit_reason}",
                message=(
                    f"Closed {execution.contracts} x {describe(trade)} after {held} days "
                    f"({trade.exit_reason}): P&L {pnl:.2f} USD ({trade.trade_id})."
                ),
            ),
        ),
    )


def _shares_stay(trade: Trade, intent: Intent, at: datetime) -> Alert:
    paid = trade.execution.exit_debit or ZERO
    return Alert(
        alert_id=f"{intent.intent_id}-alert",
        kind=AlertKind.POSITION_CLOSED,
        at=at,
        subject=f"Closed options of {trade.symbol} {trade.strategy}: {intent.exit_reason}",
        message=(
            f"Closed {trade.execution.contracts} x {describe(trade)} ({intent.exit_reason}) for "
            f"{paid:.2f} a share; the trade holds {trade.shares_held} shares ({trade.trade_id})."
        ),
    )


def mark_open(trade: Trade) -> BookChange:
    """Store what a monitor pass saw of an open trade, which stays as it is."""
    seen = trade.model_copy(update={"version": trade.version + 1})
    return BookChange(trade=TradeWrite(seen, trade.status, trade.version))


def tag_trade(
    trade: Trade, tags: Sequence[str], details: Mapping[str, JsonValue], at: datetime
) -> BookChange:
    """Keep what the analysis of a closed trade found; its status and its money stay as they are."""
    if trade.status is not TradeStatus.CLOSED:
        raise ValueError(f"{trade.trade_id} is {trade.status}, not closed: nothing to explain")
    event = JournalEvent(
        event_id=f"{trade.trade_id}-analysed-{trade.version}",
        at=at,
        kind="trade_analysed",
        trade_id=trade.trade_id,
        details={"tags": list(tags), **details},
    )
    tagged = trade.model_copy(update={"reason_tags": tuple(tags), "version": trade.version + 1})
    return BookChange(trade=TradeWrite(tagged, trade.status, trade.version), events=(event,))


def _odds(trade: Trade) -> str:
    odds = trade.market_snapshot.probability_of_profit
    if odds is None:
        return ""
    return f", probability of profit {odds:.0%} at expiration, before management"


def describe(trade: Trade) -> str:
    """Name a trade as its owner would: symbol, strikes and expiration."""
    strikes = "/".join(
        f"{'-' if leg.side is LegSide.SHORT else '+'}{leg.contract.strike.normalize():f}"
        f"{leg.contract.option_type[0].upper()}"
        for leg in trade.structure.legs
    )
    return f"{trade.symbol} {strikes} {trade.structure.expiration:%Y-%m-%d}"


def _after_exit(before: TradeExecution, fills: FillSummary, fees: Decimal) -> TradeExecution:
    closed = before.contracts_closed + fills.contracts
    if closed > before.contracts:
        raise ValueError(f"closed {closed} contracts of a trade of {before.contracts}")
    paid_before = (before.exit_debit or ZERO) * before.contracts_closed
    paid_now = -(fills.cash_per_share or ZERO) * fills.contracts
    return before.model_copy(
        update={
            "contracts_closed": closed,
            "exit_debit": (paid_before + paid_now) / closed if closed else None,
            "exit_cash": before.exit_cash + fills.cash,
            "fees": before.fees + fees,
            "exit_slippage": before.exit_slippage if fills.slippage is None else fills.slippage,
            "reprices": before.reprices + fills.reprices,
            "exit_quality": before.exit_quality if fills.quality is None else fills.quality,
        }
    )


def _after_leg_exit(position: Position, fills: FillSummary, trade: Trade) -> Position:
    if fills.leg_prices is None:
        return position
    number = int(position.position_id.rsplit("-", 1)[1])
    contracts = fills.contracts * trade.structure.legs[number - 1].ratio
    return reduce_position(position, trade, contracts, fills.leg_prices[number - 1])


def _signal_of(intent: Intent) -> Signal:
    if intent.signal is None:
        raise ValueError(f"{intent.intent_id} is not an entry")
    return intent.signal
