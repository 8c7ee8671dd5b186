"""What the orders of one intent came to, together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from agent.book.intents import TERMINAL_ORDER_STATUSES, Intent, OrderAttempt, OrderStatus
from agent.book.records import FillQuality
from agent.options.structures import Structure

ZERO = Decimal(0)


@dataclass(frozen=True)
class FillSummary:
    """Sum up fills; cash is signed, positive where received.

    `cash` is in dollars for everything filled, `cash_per_share` its average a share, and
    `slippage` the dollars a share given up against the mid of the first order (negative where
    the fill was better). All but `cash` are None while nothing filled.
    """

    contracts: int
    cash: Decimal
    cash_per_share: Decimal | None
    leg_prices: tuple[Decimal, ...] | None
    slippage: Decimal | None
    filled_at: datetime | None
    reprices: int
    quality: FillQuality | None = None


def filled_contracts(orders: Sequence[OrderAttempt]) -> int:
    return sum(order.filled_contracts for order in orders)


def is_settled(intent: Intent) -> bool:
    """Say whether no order of the intent can fill any more."""
    return all(order.status in TERMINAL_ORDER_STATUSES for order in intent.orders)


def summarize_fills(orders: Sequence[OrderAttempt], structure: Structure) -> FillSummary:
    """Sum up the fills of those `orders` that trade whole units of `structure`.

    Raises ValueError where an order has filled contracts without a price: a fill of unknown
    price must not become a price of zero.
    """
    orders = [order for order in orders if order.leg is None]
    reprices = max(0, sum(order.status is not OrderStatus.REJECTED for order in orders) - 1)
    filled = [order for order in orders if order.filled_contracts]
    contracts = filled_contracts(filled)
    if not contracts:
        return FillSummary(0, ZERO, None, None, None, None, reprices)
    cash_shares = ZERO
    leg_totals = [ZERO] * len(structure.legs)
    for order in filled:
        if order.filled_cash is None or len(order.leg_prices) != len(structure.legs):
            raise ValueError(f"order {order.client_order_id} filled at an unknown price")
        cash_shares += order.filled_cash * order.filled_contracts
        for leg, price in enumerate(order.leg_prices):
            leg_totals[leg] += price * order.filled_contracts
    cash_per_share = cash_shares / contracts
    filled_at = max((order.filled_at for order in filled if order.filled_at), default=None)
    return FillSummary(
        contracts=contracts,
        cash=cash_shares * structure.multiplier,
        cash_per_share=cash_per_share,
        leg_prices=tuple(total / contracts for total in leg_totals),
        slippage=orders[0].mid_cash - cash_per_share,
        filled_at=filled_at,
        reprices=reprices,
        quality=_quality(orders, filled, cash_per_share, filled_at, reprices),
    )


def _quality(
    orders: Sequence[OrderAttempt],
    filled: Sequence[OrderAttempt],
    cash_per_share: Decimal,
    filled_at: datetime | None,
    reprices: int,
) -> FillQuality:
    contracts = filled_contracts(filled)
    mid = sum((o.mid_cash * o.filled_contracts for o in filled), ZERO) / contracts
    natural = sum((o.natural_cash * o.filled_contracts for o in filled), ZERO) / contracts
    waited = None if filled_at is None else (filled_at - orders[0].submitted_at).total_seconds()
    return FillQuality(
        slippage_on_arrival=orders[0].mid_cash - cash_per_share,
        slippage_at_fill=mid - cash_per_share,
        conceded_fraction=(mid - cash_per_share) / (mid - natural) if mid != natural else None,
        # Two clocks tell the times of an order: theirs may be a little ahead.
        fill_seconds=None if waited is None else max(waited, 0.0),
        reprices=reprices,
    )
