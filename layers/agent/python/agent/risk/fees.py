"""What brokers and regulators charge for a fill."""

from collections.abc import Sequence
from decimal import Decimal

from agent.config.settings import FeeSettings
from agent.options.structures import LegSide, Structure

ZERO = Decimal(0)


def fill_fees(
    structure: Structure,
    leg_prices: Sequence[Decimal],
    contracts: int,
    *,
    opening: bool,
    fees: FeeSettings,
) -> Decimal:
    """Give the fees of one fill in dollars, positive and not rounded.

    `leg_prices` are unsigned dollars a share in the order of the legs; `contracts` counts units of
    the structure. A broker rounds each fee up once a day for the whole account, which no single
    fill can know. Raises ValueError where prices and legs differ in number.
    """
    total = ZERO
    for leg, price in zip(structure.legs, leg_prices, strict=True):
        traded = contracts * leg.ratio
        total += traded * fees.commission_per_contract
        if (leg.side is LegSide.LONG) is opening:
            total += traded * fees.regulatory_per_contract_bought
        else:
            total += traded * fees.regulatory_per_contract_sold
            total += traded * structure.multiplier * price * fees.sale_value_fraction
    return total


def share_fees(quantity: int, price: Decimal, fees: FeeSettings) -> Decimal:
    """Give the fees of trading shares, in dollars, positive and not rounded.

    `quantity` is positive for shares bought and negative for shares sold, `price` dollars a share.
    """
    if quantity > 0:
        return quantity * fees.regulatory_per_share_bought
    return -quantity * (fees.regulatory_per_share_sold + price * fees.sale_value_fraction)


def round_trip_fees(
    structure: Structure, leg_prices: Sequence[Decimal], fees: FeeSettings
) -> Decimal:
    """Estimate the fees to open and close one unit, in dollars, both at `leg_prices`."""
    return sum(
        (
            fill_fees(structure, leg_prices, 1, opening=opening, fees=fees)
            for opening in (True, False)
        ),
        ZERO,
    )


def round_trip_fees_max(structure: Structure, fees: FeeSettings) -> Decimal:
    """Give the most that opening and closing one unit can cost in fees, in dollars.

    A round trip sells every leg once. No put sells for more than its strike; for a call its strike
    is an assumption, which holds until the stock has doubled.
    """
    return round_trip_fees(structure, [leg.contract.strike for leg in structure.legs], fees)
