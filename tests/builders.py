"""Records with sensible contents, of which a test names only what matters to it.

One story runs through them: a 190/185 put spread on AAPL, decided on 9 June 2026 at 15:45 New York
time, two contracts for a credit of 1.20 a share.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from agent.book.changes import BookChange, IntentWrite, LedgerField, LedgerMove, TradeWrite
from agent.book.intents import Intent, IntentKind, OrderAttempt, Signal
from agent.book.records import (
    Alert,
    AlertKind,
    JournalEvent,
    MarketSnapshotAtEntry,
    Position,
    Trade,
    TradeExecution,
    TradeRisk,
)
from agent.book.states import ExitReason, TradeStatus
from agent.market.volatility import ImpliedVolatilitySample
from agent.options.contracts import OptionContract, OptionType
from agent.options.structures import Leg, LegSide, Structure

AS_OF = datetime(2026, 6, 9, 19, 45, tzinfo=UTC)
SESSION = date(2026, 6, 9)
EXPIRATION = date(2026, 7, 17)
SYMBOL = "AAPL"
STRATEGY = "bull_put_spread"
TRADE_ID = "paper-20260609T1945Z-AAPL-bull_put_spread"
ENTRY_INTENT_ID = f"{TRADE_ID}-entry-1"
CLOSE_INTENT_ID = f"{TRADE_ID}-close-1"
ROLL_INTENT_ID = f"{TRADE_ID}-roll-1"
LATER_EXPIRATION = date(2026, 8, 21)


def a_contract(
    symbol: str = SYMBOL,
    strike: Decimal | str = "190",
    option_type: OptionType = OptionType.PUT,
    expiration: date = EXPIRATION,
) -> OptionContract:
    return OptionContract(symbol, expiration, option_type, Decimal(strike))


def a_put_spread(
    symbol: str = SYMBOL,
    short_strike: Decimal | str = "190",
    long_strike: Decimal | str = "185",
    expiration: date = EXPIRATION,
) -> Structure:
    """Sell the higher put and own the lower one."""
    return Structure(
        (
            Leg(a_contract(symbol, short_strike, expiration=expiration), LegSide.SHORT),
            Leg(a_contract(symbol, long_strike, expiration=expiration), LegSide.LONG),
        )
    )


def a_signal(**changes: Any) -> Signal:
    structure = changes.get("structure", a_put_spread(changes.get("symbol", SYMBOL)))
    return Signal(
        **{
            "symbol": structure.underlying,
            "strategy": STRATEGY,
            "structure": structure,
            "as_of": AS_OF,
            "dte": (structure.expiration - SESSION).days,
            "underlying_price": Decimal("201.35"),
            "credit_mid": Decimal("1.25"),
            "credit_natural": Decimal("1.15"),
            "credit_min": Decimal("0.30"),
            "max_loss": Decimal("3.75"),
            "leg_deltas": (-0.25, -0.18),
            "implied_volatility": 0.28,
            "iv_rank": 41.5,
            "liquidity_score": 77.0,
            "score": 0.62,
            "parameters": {"profit_target": "0.50", "dte_min": 25, "exit_on_breach": False},
        }
        | changes
    )


def an_order_attempt(**changes: Any) -> OrderAttempt:
    return OrderAttempt(
        **{
            "client_order_id": f"{ENTRY_INTENT_ID}-o1",
            "contracts": 2,
            "limit_cash": Decimal("1.25"),
            "mid_cash": Decimal("1.25"),
            "natural_cash": Decimal("1.15"),
            "submitted_at": AS_OF,
        }
        | changes
    )


def an_intent(**changes: Any) -> Intent:
    """State the entry of the story's spread."""
    return Intent(
        **{
            "intent_id": ENTRY_INTENT_ID,
            "kind": IntentKind.ENTRY,
            "trade_id": TRADE_ID,
            "attempt": 1,
            "created_at": AS_OF,
            "signal": None if changes.get("kind") is IntentKind.CLOSE else a_signal(),
        }
        | changes
    )


def a_close_intent(**changes: Any) -> Intent:
    """State the first attempt to close the story's trade."""
    return an_intent(
        **{
            "intent_id": CLOSE_INTENT_ID,
            "kind": IntentKind.CLOSE,
            "exit_reason": ExitReason.PROFIT_TARGET,
        }
        | changes
    )


def a_later_spread() -> Structure:
    """Sell the spread that the story's trade rolls to: 185/180, five weeks later."""
    return a_put_spread(short_strike="185", long_strike="180", expiration=LATER_EXPIRATION)


def a_roll_intent(**changes: Any) -> Intent:
    """State the first attempt to roll the story's two contracts."""
    return an_intent(
        **{
            "intent_id": ROLL_INTENT_ID,
            "kind": IntentKind.ROLL,
            "exit_reason": ExitReason.ROLL,
            "signal": a_signal(structure=a_later_spread()),
            "contracts": 2,
            "net_credit_min": Decimal("0.01"),
        }
        | changes
    )


def a_snapshot(**changes: Any) -> MarketSnapshotAtEntry:
    return MarketSnapshotAtEntry(
        **{
            "as_of": AS_OF,
            "underlying_price": Decimal("201.35"),
            "credit_mid": Decimal("1.25"),
            "credit_natural": Decimal("1.15"),
            "implied_volatility": 0.28,
            "iv_rank": 41.5,
            "liquidity_score": 77.0,
            "dte": 38,
        }
        | changes
    )


def a_risk(**changes: Any) -> TradeRisk:
    return TradeRisk(
        **{
            "contracts_reserved": 2,
            "sizing_loss_per_contract": Decimal("240.00"),
            "capital_per_contract": Decimal("385.00"),
            "heat_cents": 48_000,
            "capital_cents": 77_000,
        }
        | changes
    )


def an_execution(**changes: Any) -> TradeExecution:
    """Tell of two contracts sold at 1.20, of which none was bought back."""
    return TradeExecution(
        **{
            "contracts": 2,
            "credit": Decimal("1.20"),
            "entry_cash": Decimal("240.00"),
            "fees": Decimal("0.17"),
            "entry_slippage": Decimal("0.05"),
            "reprices": 1,
        }
        | changes
    )


def a_trade(status: TradeStatus = TradeStatus.OPEN, **changes: Any) -> Trade:
    """Tell the story up to `status`; nothing was filled before it is open."""
    unfilled = status in {TradeStatus.PENDING, TradeStatus.REJECTED, TradeStatus.CANCELLED}
    structure = changes.get("structure", a_put_spread(changes.get("symbol", SYMBOL)))
    ending: dict[str, Any] = {}
    if status is TradeStatus.CLOSED:
        ending = {
            "execution": an_execution(
                contracts_closed=2,
                exit_debit=Decimal("0.60"),
                exit_cash=Decimal("-120.00"),
                fees=Decimal("0.34"),
            ),
            "timestamp_exit": datetime(2026, 6, 22, 15, 0, tzinfo=UTC),
            "pnl": Decimal("119.66"),
            "pnl_pct": Decimal("0.1574"),
            "days_held": 13,
            "exit_reason": ExitReason.PROFIT_TARGET,
        }
    return Trade(
        **{
            "trade_id": TRADE_ID,
            "symbol": structure.underlying,
            "strategy": STRATEGY,
            "status": status,
            "structure": structure,
            "timestamp_enter": AS_OF,
            "params": {"profit_target": "0.50", "dte_min": 25, "exit_on_breach": False},
            "market_snapshot": a_snapshot(),
            "execution": TradeExecution() if unfilled else an_execution(),
            "risk": a_risk(),
        }
        | ending
        | changes
    )


def a_position(trade: Trade | None = None, leg: int = 1, **changes: Any) -> Position:
    """Hold leg `leg`, from 1, of a trade."""
    held = a_trade() if trade is None else trade
    of_structure = held.structure.legs[leg - 1]
    return Position(
        **{
            "position_id": f"{held.trade_id}-leg-{leg}",
            "trade_id": held.trade_id,
            "option_symbol": of_structure.contract.symbol,
            "option_type": of_structure.contract.option_type,
            "strike": of_structure.contract.strike,
            "expiration": of_structure.contract.expiration,
            "side": of_structure.side,
            "quantity": held.contracts_held * of_structure.ratio,
            "entry_price": Decimal("2.95") if leg == 1 else Decimal("1.75"),
            "entry_delta": -0.25 if leg == 1 else -0.18,
            "current_delta": -0.25 if leg == 1 else -0.18,
            "implied_volatility": 0.28,
        }
        | changes
    )


def positions_of(trade: Trade) -> tuple[Position, ...]:
    """Hold every leg of a trade."""
    return tuple(a_position(trade, leg) for leg in range(1, len(trade.structure.legs) + 1))


def an_alert(alert_id: str = f"{ENTRY_INTENT_ID}-alert", **changes: Any) -> Alert:
    return Alert(
        **{
            "alert_id": alert_id,
            "kind": AlertKind.TRADE_EXECUTED,
            "at": AS_OF,
            "subject": "Opened AAPL bull_put_spread",
            "message": "Opened 2 x AAPL -190P/+185P 2026-07-17 for a net credit of 1.20 a share.",
        }
        | changes
    )


def an_event(event_id: str = f"{ENTRY_INTENT_ID}-trade_opened", **changes: Any) -> JournalEvent:
    return JournalEvent(
        **{
            "event_id": event_id,
            "at": AS_OF,
            "kind": "trade_opened",
            "trade_id": TRADE_ID,
            "details": {"contracts": 2},
        }
        | changes
    )


def a_sample(
    session: date = SESSION,
    implied_volatility: float = 0.28,
    bid: float | None = 0.27,
    ask: float | None = 0.29,
    source: str = "quotes",
) -> ImpliedVolatilitySample:
    return ImpliedVolatilitySample(
        session=session,
        implied_volatility=implied_volatility,
        implied_volatility_bid=bid,
        implied_volatility_ask=ask,
        source=source,
    )


def a_creation(trade: Trade, **parts: Any) -> BookChange:
    """Write a trade that must not exist yet, at version 1."""
    return BookChange(trade=TradeWrite(trade, None, None), **parts)


def a_transition(before: Trade, status: TradeStatus, **parts: Any) -> BookChange:
    """Move a stored trade to `status`, one version on."""
    following = before.model_copy(update={"status": status, "version": before.version + 1})
    return BookChange(trade=TradeWrite(following, before.status, before.version), **parts)


def a_statement(intent: Intent) -> BookChange:
    """Write an intent that must not exist yet."""
    return BookChange(intents=(IntentWrite(intent, None),))


def a_move(
    key: str = "portfolio",
    deltas: Mapping[LedgerField, int] | None = None,
    bounds: Mapping[LedgerField, int] | None = None,
) -> LedgerMove:
    """Reserve 480 dollars of heat, without a bound unless one is given."""
    return LedgerMove(
        key=key,
        deltas={LedgerField.HEAT_CENTS: 48_000} if deltas is None else deltas,
        bounds={} if bounds is None else bounds,
    )
