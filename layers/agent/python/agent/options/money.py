"""Dollars, cents and price steps: exact, and rounded only where a direction is named."""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from enum import StrEnum

CENT = Decimal("0.01")
CENTS_PER_DOLLAR = 100


class Rounding(StrEnum):
    """Name the direction in which an amount may move.

    UP is towards plus infinity and DOWN towards minus infinity, so a negative amount rounded UP
    comes nearer to zero. NEAREST sends an exact half to the even neighbour.
    """

    UP = "up"
    DOWN = "down"
    NEAREST = "nearest"


_DECIMAL_ROUNDING = {
    Rounding.UP: ROUND_CEILING,
    Rounding.DOWN: ROUND_FLOOR,
    Rounding.NEAREST: ROUND_HALF_EVEN,
}


def to_cents(amount: Decimal, *, rounding: Rounding | None = None) -> int:
    """Count `amount` dollars in cents.

    Raises ValueError where `amount` is not finite, and where it is not a whole number of cents
    unless a rounding is named.
    """
    cents = _finite(amount).scaleb(2)
    whole = cents.to_integral_value(_DECIMAL_ROUNDING[rounding or Rounding.NEAREST])
    if rounding is None and whole != cents:
        raise ValueError(f"not a whole number of cents: {amount} dollars")
    return int(whole)


def cents_up(amount: Decimal) -> int:
    """Count `amount` dollars in cents, a part of a cent rounded towards plus infinity."""
    return to_cents(amount, rounding=Rounding.UP)


def cents_down(amount: Decimal) -> int:
    """Count `amount` dollars in cents, a part of a cent rounded towards minus infinity."""
    return to_cents(amount, rounding=Rounding.DOWN)


def from_cents(cents: int) -> Decimal:
    """Write `cents` as dollars with two decimals."""
    return Decimal(cents).scaleb(-2)


def round_to_tick(price: Decimal, tick: Decimal, rounding: Rounding) -> Decimal:
    """Move `price` to a whole number of ticks, with the tick's own number of decimals.

    Raises ValueError where the price is not finite or the tick is not a positive number.
    """
    if not tick.is_finite() or tick <= 0:
        raise ValueError(f"not a price step: {tick}")
    # Whole ticks and remainder are exact, both with the price's sign; a quotient need not be.
    whole, rest = divmod(_finite(price), tick)
    if _moves_outward(whole, rest, tick, rounding):
        whole += Decimal(1).copy_sign(rest)
    return (whole * tick).quantize(tick)


def _moves_outward(whole: Decimal, rest: Decimal, tick: Decimal, rounding: Rounding) -> bool:
    if rounding is Rounding.UP:
        return rest > 0
    if rounding is Rounding.DOWN:
        return rest < 0
    doubled = abs(rest) * 2
    return doubled > tick or (doubled == tick and whole % 2 != 0)


def _finite(amount: Decimal) -> Decimal:
    if not amount.is_finite():
        raise ValueError(f"not an amount of money: {amount}")
    return amount
