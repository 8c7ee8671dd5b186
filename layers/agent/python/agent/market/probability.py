"""What the market's own smile says about how a structure ends.

All of it is risk-neutral, at expiration and before management: no exit rule is taken into account.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np
from scipy.special import ndtr

from agent.market.chain import ChainAnalytics, ForwardPrice
from agent.options.black_scholes import FloatArray, price
from agent.options.contracts import OptionType
from agent.options.structures import Structure

EXPECTED_VALUE_WIDTH_FRACTION_MAX = Decimal("0.02")
"""A risk-neutral expected value above this share of the width betrays a stale quote."""


@dataclass(frozen=True, eq=False)
class Smile:
    """Hold the out-of-the-money volatilities of one expiration by ascending strike.

    Between strikes the volatility is straight in strike; beyond the outermost it is unknown.
    """

    forward: ForwardPrice
    strikes: FloatArray
    volatilities: FloatArray

    def volatility_at(self, strike: float) -> float | None:
        """Interpolate the annual volatility fraction at any strike within the smile."""
        if self.strikes.size == 0 or not self.strikes[0] <= strike <= self.strikes[-1]:
            return None
        return float(np.interp(strike, self.strikes, self.volatilities))

    def probability_below(self, underlying_price: float) -> float | None:
        """Give the risk-neutral probability of ending below a price; None outside the smile.

        N(-d2) at the volatility interpolated there. The slope of the smile, which would move the
        probability by a few points, is left out: differences of quoted volatilities are too noisy
        to carry it.
        """
        if underlying_price <= 0.0:
            return 0.0
        volatility = self.volatility_at(underlying_price)
        if volatility is None:
            return None
        deviation = volatility * np.sqrt(self.forward.time_years)
        log_distance = np.log(underlying_price / self.forward.forward)
        return float(ndtr(log_distance / deviation + 0.5 * deviation))


def smile_of(
    analytics: ChainAnalytics, expiration: date, *, without: Collection[str] = ()
) -> Smile | None:
    """Collect the smile of one expiration: puts up to the forward, calls above it.

    Contracts whose volatility is unknown, or whose OCC symbol is in `without`, take no part. None
    where the expiration has no forward.
    """
    forward = analytics.forwards.get(expiration)
    if forward is None:
        return None
    points: list[tuple[float, float]] = []
    for index in analytics.chain.indices(expiration):
        contract = analytics.chain.quotes[index].contract
        volatility = float(analytics.implied_volatility[index])
        wanted = OptionType.CALL if float(contract.strike) > forward.forward else OptionType.PUT
        if contract.option_type is wanted and contract.symbol not in without:
            points.append((float(contract.strike), volatility))
    known = np.array([point for point in points if not np.isnan(point[1])]).reshape(-1, 2)
    return Smile(forward=forward, strikes=known[:, 0], volatilities=known[:, 1])


def probability_of_profit(
    structure: Structure, credit: Decimal, analytics: ChainAnalytics
) -> float | None:
    """Give the probability, 0..1, that a structure opened at `credit` a share ends in profit.

    Risk-neutral, at expiration, before management, before fees. None where the smile does not
    reach a breakeven.
    """
    smile = smile_of(analytics, structure.expiration)
    if smile is None:
        return None
    ends = structure.breakevens(credit)
    below = [0.0]
    for end in ends:
        found = smile.probability_below(float(end))
        if found is None:
            return None
        below.append(found)
    below.append(1.0)
    starts = [Decimal(0), *ends]
    total = 0.0
    for index, start in enumerate(starts):
        inside = (start + starts[index + 1]) / 2 if index < len(ends) else start + 1
        if structure.payoff_per_share(inside) + credit > 0:
            total += below[index + 1] - below[index]
    return min(max(total, 0.0), 1.0)


def expected_value_per_share(
    structure: Structure, credit: Decimal, costs: Decimal, analytics: ChainAnalytics
) -> float | None:
    """Give the risk-neutral mean of credit + payoff - costs, all in dollars a share.

    Each leg is valued at the volatility that *other* strikes imply at its own: on sound quotes the
    result is about minus the costs, and a leg that is quoted out of line with its neighbours
    shows. None where the smile of the others does not reach a leg.
    """
    smile = smile_of(analytics, structure.expiration, without=structure.symbols)
    if smile is None:
        return None
    strikes = [float(leg.contract.strike) for leg in structure.legs]
    volatilities = [smile.volatility_at(strike) for strike in strikes]
    known = [volatility for volatility in volatilities if volatility is not None]
    if len(known) < len(volatilities):
        return None
    values = price(
        is_call=[leg.contract.option_type is OptionType.CALL for leg in structure.legs],
        forward=smile.forward.forward,
        strike=strikes,
        time_years=smile.forward.time_years,
        volatility=known,
        discount_factor=1.0,
    )
    held = np.array([leg.signed_ratio for leg in structure.legs], dtype=np.float64)
    return float(credit) + float(held @ values) - float(costs)


def is_too_good_to_be_true(expected_value: float, width: Decimal) -> bool:
    """Say whether a risk-neutral expected value a share is above 2 % of `width` (points)."""
    return expected_value > float(EXPECTED_VALUE_WIDTH_FRACTION_MAX * width)
