"""The trading API: positions, closing them, exercise and do-not-exercise."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from simulator.exchange.calls import Call, Reply
from simulator.exchange.errors import RefusalError, malformed, not_found
from simulator.exchange.exchange import Exchange
from simulator.exchange.numbers import plain
from simulator.exchange.order_rendering import render_order
from simulator.exchange.records import Position
from simulator.exchange.rendering import Json, render_position, render_positions

PERCENT = Decimal(100)


def get_positions(exchange: Exchange, _: Call) -> Reply:
    """GET /v2/positions."""
    return Reply(render_positions(exchange))


def get_position(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/positions/{symbol_or_asset_id}."""
    symbol = exchange.identifiers.symbol_of(str(call.path["symbol_or_asset_id"]))
    position = exchange.book.positions.get(symbol)
    if position is None:
        raise not_found("position does not exist")
    return Reply(render_position(exchange, position))


def delete_position(exchange: Exchange, call: Call) -> Reply:
    """DELETE /v2/positions/{symbol_or_asset_id}: a market order for all, `qty` or `percentage`."""
    named = str(call.path["symbol_or_asset_id"])
    position = exchange.book.positions.get(exchange.identifiers.symbol_of(named))
    if position is None:
        raise not_found(f"position not found: {named}")
    return Reply(_close(exchange, position, _quantity_to_close(position, call)))


def _quantity_to_close(position: Position, call: Call) -> Decimal:
    held = Decimal(abs(position.quantity))
    quantity, percentage = call.decimal("qty"), call.decimal("percentage")
    if quantity is not None and percentage is not None:
        raise malformed("qty and percentage cannot be given together")
    if percentage is None:
        return held if quantity is None else quantity
    if not 0 < percentage <= PERCENT:
        raise malformed("percentage must be between 0 and 100")
    return (held * percentage / PERCENT).to_integral_value(rounding="ROUND_FLOOR")


def delete_positions(exchange: Exchange, call: Call) -> Reply:
    """DELETE /v2/positions: every position by itself; spreads are not known as such."""
    if call.flag("cancel_orders"):
        exchange.desk.cancel_all()
    rows = []
    for position in exchange.positions:
        status, body = 200, {}
        try:
            body = _close(exchange, position, Decimal(abs(position.quantity)))
        except RefusalError as refusal:
            status, body = refusal.status, refusal.body
        rows.append({"symbol": position.symbol, "status": status, "body": body})
    return Reply(rows, status=207)


def _close(exchange: Exchange, position: Position, quantity: Decimal) -> Json:
    order = exchange.place_order(
        {
            "symbol": position.symbol,
            "qty": plain(quantity),
            "side": "sell" if position.quantity > 0 else "buy",
            "type": "market",
            "time_in_force": "day",
        }
    )
    return render_order(order, exchange.identifiers)


def post_exercise(exchange: Exchange, call: Call) -> Reply:
    """POST /v2/positions/{symbol_or_contract_id}/exercise; answers with an empty body."""
    return _instruct(exchange, call, exchange.lifecycle.exercise)


def post_do_not_exercise(exchange: Exchange, call: Call) -> Reply:
    """POST /v2/positions/{symbol_or_contract_id}/do-not-exercise."""
    return _instruct(exchange, call, exchange.lifecycle.do_not_exercise)


def _instruct(
    exchange: Exchange, call: Call, instruction: Callable[[str, datetime], None]
) -> Reply:
    named = str(call.path["symbol_or_contract_id"])
    instruction(exchange.identifiers.symbol_of(named), exchange.now)
    return Reply(None)
