"""Black-Scholes prices and greeks of European options, over arrays.

Black's 1976 form stands on a forward and a discount factor; the thin spot form turns a spot price,
a rate and a dividend yield into those. Arguments broadcast against each other; results are float64
arrays. Times are years, volatilities annual fractions, rates and yields continuously compounded.

Every function is total and silent: NaN in gives NaN out, a time or volatility of zero (or less)
gives the limit, and where the limit of gamma or theta is infinite (at the strike) it gives 0.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

INVERSE_SQRT_TWO_PI = 0.3989422804014327


@dataclass(frozen=True, eq=False)
class Greeks:
    """Hold the sensitivities of option prices, in dollars a share.

    `delta` and `gamma` to one dollar of the underlying, `vega` to 1.00 of volatility, `theta` to
    one year gone by, `rho` to 1.00 of rate.
    """

    delta: FloatArray
    gamma: FloatArray
    vega: FloatArray
    theta: FloatArray
    rho: FloatArray


@dataclass(frozen=True, eq=False)
class _Terms:
    """Share what price and greeks have in common; `sign` is 1 for calls and -1 for puts."""

    sign: FloatArray
    forward: FloatArray
    strike: FloatArray
    time: FloatArray
    volatility: FloatArray
    discount_factor: FloatArray
    deviation: FloatArray
    d1: FloatArray
    d2: FloatArray

    @property
    def density(self) -> FloatArray:
        """Evaluate the standard normal density at d1."""
        return INVERSE_SQRT_TWO_PI * np.exp(-0.5 * self.d1 * self.d1)

    @property
    def carry_rate(self) -> FloatArray:
        """Recover the rate from the discount factor; 0 where no time is left."""
        return _ratio_or_zero(-np.log(self.discount_factor), self.time)

    def price(self) -> FloatArray:
        undiscounted = self.forward * ndtr(self.sign * self.d1) - self.strike * ndtr(
            self.sign * self.d2
        )
        return self.discount_factor * self.sign * undiscounted

    def decay(self) -> FloatArray:
        """Give the loss a year of time value by the shrinking deviation alone."""
        numerator = self.discount_factor * self.forward * self.density * self.volatility
        return _ratio_or_zero(numerator, 2.0 * np.sqrt(self.time))


def price(
    *,
    is_call: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    time_years: ArrayLike,
    volatility: ArrayLike,
    discount_factor: ArrayLike,
) -> FloatArray:
    """Price options on a forward, in dollars a share (Black 1976)."""
    return _terms(
        is_call=is_call,
        forward=forward,
        strike=strike,
        time_years=time_years,
        volatility=volatility,
        discount_factor=discount_factor,
    ).price()


def delta(
    *,
    is_call: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    time_years: ArrayLike,
    volatility: ArrayLike,
    discount_factor: ArrayLike,
) -> FloatArray:
    """Give the change of price for one dollar of the *forward*; see spot_greeks for the stock's."""
    terms = _terms(
        is_call=is_call,
        forward=forward,
        strike=strike,
        time_years=time_years,
        volatility=volatility,
        discount_factor=discount_factor,
    )
    return terms.discount_factor * terms.sign * ndtr(terms.sign * terms.d1)


def gamma(
    *,
    is_call: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    time_years: ArrayLike,
    volatility: ArrayLike,
    discount_factor: ArrayLike,
) -> FloatArray:
    """Give the change of delta for one dollar of the forward."""
    terms = _terms(
        is_call=is_call,
        forward=forward,
        strike=strike,
        time_years=time_years,
        volatility=volatility,
        discount_factor=discount_factor,
    )
    return _ratio_or_zero(terms.discount_factor * terms.density, terms.forward * terms.deviation)


def vega(
    *,
    is_call: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    time_years: ArrayLike,
    volatility: ArrayLike,
    discount_factor: ArrayLike,
) -> FloatArray:
    """Give the change of price for 1.00 of volatility (divide by 100 for one point)."""
    terms = _terms(
        is_call=is_call,
        forward=forward,
        strike=strike,
        time_years=time_years,
        volatility=volatility,
        discount_factor=discount_factor,
    )
    return terms.discount_factor * terms.forward * terms.density * np.sqrt(terms.time)


def theta(
    *,
    is_call: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    time_years: ArrayLike,
    volatility: ArrayLike,
    discount_factor: ArrayLike,
) -> FloatArray:
    """Give the change of price for one year gone by, the forward held still."""
    terms = _terms(
        is_call=is_call,
        forward=forward,
        strike=strike,
        time_years=time_years,
        volatility=volatility,
        discount_factor=discount_factor,
    )
    return terms.carry_rate * terms.price() - terms.decay()


def rho(
    *,
    is_call: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    time_years: ArrayLike,
    volatility: ArrayLike,
    discount_factor: ArrayLike,
) -> FloatArray:
    """Give the change of price for 1.00 of rate, the forward held still."""
    terms = _terms(
        is_call=is_call,
        forward=forward,
        strike=strike,
        time_years=time_years,
        volatility=volatility,
        discount_factor=discount_factor,
    )
    return -terms.time * terms.price()


def spot_price(
    *,
    is_call: ArrayLike,
    spot: ArrayLike,
    strike: ArrayLike,
    time_years: ArrayLike,
    volatility: ArrayLike,
    rate: ArrayLike,
    dividend_yield: ArrayLike = 0.0,
) -> FloatArray:
    """Price options on a stock, in dollars a share."""
    return _spot_terms(
        is_call=is_call,
        spot=spot,
        strike=strike,
        time_years=time_years,
        volatility=volatility,
        rate=rate,
        dividend_yield=dividend_yield,
    ).price()


def spot_greeks(
    *,
    is_call: ArrayLike,
    spot: ArrayLike,
    strike: ArrayLike,
    time_years: ArrayLike,
    volatility: ArrayLike,
    rate: ArrayLike,
    dividend_yield: ArrayLike = 0.0,
) -> Greeks:
    """Give the sensitivities of options on a stock, the stock's price held still in theta."""
    terms = _spot_terms(
        is_call=is_call,
        spot=spot,
        strike=strike,
        time_years=time_years,
        volatility=volatility,
        rate=rate,
        dividend_yield=dividend_yield,
    )
    spot_array = np.asarray(spot, dtype=np.float64)
    rate_array = np.asarray(rate, dtype=np.float64)
    yield_array = np.asarray(dividend_yield, dtype=np.float64)
    growth = _ratio_or_zero(terms.forward, np.broadcast_to(spot_array, terms.forward.shape))
    asset_leg = terms.sign * terms.discount_factor * terms.forward * ndtr(terms.sign * terms.d1)
    strike_leg = terms.sign * terms.discount_factor * terms.strike * ndtr(terms.sign * terms.d2)
    return Greeks(
        delta=terms.discount_factor * growth * terms.sign * ndtr(terms.sign * terms.d1),
        gamma=_ratio_or_zero(
            terms.discount_factor * growth * terms.density, spot_array * terms.deviation
        ),
        vega=terms.discount_factor * terms.forward * terms.density * np.sqrt(terms.time),
        theta=yield_array * asset_leg - rate_array * strike_leg - terms.decay(),
        rho=terms.time * strike_leg,
    )


def _spot_terms(
    *,
    is_call: ArrayLike,
    spot: ArrayLike,
    strike: ArrayLike,
    time_years: ArrayLike,
    volatility: ArrayLike,
    rate: ArrayLike,
    dividend_yield: ArrayLike,
) -> _Terms:
    time = np.maximum(np.asarray(time_years, dtype=np.float64), 0.0)
    rate_array = np.asarray(rate, dtype=np.float64)
    growth = np.exp((rate_array - np.asarray(dividend_yield, dtype=np.float64)) * time)
    forward = np.asarray(spot, dtype=np.float64) * growth
    return _terms(
        is_call=is_call,
        forward=forward,
        strike=strike,
        time_years=time,
        volatility=volatility,
        discount_factor=np.exp(-rate_array * time),
    )


def _terms(
    *,
    is_call: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    time_years: ArrayLike,
    volatility: ArrayLike,
    discount_factor: ArrayLike,
) -> _Terms:
    sign, forwards, strikes, time, sigma, discount = np.broadcast_arrays(
        np.where(np.asarray(is_call, dtype=np.bool_), 1.0, -1.0),
        np.asarray(forward, dtype=np.float64),
        np.asarray(strike, dtype=np.float64),
        np.maximum(np.asarray(time_years, dtype=np.float64), 0.0),
        np.maximum(np.asarray(volatility, dtype=np.float64), 0.0),
        np.asarray(discount_factor, dtype=np.float64),
    )
    deviation = sigma * np.sqrt(time)
    with np.errstate(divide="ignore", invalid="ignore"):
        moneyness = np.log(forwards / strikes)
        # Without deviation the outcome is certain: far on one side, far on the other, or at par.
        certain = np.where(moneyness == 0.0, 0.0, np.copysign(np.inf, moneyness))
        scaled = np.where(deviation > 0.0, moneyness / deviation, certain)
    scaled = np.where(np.isnan(moneyness + deviation), np.nan, scaled)
    return _Terms(
        sign=sign,
        forward=forwards,
        strike=strikes,
        time=time,
        volatility=sigma,
        discount_factor=discount,
        deviation=deviation,
        d1=scaled + 0.5 * deviation,
        d2=scaled - 0.5 * deviation,
    )


def _ratio_or_zero(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    top, bottom = np.broadcast_arrays(numerator, denominator)
    ratio = np.zeros(top.shape)
    np.divide(top, bottom, out=ratio, where=bottom != 0.0)
    return ratio
