"""Each named market puts to the test what its description says."""

from datetime import timedelta
from functools import cache
from statistics import median

import pytest

from agent.options.contracts import OptionType
from simulator.worlds.scenarios import (
    FALLING_SYMBOLS,
    RISING_SYMBOLS,
    SCENARIOS,
    scenario_named,
    turning_point,
)
from simulator.worlds.synthetic import SyntheticWorld
from simulator.worlds.world import ListingFilter

SESSIONS = 18
START = turning_point(SESSIONS)


@cache
def scenario(name: str, seed: int = 7) -> SyntheticWorld:
    return scenario_named(name).world(seed, SESSIONS)


@cache
def ordinary(seed: int = 7) -> SyntheticWorld:
    return SyntheticWorld(seed, SESSIONS)


def close(world: SyntheticWorld, symbol: str, position: int) -> float:
    price = world.close_price(symbol, world.sessions[position].session)
    assert price is not None
    return float(price)


def growth(world: SyntheticWorld, start: int, end: int) -> float:
    """Give the median growth of all symbols between the closes of two sessions."""
    return median(close(world, each, end) / close(world, each, start) for each in world.symbols)


def moves(world: SyntheticWorld) -> list[float]:
    return [
        abs(close(world, symbol, position) / close(world, symbol, position - 1) - 1)
        for symbol in world.symbols
        for position in range(1, SESSIONS)
    ]


def straddle(world: SyntheticWorld, symbol: str, position: int) -> float:
    """Give what a month's straddle near the money costs at the close, as a share of spot."""
    session = world.sessions[position]
    bounds = ListingFilter(
        session.session + timedelta(days=25), session.session + timedelta(days=31)
    )
    spot = close(world, symbol, position)
    costs: dict[float, float] = {}
    for each in world.chain(symbol, session.closes_at, bounds):
        assert each.ask is not None
        distance = abs(float(each.contract.strike) - spot)
        costs[distance] = costs.get(distance, 0.0) + float((each.bid or 0) + each.ask) / 2
    return costs[min(costs)] / spot


def test_the_scenarios_are_those_promised() -> None:
    assert tuple(SCENARIOS) == (
        *("calm", "crash", "melt-up", "vol-spike", "gap"),
        *("assignment", "illiquid", "broker-outage"),
    )
    assert all(len(each.description) > 40 for each in SCENARIOS.values())


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_is_determined_by_its_seed_and_keeps_its_past(name: str) -> None:
    again, other = (scenario_named(name).world(seed, SESSIONS) for seed in (7, 8))
    at = again.sessions[START].opens_at + timedelta(minutes=45)

    assert again.name == f"{name}-7"
    assert again.stock("BRVO", at) == scenario(name).stock("BRVO", at)
    assert again.stock("BRVO", at) != other.stock("BRVO", at)


def test_calm_moves_far_less_than_options_expect() -> None:
    calm, usual = scenario("calm"), ordinary()

    assert median(moves(calm)) < 0.4 * median(moves(usual))
    assert straddle(calm, "DLTQ", 2) > straddle(usual, "DLTQ", 2)


def test_a_crash_takes_a_quarter_and_makes_options_dear() -> None:
    crash = scenario("crash")

    assert growth(crash, START - 1, START + 3) < 0.80
    assert straddle(crash, "CHLY", START + 3) > 1.3 * straddle(crash, "CHLY", START - 1)


def test_a_melt_up_rises_while_volatility_does_not() -> None:
    rising, usual = scenario("melt-up"), ordinary()

    assert growth(rising, START - 1, SESSIONS - 1) > 1.10 * growth(usual, START - 1, SESSIONS - 1)
    assert straddle(rising, "CHLY", SESSIONS - 1) < 1.05 * straddle(usual, "CHLY", SESSIONS - 1)


def test_a_volatility_spike_moves_options_far_more_than_prices() -> None:
    spike = scenario("vol-spike")

    assert growth(spike, START - 1, START) > 0.95
    for symbol in ("ALFA", "CHLY", "FXTT"):
        before, after, later = (straddle(spike, symbol, START + each) for each in (-1, 0, 9))
        assert after > 1.5 * before
        assert later < after


def test_a_gap_opens_below_the_short_strikes_of_the_evening_before() -> None:
    gap = scenario("gap")
    passed = 0
    for symbol in gap.symbols:
        evening = gap.stock(symbol, gap.sessions[START - 1].closes_at)
        morning = gap.stock(symbol, gap.sessions[START].opens_at)
        assert evening is not None
        assert morning is not None
        # A straddle costs 0.8 deviations of its month; 20 deltas at 45 days lie 1.07 below spot.
        lowest_short_strike = 1 - 1.07 * straddle(gap, symbol, START - 1) / 0.8
        passed += float(morning.last / evening.last) < lowest_short_strike

    assert passed >= len(gap.symbols) - 2


def test_assignment_halts_all_day_and_exercises_that_evening() -> None:
    world = scenario("assignment")
    before, struck = world.sessions[START - 1], world.sessions[START]
    for symbol in world.symbols:
        spot = world.stock(symbol, before.closes_at)
        assert spot is not None
        bounds = ListingFilter(
            before.session + timedelta(days=25), before.session + timedelta(days=45)
        )
        wanted = OptionType.CALL if symbol in RISING_SYMBOLS else OptionType.PUT
        out_of_the_money = [
            each.contract
            for each in world.chain(symbol, before.closes_at, bounds)
            if each.contract.option_type is wanted
            and abs(each.contract.strike / spot.last - 1) < 0.1
            and (each.contract.strike > spot.last) == (wanted is OptionType.CALL)
        ]
        assert out_of_the_money
        for contract in out_of_the_money:
            assert world.exercised_early(contract, struck.session)
        for minute in (1, 30, 200, 390):
            halted = world.stock(symbol, struck.opens_at + timedelta(minutes=minute))
            assert halted is not None
            assert halted.bid is None
        following = world.stock(symbol, world.sessions[START + 1].opens_at + timedelta(minutes=5))
        assert following is not None
        assert following.bid is not None
    assert set(world.symbols) == RISING_SYMBOLS | FALLING_SYMBOLS


def test_rising_stocks_of_the_assignment_go_ex_the_day_after() -> None:
    world = scenario("assignment")
    ex_date = world.sessions[START + 1].session

    for symbol in RISING_SYMBOLS:
        actions = world.corporate_actions(symbol, ex_date, ex_date)
        assert [each.ex_date for each in actions] == [ex_date]


def test_an_illiquid_market_widens_and_dries_up() -> None:
    world, usual = scenario("illiquid"), ordinary()
    widths, volumes = {}, {}
    for name, market in (("illiquid", world), ("usual", usual)):
        at = market.sessions[START + 1].closes_at
        listings = [
            each
            for each in market.chain("ALFA", at, ListingFilter())
            if each.bid is not None and each.ask is not None
        ]
        widths[name] = median(each.ask - each.bid for each in listings if each.ask and each.bid)
        volumes[name] = sum(each.volume for each in listings)

    assert widths["illiquid"] > 3 * widths["usual"]
    assert volumes["illiquid"] * 8 < volumes["usual"]
    assert world.chain("ALFA", world.sessions[START - 1].closes_at, ListingFilter()) == usual.chain(
        "ALFA", usual.sessions[START - 1].closes_at, ListingFilter()
    )


def test_a_broker_outage_is_marked_on_two_sessions_and_hides_no_price() -> None:
    world = scenario("broker-outage")
    first, second = world.outages

    assert first.starts_at.date() == world.sessions[START].session
    assert second.starts_at.date() == world.sessions[START + 1].session
    quote = world.stock("ALFA", first.starts_at + timedelta(minutes=10))
    assert quote is not None
    assert quote.bid is not None
    assert growth(world, START - 1, START) < 0.99


def test_only_the_broker_outage_has_outages() -> None:
    marked = [name for name in SCENARIOS if scenario(name).outages]

    assert marked == ["broker-outage"]


def test_an_unknown_scenario_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="there is no scenario 'storm'; there are calm, crash"):
        scenario_named("storm")


def test_a_scenario_without_time_to_unfold_is_refused() -> None:
    with pytest.raises(ValueError, match="needs at least 8 sessions, not 3"):
        scenario_named("gap").world(7, 3)
