"""What an intent trades next: its structure as a whole, or one leg alone, shorts first.

A close goes leg by leg where the broker refuses its legs together, and for what is held beside
whole structures. It stays one intent: each order names the leg it trades, so that whoever goes on
after a crash reads from the orders what is left.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from agent.book.fills import filled_contracts
from agent.book.identifiers import client_order_id, leg_order_id
from agent.book.intents import Intent, IntentKind, OrderAttempt, RefusalKind
from agent.book.records import Trade
from agent.options.structures import Leg, LegSide, Structure

ZERO = Decimal(0)


@dataclass(frozen=True)
class NextOrder:
    """Describe the next order of an intent; `leg` counts from 1 and is None for all of them."""

    structure: Structure
    leg: int | None
    contracts: int
    rung: int
    """How many orders of the same legs the intent has sent."""
    client_order_id: str


@dataclass(frozen=True)
class LegFill:
    """Sum up what an intent traded of one leg alone; `price` is dollars a share, unsigned."""

    leg: Leg
    number: int
    contracts: int
    price: Decimal
    filled_at: datetime | None

    @property
    def cash(self) -> Decimal:
        """Give the dollars that closing these contracts moved, positive where received."""
        direction = 1 if self.leg.side is LegSide.LONG else -1
        return direction * self.price * self.contracts * self.leg.contract.multiplier


def next_order(intent: Intent, trade: Trade, contracts_wanted: int) -> NextOrder | None:
    """Give what the intent trades next; None where nothing is left to trade.

    `contracts_wanted` are the whole structures that it is to trade in all.
    """
    whole = whole_orders(intent.orders)
    left = contracts_wanted - filled_contracts(whole)
    is_alone = intent.leg is not None or intent.shares is not None
    closes = intent.kind is IntentKind.CLOSE and not is_alone
    if left > 0 and not (closes and is_refused_whole(intent)):
        return NextOrder(
            structure=trade.structure,
            leg=None,
            contracts=left,
            rung=len(whole),
            client_order_id=(
                client_order_id(intent.intent_id, len(intent.orders) + 1)
                if intent.leg is None
                else leg_order_id(intent.intent_id, 1, len(intent.orders) + 1)
            ),
        )
    if not closes:
        return None
    # The shorts go before the longs that cover them, or something would stand uncovered.
    for side in (LegSide.SHORT, LegSide.LONG):
        for number, leg in enumerate(trade.structure.legs, start=1):
            held = leg_contracts_left(intent, trade, number) if leg.side is side else 0
            if held > 0:
                rung = len(leg_orders(intent.orders, number))
                return NextOrder(
                    structure=lone_leg(leg),
                    leg=number,
                    contracts=held,
                    rung=rung,
                    client_order_id=leg_order_id(intent.intent_id, number, rung + 1),
                )
    return None


def is_refused_whole(intent: Intent) -> bool:
    """Say whether the broker took the legs of a close for legs, and not for one order."""
    return any(order.refusal is RefusalKind.LEGS for order in whole_orders(intent.orders))


def ends_attempt(intent: Intent, order: OrderAttempt) -> bool:
    """Say whether the intent sends no further order after this one."""
    goes_on = intent.kind is IntentKind.CLOSE and order.leg is None
    if goes_on and order.refusal is RefusalKind.LEGS:
        return False
    return order.ends_attempt


def whole_orders(orders: Sequence[OrderAttempt]) -> list[OrderAttempt]:
    return [order for order in orders if order.leg is None]


def leg_orders(orders: Sequence[OrderAttempt], number: int) -> list[OrderAttempt]:
    return [order for order in orders if order.leg == number]


def lone_leg(leg: Leg) -> Structure:
    """Take one contract of a leg as a structure of its own."""
    return Structure((Leg(leg.contract, leg.side),))


def order_structure(order: OrderAttempt, trade: Trade) -> Structure:
    """Give what an order trades one unit of."""
    if order.leg is None:
        return trade.structure
    return lone_leg(trade.structure.legs[order.leg - 1])


def leg_contracts_left(intent: Intent, trade: Trade, number: int) -> int:
    """Count the contracts of a leg that the trade holds, less what the intent has traded of it."""
    leg = trade.structure.legs[number - 1]
    gone = trade.holdings.legs_gone.get(leg.contract.symbol, 0)
    units = trade.contracts_held
    if intent.contracts is not None:
        units, gone = intent.contracts, 0  # So many units, of which every leg is there.
    held = leg.ratio * (units - filled_contracts(whole_orders(intent.orders))) - gone
    return held - filled_contracts(leg_orders(intent.orders, number))


def leg_fills(intent: Intent, structure: Structure) -> tuple[LegFill, ...]:
    """Sum up what the intent traded of each leg alone, in the order of the legs.

    Raises ValueError where contracts filled at an unknown price.
    """
    found: list[LegFill] = []
    for number, leg in enumerate(structure.legs, start=1):
        filled = [o for o in leg_orders(intent.orders, number) if o.filled_contracts]
        contracts = filled_contracts(filled)
        if not contracts:
            continue
        total = ZERO
        for order in filled:
            if len(order.leg_prices) != 1:
                raise ValueError(f"order {order.client_order_id} filled at an unknown price")
            total += order.leg_prices[0] * order.filled_contracts
        at = max((order.filled_at for order in filled if order.filled_at), default=None)
        found.append(LegFill(leg, number, contracts, total / contracts, at))
    return tuple(found)
