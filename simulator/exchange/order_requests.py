"""Read an order from JSON, refusing what no order can say."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from simulator.exchange.errors import malformed, unprocessable
from simulator.exchange.market import option_contract
from simulator.exchange.numbers import plain, read_number
from simulator.exchange.records import OrderClass, OrderType, PositionIntent, Side, TimeInForce

CLIENT_ORDER_ID_LENGTH_MAX = 128
Kind = TypeVar("Kind", bound=StrEnum)
LEGS_MIN = 2
LEGS_MAX = 4
PRICE_PLACES = 2
PENNY_STOCK_PRICE_PLACES = 4
ORDER_QTY_MAX = 100_000


@dataclass(frozen=True, slots=True)
class LegRequest:
    """A leg as asked for; side or intent may be missing, not both."""

    symbol: str
    side: Side
    position_intent: PositionIntent | None
    ratio: int


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """An order as asked for, each field of a known kind."""

    order_class: OrderClass
    order_type: OrderType
    time_in_force: TimeInForce
    units: int
    limit_price: Decimal | None
    legs: tuple[LegRequest, ...]
    client_order_id: str | None
    stop_price: Decimal | None = None

    @property
    def is_multileg(self) -> bool:
        return self.order_class is OrderClass.MULTILEG

    @property
    def is_for_stock(self) -> bool:
        return not self.is_multileg and option_contract(self.legs[0].symbol) is None


def read_order_request(body: Any) -> OrderRequest:
    """Read the body of POST /v2/orders; raises RefusalError with Alpaca's message."""
    if not isinstance(body, Mapping):
        raise malformed("request body format is invalid")
    client_order_id = read_client_order_id(body)
    order_class = _member(OrderClass, body.get("order_class") or "simple")
    is_multileg = order_class is OrderClass.MULTILEG
    is_option = is_multileg or option_contract(str(body.get("symbol") or "")) is not None
    if order_class is None:
        subject = "options trading" if is_option else "this exchange"
        raise unprocessable(f"complex orders not supported for {subject}")
    order_type = _order_type(body, is_multileg=is_multileg, is_option=is_option)
    units = _units(body, is_option=is_option)
    limit_price = _limit_price(body, order_type, is_multileg=is_multileg, is_option=is_option)
    legs = _legs(body.get("legs")) if is_multileg else (_single_leg(body),)
    if is_option and body.get("extended_hours"):
        raise unprocessable("extended hours is not supported for options trading")
    return OrderRequest(
        order_class=order_class,
        order_type=order_type,
        time_in_force=_time_in_force(body, is_option=is_option),
        units=units,
        limit_price=limit_price,
        legs=legs,
        client_order_id=client_order_id,
        stop_price=_stop_price(body, order_type, is_option=is_option),
    )


@dataclass(frozen=True, slots=True)
class Replacement:
    """What a PATCH changes of an order; None keeps what the order has."""

    units: int | None
    limit_price: Decimal | None
    time_in_force: TimeInForce | None
    client_order_id: str | None
    stop_price: Decimal | None = None


def read_replacement(body: Mapping[str, Any], *, is_multileg: bool, is_option: bool) -> Replacement:
    """Read the body of PATCH /v2/orders/{id}; raises RefusalError with Alpaca's message."""
    qty, limit_price, stop_price = (body.get(n) for n in ("qty", "limit_price", "stop_price"))
    return Replacement(
        units=None if qty is None else read_quantity(qty, is_option=is_option),
        limit_price=(
            None
            if limit_price is None
            else read_limit_price(limit_price, is_multileg=is_multileg, is_option=is_option)
        ),
        time_in_force=(
            _time_in_force(body, is_option=is_option) if body.get("time_in_force") else None
        ),
        client_order_id=read_client_order_id(body),
        stop_price=(
            None if stop_price is None else read_price("stop", stop_price, is_option=is_option)
        ),
    )


def read_client_order_id(body: Mapping[str, Any]) -> str | None:
    """Read the client's own id, None where the exchange shall make one."""
    client_order_id = body.get("client_order_id")
    if client_order_id is None or client_order_id == "":
        return None
    if not isinstance(client_order_id, str):
        raise malformed("client_order_id must be a string")
    if len(client_order_id) > CLIENT_ORDER_ID_LENGTH_MAX:
        raise malformed("client_order_id must be no more than 128 characters")
    return client_order_id


def _order_type(body: Mapping[str, Any], *, is_multileg: bool, is_option: bool) -> OrderType:
    named = body.get("type")
    order_type = _member(OrderType, named)
    if order_type is not None and not (is_multileg and order_type.has_stop):
        return order_type
    if named is None:
        raise malformed("type is required")
    if is_option:
        raise unprocessable("invalid order type for options trading")
    raise unprocessable(f"order type {named!s} is not supported by this exchange")


def _time_in_force(body: Mapping[str, Any], *, is_option: bool) -> TimeInForce:
    named = body.get("time_in_force")
    time_in_force = _member(TimeInForce, named)
    if time_in_force is not None:
        return time_in_force
    if named is None:
        raise malformed("time_in_force is required")
    if is_option:
        raise unprocessable("order_time_in_force provided not supported for options trading")
    raise unprocessable(f"time_in_force {named!s} is not supported by this exchange")


def _units(body: Mapping[str, Any], *, is_option: bool) -> int:
    if body.get("notional") is not None:
        subject = "options trading" if is_option else "this exchange"
        raise unprocessable(f"notional orders are not supported for {subject}")
    return read_quantity(body.get("qty"), is_option=is_option)


def read_quantity(value: object, *, is_option: bool) -> int:
    """Read a whole positive quantity; raises RefusalError where it is anything else."""
    if value is None:
        raise malformed("qty is required")
    try:
        quantity = read_number(value)
    except ValueError as error:
        raise malformed(f"qty is invalid: {error}") from error
    if quantity <= 0:
        raise malformed("qty must be > 0")
    if quantity != quantity.to_integral_value():
        subject = "options trading" if is_option else "this exchange"
        raise unprocessable(f"qty must be integer for {subject}")
    if quantity > ORDER_QTY_MAX:
        raise unprocessable(f"options order qty must be <= {ORDER_QTY_MAX}")
    return int(quantity)


def _limit_price(
    body: Mapping[str, Any], order_type: OrderType, *, is_multileg: bool, is_option: bool
) -> Decimal | None:
    value = body.get("limit_price")
    if not order_type.has_limit:
        if value is not None and is_multileg:
            raise unprocessable("limit price is only valid for limit orders")
        return None
    if value is None:
        if is_multileg:
            raise unprocessable("limit price is required for limit orders")
        if order_type is OrderType.STOP_LIMIT:
            raise malformed("stop limit orders require both stop and limit price")
        raise malformed("limit orders require a limit price")
    return read_limit_price(value, is_multileg=is_multileg, is_option=is_option)


def read_limit_price(value: object, *, is_multileg: bool, is_option: bool) -> Decimal:
    """Read a price in whole cents; only a multi-leg order's may be zero or negative.

    Stocks under a dollar take four places. The sign of a multi-leg price is not checked
    against the structure: Alpaca does not either.
    """
    return read_price("limit", value, is_option=is_option, may_be_credit=is_multileg)


def read_price(
    kind: str, value: object, *, is_option: bool, may_be_credit: bool = False
) -> Decimal:
    """Read a limit or stop price; raises RefusalError naming which."""
    try:
        price = read_number(value)
    except ValueError as error:
        raise unprocessable(f"invalid {kind} price") from error
    places = PENNY_STOCK_PRICE_PLACES if price < 1 and not is_option else PRICE_PLACES
    if price != price.quantize(Decimal(1).scaleb(-places)):
        raise unprocessable(
            f"invalid {kind}_price {plain(price)}. "
            "sub-penny increment does not fulfill minimum pricing criteria"
        )
    if price <= 0 and not may_be_credit:
        raise malformed(f"{kind} price must be > 0")
    return price


def _stop_price(
    body: Mapping[str, Any], order_type: OrderType, *, is_option: bool
) -> Decimal | None:
    value = body.get("stop_price")
    if not order_type.has_stop:
        return None
    if value is None:
        if order_type is OrderType.STOP_LIMIT:
            raise malformed("stop limit orders require both stop and limit price")
        raise malformed("stop orders require a stop price")
    return read_price("stop", value, is_option=is_option)


def _single_leg(body: Mapping[str, Any]) -> LegRequest:
    symbol = body.get("symbol")
    if not isinstance(symbol, str) or not symbol:
        raise malformed("symbol is required")
    side, intent = _side_and_intent(body, "side is required")
    return LegRequest(symbol=symbol, side=side, position_intent=intent, ratio=1)


def _legs(rows: object) -> tuple[LegRequest, ...]:
    if not isinstance(rows, list) or not LEGS_MIN <= len(rows) <= LEGS_MAX:
        raise unprocessable("mleg orders must have at least 2 legs and at most 4 legs")
    legs = []
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping) or not isinstance(row.get("symbol"), str):
            raise malformed(f"leg.{number} symbol is required")
        side, intent = _side_and_intent(row, f"leg.{number} position intent is required")
        try:
            ratio = read_number(row.get("ratio_qty"))
        except ValueError as error:
            raise malformed(f"leg.{number} ratio_qty is invalid: {error}") from error
        if ratio <= 0 or ratio != ratio.to_integral_value():
            raise malformed(f"leg.{number} ratio_qty must be a whole number > 0")
        legs.append(LegRequest(row["symbol"], side, intent, int(ratio)))
    if len({leg.symbol for leg in legs}) != len(legs):
        raise unprocessable("legs must have unique symbols")
    return tuple(legs)


def _side_and_intent(
    row: Mapping[str, Any], nothing_said: str
) -> tuple[Side, PositionIntent | None]:
    side = _member(Side, row.get("side"))
    intent = _member(PositionIntent, row.get("position_intent"))
    if intent is None and row.get("position_intent"):
        raise malformed(f"invalid position_intent: {row['position_intent']}")
    if side is None and row.get("side"):
        raise malformed(f"invalid side: {row['side']}")
    if intent is None:
        if side is None:
            raise unprocessable(nothing_said)
        return side, None
    if side is not None and side is not intent.side:
        raise malformed(f"side {side} and position_intent {intent} contradict each other")
    return intent.side, intent


def _member(kind: type[Kind], value: object) -> Kind | None:
    """Give the member that a JSON value names, None where it names none."""
    return next((member for member in kind if member.value == value), None)
