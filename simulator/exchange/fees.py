"""Regulatory fees as dated rates; accrued per fill, charged per day and rounded up to the cent.

Alpaca takes no commission but passes these fees on: it accrues them during the day and charges
each account once, every fee type rounded up to the cent. The rates below are those published by
Alpaca, OCC, FINRA, the SEC and the CAT plan for their dates as far as known when this was
written; pass a schedule of your own where yours differ.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum

CENT = Decimal("0.01")


class FeeType(StrEnum):
    """Name who charges a fee."""

    ORF = "ORF"
    OCC = "OCC"
    TAF = "TAF"
    SEC = "REG"
    CAT = "CAT"


@dataclass(frozen=True, slots=True)
class FeeRates:
    """State the rates in force from a date on, in dollars per the unit named."""

    effective_from: date
    orf_per_contract: Decimal
    """Options Regulatory Fee, buys and sells."""
    occ_per_contract: Decimal
    """Options Clearing Corporation, buys and sells, up to `occ_cap_per_trade`."""
    occ_cap_per_trade: Decimal
    taf_per_contract: Decimal
    """FINRA Trading Activity Fee, sells of options."""
    taf_per_share: Decimal
    """FINRA Trading Activity Fee, sells of stock, up to `taf_cap_per_trade`."""
    taf_cap_per_trade: Decimal
    sec_per_dollar: Decimal
    """SEC transaction fee on the proceeds of sells."""
    cat_per_equivalent_share: Decimal
    """Consolidated Audit Trail, buys and sells; a contract counts as its multiplier."""


DEFAULT_RATES = (
    FeeRates(
        effective_from=date(2025, 1, 1),
        orf_per_contract=Decimal("0.02685"),
        occ_per_contract=Decimal("0.025"),
        occ_cap_per_trade=Decimal(55),
        taf_per_contract=Decimal("0.00279"),
        taf_per_share=Decimal("0.000166"),
        taf_cap_per_trade=Decimal("8.30"),
        sec_per_dollar=Decimal(0),
        cat_per_equivalent_share=Decimal("0.0000265"),
    ),
    FeeRates(
        effective_from=date(2026, 1, 1),
        orf_per_contract=Decimal("0.02685"),
        occ_per_contract=Decimal("0.025"),
        occ_cap_per_trade=Decimal(55),
        taf_per_contract=Decimal("0.00329"),
        taf_per_share=Decimal("0.000195"),
        taf_cap_per_trade=Decimal("9.79"),
        sec_per_dollar=Decimal(0),
        cat_per_equivalent_share=Decimal("0.0000265"),
    ),
    FeeRates(
        effective_from=date(2026, 4, 4),
        orf_per_contract=Decimal("0.02685"),
        occ_per_contract=Decimal("0.025"),
        occ_cap_per_trade=Decimal(55),
        taf_per_contract=Decimal("0.00329"),
        taf_per_share=Decimal("0.000195"),
        taf_cap_per_trade=Decimal("9.79"),
        sec_per_dollar=Decimal("0.0000206"),
        cat_per_equivalent_share=Decimal("0.0000265"),
    ),
)


class FeeSchedule:
    """Know the rates of any date; before the first date the earliest rates hold."""

    def __init__(self, rates: Sequence[FeeRates] = DEFAULT_RATES) -> None:
        if not rates:
            raise ValueError("a fee schedule needs at least one set of rates")
        self._rates = sorted(rates, key=lambda each: each.effective_from)

    def on(self, day: date) -> FeeRates:
        """Give the rates in force on `day`."""
        in_force = [each for each in self._rates if each.effective_from <= day]
        return in_force[-1] if in_force else self._rates[0]


DEFAULT_SCHEDULE = FeeSchedule()


def fees_for_fill(
    *,
    on: date,
    is_option: bool,
    is_sell: bool,
    quantity: int,
    price: Decimal,
    multiplier: int = 100,
    schedule: FeeSchedule = DEFAULT_SCHEDULE,
) -> dict[FeeType, Decimal]:
    """Give the fees that one leg's fill accrues, in dollars, not rounded.

    `quantity` counts contracts or shares, `price` is per share; fees of nothing are left out.
    """
    rates = schedule.on(on)
    shares = quantity * multiplier if is_option else quantity
    fees = {FeeType.CAT: rates.cat_per_equivalent_share * shares}
    if is_option:
        fees[FeeType.ORF] = rates.orf_per_contract * quantity
        fees[FeeType.OCC] = min(rates.occ_per_contract * quantity, rates.occ_cap_per_trade)
    if is_sell:
        fees[FeeType.SEC] = rates.sec_per_dollar * price * shares
        fees[FeeType.TAF] = (
            rates.taf_per_contract * quantity
            if is_option
            else min(rates.taf_per_share * quantity, rates.taf_cap_per_trade)
        )
    return {kind: amount for kind, amount in sorted(fees.items()) if amount > 0}


def charged(accrued: Mapping[FeeType, Decimal]) -> dict[FeeType, Decimal]:
    """Round a day's accrued fees up to the cent, each type by itself."""
    return {
        kind: amount.quantize(CENT, rounding=ROUND_CEILING)
        for kind, amount in sorted(accrued.items())
        if amount > 0
    }
