"""How synthetic prices and their volatility move: day by day, and minute by minute within a day.

A day is two steps: overnight (a gap, with a quarter of the day's variance) and the session. Both
carry a shock shared by the whole market, a shock of the symbol's own, and now and then a jump.
Log-variance reverts to its mean and rises when prices fall. Within a session a Brownian bridge
leads from the open to the close, so that a minute can be known without playing those before it.
"""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from scipy.special import ndtri

from simulator.worlds.pricing import SESSIONS_PER_YEAR, VarianceDynamics
from simulator.worlds.profiles import SymbolProfile
from simulator.worlds.randomness import FloatArray, generator_of
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
class Shock:
    """What befalls prices in one session besides chance; returns are logarithmic.

    `position` counts the sessions played from 0; `symbols` None means every symbol.
    """

    position: int
    overnight_return: float = 0.0
    session_return: float = 0.0
    log_variance_change: float = 0.0
    symbols: frozenset[str] | None = None

    def strikes(self, symbol: str) -> bool:
        return self.symbols is None or symbol in self.symbols


@dataclass(frozen=True, slots=True)
class SessionMinutes:
    """One session by the minute, from the opening to the closing inclusive."""

    prices: FloatArray
    """In dollars, whole cents."""
    log_variances: FloatArray


@dataclass(frozen=True, slots=True)
class StepShocks:
    """Standard normal shocks of price and variance, and jumps, one number a session."""

    price: FloatArray
    variance: FloatArray
    jump: FloatArray

    @staticmethod
    def of(count: int, jumps_per_year: float, *names: object) -> "StepShocks":
        generator = generator_of(*names)
        price, variance, jump_size, jump_chance = generator.standard_normal((count, 4)).T
        # Drawn session by session, so that a longer run begins like a shorter one.
        # Half of the jumps come overnight, half in the session; both steps draw separately.
        threshold = ndtri(jumps_per_year / 2.0 / SESSIONS_PER_YEAR)
        return StepShocks(price, variance, np.where(jump_chance < threshold, jump_size, np.nan))


@lru_cache(maxsize=8)
def session_clock(minutes: int) -> FloatArray:
    """Say which fraction of a session's activity is past at each minute, from 0 to 1.

    Activity is U-shaped: heaviest after the opening, heavier again towards the close.
    """
    minute = np.arange(minutes, dtype=np.float64)
    weight = 1.0 + 1.5 * np.exp(-minute / 30.0) + 0.6 * np.exp((minute - minutes) / 20.0)
    clock = np.concatenate(([0.0], np.cumsum(weight)))
    fractions: FloatArray = clock / clock[-1]
    fractions.setflags(write=False)
    return fractions


def session_minutes(session: TradingSession) -> int:
    return int((session.closes_at - session.opens_at).total_seconds()) // 60


@dataclass(slots=True)
class PricePath:
    """The whole life of one underlying, known to the market and shown only up to the present."""

    seed: int
    profile: SymbolProfile
    sessions: tuple[TradingSession, ...]
    first_played: int
    """Where in `sessions` the first session to be played stands."""
    shocks: tuple[Shock, ...] = ()
    _minutes: dict[int, SessionMinutes] = field(init=False, default_factory=dict)
    _open_logs: FloatArray = field(init=False)
    _close_logs: FloatArray = field(init=False)
    _open_variances: FloatArray = field(init=False)
    _close_variances: FloatArray = field(init=False)
    _session_jumps: FloatArray = field(init=False)
    _share_counts: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        self._walk()

    @property
    def dynamics(self) -> VarianceDynamics:
        log_variance = 2.0 * float(np.log(self.profile.annual_volatility))
        return VarianceDynamics(
            mean_log_variance=log_variance - VARIANCE_DEVIATION**2 / 2.0,
            deviation=VARIANCE_DEVIATION,
            half_life_sessions=VARIANCE_HALF_LIFE_SESSIONS,
        )

    @property
    def jump_variance(self) -> float:
        """The annual variance that jumps add to the wandering of prices."""
        own = JUMPS_PER_YEAR * (JUMP_DEVIATION * self.profile.annual_volatility) ** 2
        market = MARKET_JUMP_MEAN**2 + MARKET_JUMP_DEVIATION**2
        return own + MARKET_JUMPS_PER_YEAR * market * self._beta**2

    @property
    def _beta(self) -> float:
        share = float(np.sqrt(self.profile.market_share))
        return share * self.profile.annual_volatility / MARKET_VOLATILITY

    def minutes(self, position: int) -> SessionMinutes:
        """Give the session at `position`, playing it when it is first asked for."""
        known = self._minutes.get(position)
        if known is None:
            known = self._minutes[position] = self._play(position)
        return known

    def share_count(self, position: int) -> int:
        """Count the shares traded in the whole session."""
        return int(self._share_counts[position])

    def opening_price(self, position: int) -> float:
        return float(np.exp(self._open_logs[position]))

    @property
    def closing_prices(self) -> FloatArray:
        """The official close of every session, in dollars, whole cents."""
        closes: FloatArray = np.maximum(np.round(np.exp(self._close_logs), 2), 0.01)
        return closes

    def _walk(self) -> None:
        count = len(self.sessions)
        symbol = self.profile.symbol
        overnight = self._combined_shocks(count, "overnight")
        session = self._combined_shocks(count, "session")
        returns, variances = np.zeros((2, count)), np.zeros((2, count))
        generator = generator_of(self.seed, symbol, "start")
        log_variance = self.dynamics.mean_log_variance
        log_variance += VARIANCE_DEVIATION * float(generator.standard_normal())
        steps = (
            (overnight, OVERNIGHT_VARIANCE_FRACTION),
            (session, 1.0 - OVERNIGHT_VARIANCE_FRACTION),
        )
        planned = self._planned(count)
        for position in range(count):
            for row, (shocks, fraction) in enumerate(steps):
                deviation = np.exp(log_variance / 2.0) * np.sqrt(fraction / SESSIONS_PER_YEAR)
                drift = ANNUAL_DRIFT * fraction / SESSIONS_PER_YEAR - deviation**2 / 2.0
                returns[row, position] = (
                    drift
                    + deviation * shocks.price[position]
                    + shocks.jump[position]
                    + planned[row, position]
                )
                log_variance = self._next_log_variance(
                    log_variance, fraction, shocks.variance[position], shocks.jump[position]
                )
                if row == 0:
                    log_variance += planned[2, position]
                variances[row, position] = log_variance
        closes = np.cumsum(returns.sum(axis=0))
        anchor = np.log(self.profile.price) + PRICE_SPREAD_OF_SEEDS * generator.standard_normal()
        self._close_logs = closes - closes[self.first_played - 1] + anchor
        self._open_logs = self._close_logs - returns[1]
        self._open_variances, self._close_variances = variances
        self._session_jumps = session.jump
        self._share_counts = self._draw_shares(returns.sum(axis=0))

    def _combined_shocks(self, count: int, step: str) -> StepShocks:
        market = StepShocks.of(count, MARKET_JUMPS_PER_YEAR, self.seed, "market", step)
        own = StepShocks.of(count, JUMPS_PER_YEAR, self.seed, self.profile.symbol, step)
        share = self.profile.market_share
        price = np.sqrt(share) * market.price + np.sqrt(1.0 - share) * own.price
        variance = np.sqrt(MARKET_VARIANCE_SHARE) * market.variance
        variance += np.sqrt(1.0 - MARKET_VARIANCE_SHARE) * own.variance
        market_jump = MARKET_JUMP_MEAN + MARKET_JUMP_DEVIATION * market.jump
        own_jump = JUMP_DEVIATION * self.profile.annual_volatility * own.jump
        return StepShocks(
            price=price,
            variance=LEVERAGE * price + np.sqrt(1.0 - LEVERAGE**2) * variance,
            jump=np.nan_to_num(self._beta * market_jump) + np.nan_to_num(own_jump),
        )

    def _planned(self, count: int) -> FloatArray:
        planned = np.zeros((3, count))
        for shock in self.shocks:
            position = self.first_played + shock.position
            if shock.strikes(self.profile.symbol) and 0 <= position < count:
                planned[:, position] += (
                    shock.overnight_return,
                    shock.session_return,
                    shock.log_variance_change,
                )
        return planned

    def _next_log_variance(
        self, log_variance: float, fraction: float, shock: float, jump: float
    ) -> float:
        dynamics = self.dynamics
        reversion = dynamics.reversion_per_session
        wander = dynamics.deviation * np.sqrt(2.0 * reversion * fraction)
        pull = reversion * fraction * (dynamics.mean_log_variance - log_variance)
        return float(log_variance + pull + wander * shock + VARIANCE_PER_JUMP * max(-jump, 0.0))

    def _draw_shares(self, returns: FloatArray) -> FloatArray:
        generator = generator_of(self.seed, self.profile.symbol, "shares")
        usual = np.exp(0.22 * generator.standard_normal(len(returns)))
        typical_move = self.profile.annual_volatility / np.sqrt(SESSIONS_PER_YEAR)
        excitement = 1.0 + 0.5 * np.maximum(np.abs(returns) / typical_move - 1.0, 0.0)
        shares: FloatArray = np.floor(self.profile.daily_shares * usual * excitement)
        return shares

    def _play(self, position: int) -> SessionMinutes:
        session = self.sessions[position]
        clock = session_clock(session_minutes(session))
        generator = generator_of(self.seed, self.profile.symbol, "minutes", session.session)
        steps = generator.standard_normal(len(clock) - 1) * np.sqrt(np.diff(clock))
        walk = np.concatenate(([0.0], np.cumsum(steps)))
        bridge = walk - clock * walk[-1]
        jump = self._session_jumps[position]
        jump_minute = int(generator.integers(1, len(clock)))
        jumped = np.where(np.arange(len(clock)) >= jump_minute, jump, 0.0)
        start, end = self._open_logs[position], self._close_logs[position]
        start_variance = self._open_variances[position]
        variance_change = self._close_variances[position] - start_variance
        fraction = 1.0 - OVERNIGHT_VARIANCE_FRACTION
        deviation = np.exp(start_variance / 2.0) * np.sqrt(fraction / SESSIONS_PER_YEAR)
        logs = start + clock * (end - start - jump) + deviation * bridge + jumped
        reversion = self.dynamics.reversion_per_session
        wander = VARIANCE_DEVIATION * np.sqrt(2.0 * reversion * fraction)
        prices = np.maximum(np.round(np.exp(logs), 2), 0.01)
        log_variances = start_variance + clock * variance_change + LEVERAGE * wander * bridge
        return SessionMinutes(prices, log_variances)
