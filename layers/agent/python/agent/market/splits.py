"""Splits of stocks, and what the option contracts on them become."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from agent.options.contracts import OptionContract

CENT = Decimal("0.01")
STRIKE_ROUNDING = CENT / 2
"""A strike that the ratio does not divide evenly is rounded to a cent, in dollars a share."""


@dataclass(frozen=True, slots=True)
class StockSplit:
    """Tell of `new_shares` for every `old_shares`, from the session of `ex_date` on."""

    ex_date: date
    new_shares: Decimal
    old_shares: Decimal

    @property
    def whole_factor(self) -> int | None:
        """Give what every contract is multiplied by; None where contracts are adjusted otherwise.

        Only a split into a whole number of shares leaves contracts that deliver 100 of them.
        """
        ratio = self.new_shares / self.old_shares
        return int(ratio) if ratio > 1 and ratio == int(ratio) else None


def is_restruck(former: OptionContract, following: OptionContract, factor: int) -> bool:
    """Say whether one contract is what another becomes where a stock splits `factor` for one."""
    return (former.underlying, former.expiration, former.option_type, former.multiplier) == (
        following.underlying,
        following.expiration,
        following.option_type,
        following.multiplier,
    ) and abs(former.strike / factor - following.strike) <= STRIKE_ROUNDING


def may_be_restruck(former: OptionContract, following: OptionContract) -> bool:
    """Say whether some split into whole shares would make one contract the other."""
    if following.strike >= former.strike:
        return False
    factor = round(former.strike / following.strike)
    return factor > 1 and is_restruck(former, following, factor)


def struck_for(former: OptionContract, factor: int) -> OptionContract:
    """Give what a contract becomes where a stock splits `factor` for one, to the cent."""
    strike = max((former.strike / factor).quantize(CENT, ROUND_HALF_UP), CENT)
    return replace(former, strike=strike.normalize() + Decimal(0))


def is_adjusted_root(former: OptionContract, following: OptionContract) -> bool:
    """Say whether a contract bears the root of one that delivers something else than 100 shares.

    That root is the underlying's with a digit behind it; expiration and type stay.
    """
    root = following.underlying
    return (
        root[:-1] == former.underlying
        and root[-1].isdigit()
        and following.expiration == former.expiration
        and following.option_type is former.option_type
    )
