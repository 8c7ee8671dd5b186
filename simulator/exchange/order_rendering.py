"""The trading API's JSON of orders: numbers as strings, absent moments as null."""

from collections.abc import Sequence
from typing import Any

from simulator.exchange.numbers import (
    Identifiers,
    average,
    plain,
    plain_or_none,
    timestamp,
    timestamp_or_none,
)
from simulator.exchange.records import Order, OrderLeg

Json = dict[str, Any]


def render_order(
    order: Order,
    identifiers: Identifiers,
    *,
    nested: bool = True,
    attached: Sequence[Order] = (),
) -> Json:
    """Spell an order; a multi-leg parent has no symbol, side or intent of its own.

    Orders that are attached to it show as its legs.
    """
    if not order.is_multileg:
        body = _render_simple_order(order, identifiers)
        if nested and attached:
            body["legs"] = [_render_simple_order(each, identifiers) for each in attached]
        return body
    filled = order.filled_units
    legs = [render_leg(order, leg, identifiers) for leg in order.legs] if nested else None
    return {
        **_shared_order_fields(order),
        "id": order.order_id,
        "client_order_id": order.client_order_id,
        "asset_id": "",
        "symbol": "",
        "asset_class": "",
        "side": "",
        "position_intent": "",
        "type": order.order_type.value,
        "order_type": order.order_type.value,
        "qty": plain(order.units),
        "filled_qty": plain(filled),
        "filled_avg_price": plain(average(order.filled_net, filled)) if filled else None,
        "limit_price": plain_or_none(order.limit_price),
        "ratio_qty": None,
        "legs": legs,
    }


def render_leg(order: Order, leg: OrderLeg, identifiers: Identifiers) -> Json:
    """Spell one leg of a multi-leg order; its prices are positive, per share."""
    filled = leg.filled_quantity
    return {
        **_shared_order_fields(order),
        "id": leg.order_id,
        "client_order_id": leg.client_order_id,
        "asset_id": identifiers.asset(leg.symbol),
        "symbol": leg.symbol,
        "asset_class": "us_option",
        "side": leg.side.value,
        "position_intent": leg.position_intent.value if leg.position_intent else "",
        "type": "",
        "order_type": "",
        "qty": plain(order.units * leg.ratio),
        "filled_qty": plain(filled),
        "filled_avg_price": plain(average(leg.filled_value, filled)) if filled else None,
        "limit_price": None,
        "ratio_qty": plain(leg.ratio),
        "legs": None,
    }


def _render_simple_order(order: Order, identifiers: Identifiers) -> Json:
    leg = order.legs[0]
    filled = leg.filled_quantity
    body = {
        **_shared_order_fields(order),
        "id": order.order_id,
        "client_order_id": order.client_order_id,
        "asset_id": identifiers.asset(leg.symbol),
        "symbol": leg.symbol,
        "asset_class": "us_equity" if leg.contract is None else "us_option",
        "side": leg.side.value,
        "type": order.order_type.value,
        "order_type": order.order_type.value,
        "qty": plain(order.units),
        "filled_qty": plain(filled),
        "filled_avg_price": plain(average(leg.filled_value, filled)) if filled else None,
        "limit_price": plain_or_none(order.limit_price),
        "stop_price": plain_or_none(order.stop_price),
        "ratio_qty": None,
        "legs": None,
    }
    if leg.position_intent is not None:
        body["position_intent"] = leg.position_intent.value
    return body


def _shared_order_fields(order: Order) -> Json:
    created = timestamp(order.created_at)
    return {
        "created_at": created,
        "submitted_at": created,
        "updated_at": timestamp_or_none(order.updated_at),
        "filled_at": timestamp_or_none(order.filled_at),
        "expired_at": timestamp_or_none(order.expired_at),
        "expires_at": timestamp(order.expires_at),
        "canceled_at": timestamp_or_none(order.canceled_at),
        "failed_at": None,
        "replaced_at": timestamp_or_none(order.replaced_at),
        "replaced_by": order.replaced_by,
        "replaces": order.replaces,
        "notional": None,
        "order_class": order.order_class.value,
        "time_in_force": order.time_in_force.value,
        "stop_price": None,
        "status": order.status.value,
        "extended_hours": False,
        "trail_percent": plain_or_none(order.trail.percent) if order.trail else None,
        "trail_price": plain_or_none(order.trail.price) if order.trail else None,
        "hwm": plain_or_none(order.best_price),
        "source": None,
        "subtag": None,
    }
