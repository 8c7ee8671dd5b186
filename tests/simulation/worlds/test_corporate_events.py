"""Dividends, reports, splits, halts and early exercise in the seeded market."""

from datetime import UTC, date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from agent.options.contracts import OptionContract, OptionType
from simulator.worlds.events import (
    CashDividend,
    CorporateEvents,
    Split,
    contract_after,
    is_declared,
)
from simulator.worlds.exercise import RationalHolders
from simulator.worlds.plans import (
    MarketPlan,
    PlannedDividend,
    PlannedHalt,
    PlannedOutage,
    PlannedSplit,
    Shock,
)
from simulator.worlds.profiles import DEFAULT_PROFILES
from simulator.worlds.synthetic import SyntheticWorld
from simulator.worlds.world import ListingFilter, OptionListing

EVERYTHING = ListingFilter()
LONG_AGO, FAR_AHEAD = date(2020, 1, 1), date(2030, 1, 1)
ALFA = DEFAULT_PROFILES[:1]
QUIET = MarketPlan(earnings=False, dividends=False, halts_per_year=0.0)


def world_with(plan: MarketPlan, session_count: int = 6, seed: int = 5) -> SyntheticWorld:
    return SyntheticWorld(seed, session_count, profiles=ALFA, plan=plan)


def plan_with(
    *,
    shocks: tuple[Shock, ...] = (),
    dividends: tuple[PlannedDividend, ...] = (),
    splits: tuple[PlannedSplit, ...] = (),
    halts: tuple[PlannedHalt, ...] = (),
    put_exercise_chance: float = 0.0,
) -> MarketPlan:
    """Script a market in which nothing else happens."""
    return MarketPlan(
        earnings=False,
        dividends=False,
        halts_per_year=0.0,
        put_exercise_chance=put_exercise_chance,
        shocks=shocks,
        special_dividends=dividends,
        splits=splits,
        halts=halts,
    )


def listed(world: SyntheticWorld, position: int, minute: int = 100) -> list[OptionListing]:
    at = world.sessions[position].opens_at + timedelta(minutes=minute)
    return list(world.chain("ALFA", at, EVERYTHING))


def test_the_synthetic_market_knows_its_corporate_events() -> None:
    assert isinstance(world_with(QUIET), CorporateEvents)


def test_dividends_come_each_quarter_and_are_paid_after_they_go_ex() -> None:
    actions = world_with(MarketPlan()).corporate_actions("ALFA", LONG_AGO, FAR_AHEAD)
    dividends = [each for each in actions if isinstance(each, CashDividend)]

    assert len(dividends) == len(actions) >= 6
    for earlier, later in pairwise(dividends):
        assert 85 <= (later.ex_date - earlier.ex_date).days <= 97
    assert {each.rate for each in dividends} == {Decimal("0.26")}
    assert all(each.payable_date > each.ex_date for each in dividends)


def test_a_dividend_is_the_next_one_only_once_it_is_declared() -> None:
    world = world_with(MarketPlan())
    dividend = next(
        each
        for each in world.corporate_actions("ALFA", world.sessions[0].session, FAR_AHEAD)
        if isinstance(each, CashDividend)
    )
    assert dividend.declared_on is not None
    day_before = dividend.declared_on - timedelta(days=1)

    assert world.next_ex_dividend("ALFA", dividend.declared_on) == dividend.ex_date
    assert is_declared(dividend, dividend.declared_on)
    assert not is_declared(dividend, day_before)
    assert world.next_ex_dividend("ALFA", day_before) != dividend.ex_date
    assert world.next_ex_dividend("ALFA", dividend.ex_date) != dividend.ex_date


def test_the_price_drops_by_the_dividend_when_it_goes_ex() -> None:
    without = world_with(QUIET)
    dividend = PlannedDividend(position=3, fraction=0.05, declared_before=2)
    with_dividend = world_with(plan_with(dividends=(dividend,)))
    (action,) = with_dividend.corporate_actions("ALFA", LONG_AGO, FAR_AHEAD)
    assert isinstance(action, CashDividend)

    before = with_dividend.close_price("ALFA", with_dividend.sessions[2].session)
    opens = [
        world.daily_bars("ALFA", action.ex_date, world.sessions[3].closes_at)[0].open
        for world in (without, with_dividend)
    ]

    assert before == without.close_price("ALFA", without.sessions[2].session)
    assert before is not None
    assert action.rate == Decimal("8.60")
    assert float(opens[0] - opens[1]) == pytest.approx(float(action.rate), rel=0.03)


def test_options_count_on_a_special_dividend_only_once_it_is_declared() -> None:
    dividend = PlannedDividend(position=4, fraction=0.05, declared_before=2)
    plain, promised = world_with(QUIET), world_with(plan_with(dividends=(dividend,)))

    assert listed(promised, 1) == listed(plain, 1)
    puts = [
        [each for each in listed(world, 2) if each.contract.option_type is OptionType.PUT]
        for world in (plain, promised)
    ]
    dearer = sum((after.ask or 0) > (before.ask or 0) for before, after in zip(*puts, strict=True))
    assert dearer > len(puts[0]) / 2


def test_past_dividends_leave_the_eve_of_the_first_session_where_it_was() -> None:
    plain, paying = world_with(QUIET), world_with(MarketPlan(earnings=False, halts_per_year=0))
    eve = plain.daily_bars("ALFA", LONG_AGO, plain.sessions[0].opens_at)[-1].session

    assert paying.close_price("ALFA", eve) == plain.close_price("ALFA", eve)
    first = plain.daily_bars("ALFA", LONG_AGO, plain.sessions[0].opens_at)[0].session
    before = paying.close_price("ALFA", first), plain.close_price("ALFA", first)
    assert before[0] is not None
    assert before[1] is not None
    assert before[0] > before[1]


def test_volatility_is_bid_up_before_a_report_and_collapses_after_it() -> None:
    world = SyntheticWorld(5, 40, profiles=ALFA)
    quiet = SyntheticWorld(5, 40, profiles=ALFA, plan=QUIET)
    reports = world.earnings_dates("ALFA", LONG_AGO, FAR_AHEAD)
    history, calm = (
        {
            each.session: each.implied_volatility
            for each in market.implied_volatility_history("ALFA")
        }
        for market in (world, quiet)
    )
    known = [day for day in reports if day in history]

    assert len(known) >= 3
    for report in known:
        days = sorted(history)
        after = days[days.index(report) + 1]
        assert history[report] > calm[report] * 1.02
        assert history[after] == pytest.approx(calm[after])


def test_a_report_moves_the_price_of_the_following_night_only() -> None:
    world = SyntheticWorld(5, profiles=ALFA, plan=MarketPlan(dividends=False, halts_per_year=0))
    quiet = SyntheticWorld(5, profiles=ALFA, plan=QUIET)
    end = world.sessions[-1].closes_at
    nights = {}
    for name, market in (("with", world), ("without", quiet)):
        bars = market.daily_bars("ALFA", LONG_AGO, end)
        nights[name] = {
            later.session: float(later.open / earlier.close) for earlier, later in pairwise(bars)
        }
    days = sorted(nights["with"])
    reports = world.earnings_dates("ALFA", days[0], days[-2])
    after = {next(day for day in days if day > report) for report in reports}

    moved = {day for day in days if abs(nights["with"][day] / nights["without"][day] - 1) > 0.001}

    assert moved <= after
    assert len(moved) >= 3


def test_a_split_divides_price_and_strikes_and_multiplies_shares() -> None:
    world = world_with(plan_with(splits=(PlannedSplit(3, 2, "ALFA"),)))
    plain = world_with(QUIET)
    end = world.sessions[-1].closes_at
    bars, plain_bars = (
        each.daily_bars("ALFA", each.sessions[2].session, end) for each in (world, plain)
    )
    (split,) = world.corporate_actions("ALFA", LONG_AGO, FAR_AHEAD)
    assert isinstance(split, Split)

    assert split.ex_date == world.sessions[3].session
    assert bars[0] == plain_bars[0]
    assert float(bars[1].close * 2) == pytest.approx(float(plain_bars[1].close), abs=0.02)
    assert bars[1].volume == pytest.approx(plain_bars[1].volume * 2, abs=2)
    adjusted = {
        contract_after(each.contract, split)
        for each in listed(world, 2)
        if each.contract.expiration >= split.ex_date
    }
    assert adjusted <= {each.contract for each in listed(world, 3)}


def test_an_adjusted_contract_is_worth_its_share_of_the_old_one() -> None:
    split_world = world_with(plan_with(splits=(PlannedSplit(3, 2, "ALFA"),)))
    plain = world_with(QUIET)
    split = split_world.corporate_actions("ALFA", LONG_AGO, FAR_AHEAD)[0]
    assert isinstance(split, Split)
    at = plain.sessions[3].opens_at + timedelta(minutes=200)

    compared = 0
    for listing in plain.chain("ALFA", at, EVERYTHING):
        twin = split_world.option(contract_after(listing.contract, split), at)
        if twin is None or twin.bid is None or listing.bid is None:
            continue
        assert twin.ask is not None
        assert listing.ask is not None
        assert float(twin.bid) * 2 <= float(listing.ask) + 0.1
        assert float(twin.ask) * 2 >= float(listing.bid) - 0.1
        compared += 1
    assert compared > 300


def test_a_split_into_fractions_of_a_contract_is_refused() -> None:
    contract = OptionContract("ALFA", date(2026, 2, 20), OptionType.PUT, Decimal(90))
    split = Split("ALFA", date(2026, 2, 2), Decimal(3), Decimal(2))

    with pytest.raises(ValueError, match="not whole"):
        contract_after(contract, split)


def test_nobody_quotes_a_halted_stock_nor_its_options_and_nothing_trades() -> None:
    world = world_with(plan_with(halts=(PlannedHalt(1, 60, 30),)))
    opens_at = world.sessions[1].opens_at
    before, during, late, after = (
        world.stock("ALFA", opens_at + timedelta(minutes=minute)) for minute in (59, 60, 89, 90)
    )
    assert before is not None
    assert during is not None
    assert late is not None
    assert after is not None

    assert (during.bid, during.ask) == (None, None)
    assert during.last == late.last == before.last
    assert during.volume == late.volume == before.volume < after.volume
    assert after.bid is not None
    options = world.chain("ALFA", opens_at + timedelta(minutes=75), EVERYTHING)
    assert {(each.bid, each.ask, each.bid_size, each.ask_size) for each in options} == {
        (None, None, 0, 0)
    }
    (halt,) = world.halts("ALFA", world.sessions[1].session)
    assert halt.starts_at == opens_at + timedelta(minutes=60)
    assert halt.ends_at == opens_at + timedelta(minutes=90)
    assert world.halts("ALFA", world.sessions[2].session) == ()


def test_a_halt_to_the_close_makes_the_last_trade_the_close() -> None:
    world = world_with(plan_with(halts=(PlannedHalt(1, 200, 500),)))
    session = world.sessions[1]
    last = world.stock("ALFA", session.opens_at + timedelta(minutes=199))
    at_close = world.stock("ALFA", session.closes_at)
    assert last is not None
    assert at_close is not None

    assert world.close_price("ALFA", session.session) == last.last
    assert at_close.bid is None
    (bar,) = world.daily_bars("ALFA", session.session, session.closes_at)
    assert bar.volume == last.volume


def test_chance_halts_stocks_now_and_then() -> None:
    world = SyntheticWorld(5, 60)

    halts = [
        halt
        for symbol in world.symbols
        for session in world.sessions
        for halt in world.halts(symbol, session.session)
    ]

    assert 0 < len(halts) < 15
    assert all(halt.ends_at - halt.starts_at <= timedelta(minutes=30) for halt in halts)


def test_outages_are_marked_and_change_no_price() -> None:
    plan = MarketPlan(outages=(PlannedOutage(2, 30, 60), PlannedOutage(1, 350, 60)))
    world, plain = world_with(plan), world_with(MarketPlan())
    first, second = world.outages

    assert first.starts_at == world.sessions[1].opens_at + timedelta(minutes=350)
    assert first.ends_at == world.sessions[1].closes_at
    assert second.ends_at - second.starts_at == timedelta(minutes=60)
    assert listed(world, 2, 45) == listed(plain, 2, 45)


def deepest(world: SyntheticWorld, position: int, option_type: OptionType) -> OptionContract:
    """Find the deepest contract in the money of the nearest expiration a month out."""
    session = world.sessions[position]
    bounds = ListingFilter(
        session.session + timedelta(days=25), session.session + timedelta(days=31)
    )
    contracts = [
        each.contract
        for each in world.chain("ALFA", session.closes_at, bounds)
        if each.contract.option_type is option_type
    ]
    return contracts[0] if option_type is OptionType.CALL else contracts[-1]


def test_calls_without_time_value_are_exercised_on_the_eve_of_an_ex_date_only() -> None:
    dividend = PlannedDividend(position=3, fraction=0.05, declared_before=2)
    world = world_with(plan_with(dividends=(dividend,)))
    call = deepest(world, 2, OptionType.CALL)

    exercised = [world.exercised_early(call, each.session) for each in world.sessions[:4]]

    assert exercised == [False, False, True, False]


def test_puts_without_time_value_are_exercised_by_chance() -> None:
    eager, never = (world_with(plan_with(put_exercise_chance=chance)) for chance in (1.0, 0.0))
    put = deepest(eager, 2, OptionType.PUT)
    session = eager.sessions[2].session

    assert eager.exercised_early(put, session)
    assert not never.exercised_early(put, session)


def test_an_option_out_of_the_money_or_unlisted_is_never_exercised() -> None:
    world = world_with(plan_with(put_exercise_chance=1.0))
    session = world.sessions[2].session
    deep_call = deepest(world, 2, OptionType.CALL)
    worthless = OptionContract("ALFA", deep_call.expiration, OptionType.PUT, deep_call.strike)

    assert not world.exercised_early(worthless, session)
    assert not world.exercised_early(
        OptionContract("ALFA", deep_call.expiration, OptionType.PUT, Decimal(99_999)), session
    )
    assert not world.exercised_early(deep_call, deep_call.expiration)


def test_rational_holders_assign_all_that_is_short_or_nothing() -> None:
    world = world_with(plan_with(put_exercise_chance=1.0))
    holders = RationalHolders(world)
    closes_at = world.sessions[2].closes_at
    put, call = (deepest(world, 2, each) for each in (OptionType.PUT, OptionType.CALL))

    assert holders.contracts_assigned(put, 7, Decimal(100), closes_at.astimezone(UTC)) == 7
    assert holders.contracts_assigned(call, 7, Decimal(100), closes_at) == 0


def test_nothing_befalls_strangers() -> None:
    world = world_with(MarketPlan())
    session = world.sessions[0].session
    contract = OptionContract("NONE", FAR_AHEAD, OptionType.PUT, Decimal(90))

    assert world.corporate_actions("NONE", LONG_AGO, FAR_AHEAD) == ()
    assert world.next_ex_dividend("NONE", session) is None
    assert world.earnings_dates("NONE", LONG_AGO, FAR_AHEAD) == ()
    assert world.halts("NONE", session) == ()
    assert not world.exercised_early(contract, session)
