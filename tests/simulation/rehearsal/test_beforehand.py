"""What a rehearsed agent knows by its first session."""

from datetime import timedelta

import pytest

from agent.adapters.memory.reports import MemoryReportDates
from agent.adapters.memory.volatility import MemoryVolatilityHistory
from agent.market.events import SOURCE_QUOTES_STRIPPED
from agent.market.volatility import SOURCE_QUOTES
from simulator.rehearsal.beforehand import record_reports, record_volatilities
from simulator.worlds.plans import MarketPlan
from simulator.worlds.profiles import DEFAULT_PROFILES
from simulator.worlds.synthetic import SyntheticWorld
from tests.simulation.exchange.small_world import MONDAY, SmallWorld

ALFA = DEFAULT_PROFILES[:1]


def levels(world: SyntheticWorld, source: str) -> dict[object, float]:
    history = MemoryVolatilityHistory()
    record_volatilities(world, ["ALFA"], history)
    samples = history.samples("ALFA", 252, source=source)
    return {sample.session: sample.implied_volatility for sample in samples}


def test_volatilities_clear_of_reports_are_those_of_a_market_without_any() -> None:
    world = SyntheticWorld(5, profiles=ALFA)
    quiet = SyntheticWorld(5, profiles=ALFA, plan=MarketPlan(earnings=False))
    clear, raw = levels(world, SOURCE_QUOTES_STRIPPED), levels(world, SOURCE_QUOTES)
    assert len(clear) == len(raw) == 252
    assert clear == pytest.approx(levels(quiet, SOURCE_QUOTES))
    assert sum(raw[day] > level * 1.02 for day, level in clear.items()) > 50


def test_the_reports_before_and_after_the_first_session_are_on_record() -> None:
    world, dates = SyntheticWorld(5, profiles=ALFA), MemoryReportDates()
    first = world.sessions[0].session
    record_reports(world, ["ALFA"], first, dates)
    known = dates.reports("ALFA")
    assert any(day < first for day in known)
    assert any(day >= first for day in known)
    assert all(abs(day - first) <= timedelta(days=200) for day in known)


def test_a_world_that_knows_nothing_puts_nothing_on_record() -> None:
    history, dates = MemoryVolatilityHistory(), MemoryReportDates()
    record_volatilities(SmallWorld(), ["ACME"], history)
    record_reports(SmallWorld(), ["ACME"], MONDAY, dates)
    assert history.samples("ACME", 252, source=SOURCE_QUOTES) == ()
    assert dates.reports("ACME") == ()
