"""The markets that a command can play."""

from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest

from agent.config.settings import Settings
from simulator.rehearsal.markets import (
    SYNTHETIC_SESSIONS,
    MarketRefused,
    open_market,
    symbols_without_reports,
)
from simulator.rehearsal.profile import load_profile
from simulator.worlds.events import CorporateEvents
from simulator.worlds.exercise import RationalHolders


def test_an_ordinary_market_has_thirty_sessions_and_nobody_exercises_early() -> None:
    market = open_market(seed=3)
    assert market.sessions == len(market.world.sessions) == SYNTHETIC_SESSIONS
    assert (market.world.name, market.scenario) == ("synthetic-3", None)
    assert market.early_assignment is None


def test_a_scenario_says_what_it_is_and_its_holders_are_rational() -> None:
    market = open_market(scenario="assignment", seed=3, sessions=9)
    assert (market.world.name, market.sessions) == ("assignment-3", 9)
    assert market.description.startswith("scenario assignment, seed 3: Stocks leap")
    assert isinstance(market.world, CorporateEvents)
    assert market.early_assignment == RationalHolders(market.world)


def test_companies_report_unless_the_scenario_has_none_that_do() -> None:
    ordinary, calm = open_market(seed=3, sessions=2), open_market(scenario="calm", sessions=8)
    assert symbols_without_reports(ordinary.world) == []
    assert symbols_without_reports(calm.world) == list(calm.world.symbols)


@pytest.mark.shared_data
def test_recorded_chains_are_played_in_part_or_as_far_as_they_go(
    shared_data_directory: Path,
) -> None:
    market = open_market(data_directory=shared_data_directory, sessions=14)
    assert (market.sessions, len(market.world.sessions)) == (14, 51)
    assert load_profile(market.profile).name == "replay"
    assert symbols_without_reports(market.world) == []


def test_a_market_that_there_is_not_is_refused() -> None:
    with pytest.raises(MarketRefused, match="there is no scenario 'fair'; there are calm, crash"):
        open_market(scenario="fair")
    with pytest.raises(MarketRefused, match="needs at least 8 sessions, not 2"):
        open_market(scenario="calm", sessions=2)
    with pytest.raises(MarketRefused, match="not both"):
        open_market(scenario="calm", data_directory=Path())


@pytest.mark.parametrize("name", ["replay", "synthetic"])
def test_no_profile_scans_where_nothing_may_be_entered(name: str) -> None:
    hours = Settings().schedule
    day = date(2026, 6, 9)
    first = datetime.combine(day, time(9, 30)) + timedelta(minutes=hours.entry_opening_minutes)
    # An entry works for some minutes, and is withdrawn in the last ones.
    last = datetime.combine(day, time(16)) - timedelta(minutes=hours.entry_closing_minutes + 5)
    for at in load_profile(name).times["scan_market"]:
        assert first <= datetime.combine(day, at) <= last
