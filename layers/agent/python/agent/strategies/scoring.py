"""How signals are compared, across structures, symbols and strategies.

    score = (credit + E[payoff] - round-trip fees a share) x multiplier / sizing loss

`credit` is the fill assumed: `fill_fraction` of the way from mid to natural. E[payoff] is the
structure's mean value at expiration where the stock is lognormal around its forward with
`realised_volatility_ratio` x IV30: a stated forecast of realised volatility, flat over strikes,
with no opinion on direction. It is what the premium would earn if held to the end, over what the
trade is built to lose; a rule to compare by, no promise.
"""

from decimal import Decimal

import numpy as np

from agent.config.settings import Settings
from agent.market.calendar import years_to_expiration
from agent.market.quotes import StructureQuote
from agent.options.black_scholes import price
from agent.options.contracts import OptionType
from agent.options.structures import Structure
from agent.risk.fees import round_trip_fees
from agent.risk.sizing import ContractExposure
from agent.strategies.strategy import MarketView


def expected_payoff_per_share(
    structure: Structure, *, forward: float, volatility: float, time_years: float
) -> float:
    """Give the mean value at expiration, in dollars a share, of a lognormal underlying."""
    values = price(
        is_call=[leg.contract.option_type is OptionType.CALL for leg in structure.legs],
        forward=forward,
        strike=[float(leg.contract.strike) for leg in structure.legs],
        time_years=time_years,
        volatility=volatility,
        discount_factor=1.0,
    )
    held = np.array([leg.signed_ratio for leg in structure.legs], dtype=np.float64)
    return float(held @ values)


def assumed_credit(credit_mid: Decimal, credit_natural: Decimal, settings: Settings) -> Decimal:
    """Give the credit a share at which a signal is taken to fill."""
    return credit_mid + (credit_natural - credit_mid) * settings.ranking.fill_fraction


def leg_mids(quote: StructureQuote) -> list[Decimal]:
    """List the mids of legs that have one, in dollars a share."""
    return [mid for leg in quote.leg_quotes if (mid := leg.mid) is not None]


def score_structure(
    quote: StructureQuote,
    *,
    credit: Decimal,
    exposure: ContractExposure,
    iv30: float,
    view: MarketView,
) -> float:
    """Score a structure at an assumed credit a share; higher is better.

    Raises KeyError where the forward of its expiration is unknown.
    """
    structure = quote.structure
    ratio = float(view.settings.ranking.realised_volatility_ratio)
    payoff = expected_payoff_per_share(
        structure,
        forward=view.analytics.forwards[structure.expiration].forward,
        volatility=ratio * iv30,
        time_years=years_to_expiration(structure.expiration, view.as_of),
    )
    fees = round_trip_fees(structure, leg_mids(quote), view.settings.fees)
    earned = (float(credit) + payoff) * structure.multiplier - float(fees)
    return earned / float(exposure.sizing_loss)
