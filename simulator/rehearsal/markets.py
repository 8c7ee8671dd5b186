"""The markets that a command can play: recorded chains, an ordinary synthetic one, a scenario."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from simulator.exchange import EarlyAssignment
from simulator.worlds.events import CorporateEvents
from simulator.worlds.exercise import RationalHolders
from simulator.worlds.replay import ReplayWorld
from simulator.worlds.scenarios import scenario_named
from simulator.worlds.synthetic import SyntheticWorld
from simulator.worlds.world import World

SYNTHETIC_SESSIONS = 30
REPORTS_WITHIN = timedelta(days=200)
"""A company that reports does so twice in this time."""


class MarketRefused(ValueError):
    """Raised where a market was asked for that there is not."""


@dataclass(frozen=True)
class Market:
    """Hold a world to play, how much of it, and who exercises early in it."""

    world: World
    profile: str
    """Name of the profile that a rehearsal on it takes."""
    sessions: int
    description: str
    scenario: str | None = None
    early_assignment: EarlyAssignment | None = None


def open_market(
    *,
    data_directory: Path | None = None,
    scenario: str | None = None,
    seed: int = 1,
    sessions: int | None = None,
) -> Market:
    """Make the market asked for; None plays all sessions recorded, or 30 synthetic ones.

    Raises MarketRefused, and WorldDataError where recordings are unusable.
    """
    if data_directory is not None and scenario is not None:
        raise MarketRefused("--data and --scenario: a market is recorded or made up, not both")
    if data_directory is not None:
        return _recorded(data_directory, sessions)
    if scenario is not None:
        return _scenario(scenario, seed, sessions or SYNTHETIC_SESSIONS)
    count = sessions or SYNTHETIC_SESSIONS
    return Market(
        SyntheticWorld(seed, session_count=count),
        profile="synthetic",
        sessions=count,
        description=f"a synthetic market, seed {seed}",
    )


def symbols_without_reports(world: World) -> list[str]:
    """List the symbols of a made-up market whose companies never report, as in some scenarios."""
    if not isinstance(world, CorporateEvents):
        return []
    start = world.sessions[0].session - REPORTS_WITHIN
    end = world.sessions[-1].session + REPORTS_WITHIN
    return [symbol for symbol in world.symbols if not world.earnings_dates(symbol, start, end)]


def _recorded(directory: Path, sessions: int | None) -> Market:
    world = ReplayWorld.load(directory)
    return Market(
        world,
        profile="replay",
        sessions=min(sessions or len(world.sessions), len(world.sessions)),
        description=f"recorded chains of {directory}",
    )


def _scenario(name: str, seed: int, sessions: int) -> Market:
    try:
        scenario = scenario_named(name)
        world = scenario.world(seed, sessions)
    except ValueError as error:
        raise MarketRefused(f"--scenario: {error}") from error
    return Market(
        world,
        profile="synthetic",
        sessions=sessions,
        description=f"scenario {name}, seed {seed}: {scenario.description}",
        scenario=name,
        early_assignment=RationalHolders(world),
    )
