"""Named markets, each of which puts one thing to the test."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from simulator.worlds.plans import (
    MarketPlan,
    PlannedDividend,
    PlannedHalt,
    PlannedOutage,
    Shock,
)
from simulator.worlds.profiles import DEFAULT_PROFILES
from simulator.worlds.synthetic import SyntheticWorld

SESSION_COUNT_MIN = 8
"""Under which a scenario would be over before a trade could meet it."""
WHOLE_SESSION_MINUTES = 390
USUAL_VOLATILITY = 0.30

RISING_SYMBOLS = frozenset(each.symbol for each in DEFAULT_PROFILES[::2])
FALLING_SYMBOLS = frozenset(each.symbol for each in DEFAULT_PROFILES[1::2])


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named market; `plan_for` writes its script for so many sessions."""

    name: str
    description: str
    plan_for: Callable[[int], MarketPlan]

    def world(self, seed: int, session_count: int = 30) -> SyntheticWorld:
        """Make the market; raise ValueError where it has too few sessions to unfold."""
        if session_count < SESSION_COUNT_MIN:
            raise ValueError(
                f"scenario {self.name} needs at least {SESSION_COUNT_MIN} sessions, "
                f"not {session_count}"
            )
        plan = replace(self.plan_for(session_count), name=self.name)
        return SyntheticWorld(seed, session_count, plan=plan)


def scenario_named(name: str) -> Scenario:
    """Find a scenario; raise ValueError naming those there are."""
    if name not in SCENARIOS:
        raise ValueError(f"there is no scenario {name!r}; there are {', '.join(SCENARIOS)}")
    return SCENARIOS[name]


def turning_point(session_count: int) -> int:
    """Say in which session a scenario strikes: early enough to end, late enough to hurt."""
    return session_count // 3


def _shocks(
    position: int,
    *,
    overnight: float = 0.0,
    session: float = 0.0,
    log_variance: float = 0.0,
    width: float = 1.0,
    symbols: frozenset[str] | None = None,
) -> Iterator[Shock]:
    """Shock each symbol in proportion to its volatility; returns are those at a usual one."""
    for profile in DEFAULT_PROFILES:
        if symbols is None or profile.symbol in symbols:
            scale = profile.annual_volatility / USUAL_VOLATILITY
            yield Shock(
                position=position,
                overnight_return=overnight * scale,
                session_return=session * scale,
                log_variance_change=log_variance,
                width_factor=width,
                symbols=frozenset({profile.symbol}),
            )


def _calm(session_count: int) -> MarketPlan:
    quiet = (Shock(position, noise_factor=0.25) for position in range(session_count))
    return MarketPlan(
        earnings=False,
        halts_per_year=0.0,
        shocks=(*quiet, *_shocks(0, log_variance=0.6)),
    )


def _crash(session_count: int) -> MarketPlan:
    start = turning_point(session_count)
    fall = (
        shock
        for position in range(start, start + 4)
        for shock in _shocks(
            position, overnight=-0.030, session=-0.035, log_variance=0.5, width=2.0
        )
    )
    rebound = (
        shock
        for position in range(start + 4, start + 7)
        for shock in _shocks(position, session=0.02, log_variance=-0.1, width=1.5)
    )
    return MarketPlan(shocks=(*fall, *rebound))


def _melt_up(session_count: int) -> MarketPlan:
    start = turning_point(session_count)
    return MarketPlan(
        shocks=tuple(
            shock
            for position in range(start, min(start + 12, session_count))
            for shock in _shocks(position, overnight=0.005, session=0.009, log_variance=-0.03)
        )
    )


def _vol_spike(session_count: int) -> MarketPlan:
    start = turning_point(session_count)
    calming = (
        shock
        for position in range(start + 2, start + 7)
        for shock in _shocks(position, log_variance=-0.15)
    )
    quiet = (Shock(position, noise_factor=0.4) for position in range(start, start + 7))
    return MarketPlan(
        shocks=(
            *_shocks(start, overnight=-0.02, log_variance=2.0, width=2.5),
            *_shocks(start + 1, session=0.02, width=1.5),
            *calming,
            *quiet,
        )
    )


def _gap(session_count: int) -> MarketPlan:
    start = turning_point(session_count)
    return MarketPlan(shocks=tuple(_shocks(start, overnight=-0.18, log_variance=0.6, width=1.5)))


def _assignment(session_count: int) -> MarketPlan:
    start = turning_point(session_count)
    return MarketPlan(
        earnings=False,
        put_exercise_chance=1.0,
        shocks=(
            *_shocks(start, overnight=0.18, log_variance=-0.2, symbols=RISING_SYMBOLS),
            *_shocks(start, overnight=-0.30, log_variance=-0.2, symbols=FALLING_SYMBOLS),
        ),
        special_dividends=(PlannedDividend(start + 1, 0.04, 3, RISING_SYMBOLS),),
        halts=(PlannedHalt(start, 1, WHOLE_SESSION_MINUTES),),
    )


def _illiquid(session_count: int) -> MarketPlan:
    return MarketPlan(
        shocks=tuple(
            Shock(position, width_factor=5.0, activity_factor=0.08)
            for position in range(turning_point(session_count), session_count)
        )
    )


def _broker_outage(session_count: int) -> MarketPlan:
    start = turning_point(session_count)
    return MarketPlan(
        shocks=tuple(_shocks(start, session=-0.03, log_variance=0.5)),
        outages=(PlannedOutage(start, 150, 235), PlannedOutage(start + 1, 345, 40)),
    )


SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {
        scenario.name: scenario
        for scenario in (
            Scenario(
                "calm",
                "Options expect a lively market and get a quiet one: premium is there to be kept.",
                _calm,
            ),
            Scenario(
                "crash",
                "A quarter of all value is gone in four sessions, volatility explodes, quotes "
                "widen; then a partial rebound.",
                _crash,
            ),
            Scenario(
                "melt-up",
                "Prices rise day after day while volatility sinks: the call side is overrun.",
                _melt_up,
            ),
            Scenario(
                "vol-spike",
                "Volatility doubles overnight with hardly a fall in prices, then ebbs: marks say "
                "stop, strikes do not.",
                _vol_spike,
            ),
            Scenario(
                "gap",
                "Everything opens one morning below the short strikes of the evening before.",
                _gap,
            ),
            Scenario(
                "assignment",
                "Stocks leap far through the strikes and are halted for the whole session: nobody "
                "can close, and holders exercise that evening, calls before an ex-date.",
                _assignment,
            ),
            Scenario(
                "illiquid",
                "From one session on quotes are five times as wide and hardly anything trades.",
                _illiquid,
            ),
            Scenario(
                "broker-outage",
                "The broker is out of reach for hours of a falling session, and at the end of the "
                "next one.",
                _broker_outage,
            ),
        )
    }
)
