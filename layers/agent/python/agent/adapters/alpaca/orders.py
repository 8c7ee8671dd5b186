"""Orders as Alpaca spells them, written and read. The sign of a net price is set here alone."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import gcd
from typing import Any

from agent.adapters.alpaca.answers import Answer
from agent.book.intents import OrderStatus
from agent.options.money import to_cents
from agent.options.structures import Leg, LegSide
from agent.ports import BrokerMisunderstood, BrokerOrder, OrderRequest, ShareOrderRequest

LEGS_MAX = 4
CLIENT_ORDER_ID_LENGTH_MAX = 128
ZERO = Decimal(0)

_ENDED_STATUSES: Mapping[str, OrderStatus] = {
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELED,
    "expired": OrderStatus.EXPIRED,
    # All of our orders are for the day, so what is done for the day is done.
    "done_for_day": OrderStatus.EXPIRED,
    "rejected": OrderStatus.REJECTED,
    # We never replace an order. Where its owner did, ours has ended, and the replacement is an
    # order of another id, which is the reconciler's to report.
    "replaced": OrderStatus.CANCELED,
}

CANCEL_NEEDLESS_STATUSES = frozenset({*_ENDED_STATUSES, "pending_cancel"})
"""Alpaca's words for an order that has ended or is being cancelled already."""


def signed_limit_price(limit_cash: Decimal) -> Decimal:
    """Turn cash a share, positive where received, into Alpaca's multi-leg limit price.

    Alpaca takes a debit as positive and a credit as negative. It does not check the sign: the
    wrong one on a credit spread means "pay up to", and fills at once at any credit there is.
    """
    return ZERO - limit_cash


def order_payload(request: OrderRequest) -> dict[str, Any]:
    """Spell an order as the JSON of POST /v2/orders: a limit, for the day, numbers as text.

    Raises ValueError for an order that cannot be meant: no or too many legs, ratios with a
    common divisor, a price that is not in whole cents, or a single leg sold for a debit or
    bought for a credit.
    """
    _check(request)
    payload: dict[str, Any] = {
        "client_order_id": request.client_order_id,
        "type": "limit",
        "time_in_force": "day",
        "qty": str(request.contracts),
    }
    if len(request.legs) + len(request.closing_legs) == 1:
        leg = request.legs[0]
        return {
            **payload,
            **_leg_payload(leg, opening=request.opening),
            "limit_price": _spelled(_single_leg_price(request, leg)),
        }
    return {
        **payload,
        "order_class": "mleg",
        "limit_price": _spelled(signed_limit_price(request.limit_cash)),
        "legs": [
            {**_leg_payload(leg, opening=opening), "ratio_qty": str(leg.ratio)}
            for legs, opening in (
                (request.closing_legs, False),
                (request.legs, request.opening),
            )
            for leg in legs
        ],
    }


def share_order_payload(request: ShareOrderRequest) -> dict[str, Any]:
    """Spell an order for shares as the JSON of POST /v2/orders: a limit, for the day.

    Raises ValueError for one that cannot be meant.
    """
    _check_name(request.client_order_id)
    if not request.quantity or request.limit_price <= 0:
        raise ValueError(
            f"order {request.client_order_id} asks for {request.quantity} shares"
            f" at {request.limit_price}"
        )
    to_cents(request.limit_price)
    return {
        "client_order_id": request.client_order_id,
        "symbol": request.symbol,
        "side": "buy" if request.quantity > 0 else "sell",
        "type": "limit",
        "time_in_force": "day",
        "qty": str(abs(request.quantity)),
        "limit_price": _spelled(request.limit_price),
    }


def _check(request: OrderRequest) -> None:
    name = request.client_order_id
    _check_name(name)
    if request.contracts < 1:
        raise ValueError(f"order {name} asks for {request.contracts} contracts")
    legs = request.closing_legs + request.legs
    if not request.legs or len(legs) > LEGS_MAX:
        raise ValueError(f"order {name} has {len(legs)} legs, not 1 to {LEGS_MAX}")
    ratios = [leg.ratio for leg in legs]
    if min(ratios) < 1 or gcd(*ratios) != 1:
        raise ValueError(f"order {name} has leg ratios {ratios}, which are not relatively prime")
    to_cents(request.limit_cash)


def _check_name(name: str) -> None:
    if not 0 < len(name) <= CLIENT_ORDER_ID_LENGTH_MAX:
        raise ValueError(f"a client order id has 1 to {CLIENT_ORDER_ID_LENGTH_MAX} characters")


def _is_bought(leg: Leg, *, opening: bool) -> bool:
    return (leg.side is LegSide.LONG) is opening


def _leg_payload(leg: Leg, *, opening: bool) -> dict[str, str]:
    # The intent is stated as well: without it a sale of what is no longer held opens a short.
    side = "buy" if _is_bought(leg, opening=opening) else "sell"
    intent = f"{side}_to_{'open' if opening else 'close'}"
    return {"symbol": leg.contract.symbol, "side": side, "position_intent": intent}


def _single_leg_price(request: OrderRequest, leg: Leg) -> Decimal:
    is_bought = _is_bought(leg, opening=request.opening)
    price = signed_limit_price(request.limit_cash) if is_bought else request.limit_cash
    if price <= 0:
        raise ValueError(
            f"order {request.client_order_id} {'buys' if is_bought else 'sells'} one leg"
            f" at a limit of {request.limit_cash} received a share"
        )
    return price


def _spelled(price: Decimal) -> str:
    return f"{price:.2f}"


def parse_order(order: Answer) -> BrokerOrder:
    """Read an order of the broker, single-leg or multi-leg with its legs.

    A status that is not known to be an end is working: an order that is taken for dead would be
    sent again, one that is taken for alive is asked for again. Raises BrokerMisunderstood where
    the order is not one of option contracts in whole units.
    """
    legs = order.parts("legs") if order.has("legs") else []
    contracts = order.whole("qty")
    is_multileg = bool(legs) or order.optional_text("order_class") == "mleg"
    filled = _filled_contracts(order, legs)
    if not 0 <= filled <= contracts:
        raise BrokerMisunderstood(f"{order.source}: {filled} of {contracts} contracts are filled")
    return BrokerOrder(
        order_id=order.text("id"),
        client_order_id=order.text("client_order_id"),
        status=_ENDED_STATUSES.get(order.text("status"), OrderStatus.WORKING),
        contracts=contracts,
        filled_contracts=filled,
        filled_cash=_filled_cash(order, legs, is_multileg=is_multileg) if filled else None,
        leg_prices=_leg_prices(legs if is_multileg else [order]) if filled else {},
        submitted_at=order.optional_instant("submitted_at") or order.instant("created_at"),
        filled_at=order.optional_instant("filled_at"),
    )


def _filled_contracts(order: Answer, legs: Sequence[Answer]) -> int:
    # Whether a parent counts units or the contracts of its legs is documented by example only;
    # legs filled in ratio say it beyond doubt. Where they are out of step, the parent decides.
    units = {(leg.optional_number("filled_qty") or ZERO) / _ratio(leg) for leg in legs}
    if len(units) == 1:
        (filled,) = units
        if filled == filled.to_integral_value():
            return int(filled)
    return order.whole("filled_qty")


def _filled_cash(order: Answer, legs: Sequence[Answer], *, is_multileg: bool) -> Decimal | None:
    paid = order.optional_number("filled_avg_price")
    if not is_multileg:
        return None if paid is None else abs(paid) * _cash_sign(order)
    by_legs = _cash_of_legs(legs)
    if paid is None:
        return by_legs
    # The legs' sides leave no doubt which way the cash went; a parent's sign could be lost.
    if by_legs is not None and by_legs * -paid < 0:
        return by_legs
    return -paid


def _cash_of_legs(legs: Sequence[Answer]) -> Decimal | None:
    cash = ZERO
    for leg in legs:
        price = leg.optional_number("filled_avg_price")
        if price is None:
            return None
        cash += price * _ratio(leg) * _cash_sign(leg)
    return cash if legs else None


def _ratio(leg: Answer) -> int:
    ratio = leg.whole("ratio_qty")
    if ratio < 1:
        raise BrokerMisunderstood(f"{leg.source}: the leg's ratio is {ratio}")
    return ratio


def _cash_sign(leg: Answer) -> int:
    side = leg.text("side")
    if side not in {"buy", "sell"}:
        raise BrokerMisunderstood(f"{leg.source}: the side {side!r} is neither buy nor sell")
    return 1 if side == "sell" else -1


def _leg_prices(legs: Sequence[Answer]) -> dict[str, Decimal]:
    prices = {leg.text("symbol"): leg.optional_number("filled_avg_price") for leg in legs}
    return {symbol: price for symbol, price in prices.items() if price is not None}
