"""The trading API: clock, calendar, assets and orders."""

from collections.abc import Sequence
from datetime import timedelta

from simulator.exchange.calendar import new_york_date
from simulator.exchange.calls import Call, Reply
from simulator.exchange.errors import bad_query, malformed, not_found
from simulator.exchange.exchange import Exchange
from simulator.exchange.records import Order, Side
from simulator.exchange.rendering import (
    STOCK_EXCHANGE,
    Json,
    render_calendar,
    render_clock,
    render_leg,
    render_order,
)

ORDERS_DEFAULT = 50
ORDERS_MAX = 500
ACTIVITIES_MAX = 100
CALENDAR_DAYS_DEFAULT = 366


def get_clock(exchange: Exchange, _: Call) -> Reply:
    """GET /v2/clock."""
    return Reply(render_clock(exchange.calendar, exchange.now))


def get_calendar(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/calendar; without bounds, a year either side of now."""
    today = new_york_date(exchange.now)
    start = call.date("start") or today - timedelta(days=CALENDAR_DAYS_DEFAULT)
    end = call.date("end") or today + timedelta(days=CALENDAR_DAYS_DEFAULT)
    return Reply(render_calendar(exchange.calendar, start, end))


def get_assets(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/assets; the world's stocks."""
    wanted_status = call.text("status") or "active"
    wanted_class = call.text("asset_class") or "us_equity"
    wanted_exchange = call.text("exchange") or STOCK_EXCHANGE
    wanted_attributes = set(call.words("attributes"))
    if (wanted_status, wanted_class, wanted_exchange) != ("active", "us_equity", STOCK_EXCHANGE):
        return Reply([])
    if not wanted_attributes <= {"has_options"}:
        return Reply([])
    return Reply([render_asset(exchange, symbol) for symbol in exchange.world.symbols])


def get_asset(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/assets/{symbol_or_asset_id}."""
    named = str(call.path["symbol_or_asset_id"])
    for symbol in exchange.world.symbols:
        if named in {symbol, exchange.identifiers.asset(symbol)}:
            return Reply(render_asset(exchange, symbol))
    raise not_found(f"asset not found for {named}")


def render_asset(exchange: Exchange, symbol: str) -> Json:
    """Spell a stock of the world."""
    return {
        "id": exchange.identifiers.asset(symbol),
        "class": "us_equity",
        "exchange": STOCK_EXCHANGE,
        "symbol": symbol,
        "name": f"{symbol} Common Stock",
        "status": "active",
        "tradable": True,
        "marginable": True,
        "shortable": False,
        "easy_to_borrow": False,
        "borrow_status": "hard_to_borrow",
        "fractionable": False,
        "attributes": ["has_options"],
    }


def post_order(exchange: Exchange, call: Call) -> Reply:
    """POST /v2/orders."""
    return Reply(render_order(exchange.place_order(call.body), exchange.identifiers))


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
    if direction == "desc":
        found.reverse()
    rows: list[Json] = []
    for order in _between_ids(found, call):
        rows.append(render_order(order, exchange.identifiers, nested=nested))
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
    return Reply(render_order(order, exchange.identifiers))


def get_order_by_client_id(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/orders:by_client_order_id."""
    client_order_id = call.text("client_order_id")
    if client_order_id is None:
        raise malformed("client_order_id is required")
    order, leg = exchange.desk.find_by_client_id(client_order_id)
    if leg is not None:
        return Reply(render_leg(order, leg, exchange.identifiers))
    return Reply(render_order(order, exchange.identifiers))


def patch_order(exchange: Exchange, call: Call) -> Reply:
    """PATCH /v2/orders/{order_id}: a new order in the place of the old one."""
    order = exchange.replace_order(str(call.path["order_id"]), call.body)
    return Reply(render_order(order, exchange.identifiers))


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
