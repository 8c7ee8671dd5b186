"""What orders of the past filled, as the book counts fills."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal

from agent.book.fills import FillSummary
from agent.book.intents import Intent, IntentKind
from agent.options.structures import Leg, LegSide, Structure
from agent.use_cases.rebuilt import Doubtful, NamedOrder

ZERO = Decimal(0)
NOTHING = FillSummary(0, ZERO, None, None, None, None, 0)
OTHER = {LegSide.LONG: LegSide.SHORT, LegSide.SHORT: LegSide.LONG}


def opposite(legs: Sequence[Leg]) -> tuple[Leg, ...]:
    """Give the legs as an order that closes them trades them."""
    return tuple(Leg(leg.contract, OTHER[leg.side], leg.ratio) for leg in legs)


def sum_up(
    orders: Sequence[NamedOrder],
    structure: Structure,
    cash_of: Callable[[NamedOrder], Decimal] | None = None,
) -> FillSummary:
    """Sum up what orders filled of a structure; `cash_of` gives an order's net a share.

    Without it that is all that the order moved. What they were priced against is unknown. Raises
    Doubtful where an order filled at an unknown price.
    """
    filled = [order for order in orders if order.filled]
    contracts = sum(order.filled for order in filled)
    if not contracts:
        return NOTHING
    cash, totals = ZERO, [ZERO] * len(structure.legs)
    for order in filled:
        prices = leg_prices(order, structure)
        cash += (cash_of or net_cash)(order) * order.filled
        totals = [total + price * order.filled for total, price in zip(totals, prices, strict=True)]
    return FillSummary(
        contracts=contracts,
        cash=cash * structure.multiplier,
        cash_per_share=cash / contracts,
        leg_prices=tuple(total / contracts for total in totals),
        slippage=None,
        filled_at=max(
            (at for order in filled if (at := order.past.order.filled_at) is not None), default=None
        ),
        reprices=len(orders) - 1,
    )


def leg_prices(order: NamedOrder, structure: Structure) -> tuple[Decimal, ...]:
    """Give the average price of each leg in an order; raises Doubtful where one is unknown."""
    found = [order.past.order.leg_prices.get(symbol) for symbol in structure.symbols]
    known = tuple(price for price in found if price is not None)
    if len(known) != len(found):
        raise _unpriced(order)
    return known


def net_cash(order: NamedOrder) -> Decimal:
    """Give what an order moved a share, positive if received; raises Doubtful where unknown."""
    cash = order.past.order.filled_cash
    if cash is None:
        raise _unpriced(order)
    return cash


def last_fill_at(orders: Sequence[NamedOrder]) -> datetime:
    """Give when the last of some orders filled, or was sent where the broker does not say."""
    found = [order.past.order for order in orders]
    return max(order.filled_at or order.submitted_at for order in found)


def past_intent(orders: Sequence[NamedOrder], kind: IntentKind) -> Intent:
    """Give the intent that sent some orders, as far as their names tell it."""
    name = orders[0].name
    return Intent(
        intent_id=name.intent_id,
        kind=kind,
        trade_id=name.trade_id,
        attempt=name.attempt,
        created_at=min(order.past.order.submitted_at for order in orders),
    )


def _unpriced(order: NamedOrder) -> Doubtful:
    return Doubtful(f"{order.past.order.client_order_id} filled at an unknown price")
