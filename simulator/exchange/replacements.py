"""What a PATCH makes of a working order: the request that takes its place."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from simulator.exchange.errors import malformed, unprocessable
from simulator.exchange.order_numbers import trail_of
from simulator.exchange.order_requests import LegRequest, OrderRequest, read_replacement
from simulator.exchange.records import Order, Trail


def _new_trail(old: Order, distance: object) -> Trail:
    if old.trail is None:
        raise unprocessable("trail is only valid for trailing stop orders")
    unit = "trail_percent" if old.trail.price is None else "trail_price"
    return trail_of({unit: distance})


def replacement_request(old: Order, body: Any) -> OrderRequest:
    """Read the body of PATCH /v2/orders/{id}; raises RefusalError with Alpaca's message."""
    if not isinstance(body, Mapping):
        raise malformed("request body format is invalid")
    is_option = old.legs[0].contract is not None
    change = read_replacement(
        body,
        is_multileg=old.is_multileg,
        is_option=is_option,
        stock=None if is_option else old.legs[0].symbol,
    )
    if change.limit_price is not None and not old.order_type.has_limit:
        raise unprocessable("limit price is only valid for limit orders")
    if change.stop_price is not None and not old.order_type.has_stop:
        raise unprocessable("stop price is only valid for stop orders")
    units: int = old.units if change.units is None else change.units
    limit: Decimal | None = old.limit_price if change.limit_price is None else change.limit_price
    stop: Decimal | None = old.stop_price if change.stop_price is None else change.stop_price
    time_in_force = change.time_in_force or old.time_in_force
    trail = old.trail if change.trail is None else _new_trail(old, change.trail)
    now = (units, limit, stop, time_in_force, trail)
    if now == (old.units, old.limit_price, old.stop_price, old.time_in_force, old.trail):
        raise unprocessable("order parameters are not changed")
    if units <= old.filled_units:
        raise unprocessable("qty must be > filled_qty")
    return OrderRequest(
        order_class=old.order_class,
        order_type=old.order_type,
        time_in_force=time_in_force,
        units=units - old.filled_units,
        limit_price=limit,
        stop_price=None if trail is not None else stop,
        trail=trail,
        legs=tuple(
            LegRequest(leg.symbol, leg.side, leg.position_intent, leg.ratio) for leg in old.legs
        ),
        client_order_id=change.client_order_id,
    )
