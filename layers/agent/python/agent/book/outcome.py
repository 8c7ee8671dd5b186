"""What a trade and each of its legs came to."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from agent.book.changes import BookConflict
from agent.book.records import Position, PositionStatus, Trade, TradeExecution
from agent.market.calendar import new_york_date
from agent.options.structures import LegSide

ZERO = Decimal(0)


def realized_pnl(execution: TradeExecution) -> Decimal:
    """Sum the signed cash flows of a trade in dollars, fees included."""
    return execution.entry_cash + execution.exit_cash - execution.fees


def days_held(trade: Trade, at: datetime) -> int:
    """Count the calendar days since entry, New York dates."""
    return (new_york_date(at) - new_york_date(trade.timestamp_enter)).days


def final_figures(trade: Trade, *, max_loss: Decimal, at: datetime) -> dict[str, Any]:
    """Give what is known of a trade once nothing of it is held.

    `max_loss` is the trade's at entry, in dollars; `at` is when the last of it left.
    """
    pnl = realized_pnl(trade.execution)
    return {
        "timestamp_exit": at,
        "pnl": pnl,
        "pnl_pct": pnl / max_loss if max_loss > 0 else None,
        "days_held": days_held(trade, at),
    }


def reduce_position(position: Position, trade: Trade, contracts: int, price: Decimal) -> Position:
    """Book `contracts` of a leg that left at `price` a share; the exit price averages over all.

    A leg that expired, was assigned or exercised left at 0: the shares, if any, came at the strike.
    Raises BookConflict where more leaves than is held: trade and legs were read of two moments.
    """
    if position.entry_price is None or not contracts:
        return position
    left = position.quantity - contracts
    if left < 0 or position.status is PositionStatus.CLOSED:
        raise BookConflict(f"{contracts} contracts leave {position.position_id}, which holds less")
    direction = 1 if position.side is LegSide.LONG else -1
    shares_each = direction * trade.structure.multiplier
    gain = (price - position.entry_price) * contracts * shares_each
    realized = (position.realized_pnl or ZERO) + gain
    if left:
        return position.model_copy(update={"quantity": left, "realized_pnl": realized})
    opened = trade.execution.contracts * next(
        leg.ratio for leg in trade.structure.legs if leg.contract.symbol == position.option_symbol
    )
    return position.model_copy(
        update={
            "status": PositionStatus.CLOSED,
            "quantity": opened,
            "exit_price": position.entry_price + realized / (opened * shares_each),
            "realized_pnl": realized,
            "unrealized_pnl": ZERO,
            "current_delta": 0.0,
        }
    )
