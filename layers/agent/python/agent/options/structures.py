"""Structures of option legs, and what they can win and lose at expiration."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from agent.options.contracts import OptionContract, OptionType

ZERO = Decimal(0)


class LegSide(StrEnum):
    """Say whether a leg is owed or owned."""

    SHORT = "short"
    LONG = "long"


@dataclass(frozen=True)
class Leg:
    """Hold one contract of a structure, `ratio` times for each unit of the structure."""

    contract: OptionContract
    side: LegSide
    ratio: int = 1

    @property
    def signed_ratio(self) -> int:
        """Count the contracts a unit of the structure holds: negative where they are owed."""
        return self.ratio if self.side is LegSide.LONG else -self.ratio

    def payoff_per_share(self, underlying_price: Decimal) -> Decimal:
        """Give the signed value at expiration, in dollars a share of the structure."""
        strike = self.contract.strike
        if self.contract.option_type is OptionType.CALL:
            intrinsic = max(underlying_price - strike, ZERO)
        else:
            intrinsic = max(strike - underlying_price, ZERO)
        return self.signed_ratio * intrinsic


@dataclass(frozen=True)
class Structure:
    """Combine option legs of one underlying and one expiration into one trade.

    All amounts are in dollars a share; `credit` is what was received for the whole structure and
    is negative where it was paid for. Raises ValueError at construction where the legs do not
    belong together.
    """

    legs: tuple[Leg, ...]

    def __post_init__(self) -> None:
        if not self.legs:
            raise ValueError("a structure needs at least one leg")
        contracts = [leg.contract for leg in self.legs]
        if len(set(contracts)) != len(contracts):
            raise ValueError(f"the legs repeat a contract: {_spelled(self.symbols)}")
        if len({contract.underlying for contract in contracts}) > 1:
            raise ValueError(f"the legs mix underlyings: {_spelled(self.symbols)}")
        if len({contract.expiration for contract in contracts}) > 1:
            raise ValueError(f"the legs mix expirations: {_spelled(self.symbols)}")
        if len({contract.multiplier for contract in contracts}) > 1:
            raise ValueError(f"the legs mix multipliers: {_spelled(self.symbols)}")
        if any(leg.ratio < 1 for leg in self.legs):
            raise ValueError(f"a leg's ratio is below 1: {_spelled(self.symbols)}")

    @property
    def underlying(self) -> str:
        """Name the stock that every leg is written on."""
        return self.legs[0].contract.underlying

    @property
    def expiration(self) -> date:
        """Give the day on which every leg expires."""
        return self.legs[0].contract.expiration

    @property
    def multiplier(self) -> int:
        """Count the shares that one unit of the structure stands for."""
        return self.legs[0].contract.multiplier

    @property
    def symbols(self) -> tuple[str, ...]:
        """List the OCC symbols of the legs, in their order."""
        return tuple(leg.contract.symbol for leg in self.legs)

    @property
    def short_strikes(self) -> tuple[Decimal, ...]:
        """List the strikes that are owed, ascending."""
        return tuple(sorted(leg.contract.strike for leg in self.legs if leg.side is LegSide.SHORT))

    @property
    def width(self) -> Decimal | None:
        """Measure the widest side that has a short and a long leg, in points; None without one."""
        widths: list[Decimal] = []
        for option_type in OptionType:
            side = [leg for leg in self.legs if leg.contract.option_type is option_type]
            if {leg.side for leg in side} == set(LegSide):
                strikes = [leg.contract.strike for leg in side]
                widths.append(max(strikes) - min(strikes))
        return max(widths, default=None)

    def payoff_per_share(self, underlying_price: Decimal) -> Decimal:
        """Give the structure's signed value at expiration, before the credit."""
        return sum((leg.payoff_per_share(underlying_price) for leg in self.legs), ZERO)

    def max_loss_per_share(self, credit: Decimal) -> Decimal:
        """Give the most that can be lost at expiration, the underlying at zero included.

        Negative where even the worst end leaves a profit. Raises ValueError where the loss has no
        bound.
        """
        if self._slope_at_infinity < 0:
            raise ValueError(f"the loss is unlimited: {_spelled(self.symbols)}")
        return -min(self._payoffs_at_kinks) - credit

    def max_profit_per_share(self, credit: Decimal) -> Decimal:
        """Give the most that can be won at expiration: the credit, where premium was sold.

        Raises ValueError where the profit has no bound.
        """
        if self._slope_at_infinity > 0:
            raise ValueError(f"the profit is unlimited: {_spelled(self.symbols)}")
        return max(self._payoffs_at_kinks) + credit

    def breakevens(self, credit: Decimal) -> tuple[Decimal, ...]:
        """List the underlying prices at which nothing is won or lost at expiration, ascending.

        Of a stretch of prices that all break even, only its ends are listed.
        """
        kinks = self._kinks
        points = [(kink, self.payoff_per_share(kink) + credit) for kink in kinks]
        found = [kink for kink, profit in points if profit == 0]
        for (low, profit_low), (high, profit_high) in pairwise(points):
            if profit_low * profit_high < 0:
                found.append(low - profit_low * (high - low) / (profit_high - profit_low))
        last, profit_last = points[-1]
        slope = self._slope_at_infinity
        if profit_last * slope < 0:
            found.append(last - profit_last / slope)
        return tuple(sorted(found))

    @property
    def _kinks(self) -> list[Decimal]:
        return sorted({ZERO, *(leg.contract.strike for leg in self.legs)})

    @property
    def _payoffs_at_kinks(self) -> list[Decimal]:
        # A payoff is straight between strikes, so its bounds lie at strikes, at zero or nowhere.
        return [self.payoff_per_share(kink) for kink in self._kinks]

    @property
    def _slope_at_infinity(self) -> int:
        return sum(
            leg.signed_ratio for leg in self.legs if leg.contract.option_type is OptionType.CALL
        )


def _spelled(symbols: Iterable[str]) -> str:
    return ", ".join(symbols)
