"""How synthetic prices and their volatility move from day to day.

A day is two steps: overnight (a gap, with a quarter of the day's variance) and the session. Both
carry a shock shared by the whole market, a shock of the symbol's own, and now and then a jump.
Log-variance reverts to its mean and rises when prices fall. Reports, dividends, splits and what a
plan prescribes come on top.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from simulator.worlds.plans import Shock
from simulator.worlds.pricing import SESSIONS_PER_YEAR, VarianceDynamics
from simulator.worlds.profiles import SymbolProfile
from simulator.worlds.randomness import FloatArray, generator_of
from simulator.worlds.schedules import SymbolSchedule
from simulator.worlds.world import TradingSession

OVERNIGHT_VARIANCE_FRACTION = 0.25
VARIANCE_DEVIATION = 0.70
VARIANCE_HALF_LIFE_SESSIONS = 12.0
LEVERAGE = -0.55
"""The correlation of a price shock with the shock of its variance."""
MARKET_VARIANCE_SHARE = 0.45
ANNUAL_DRIFT = 0.06
MARKET_VOLATILITY = 0.16
JUMPS_PER_YEAR = 2.0
JUMP_DEVIATION = 0.12
"""Of a symbol's own jumps, as a multiple of its annual volatility."""
MARKET_JUMPS_PER_YEAR = 1.0
MARKET_JUMP_MEAN, MARKET_JUMP_DEVIATION = -0.02, 0.02
VARIANCE_PER_JUMP = 6.0
"""How much log-variance rises per unit of downward log-return jumped."""
PRICE_SPREAD_OF_SEEDS = 0.06


@dataclass(frozen=True, slots=True)
class Script:
    """What is prescribed for each session, one number a session."""

    overnight_returns: FloatArray
    session_returns: FloatArray
    log_variance_changes: FloatArray
    noise_factors: FloatArray
    width_factors: FloatArray
    activity_factors: FloatArray
    dividends: FloatArray
    """Dollars a share going ex at the open."""
    split_ratios: FloatArray
    """New shares for each old one at the open; 1 where there is no split."""

    @staticmethod
    def of(
        symbol: str,
        sessions: Sequence[TradingSession],
        first_played: int,
        shocks: Sequence[Shock],
        schedule: SymbolSchedule,
    ) -> "Script":
        """Write down shocks and schedule by session."""
        count = len(sessions)
        added, scaled = np.zeros((4, count)), np.ones((4, count))
        for shock in shocks:
            position = first_played + shock.position
            if shock.strikes(symbol) and 0 <= position < count:
                added[:3, position] += (
                    shock.overnight_return,
                    shock.session_return,
                    shock.log_variance_change,
                )
                scaled[:3, position] *= (
                    shock.noise_factor,
                    shock.width_factor,
                    shock.activity_factor,
                )
        position_of = {each.session: position for position, each in enumerate(sessions)}
        for report in schedule.earnings:
            night = position_of.get(report.session.session, count) + 1
            if night < count:
                added[0, night] += report.overnight_return
        for dividend in schedule.dividends:
            if dividend.ex_date in position_of:
                added[3, position_of[dividend.ex_date]] += float(dividend.rate)
        for split in schedule.splits:
            if split.ex_date in position_of:
                scaled[3, position_of[split.ex_date]] *= float(split.new_rate / split.old_rate)
        return Script(
            overnight_returns=added[0],
            session_returns=added[1],
            log_variance_changes=added[2],
            noise_factors=scaled[0],
            width_factors=scaled[1],
            activity_factors=scaled[2],
            dividends=added[3],
            split_ratios=scaled[3],
        )


@dataclass(frozen=True, slots=True)
class StepShocks:
    """Standard normal shocks of price and variance, and jumps, one number a session."""

    price: FloatArray
    variance: FloatArray
    jump: FloatArray

    @staticmethod
    def of(count: int, jumps_per_year: float, *names: object) -> "StepShocks":
        """Draw session by session, so that a longer run begins like a shorter one."""
        generator = generator_of(*names)
        price, variance, jump_size, jump_chance = generator.standard_normal((count, 4)).T
        # Half of the jumps come overnight, half in the session; both steps draw separately.
        threshold = ndtri(jumps_per_year / 2.0 / SESSIONS_PER_YEAR)
        return StepShocks(price, variance, np.where(jump_chance < threshold, jump_size, np.nan))


@dataclass(frozen=True, slots=True)
class DailyWalk:
    """A symbol's life by the day, one number a session; logs are of dollars a share."""

    open_logs: FloatArray
    close_logs: FloatArray
    open_variances: FloatArray
    """Logs of annual variance."""
    close_variances: FloatArray
    session_jumps: FloatArray
    share_counts: FloatArray


def dynamics_of(profile: SymbolProfile) -> VarianceDynamics:
    log_variance = 2.0 * float(np.log(profile.annual_volatility))
    return VarianceDynamics(
        mean_log_variance=log_variance - VARIANCE_DEVIATION**2 / 2.0,
        deviation=VARIANCE_DEVIATION,
        half_life_sessions=VARIANCE_HALF_LIFE_SESSIONS,
    )


def jump_variance_of(profile: SymbolProfile) -> float:
    """Give the annual variance that jumps add to the wandering of prices."""
    own = JUMPS_PER_YEAR * (JUMP_DEVIATION * profile.annual_volatility) ** 2
    market = MARKET_JUMP_MEAN**2 + MARKET_JUMP_DEVIATION**2
    return own + MARKET_JUMPS_PER_YEAR * market * _beta(profile) ** 2


def walk_days(seed: int, profile: SymbolProfile, script: Script, first_played: int) -> DailyWalk:
    """Walk a symbol through all its sessions.

    The close on the eve of the first session played is the profile's price, moved by the seed.
    """
    count = len(script.overnight_returns)
    overnight = _combined_shocks(seed, profile, count, "overnight")
    session = _combined_shocks(seed, profile, count, "session")
    generator = generator_of(seed, profile.symbol, "start")
    log_variance = dynamics_of(profile).mean_log_variance
    log_variance += VARIANCE_DEVIATION * float(generator.standard_normal())
    anchor = np.log(profile.price) + PRICE_SPREAD_OF_SEEDS * float(generator.standard_normal())
    steps = (
        (overnight, OVERNIGHT_VARIANCE_FRACTION, script.overnight_returns),
        (session, 1.0 - OVERNIGHT_VARIANCE_FRACTION, script.session_returns),
    )
    returns, variances = np.zeros((2, count)), np.zeros((2, count))
    for position in range(count):
        noise = script.noise_factors[position]
        log_variance += script.log_variance_changes[position]
        for row, (shocks, fraction, prescribed) in enumerate(steps):
            deviation = noise * step_deviation(log_variance, fraction)
            drift = ANNUAL_DRIFT * fraction / SESSIONS_PER_YEAR - deviation**2 / 2.0
            chance = deviation * shocks.price[position] + noise * shocks.jump[position]
            returns[row, position] = drift + chance + prescribed[position]
            log_variance = _next_log_variance(
                profile, log_variance, fraction, shocks.variance[position], shocks.jump[position]
            )
            variances[row, position] = log_variance
    closes = np.cumsum(returns.sum(axis=0))
    closes += anchor - closes[first_played - 1]
    opens = closes - returns[1]
    _pay_dividends(opens, closes, script.dividends, first_played)
    shares = _draw_shares(seed, profile, returns.sum(axis=0))
    splits = np.cumsum(np.log(script.split_ratios))
    return DailyWalk(
        open_logs=opens - splits,
        close_logs=closes - splits,
        open_variances=variances[0],
        close_variances=variances[1],
        session_jumps=script.noise_factors * session.jump,
        share_counts=np.floor(shares * script.activity_factors * np.exp(splits)),
    )


def step_deviation(log_variance: float, fraction: float) -> float:
    """Give the deviation of a step that takes `fraction` of a session's variance."""
    return float(np.exp(log_variance / 2.0) * np.sqrt(fraction / SESSIONS_PER_YEAR))


def variance_wander(profile: SymbolProfile, fraction: float) -> float:
    """Give the deviation of log-variance over `fraction` of a session."""
    dynamics = dynamics_of(profile)
    return float(dynamics.deviation * np.sqrt(2.0 * dynamics.reversion_per_session * fraction))


def _beta(profile: SymbolProfile) -> float:
    share = float(np.sqrt(profile.market_share))
    return share * profile.annual_volatility / MARKET_VOLATILITY


def _combined_shocks(seed: int, profile: SymbolProfile, count: int, step: str) -> StepShocks:
    market = StepShocks.of(count, MARKET_JUMPS_PER_YEAR, seed, "market", step)
    own = StepShocks.of(count, JUMPS_PER_YEAR, seed, profile.symbol, step)
    share = profile.market_share
    price = np.sqrt(share) * market.price + np.sqrt(1.0 - share) * own.price
    variance = np.sqrt(MARKET_VARIANCE_SHARE) * market.variance
    variance += np.sqrt(1.0 - MARKET_VARIANCE_SHARE) * own.variance
    market_jump = MARKET_JUMP_MEAN + MARKET_JUMP_DEVIATION * market.jump
    own_jump = JUMP_DEVIATION * profile.annual_volatility * own.jump
    return StepShocks(
        price=price,
        variance=LEVERAGE * price + np.sqrt(1.0 - LEVERAGE**2) * variance,
        jump=np.nan_to_num(_beta(profile) * market_jump) + np.nan_to_num(own_jump),
    )


def _next_log_variance(
    profile: SymbolProfile, log_variance: float, fraction: float, shock: float, jump: float
) -> float:
    dynamics = dynamics_of(profile)
    pull = dynamics.reversion_per_session * fraction * (dynamics.mean_log_variance - log_variance)
    wander = variance_wander(profile, fraction) * shock
    return float(log_variance + pull + wander + VARIANCE_PER_JUMP * max(-jump, 0.0))


def _pay_dividends(
    opens: FloatArray, closes: FloatArray, dividends: FloatArray, first_played: int
) -> None:
    """Let prices drop by each dividend at its ex-date, in place.

    Sessions played drop from the ex-date on; those before are raised up to it instead, so that
    prices still meet on the eve of the first session played.
    """
    for position in np.flatnonzero(dividends[:first_played])[::-1].tolist():
        if position > 0:
            raised = np.log1p(dividends[position] / np.exp(closes[position - 1]))
            opens[:position] += raised
            closes[:position] += raised
    for position in (np.flatnonzero(dividends[first_played:]) + first_played).tolist():
        before = np.exp(closes[position - 1])
        dropped = np.log1p(-min(dividends[position] / before, 0.5))
        opens[position:] += dropped
        closes[position:] += dropped


def _draw_shares(seed: int, profile: SymbolProfile, returns: FloatArray) -> FloatArray:
    generator = generator_of(seed, profile.symbol, "shares")
    usual = np.exp(0.22 * generator.standard_normal(len(returns)))
    typical_move = profile.annual_volatility / np.sqrt(SESSIONS_PER_YEAR)
    excitement = 1.0 + 0.5 * np.maximum(np.abs(returns) / typical_move - 1.0, 0.0)
    shares: FloatArray = profile.daily_shares * usual * excitement
    return shares
