"""The 30-day implied volatility of a stock, and where it stands in its own history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from agent.market.chain import ChainAnalytics, OptionChain
from agent.market.forward import STRIKE_DISTANCE_FRACTION_MAX
from agent.options.black_scholes import FloatArray
from agent.options.implied_volatility import implied_volatility

TARGET_DAYS = 30
DTE_MIN = 7
SESSIONS_PER_YEAR = 252
SOURCE_QUOTES = "quotes"


@dataclass(frozen=True, slots=True)
class AtTheMoneyVolatility:
    """Hold an at-the-money-forward volatility (annual fraction) with its bid and ask.

    The bid or ask is None where the quotes on that side imply none.
    """

    implied_volatility: float
    implied_volatility_bid: float | None
    implied_volatility_ask: float | None
    source: str = SOURCE_QUOTES


@dataclass(frozen=True, slots=True)
class ImpliedVolatilitySample:
    """Keep one session's 30-day implied volatility (annual fraction) and where it came from."""

    session: date
    implied_volatility: float
    implied_volatility_bid: float | None
    implied_volatility_ask: float | None
    source: str


@dataclass(frozen=True, slots=True)
class TermPoint:
    """Hold the at-the-money-forward volatility of one expiration, `dte` calendar days away."""

    expiration: date
    dte: int
    volatility: AtTheMoneyVolatility


def iv30(chain: OptionChain, analytics: ChainAnalytics) -> AtTheMoneyVolatility | None:
    """Interpolate the at-the-money-forward volatility to 30 days; see at_thirty_days."""
    return at_thirty_days(term_structure(chain, analytics))


def term_structure(chain: OptionChain, analytics: ChainAnalytics) -> tuple[TermPoint, ...]:
    """List the at-the-money volatilities of expirations at least 7 days away, ascending.

    An expiration without one is left out.
    """
    days = {each: (each - chain.session).days for each in chain.expirations()}
    found = _at_the_money(chain, analytics, [each for each, dte in days.items() if dte >= DTE_MIN])
    return tuple(TermPoint(each, days[each], volatility) for each, volatility in found.items())


def at_thirty_days(points: Sequence[TermPoint]) -> AtTheMoneyVolatility | None:
    """Interpolate a term structure to 30 days, straight in total variance over calendar days.

    The two points next to 30 days count; None where a side is missing: nothing is extrapolated.
    """
    before = max((p for p in points if p.dte <= TARGET_DAYS), key=_by_dte, default=None)
    after = min((p for p in points if p.dte >= TARGET_DAYS), key=_by_dte, default=None)
    if before is None or after is None:
        return None
    return before.volatility if before.dte == after.dte else _between(before, after)


def _by_dte(point: TermPoint) -> int:
    return point.dte


def at_the_money_volatility(
    chain: OptionChain, analytics: ChainAnalytics, expiration: date
) -> AtTheMoneyVolatility | None:
    """Interpolate the volatility of one expiration at its forward, straight in strike.

    Each of the two strikes around the forward counts the mean of its call's and put's volatility:
    an error in the forward moves the two in opposite directions. None where a side has no such
    strike within 6 % of the forward.
    """
    return _at_the_money(chain, analytics, [expiration]).get(expiration)


def _at_the_money(
    chain: OptionChain, analytics: ChainAnalytics, expirations: Sequence[date]
) -> dict[date, AtTheMoneyVolatility]:
    """Give the at-the-money volatilities of expirations; those without one are left out.

    All bids and asks are solved for at once: few a call, they cost more than the whole chain.
    """
    columns = chain.columns
    around = {
        expiration: indices
        for expiration in expirations
        if (indices := _around_forward(chain, analytics, expiration)).size > 0
    }
    if not around:
        return {}
    chosen = np.concatenate(list(around.values()))
    forwards = [analytics.forwards[chain.quotes[index].contract.expiration] for index in chosen]
    sides = implied_volatility(
        price=np.stack([columns.bid[chosen], columns.ask[chosen]]),
        is_call=columns.is_call[chosen],
        forward=[each.forward for each in forwards],
        strike=columns.strike[chosen],
        time_years=[each.time_years for each in forwards],
        discount_factor=[each.discount_factor for each in forwards],
    )
    volatilities = np.vstack([analytics.implied_volatility[chosen], sides])
    found: dict[date, AtTheMoneyVolatility] = {}
    start = 0
    for expiration, indices in around.items():
        own = volatilities[:, start : start + indices.size]
        start += indices.size
        forward = analytics.forwards[expiration].forward
        found[expiration] = _at_forward(forward, columns.strike[indices], own)
    return found


def _around_forward(
    chain: OptionChain, analytics: ChainAnalytics, expiration: date
) -> NDArray[np.intp]:
    """Give the places of the quotes whose volatility counts; none where a side has no strike."""
    indices = np.array(chain.indices(expiration), dtype=np.intp)
    forward = analytics.forwards.get(expiration)
    if forward is None:
        return indices[:0]
    known = indices[~np.isnan(analytics.implied_volatility[indices])]
    near = _nearest_strikes(chain.columns.strike[known], forward.forward)
    return known[np.isin(chain.columns.strike[known], near)] if near.size == 2 else known[:0]


def _at_forward(
    forward: float, strikes: FloatArray, volatilities: FloatArray
) -> AtTheMoneyVolatility:
    """Interpolate [mid, bid, ask volatility] between two strikes."""
    low, high = strikes.min(), strikes.max()
    weight = (forward - low) / (high - low)
    at_low, at_high = (volatilities[:, strikes == each].mean(axis=1) for each in (low, high))
    mid, bid, ask = (1.0 - weight) * at_low + weight * at_high
    return AtTheMoneyVolatility(
        implied_volatility=float(mid),
        implied_volatility_bid=_known(bid),
        implied_volatility_ask=_known(ask),
    )


def _nearest_strikes(strikes: FloatArray, forward: float) -> FloatArray:
    near = strikes[np.abs(strikes - forward) <= STRIKE_DISTANCE_FRACTION_MAX * forward]
    below, above = near[near <= forward], near[near > forward]
    return np.concatenate([np.unique(below)[-1:], np.unique(above)[:1]])


def _between(before: TermPoint, after: TermPoint) -> AtTheMoneyVolatility:
    low, high = before.volatility, after.volatility
    weight = (TARGET_DAYS - before.dte) / (after.dte - before.dte)

    def at_target(at_low: float, at_high: float) -> float:
        variance = (1.0 - weight) * at_low**2 * before.dte + weight * at_high**2 * after.dte
        return sqrt(variance / TARGET_DAYS)

    def side_at_target(at_low: float | None, at_high: float | None) -> float | None:
        return None if at_low is None or at_high is None else at_target(at_low, at_high)

    return AtTheMoneyVolatility(
        implied_volatility=at_target(low.implied_volatility, high.implied_volatility),
        implied_volatility_bid=side_at_target(
            low.implied_volatility_bid, high.implied_volatility_bid
        ),
        implied_volatility_ask=side_at_target(
            low.implied_volatility_ask, high.implied_volatility_ask
        ),
        source=low.source,
    )


def _known(value: np.float64) -> float | None:
    return None if np.isnan(value) else float(value)


def iv_rank(
    current: float,
    history: Sequence[ImpliedVolatilitySample],
    *,
    session: date,
    sessions_min: int,
    sessions_max: int = SESSIONS_PER_YEAR,
    source: str | None = None,
) -> float | None:
    """Place `current` between the lowest and highest volatility of the sessions before `session`.

    100 * (current - min) / (max - min), clipped to 0..100, over the last `sessions_max` sessions
    that have a sample. None with fewer than `sessions_min`, where max equals min, and where the
    samples come from more than one source, or from another than `source` where that is given: those
    do not share a scale.
    """
    values = _prior_values(history, session, (sessions_min, sessions_max), source)
    if values is None:
        return None
    lowest, highest = min(values), max(values)
    if highest <= lowest:
        return None
    return min(max(100.0 * (current - lowest) / (highest - lowest), 0.0), 100.0)


def iv_percentile(
    current: float,
    history: Sequence[ImpliedVolatilitySample],
    *,
    session: date,
    sessions_min: int,
    sessions_max: int = SESSIONS_PER_YEAR,
    source: str | None = None,
) -> float | None:
    """Give the share, 0..100, of prior sessions whose volatility was strictly below `current`.

    None with fewer than `sessions_min` samples and for mixed sources, as iv_rank.
    """
    values = _prior_values(history, session, (sessions_min, sessions_max), source)
    if values is None:
        return None
    return 100.0 * sum(value < current for value in values) / len(values)


def _prior_values(
    history: Sequence[ImpliedVolatilitySample],
    session: date,
    sessions_bounds: tuple[int, int],
    source: str | None,
) -> list[float] | None:
    sessions_min, sessions_max = sessions_bounds
    by_session = {sample.session: sample for sample in history if sample.session < session}
    samples = [by_session[day] for day in sorted(by_session)][-sessions_max:]
    sources = {sample.source for sample in samples} | ({source} if source else set())
    if len(samples) < max(sessions_min, 1) or len(sources) > 1:
        return None
    return [sample.implied_volatility for sample in samples]


@dataclass(frozen=True, slots=True)
class IvRankBand:
    """Hold the IV rank (0-100) at the bid, mid and ask of today's volatility; None is unknown."""

    bid: float | None
    mid: float | None
    ask: float | None

    def is_above(self, threshold: float) -> bool | None:
        """Say whether the rank is above `threshold`; None where the band straddles it.

        None, too, where any of the three is unknown.
        """
        if self.bid is None or self.mid is None or self.ask is None:
            return None
        verdicts = {rank > threshold for rank in (self.bid, self.mid, self.ask)}
        return verdicts.pop() if len(verdicts) == 1 else None


def iv_rank_band(
    current: AtTheMoneyVolatility,
    history: Sequence[ImpliedVolatilitySample],
    *,
    session: date,
    sessions_min: int,
    sessions_max: int = SESSIONS_PER_YEAR,
) -> IvRankBand:
    """Rank today's bid, mid and ask volatility in the history of mids.

    Every rank is unknown where the history's source is not that of `current`.
    """

    def rank(value: float | None) -> float | None:
        if value is None:
            return None
        return iv_rank(
            value,
            history,
            session=session,
            sessions_min=sessions_min,
            sessions_max=sessions_max,
            source=current.source,
        )

    return IvRankBand(
        bid=rank(current.implied_volatility_bid),
        mid=rank(current.implied_volatility),
        ask=rank(current.implied_volatility_ask),
    )
