"""The cash identity: what the broker's cash did is what the book says happened, to the cent.

Cash change at the broker = realised P&L + cash flows of open trades - account fees. Where a trade
holds shares that came by assignment, what was paid for them is among its cash flows.
Trades carry the fees attributed to their fills; account fees are what the broker charged beyond
them (it rounds each fee type up once a day).
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal

from pydantic import BaseModel, ConfigDict

from agent.book.records import Trade
from agent.book.states import TradeStatus

CENT = Decimal("0.01")


class CashIdentity(BaseModel):
    """Hold the terms in dollars; `difference` is the left side less the right one."""

    model_config = ConfigDict(frozen=True)

    cash_start: Decimal
    cash_end: Decimal
    cash_change: Decimal
    realized_pnl: Decimal
    open_cash_flows: Decimal
    fees_charged: Decimal
    fees_attributed: Decimal
    account_fees: Decimal
    difference: Decimal
    holds: bool


def check_cash_identity(
    trades: Sequence[Trade], *, cash_start: Decimal, cash_end: Decimal, fees_charged: Decimal
) -> CashIdentity:
    """Compare the broker's cash with the book's trades, open or not."""
    closed = [trade for trade in trades if trade.status is TradeStatus.CLOSED]
    held = [trade for trade in trades if trade.status is not TradeStatus.CLOSED]
    realized = sum((trade.pnl or Decimal(0) for trade in closed), Decimal(0))
    flows = sum(
        (
            trade.execution.entry_cash + trade.execution.exit_cash - trade.execution.fees
            for trade in held
        ),
        Decimal(0),
    )
    attributed = sum((trade.execution.fees for trade in trades), Decimal(0))
    account_fees = fees_charged - attributed
    change = cash_end - cash_start
    difference = change - (realized + flows - account_fees)
    return CashIdentity(
        cash_start=cash_start,
        cash_end=cash_end,
        cash_change=change,
        realized_pnl=realized,
        open_cash_flows=flows,
        fees_charged=fees_charged,
        fees_attributed=attributed,
        account_fees=account_fees,
        difference=difference,
        holds=difference.quantize(CENT, ROUND_HALF_EVEN) == 0,
    )
