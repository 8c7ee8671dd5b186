"""Read an order from JSON, refusing what no order can say."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from simulator.exchange.errors import BAD_REQUEST, RefusalError, malformed, unprocessable
from simulator.exchange.market import looks_like_a_contract
from simulator.exchange.numbers import read_number
from simulator.exchange.order_numbers import (
    limit_price_of,
    read_limit_price,
    read_price,
    read_quantity,
    read_units,
    stop_price_of,
    trail_of,
)
from simulator.exchange.records import (
    OrderClass,
    OrderType,
    PositionIntent,
    Side,
    TimeInForce,
    Trail,
)

CLIENT_ORDER_ID_LENGTH_MAX = 128
Kind = TypeVar("Kind", bound=StrEnum)
LEGS_MIN = 2
LEGS_MAX = 4
UNSUPPORTED_TIMES_IN_FORCE = ("ioc", "fok", "opg", "cls")
"""Of options, that is; stocks take the first two."""


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
    trail: Trail | None = None
    attached: tuple["OrderRequest", ...] = ()
    """The orders that shall work once this one is filled, or, of an OCO, beside it."""

    @property
    def is_multileg(self) -> bool:
        return self.order_class is OrderClass.MULTILEG

    @property
    def is_for_stock(self) -> bool:
        return not self.is_multileg and not looks_like_a_contract(self.legs[0].symbol)


def read_order_request(
    body: Any, check_client_order_id: Callable[[str | None], object]
) -> OrderRequest:
    """Read the body of POST /v2/orders; raises RefusalError with Alpaca's message.

    What the body fails to say (40010001) is refused before what no order may say (42210000);
    `check_client_order_id` refuses ids that are in use.
    """
    if not isinstance(body, Mapping):
        raise malformed("request body format is invalid")
    client_order_id = read_client_order_id(body)
    check_client_order_id(client_order_id)
    order_class = _member(OrderClass, body.get("order_class") or "simple")
    is_multileg = order_class is OrderClass.MULTILEG
    names_contract = looks_like_a_contract(str(body.get("symbol") or ""))
    is_option = is_multileg or names_contract or bool(body.get("legs"))
    if order_class is None:
        raise malformed(f"invalid order_class: {body['order_class']}")
    if is_option and order_class not in {OrderClass.SIMPLE, OrderClass.MULTILEG}:
        raise unprocessable("complex orders not supported for options trading")
    if order_class is OrderClass.ONE_CANCELS_OTHER:
        body = with_limit_of_take_profit(body)
    _refuse_malformed(body, is_multileg=is_multileg)
    order_type = _order_type(body, is_multileg=is_multileg, is_option=is_option)
    units = read_units(body, is_option=is_option)
    limit_price = limit_price_of(body, order_type, is_multileg=is_multileg, is_option=is_option)
    legs = _legs(body.get("legs")) if is_multileg else (_single_leg(body),)
    if is_option and body.get("extended_hours"):
        raise unprocessable("extended hours is not supported for options trading")
    if body.get("extended_hours") and order_type is not OrderType.LIMIT:
        raise unprocessable("extended hours order must be DAY or GTC limit orders")
    request = OrderRequest(
        order_class=order_class,
        order_type=order_type,
        time_in_force=_time_in_force(body, is_multileg=is_multileg, is_option=is_option),
        units=units,
        limit_price=limit_price,
        legs=legs,
        client_order_id=client_order_id,
        stop_price=stop_price_of(body, order_type, is_option=is_option),
        trail=trail_of(body) if order_type is OrderType.TRAILING_STOP else None,
    )
    return replace(request, attached=_attached(body, request))


def _refuse_malformed(body: Mapping[str, Any], *, is_multileg: bool) -> None:
    """Raise the first refusal that is about the request's form, and none of the others."""
    order_type = _member(OrderType, body.get("type"))
    readers: list[Callable[[], object]] = [
        lambda: _order_type(body, is_multileg=is_multileg, is_option=True),
        lambda: read_units(body, is_option=True),
        lambda: _legs(body.get("legs")) if is_multileg else _single_leg(body),
        lambda: _time_in_force(body, is_multileg=is_multileg, is_option=True),
    ]
    if order_type is not None and not (is_multileg and order_type.has_stop):
        readers += [
            lambda: limit_price_of(body, order_type, is_multileg=is_multileg, is_option=True),
            lambda: stop_price_of(body, order_type, is_option=True),
        ]
    for reader in readers:
        try:
            reader()
        except RefusalError as refusal:
            if refusal.code == BAD_REQUEST:
                raise


def with_limit_of_take_profit(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Let an OCO order's own limit be that of its take-profit, where it names none itself."""
    take_profit = body.get("take_profit")
    if body.get("limit_price") is not None or not isinstance(take_profit, Mapping):
        return body
    return {**body, "limit_price": take_profit.get("limit_price")}


def _attached(body: Mapping[str, Any], entry: OrderRequest) -> tuple[OrderRequest, ...]:
    """Read the exits of a bracket, OCO or OTO order; raises RefusalError."""
    named = entry.order_class
    if named in {OrderClass.SIMPLE, OrderClass.MULTILEG}:
        return ()
    take_profit, stop_loss = body.get("take_profit"), body.get("stop_loss")
    if named is not OrderClass.ONE_TRIGGERS_OTHER:
        if not isinstance(take_profit, Mapping) or take_profit.get("limit_price") is None:
            raise malformed(f"{named} orders require take_profit.limit_price")
        if not isinstance(stop_loss, Mapping) or stop_loss.get("stop_price") is None:
            raise malformed(f"{named} orders require stop_loss.stop_price")
    elif isinstance(take_profit, Mapping) == isinstance(stop_loss, Mapping):
        raise malformed("oto orders require one of take_profit and stop_loss")
    exits = []
    if isinstance(take_profit, Mapping) and named is not OrderClass.ONE_CANCELS_OTHER:
        exits.append(_exit(take_profit, entry, OrderType.LIMIT))
    if isinstance(stop_loss, Mapping):
        has_limit = stop_loss.get("limit_price") is not None
        exits.append(_exit(stop_loss, entry, OrderType.STOP_LIMIT if has_limit else OrderType.STOP))
    return tuple(exits)


def _exit(row: Mapping[str, Any], entry: OrderRequest, order_type: OrderType) -> OrderRequest:
    leg = entry.legs[0]
    is_rival = entry.order_class is OrderClass.ONE_CANCELS_OTHER
    side = leg.side if is_rival else leg.side.opposite
    return replace(
        entry,
        order_type=order_type,
        limit_price=limit_price_of(row, order_type, is_multileg=False, is_option=False),
        stop_price=stop_price_of(row, order_type, is_option=False),
        trail=None,
        legs=(replace(leg, side=side),),
        client_order_id=None,
        attached=(),
    )


@dataclass(frozen=True, slots=True)
class Replacement:
    """What a PATCH changes of an order; None keeps what the order has."""

    units: int | None
    limit_price: Decimal | None
    time_in_force: TimeInForce | None
    client_order_id: str | None
    stop_price: Decimal | None = None
    trail: object = None
    """A trailing stop's new distance, in whichever unit the order has."""


def read_replacement(
    body: Mapping[str, Any], *, is_multileg: bool, is_option: bool, stock: str | None
) -> Replacement:
    """Read the body of PATCH /v2/orders/{id}; raises RefusalError with Alpaca's message."""
    qty, limit_price, stop_price = (body.get(n) for n in ("qty", "limit_price", "stop_price"))
    return Replacement(
        units=None if qty is None else read_quantity(qty, stock=stock),
        limit_price=(
            None
            if limit_price is None
            else read_limit_price(limit_price, is_multileg=is_multileg, is_option=is_option)
        ),
        time_in_force=(
            _time_in_force(body, is_multileg=is_multileg, is_option=is_option)
            if body.get("time_in_force")
            else None
        ),
        client_order_id=read_client_order_id(body),
        stop_price=(
            None if stop_price is None else read_price("stop", stop_price, is_option=is_option)
        ),
        trail=body.get("trail"),
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
    if named is None:
        raise malformed("type is required")
    unfit = (is_multileg and order_type is not None and order_type.has_stop) or (
        is_option and order_type is OrderType.TRAILING_STOP
    )
    if order_type is not None and not unfit:
        return order_type
    if is_option and order_type is None:
        raise unprocessable("invalid option order_type")
    if is_option:
        raise unprocessable("invalid order type for options trading")
    raise malformed(f"invalid order type: {named!s}")


def _time_in_force(body: Mapping[str, Any], *, is_multileg: bool, is_option: bool) -> TimeInForce:
    named = body.get("time_in_force")
    time_in_force = _member(TimeInForce, named)
    if time_in_force is not None and not (is_option and time_in_force.is_immediate):
        return time_in_force
    if named is None:
        raise malformed("time_in_force is required")
    if is_option and named not in UNSUPPORTED_TIMES_IN_FORCE:
        what = "time in force" if is_multileg else "option time_in_force"
        raise unprocessable(f"invalid {what}")
    if is_option:
        raise unprocessable("order_time_in_force provided not supported for options trading")
    raise unprocessable(f"time_in_force {named!s} is not supported by this exchange")


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
