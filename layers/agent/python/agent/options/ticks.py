"""The price steps in which listed options trade."""

from decimal import Decimal

NET_TICK = Decimal("0.01")
"""The step of a structure's net price, whatever the steps of its legs."""

ALWAYS_PENNY_SYMBOLS = frozenset({"SPY", "QQQ", "IWM"})
"""Underlyings whose options trade in cents at every price."""

_STEP_CHANGES_AT = Decimal(3)
_CENT, _NICKEL, _DIME = Decimal("0.01"), Decimal("0.05"), Decimal("0.10")


def option_tick(price: Decimal, *, penny_program: bool, always_penny: bool) -> Decimal:
    """Give the price step of one option contract at `price`, in dollars a share.

    Standard classes step by 0.05 below 3.00 and by 0.10 from there; classes of the penny program
    by 0.01 and 0.05; a few funds by 0.01 always. Raises ValueError where the price is negative or
    not finite.
    """
    if not price.is_finite() or price < 0:
        raise ValueError(f"not a price of an option: {price}")
    if always_penny:
        return _CENT
    if price < _STEP_CHANGES_AT:
        return _CENT if penny_program else _NICKEL
    return _NICKEL if penny_program else _DIME
