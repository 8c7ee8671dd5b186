"""What the orders of a roll came to: how much was left, and how much was moved on to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from agent.book.fills import FillSummary, filled_contracts, summarize_fills
from agent.book.intents import Intent, OrderAttempt, OrderPart, OrderStatus, RefusalKind, Signal
from agent.options.structures import LegSide, Structure

ZERO = Decimal(0)
LEGS_IN_ONE_ORDER_MAX = 4
"""The most legs that the broker takes in one order."""


@dataclass(frozen=True)
class RollFills:
    """Sum up both halves of a roll; no more is ever opened than was closed."""

    closed: FillSummary
    opened: FillSummary
    following: Structure | None
    """What was moved on to; None where nothing of it was opened and no order names it."""
    leg_deltas: tuple[float | None, ...] = ()
    """Of what was moved on to, signed, per contract; None where unknown."""

    @property
    def net_credit(self) -> Decimal | None:
        """Give what a contract that went the whole way brought, a share; None where none did."""
        if self.closed.cash_per_share is None or self.opened.cash_per_share is None:
            return None
        return self.closed.cash_per_share + self.opened.cash_per_share


@dataclass(frozen=True)
class RollStep:
    """Say what the next order of a roll trades, and at which rung, from 0, of its ladder."""

    part: OrderPart
    contracts: int
    rung: int


@dataclass(frozen=True)
class RollLadders:
    """Count the rungs that each part of a roll may use."""

    whole: int
    close: int
    open: int


def roll_signal_of(intent: Intent) -> Signal:
    """Give what a roll moves on to; raises ValueError for an intent that rolls nothing."""
    if intent.signal is None or intent.contracts is None or intent.net_credit_min is None:
        raise ValueError(f"{intent.intent_id} is not a roll")
    return intent.signal


def is_one_order(following: Structure) -> bool:
    """Say whether the broker takes a roll to a structure of the same kind as one order.

    It has at most four legs, and each short leg that is opened is covered by a long one of its
    type and expiration within the order: a put sold alone, and a condor, roll in two.
    """
    if 2 * len(following.legs) > LEGS_IN_ONE_ORDER_MAX:
        return False
    kinds = {leg.contract.option_type for leg in following.legs}
    return all(
        sum(leg.signed_ratio for leg in following.legs if leg.contract.option_type is kind) >= 0
        for kind in kinds
    )


def roll_contracts(
    orders: Sequence[OrderAttempt], *parts: OrderPart
) -> tuple[list[OrderAttempt], int]:
    """Give the orders of some parts, and the contracts that they filled."""
    found = [order for order in orders if order.part in parts]
    return found, filled_contracts(found)


def rolled_contracts(intent: Intent) -> int:
    """Count the contracts that have gone the whole way."""
    return roll_contracts(intent.orders, OrderPart.WHOLE, OrderPart.OPEN)[1]


def next_roll_step(intent: Intent, ladders: RollLadders) -> RollStep | None:
    """Say what a roll sends next, once no order of it works; None where it is over.

    One order where the broker takes it; else, or where it refused an order of so many legs, the
    close, and what was closed is opened anew. Any other refusal ends what it refused. Calls on
    shares have nothing to close.
    """
    following = roll_signal_of(intent).structure
    wanted = intent.contracts or 0
    if intent.of_shares:
        opening, opened = roll_contracts(intent.orders, OrderPart.OPEN)
        is_next = wanted > opened and len(opening) < ladders.open and not _is_refused(opening)
        return RollStep(OrderPart.OPEN, wanted - opened, len(opening)) if is_next else None
    whole, rolled = roll_contracts(intent.orders, OrderPart.WHOLE)
    close, closed = roll_contracts(intent.orders, OrderPart.CLOSE)
    opening, opened = roll_contracts(intent.orders, OrderPart.OPEN)
    if is_one_order(following) and not _is_to_be_taken_apart(whole):
        left = wanted - rolled
        is_next = left > 0 and len(whole) < ladders.whole and not _is_refused(whole)
        return RollStep(OrderPart.WHOLE, left, len(whole)) if is_next else None
    left = wanted - rolled - closed
    if left > 0 and len(close) < ladders.close and not opening and not _is_refused(close):
        return RollStep(OrderPart.CLOSE, left, len(close))
    missing = closed - opened
    if missing > 0 and len(opening) < ladders.open and not _is_refused(opening):
        return RollStep(OrderPart.OPEN, missing, len(opening))
    return None


def _is_to_be_taken_apart(orders: Sequence[OrderAttempt]) -> bool:
    return any(order.refusal is RefusalKind.LEGS for order in orders)


def _is_refused(orders: Sequence[OrderAttempt]) -> bool:
    return any(order.ends_attempt for order in orders)


def part_symbols(part: OrderPart, former: Structure, following: Structure) -> tuple[str, ...]:
    """List the OCC symbols of an order of a roll: what it closes, then what it opens."""
    if part is OrderPart.CLOSE:
        return former.symbols
    if part is OrderPart.OPEN:
        return following.symbols
    return former.symbols + following.symbols


def summarize_roll(intent: Intent, former: Structure) -> RollFills:
    """Sum up the fills of a roll, each half by itself.

    What is closed is valued at its legs' prices; the rest of an order's net is what was opened.
    Raises ValueError where an order filled at an unknown price.
    """
    signal = roll_signal_of(intent)
    orders = [order for order in intent.orders if order.filled_contracts]
    closing = [
        _half(order, former, closes=True) for order in orders if order.part is not OrderPart.OPEN
    ]
    opening = [
        _half(order, former, closes=False) for order in orders if order.part is not OrderPart.CLOSE
    ]
    tries = sum(order.status is not OrderStatus.REJECTED for order in intent.orders)
    closed = summarize_fills(closing, former)
    opened = summarize_fills(opening, signal.structure)
    return RollFills(
        following=signal.structure,
        leg_deltas=signal.leg_deltas,
        closed=replace(closed, slippage=None, reprices=max(0, tries - 1)),
        opened=replace(opened, slippage=None, reprices=0),
    )


def _half(order: OrderAttempt, former: Structure, *, closes: bool) -> OrderAttempt:
    """Take one half out of an order's fill."""
    if order.part is not OrderPart.WHOLE or order.filled_cash is None:
        return order
    legs = len(former.legs)
    if len(order.leg_prices) <= legs:
        raise ValueError(f"order {order.client_order_id} filled at an unknown price")
    prices = order.leg_prices[:legs] if closes else order.leg_prices[legs:]
    left = cash_of_leaving(former, order.leg_prices[:legs])
    cash = left if closes else order.filled_cash - left
    return order.model_copy(update={"leg_prices": prices, "filled_cash": cash})


def cash_of_leaving(former: Structure, prices: Sequence[Decimal]) -> Decimal:
    """Give the net a share of closing a structure at its legs' prices, positive if received.

    Prices are unsigned dollars a share, in the order of the legs.
    """
    return sum(
        (
            (1 if leg.side is LegSide.LONG else -1) * leg.ratio * price
            for leg, price in zip(former.legs, prices, strict=True)
        ),
        ZERO,
    )
