"""How volatility behaves in the seeded market: it varies, and it costs a little more than it is."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import ndtr

from agent.options.contracts import OptionType
from simulator.worlds.profiles import DEFAULT_PROFILES
from simulator.worlds.synthetic import SyntheticWorld
from simulator.worlds.world import ListingFilter

RATE = 0.04
TRADED = tuple(each.symbol for each in DEFAULT_PROFILES[:8])


@pytest.fixture(scope="module")
def world() -> SyntheticWorld:
    return SyntheticWorld(7, session_count=30)


def straddle_price(strike: float, forward: float, years: float, volatility: float) -> float:
    """Price a European straddle by the textbook formula, written out once more for the test."""
    deviation = volatility * years**0.5
    first = np.log(forward / strike) / deviation + deviation / 2
    call = forward * ndtr(first) - strike * ndtr(first - deviation)
    return float(np.exp(-RATE * years) * (2 * call - forward + strike))


def solved_volatility(strike: float, forward: float, years: float, price: float) -> float:
    return float(
        brentq(
            lambda guess: straddle_price(strike, forward, years, guess) - price,
            0.01,
            5.0,
            xtol=1e-6,
        )
    )


def implied_volatility_thirty_days(world: SyntheticWorld, symbol: str, at: datetime) -> float:
    """Read IV30 off the quotes: straddles near spot, interpolated in total variance."""
    stock = world.stock(symbol, at)
    assert stock is not None
    today = at.date()
    bounds = ListingFilter(today + timedelta(days=20), today + timedelta(days=40))
    mids: dict[tuple[date, Decimal], dict[OptionType, float]] = defaultdict(dict)
    for listing in world.chain(symbol, at, bounds):
        assert listing.ask is not None
        key = listing.contract.expiration, listing.contract.strike
        mids[key][listing.contract.option_type] = float((listing.bid or 0) + listing.ask) / 2
    nearest: dict[date, Decimal] = {}
    for expiration, strike in mids:
        best = nearest.get(expiration, strike)
        nearest[expiration] = min(best, strike, key=lambda each: abs(each - stock.last))
    variances = {}
    for expiration, strike in sorted(nearest.items()):
        ends_at = datetime(expiration.year, expiration.month, expiration.day, 21, tzinfo=UTC)
        years = (ends_at - at).total_seconds() / 86_400 / 365
        call, put = (mids[expiration, strike][each] for each in OptionType)
        forward = float(strike) + np.exp(RATE * years) * (call - put)
        volatility = solved_volatility(float(strike), forward, years, call + put)
        variances[years] = volatility**2 * years
    total = np.interp(30 / 365, list(variances), list(variances.values()))
    return float((total / (30 / 365)) ** 0.5)


def ranks_of(samples: Sequence[float], history: Sequence[float]) -> list[float]:
    known = list(history)
    ranks = []
    for sample in samples:
        window = known[-252:]
        ranks.append(100 * (sample - min(window)) / (max(window) - min(window)))
        known.append(sample)
    return ranks


def test_there_are_252_samples_and_all_lie_before_the_first_session(
    world: SyntheticWorld,
) -> None:
    for symbol in world.symbols:
        history = world.implied_volatility_history(symbol)
        days = [each.session for each in history]
        assert len(days) == 252
        assert days == sorted(set(days))
        assert days[-1] < world.sessions[0].session
        assert all(0.05 < each.implied_volatility < 3.0 for each in history)


def test_the_last_sample_agrees_with_the_first_quotes(world: SyntheticWorld) -> None:
    at = world.sessions[0].opens_at - timedelta(days=3) + timedelta(hours=6, minutes=15)
    assert at.date() == date(2026, 1, 2)
    for symbol in TRADED:
        last = world.implied_volatility_history(symbol)[-1]
        assert last.session == at.date()
        quoted = implied_volatility_thirty_days(world, symbol, at)
        assert quoted == pytest.approx(last.implied_volatility, rel=0.06)


def test_iv_rank_crosses_25_both_ways_for_several_symbols_within_a_month(
    world: SyntheticWorld,
) -> None:
    crossed_up = crossed_down = 0
    for symbol in TRADED:
        history = [each.implied_volatility for each in world.implied_volatility_history(symbol)]
        samples = [
            implied_volatility_thirty_days(world, symbol, each.closes_at - timedelta(minutes=15))
            for each in world.sessions
        ]
        above = [rank > 25 for rank in ranks_of(samples, history)]
        crossed_up += any(b and not a for a, b in pairwise(above))
        crossed_down += any(a and not b for a, b in pairwise(above))

    assert crossed_up >= 3
    assert crossed_down >= 3


def test_implied_volatility_pays_a_modest_premium_over_what_follows() -> None:
    ratios = []
    for seed in range(6):
        world = SyntheticWorld(seed, session_count=1)
        for symbol in TRADED:
            bars = world.daily_bars(symbol, date(2020, 1, 1), world.sessions[0].opens_at)
            closes = np.array([float(each.close) for each in bars])
            moves = np.diff(np.log(closes))[-231:]
            # Each sample is compared with the 21 sessions after it, so the last 21 samples drop.
            samples = [each.implied_volatility for each in world.implied_volatility_history(symbol)]
            implied = float(np.mean(np.square(samples[:231])))
            ratios.append((implied / float(np.mean(moves**2) * 252)) ** 0.5)

    assert 1.02 < float(np.mean(ratios)) < 1.20
    assert min(ratios) < 1.0
