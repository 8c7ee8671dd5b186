"""Greeks and implied volatilities as the market data API shows them: its own Black-Scholes.

Written apart from the agent's kernel on purpose, as the rest of the exchange: a client that
compares the two compares two programs. Like Alpaca's they neglect dividends and early exercise.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import numpy as np
from scipy.special import ndtr

from agent.options.contracts import OptionType
from simulator.exchange.market import two_sided
from simulator.worlds.pricing import BoolArray, european_value
from simulator.worlds.randomness import FloatArray
from simulator.worlds.world import OptionListing

RISK_FREE_RATE = 0.04
DAYS_PER_YEAR = 365.0
SECONDS_PER_YEAR = DAYS_PER_YEAR * 86_400.0
PERCENT = 0.01
LOWEST_VOLATILITY, HIGHEST_VOLATILITY = 0.01, 10.0
ITERATIONS_MAX = 40
PRICE_TOLERANCE = 1e-6
"""Dollars per share by which the price of a solution may miss the mid."""
PLACES = 6


@dataclass(frozen=True, slots=True)
class Terms:
    """What a price depends on, one number a contract; rates and years are annual."""

    is_call: BoolArray
    forward: FloatArray
    strike: FloatArray
    years: FloatArray
    discount: FloatArray

    def value(self, volatility: FloatArray) -> FloatArray:
        """Price the contracts in dollars a share."""
        return european_value(
            is_call=self.is_call,
            forward=self.forward,
            strike=self.strike,
            years=self.years,
            discount=self.discount,
            volatility=volatility,
        )

    def first(self, volatility: FloatArray) -> FloatArray:
        """Give the d1 of the formula."""
        deviation = volatility * np.sqrt(self.years)
        first: FloatArray = np.log(self.forward / self.strike) / deviation + deviation / 2.0
        return first

    def vega(self, volatility: FloatArray) -> FloatArray:
        """Give the change of value for one unit of volatility."""
        return self.discount * self.forward * _density(self.first(volatility)) * np.sqrt(self.years)


GREEKS = ("delta", "gamma", "theta", "vega", "rho")
Greeks = tuple[float, ...]
"""A contract's implied volatility, and its GREEKS in that order.

Theta is for a day, vega and rho are for one percentage point. Plain tuples: chains have thousands.
"""


def greeks_of(
    listings: Iterable[OptionListing],
    spot: Decimal,
    now: datetime,
    today: date,
    closes_at: Callable[[date], datetime],
) -> dict[str, Greeks]:
    """Give by symbol what the mids imply; `spot` is the price of their common underlying.

    Left out, because unknown: contracts without a two-sided quote that is not crossed, those
    that expire `today` or before, and mids that no volatility explains.
    """
    priced = [
        (listing, sides)
        for listing in listings
        if listing.contract.expiration > today
        and (sides := two_sided(listing.bid, listing.ask)) is not None
    ]
    if not priced:
        return {}
    ends = {
        day: (closes_at(day) - now).total_seconds() / SECONDS_PER_YEAR
        for day in {listing.contract.expiration for listing, _ in priced}
    }
    years = np.array([ends[listing.contract.expiration] for listing, _ in priced])
    discount = np.exp(-RISK_FREE_RATE * years)
    terms = Terms(
        is_call=np.array([each.contract.option_type is OptionType.CALL for each, _ in priced]),
        forward=float(spot) / discount,
        strike=np.array([float(listing.contract.strike) for listing, _ in priced]),
        years=years,
        discount=discount,
    )
    mids = np.array([(float(bid) + float(ask)) / 2.0 for _, (bid, ask) in priced])
    volatility = implied_volatilities(terms, mids)
    known = np.flatnonzero(np.isfinite(volatility))
    columns = _columns(_taken(terms, known), volatility[known], float(spot))
    rows = zip(*(np.round(column, PLACES).tolist() for column in columns), strict=True)
    return {
        priced[index][0].contract.symbol: row
        for index, row in zip(known.tolist(), rows, strict=True)
    }


def implied_volatilities(terms: Terms, prices: FloatArray) -> FloatArray:
    """Solve for each price's annual volatility by Newton's method within a shrinking bracket.

    NaN where a price lies outside of what volatilities from 1 % to 1000 % make of a contract.
    """
    low = np.full_like(prices, LOWEST_VOLATILITY)
    high = np.full_like(prices, HIGHEST_VOLATILITY)
    with np.errstate(all="ignore"):
        reachable = (terms.value(low) < prices) & (prices < terms.value(high))
        # The inflection point of the price, from which Newton's steps never run away.
        guess = np.sqrt(2.0 * np.abs(np.log(terms.forward / terms.strike)) / terms.years)
        guess = np.clip(guess, 0.05, 5.0)
        for _ in range(ITERATIONS_MAX):
            miss = terms.value(guess) - prices
            open_rows = reachable & (np.abs(miss) > PRICE_TOLERANCE)
            if not open_rows.any():
                break
            low = np.where(miss < 0, guess, low)
            high = np.where(miss > 0, guess, high)
            step = guess - miss / terms.vega(guess)
            inside = np.isfinite(step) & (step > low) & (step < high)
            guess = np.where(open_rows, np.where(inside, step, (low + high) / 2.0), guess)
        solved = reachable & (np.abs(terms.value(guess) - prices) <= PRICE_TOLERANCE)
    return np.where(solved, guess, np.nan)


def _columns(terms: Terms, volatility: FloatArray, spot: float) -> list[FloatArray]:
    sign = np.where(terms.is_call, 1.0, -1.0)
    first = terms.first(volatility)
    second = first - volatility * np.sqrt(terms.years)
    strike_value = terms.strike * terms.discount * ndtr(sign * second)
    gamma = _density(first) / (spot * volatility * np.sqrt(terms.years))
    vega = terms.vega(volatility)
    decay = vega * volatility / (2.0 * terms.years) + sign * RISK_FREE_RATE * strike_value
    return [
        volatility,
        sign * ndtr(sign * first),
        gamma,
        -decay / DAYS_PER_YEAR,
        vega * PERCENT,
        sign * terms.years * strike_value * PERCENT,
    ]


def _taken(terms: Terms, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Terms:
    return Terms(
        is_call=terms.is_call[rows],
        forward=terms.forward[rows],
        strike=terms.strike[rows],
        years=terms.years[rows],
        discount=terms.discount[rows],
    )


def _density(deviations: FloatArray) -> FloatArray:
    density: FloatArray = np.exp(-(deviations**2) / 2.0) / np.sqrt(2.0 * np.pi)
    return density
