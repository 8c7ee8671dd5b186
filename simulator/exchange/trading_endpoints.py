"""The trading API: orders."""

from collections.abc import Sequence

from simulator.exchange.calls import Call, Reply
from simulator.exchange.errors import bad_query, malformed
from simulator.exchange.exchange import Exchange
from simulator.exchange.order_rendering import render_leg, render_order
from simulator.exchange.records import Order, Side
from simulator.exchange.rendering import Json

ORDERS_DEFAULT = 50
ORDERS_MAX = 500


def post_order(exchange: Exchange, call: Call) -> Reply:
    """POST /v2/orders."""
    return Reply(_render(exchange, exchange.place_order(call.body)))


def _render(exchange: Exchange, order: Order, *, nested: bool = True) -> Json:
    attached = exchange.desk.attached_to(order)
    return render_order(order, exchange.identifiers, nested=nested, attached=attached)


def get_orders(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/orders; without `nested`, the legs of multi-leg orders are rows of their own."""
    status = call.one_of("status", ("open", "closed", "all"), "open")
    direction = call.one_of("direction", ("asc", "desc"), "desc")
    limit = call.limit("limit", ORDERS_DEFAULT, ORDERS_MAX)
    after, until = call.moment("after"), call.moment("until")
    nested = call.flag("nested")
    found = [
        order
        for order in exchange.orders
        if (status == "all" or order.is_working == (status == "open"))
        and (after is None or order.created_at > after)
        and (until is None or order.created_at <= until)
        and _matches(order, call)
    ]
    if nested:
        shown = {order.order_id for order in found}
        found = [order for order in found if order.parent_id not in shown]
    if direction == "desc":
        found.reverse()
    rows: list[Json] = []
    for order in _between_ids(found, call):
        rows.append(_render(exchange, order, nested=nested))
        if order.is_multileg and not nested:
            rows.extend(render_leg(order, leg, exchange.identifiers) for leg in order.legs)
        if len(rows) >= limit:
            break
    return Reply(rows[:limit])


def _matches(order: Order, call: Call) -> bool:
    symbols = set(call.words("symbols"))
    classes = set(call.words("asset_class")) - {"all"}
    side = call.text("side")
    is_option = order.legs[0].contract is not None
    if classes and ("us_option" if is_option else "us_equity") not in classes:
        return False
    if side is not None and side not in set(Side):
        raise bad_query(f"invalid side: {side}")
    if side is not None and (order.is_multileg or order.legs[0].side.value != side):
        return False
    if not symbols:
        return True
    names = {leg.symbol for leg in order.legs}
    names |= {leg.contract.underlying for leg in order.legs if leg.contract is not None}
    return bool(names & symbols)


def _between_ids(orders: Sequence[Order], call: Call) -> Sequence[Order]:
    ids = [order.order_id for order in orders]
    after, before = call.text("after_order_id"), call.text("before_order_id")
    kept = orders
    if after in ids:
        kept = orders[ids.index(after) + 1 :]
    if before in ids:
        kept = [order for order in kept if order in orders[: ids.index(before)]]
    return kept


def get_order(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/orders/{order_id}; a leg's id finds the leg."""
    order, leg = exchange.desk.find_order_or_leg(str(call.path["order_id"]))
    if leg is not None:
        return Reply(render_leg(order, leg, exchange.identifiers))
    return Reply(_render(exchange, order))


def get_order_by_client_id(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/orders:by_client_order_id."""
    client_order_id = call.text("client_order_id")
    if client_order_id is None:
        raise malformed("client_order_id is required")
    order, leg = exchange.desk.find_by_client_id(client_order_id)
    if leg is not None:
        return Reply(render_leg(order, leg, exchange.identifiers))
    return Reply(_render(exchange, order))


def patch_order(exchange: Exchange, call: Call) -> Reply:
    """PATCH /v2/orders/{order_id}: a new order in the place of the old one."""
    order = exchange.replace_order(str(call.path["order_id"]), call.body)
    return Reply(_render(exchange, order))


def delete_order(exchange: Exchange, call: Call) -> Reply:
    """DELETE /v2/orders/{order_id}: 204 means asked for; poll for `canceled`."""
    exchange.cancel_order(str(call.path["order_id"]))
    return Reply(None, status=204)


def delete_orders(exchange: Exchange, _: Call) -> Reply:
    """DELETE /v2/orders."""
    cancelled = exchange.desk.cancel_all()
    return Reply(
        [
            {
                "id": order.order_id,
                "status": 200,
                "body": render_order(order, exchange.identifiers),
            }
            for order in cancelled
        ],
        status=207,
    )
