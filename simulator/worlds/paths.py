"""How a synthetic price moves within its days.

Within a session a Brownian bridge leads from the open to the close of the daily walk, so that a
minute can be known without playing the sessions before it.
"""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from simulator.worlds.pricing import VarianceDynamics
from simulator.worlds.profiles import SymbolProfile
from simulator.worlds.randomness import FloatArray, generator_of
from simulator.worlds.schedules import SymbolSchedule
from simulator.worlds.walks import (
    LEVERAGE,
    OVERNIGHT_VARIANCE_FRACTION,
    DailyWalk,
    Script,
    dynamics_of,
    jump_variance_of,
    step_deviation,
    variance_wander,
    walk_days,
)
from simulator.worlds.world import TradingSession

SESSION_VARIANCE_FRACTION = 1.0 - OVERNIGHT_VARIANCE_FRACTION


@dataclass(frozen=True, slots=True)
class SessionMinutes:
    """One session by the minute, from the opening to the closing inclusive."""

    prices: FloatArray
    """In dollars, whole cents."""
    log_variances: FloatArray
    activity: FloatArray
    """The fraction of the session's volume traded so far, 0 to 1."""
    halted: tuple[bool, ...]


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


@dataclass(slots=True)
class PricePath:
    """The whole life of one underlying, known to the market and shown only up to the present."""

    seed: int
    profile: SymbolProfile
    sessions: tuple[TradingSession, ...]
    schedule: SymbolSchedule
    script: Script
    first_played: int
    """Where in `sessions` the first session to be played stands."""
    walk: DailyWalk = field(init=False)
    _minutes: dict[int, SessionMinutes] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.walk = walk_days(self.seed, self.profile, self.script, self.first_played)

    @property
    def dynamics(self) -> VarianceDynamics:
        return dynamics_of(self.profile)

    @property
    def jump_variance(self) -> float:
        return jump_variance_of(self.profile)

    @property
    def closing_prices(self) -> FloatArray:
        """The price at the close of every session, in dollars, halts aside."""
        return np.exp(self.walk.close_logs)

    def opening_price(self, position: int) -> float:
        return float(np.exp(self.walk.open_logs[position]))

    def share_count(self, position: int) -> int:
        """Count the shares traded in the whole session."""
        return int(self.walk.share_counts[position] * self.minutes(position).activity[-1])

    def minutes(self, position: int) -> SessionMinutes:
        """Give the session at `position`, playing it when it is first asked for."""
        known = self._minutes.get(position)
        if known is None:
            known = self._minutes[position] = self._play(position)
        return known

    def _play(self, position: int) -> SessionMinutes:
        session = self.sessions[position]
        length = int((session.closes_at - session.opens_at).total_seconds()) // 60
        clock = session_clock(length)
        generator = generator_of(self.seed, self.profile.symbol, "minutes", session.session)
        steps = generator.standard_normal((2, length)) * np.sqrt(np.diff(clock))
        walked = np.concatenate((np.zeros((2, 1)), np.cumsum(steps, axis=1)), axis=1)
        bridge, other_bridge = walked - np.multiply.outer(walked[:, -1], clock)
        jump = self.walk.session_jumps[position]
        jumped = np.where(np.arange(length + 1) >= generator.integers(1, length + 1), jump, 0.0)
        start, end = self.walk.open_logs[position], self.walk.close_logs[position]
        variance = self.walk.open_variances[position]
        variance_change = self.walk.close_variances[position] - variance
        deviation = step_deviation(variance, SESSION_VARIANCE_FRACTION)
        deviation *= self.script.noise_factors[position]
        logs = start + clock * (end - start - jump) + deviation * bridge + jumped
        # Volatility answers the wiggles of the day as it answers the day, and has its own:
        # a straight line to the close would tell early where the day ends.
        wander = variance_wander(self.profile, SESSION_VARIANCE_FRACTION)
        wiggles = LEVERAGE * bridge + np.sqrt(1.0 - LEVERAGE**2) * other_bridge
        minutes = SessionMinutes(
            prices=np.maximum(np.round(np.exp(logs), 2), 0.01),
            log_variances=variance + clock * variance_change + wander * wiggles,
            activity=clock,
            halted=(False,) * (length + 1),
        )
        return self._with_halts(session, minutes)

    def _with_halts(self, session: TradingSession, minutes: SessionMinutes) -> SessionMinutes:
        """Freeze price and volume while the stock is halted, from one minute to the next trade."""
        halted = np.zeros(len(minutes.prices), dtype=np.bool_)
        for halt in self.schedule.halts:
            start = (halt.starts_at - session.opens_at).total_seconds() / 60
            end = (halt.ends_at - session.opens_at).total_seconds() / 60
            until_close = halt.ends_at == session.closes_at
            if 0 <= start < len(halted):
                halted[max(int(start), 1) : len(halted) if until_close else int(end)] = True
        if not halted.any():
            return minutes
        source = np.maximum.accumulate(np.where(halted, 0, np.arange(len(halted))))
        return SessionMinutes(
            prices=minutes.prices[source],
            log_variances=minutes.log_variances,
            activity=minutes.activity[source],
            halted=tuple(halted.tolist()),
        )
