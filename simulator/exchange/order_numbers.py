"""Read the quantities and prices of an order from JSON, refusing what none can say."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from simulator.exchange.errors import RefusalError, forbidden, malformed, unprocessable
from simulator.exchange.numbers import plain, read_number
from simulator.exchange.records import OrderType, Trail

PRICE_PLACES = 2
PENNY_STOCK_PRICE_PLACES = 4
ORDER_QTY_MAX = 100_000
WHOLE_PERCENT = 100


def read_units(body: Mapping[str, Any], *, is_option: bool) -> int:
    if body.get("notional") is not None:
        if is_option:
            raise unprocessable("notional orders are not supported for options trading")
        raise _not_fractionable(str(body.get("symbol") or ""))
    symbol = None if is_option else str(body.get("symbol") or "")
    return read_quantity(body.get("qty"), stock=symbol)


def read_quantity(value: object, *, stock: str | None) -> int:
    """Read a whole positive quantity of contracts, or of the shares of `stock`.

    Raises RefusalError where it is anything else.
    """
    if value is None:
        raise malformed("qty is required")
    try:
        quantity = read_number(value)
    except ValueError as error:
        raise malformed(f"qty is invalid: {error}") from error
    if quantity <= 0:
        raise malformed("qty must be > 0")
    if quantity != quantity.to_integral_value():
        if stock is not None:
            raise _not_fractionable(stock)
        raise unprocessable("qty must be integer for options trading")
    if quantity > ORDER_QTY_MAX and stock is None:
        raise unprocessable(f"options order qty must be <= {ORDER_QTY_MAX}")
    return int(quantity)


def _not_fractionable(symbol: str) -> RefusalError:
    return forbidden(f'asset "{symbol}" is not fractionable')


def limit_price_of(
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


def stop_price_of(
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


def trail_of(body: Mapping[str, Any]) -> Trail:
    price, percent = body.get("trail_price"), body.get("trail_percent")
    if (price is None) == (percent is None):
        raise malformed("trailing stop orders must specify one of trail_price or trail_percent")
    if price is not None:
        return Trail(price=read_price("trail", price, is_option=False))
    return Trail(percent=read_trail_percent(percent))


def read_trail_percent(value: object) -> Decimal:
    """Read a distance in per cent of a price; raises RefusalError."""
    try:
        percent = read_number(value)
    except ValueError as error:
        raise unprocessable("invalid trail_percent") from error
    if not 0 < percent < WHOLE_PERCENT:
        raise malformed("trail_percent must be > 0 and < 100")
    return percent
