"""Orders of somebody else that keep the broker from taking ours: gone round, told, never touched.

The broker refuses an order beside one on the other side of the same symbol, as a wash trade. Where
a price exists that does not meet that order, ours asks for it; where the broker refuses even that,
the attempt ends and the next pass tries again.
"""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from agent.book.identifiers import read_order_name
from agent.book.intents import Intent, OrderAttempt
from agent.book.records import Alert, AlertKind, Trade
from agent.book.transitions import describe
from agent.options.ticks import NET_TICK
from agent.ports import WorkingOrder
from agent.risk.order_prices import NoOrder, PricedOrder
from agent.use_cases.desk import Desk


def is_of_stage(desk: Desk, order: WorkingOrder) -> bool:
    """Say whether a working order bears the name of this stage."""
    name = read_order_name(order.client_order_id)
    return name is not None and name.stage == desk.settings.stage


def clear_of_blocker(
    desk: Desk, intent: Intent, leg: int | None, priced: PricedOrder, tick: Decimal = NET_TICK
) -> PricedOrder | NoOrder:
    """Move the limit of a lone order past the one of somebody else that had its like refused.

    `leg` is the leg that the intent trades next, as its orders name it. The limit is the nearest
    that the two cannot fill each other at.
    """
    refused = [o for o in intent.orders if o.leg == leg and o.blocked_by is not None]
    if not refused:
        return priced
    last = refused[-1]
    blocker = _of_somebody_else(desk, last)
    if blocker is None:
        return priced  # It is gone, or ours and soon gone.
    if blocker.limit_price is None or blocker.buys is None or _is_clear(last.limit_cash, blocker):
        return NoOrder(_sentence(blocker))
    beyond = blocker.limit_price + tick if blocker.buys else tick - blocker.limit_price
    limit = max(priced.limit_cash, beyond)
    return (
        replace(priced, limit_cash=limit)
        if _is_possible(limit, blocker)
        else NoOrder(_sentence(blocker))
    )


def _of_somebody_else(desk: Desk, refused: OrderAttempt) -> WorkingOrder | None:
    found = [o for o in desk.broker.working_orders() if o.order_id == refused.blocked_by]
    return next((order for order in found if not is_of_stage(desk, order)), None)


def _is_clear(limit_cash: Decimal, blocker: WorkingOrder) -> bool:
    """Say whether an order at this limit, cash signed, and its blocker cannot fill each other."""
    assert blocker.limit_price is not None
    theirs = blocker.limit_price if blocker.buys else -blocker.limit_price
    return limit_cash > theirs


def _is_possible(limit_cash: Decimal, blocker: WorkingOrder) -> bool:
    """Say whether the limit still has its sign: we pay where they sell, and receive else."""
    return limit_cash > 0 if blocker.buys else limit_cash < 0


def _sentence(blocker: WorkingOrder) -> str:
    does = {True: "buys", False: "sells", None: "trades"}[blocker.buys]
    at = "" if blocker.limit_price is None else f" at {blocker.limit_price:.2f}"
    return (
        f"the order {blocker.client_order_id} ({blocker.order_id}) of somebody else, which {does}"
        f" {', '.join(blocker.symbols)}{at}, makes the broker refuse ours as a wash trade"
    )


def blocked_exit(trade: Trade, intent: Intent, at: datetime) -> tuple[Alert, ...]:
    """Tell once of an order of somebody else for which an exit has ended without its order."""
    last = intent.orders[-1] if intent.orders else None
    if last is None or last.blocked_by is None or intent.outcome is None:
        return ()
    return (
        Alert(
            alert_id=f"{trade.trade_id}-blocked-by-{last.blocked_by}",
            kind=AlertKind.SYSTEM_ERROR,
            at=at,
            subject=f"{trade.symbol}: an order of somebody else blocks an exit",
            message=(
                f"An exit of {describe(trade)} is not sent ({trade.trade_id}): {intent.outcome}."
                " Every pass tries again; that order is left alone. Cancel it to let the exit go."
            ),
        ),
    )
