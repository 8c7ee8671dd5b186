"""Which stocks are worth asking for a chain."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from agent.market.quotes import UnderlyingSnapshot


class UnderlyingRejection(StrEnum):
    """Name why a stock was passed over; the value is what reports count."""

    PRICE_UNKNOWN = "underlying_price_unknown"
    PRICE_TOO_LOW = "underlying_price_too_low"
    PRICE_TOO_HIGH = "underlying_price_too_high"
    VOLUME_UNKNOWN = "underlying_volume_unknown"
    VOLUME_TOO_LOW = "underlying_volume_too_low"
    QUOTE_UNKNOWN = "underlying_quote_unknown"
    QUOTE_CROSSED = "underlying_quote_crossed"
    QUOTE_TOO_WIDE = "underlying_quote_too_wide"


@dataclass(frozen=True, slots=True)
class UnderlyingLimits:
    """Bound the stocks that are traded.

    Prices in dollars, both bounds inclusive; the average daily volume in shares must be above its
    bound, the quote width as a fraction of mid below its own.
    """

    price_min: Decimal = Decimal(20)
    price_max: Decimal = Decimal(500)
    average_volume_shares_min: int = 1_000_000
    quote_width_fraction_max: Decimal = Decimal("0.01")


def underlying_rejections(
    snapshot: UnderlyingSnapshot, limits: UnderlyingLimits
) -> tuple[UnderlyingRejection, ...]:
    """List every reason against a stock; empty where it passes. What is unknown does not pass."""
    return (
        *_price_rejections(snapshot, limits),
        *_volume_rejections(snapshot, limits),
        *_quote_rejections(snapshot, limits),
    )


def _price_rejections(
    snapshot: UnderlyingSnapshot, limits: UnderlyingLimits
) -> tuple[UnderlyingRejection, ...]:
    price = snapshot.price
    if price is None:
        return (UnderlyingRejection.PRICE_UNKNOWN,)
    if price < limits.price_min:
        return (UnderlyingRejection.PRICE_TOO_LOW,)
    if price > limits.price_max:
        return (UnderlyingRejection.PRICE_TOO_HIGH,)
    return ()


def _volume_rejections(
    snapshot: UnderlyingSnapshot, limits: UnderlyingLimits
) -> tuple[UnderlyingRejection, ...]:
    volume = snapshot.average_volume_shares
    if volume is None:
        return (UnderlyingRejection.VOLUME_UNKNOWN,)
    return (
        (UnderlyingRejection.VOLUME_TOO_LOW,) if volume <= limits.average_volume_shares_min else ()
    )


def _quote_rejections(
    snapshot: UnderlyingSnapshot, limits: UnderlyingLimits
) -> tuple[UnderlyingRejection, ...]:
    width = snapshot.quote_width_fraction
    if width is None:
        return (UnderlyingRejection.QUOTE_UNKNOWN,)
    if width < 0:
        return (UnderlyingRejection.QUOTE_CROSSED,)
    return (UnderlyingRejection.QUOTE_TOO_WIDE,) if width >= limits.quote_width_fraction_max else ()
