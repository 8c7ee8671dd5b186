"""What the seeded market promises to whoever trades on it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from math import exp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.options.contracts import OptionContract, OptionType, parse_occ_symbol
from simulator.worlds.events import CashDividend
from simulator.worlds.plans import MarketPlan
from simulator.worlds.profiles import DEFAULT_PROFILES
from simulator.worlds.synthetic import SyntheticWorld
from simulator.worlds.world import ListingFilter, OptionListing, TradingSession

EVERYTHING = ListingFilter()
RATE = 0.04


@pytest.fixture(scope="module")
def world() -> SyntheticWorld:
    """Make a market in which no halt leaves contracts without quotes."""
    return SyntheticWorld(7, session_count=30, plan=MarketPlan(halts_per_year=0.0))


def noon(session: TradingSession) -> datetime:
    return session.opens_at + timedelta(minutes=150)


def puts(world: SyntheticWorld, symbol: str, at: datetime) -> Sequence[OptionListing]:
    return world.chain(symbol, at, ListingFilter(option_type=OptionType.PUT))


def mid(listing: OptionListing) -> float:
    assert listing.ask is not None
    return float((listing.bid or Decimal(0)) + listing.ask) / 2


def present_dividends(world: SyntheticWorld, symbol: str, at: datetime, expiration: date) -> float:
    """Discount what goes ex after today and by an expiration."""
    ahead = world.corporate_actions(symbol, at.date() + timedelta(days=1), expiration)
    return sum(
        float(each.rate) * exp(-RATE * (each.ex_date - at.date()).days / 365)
        for each in ahead
        if isinstance(each, CashDividend)
    )


def width(listing: OptionListing) -> float:
    assert listing.ask is not None
    return float(listing.ask - (listing.bid or Decimal(0)))


def test_the_answer_does_not_depend_on_what_was_asked_before() -> None:
    forwards, backwards = SyntheticWorld(3, 4), SyntheticWorld(3, 4)
    moments = [noon(session) for session in forwards.sessions]

    there = [forwards.chain("ALFA", at, EVERYTHING) for at in moments]
    stocks_there = [forwards.stock("ALFA", at) for at in moments]
    backwards.chain("DLTQ", moments[2], EVERYTHING)
    stocks_back = [backwards.stock("ALFA", at) for at in reversed(moments)]
    back = [backwards.chain("ALFA", at, EVERYTHING) for at in reversed(moments)]

    assert there == back[::-1]
    assert stocks_there == stocks_back[::-1]


def test_another_seed_is_another_market() -> None:
    one, other = SyntheticWorld(3, 2), SyntheticWorld(4, 2)
    at = noon(one.sessions[1])

    for symbol in one.symbols:
        assert one.stock(symbol, at) != other.stock(symbol, at)


def test_a_longer_run_begins_like_a_shorter_one() -> None:
    short, long = SyntheticWorld(3, 2), SyntheticWorld(3, 9)
    at = noon(short.sessions[1])

    assert short.chain("EKKO", at, EVERYTHING) == long.chain("EKKO", at, EVERYTHING)


def test_daily_bars_hold_only_completed_sessions(world: SyntheticWorld) -> None:
    session = world.sessions[4]
    just_before = session.closes_at - timedelta(seconds=1)

    unfinished = world.daily_bars("ALFA", date(2020, 1, 1), just_before)
    finished = world.daily_bars("ALFA", date(2020, 1, 1), session.closes_at)

    assert unfinished[-1].session == world.sessions[3].session
    assert finished[-1].session == session.session
    assert len(unfinished) == 304


def test_a_completed_bar_agrees_with_what_was_quoted_at_the_close(world: SyntheticWorld) -> None:
    session = world.sessions[4]

    (bar,) = world.daily_bars("BRVO", session.session, session.closes_at)
    quote = world.stock("BRVO", session.closes_at)

    assert quote is not None
    assert (bar.open, bar.high, bar.low, bar.close) == (
        quote.open,
        quote.high,
        quote.low,
        quote.last,
    )
    assert bar.volume == quote.volume
    assert world.close_price("BRVO", session.session) == bar.close


def test_the_extremes_of_the_day_know_nothing_of_its_rest(world: SyntheticWorld) -> None:
    session = world.sessions[4]
    quotes = [
        world.stock("DLTQ", session.opens_at + timedelta(minutes=minute)) for minute in range(391)
    ]

    lasts = [quote.last for quote in quotes if quote is not None]

    assert len(lasts) == 391
    for minute, quote in enumerate(quotes):
        assert quote is not None
        assert quote.high == max(lasts[: minute + 1])
        assert quote.low == min(lasts[: minute + 1])


def test_share_volume_only_grows_through_the_session(world: SyntheticWorld) -> None:
    session = world.sessions[1]
    quotes = [
        world.stock("ALFA", session.opens_at + timedelta(minutes=m)) for m in range(0, 391, 13)
    ]

    volumes = [quote.volume for quote in quotes if quote is not None]

    assert volumes[0] == 0
    assert all(earlier < later for earlier, later in pairwise(volumes))


def test_overnight_the_last_close_stands_with_its_own_time(world: SyntheticWorld) -> None:
    session = world.sessions[2]
    at_close = world.stock("ALFA", session.closes_at)

    in_the_night = world.stock("ALFA", session.closes_at + timedelta(hours=5))

    assert in_the_night == at_close
    assert in_the_night is not None
    assert in_the_night.at == session.closes_at


def test_nothing_is_known_of_strangers_or_of_times_before_the_history(
    world: SyntheticWorld,
) -> None:
    at = noon(world.sessions[0])
    long_ago = datetime(2001, 1, 1, tzinfo=UTC)

    assert world.stock("NONE", at) is None
    assert world.chain("NONE", at, EVERYTHING) == ()
    assert world.daily_bars("NONE", date(2020, 1, 1), at) == ()
    assert world.close_price("NONE", world.sessions[0].session) is None
    assert world.implied_volatility_history("NONE") == ()
    assert world.stock("ALFA", long_ago) is None
    assert world.chain("ALFA", long_ago, EVERYTHING) == ()
    assert world.close_price("ALFA", date(2026, 1, 4)) is None


def test_put_call_parity_holds_within_the_quotes_near_the_money(world: SyntheticWorld) -> None:
    compared = 0
    for symbol in world.symbols:
        at = noon(world.sessions[6])
        stock = world.stock(symbol, at)
        assert stock is not None
        listings = {each.contract: each for each in world.chain(symbol, at, EVERYTHING)}
        for contract, call in listings.items():
            strike, spot = float(contract.strike), float(stock.last)
            if contract.option_type is OptionType.PUT or abs(strike / spot - 1) > 0.05:
                continue
            twin = OptionContract(symbol, contract.expiration, OptionType.PUT, contract.strike)
            put = listings[twin]
            closes_at = datetime(
                contract.expiration.year,
                contract.expiration.month,
                contract.expiration.day,
                21,
                tzinfo=UTC,
            )
            years = (closes_at - at).total_seconds() / 86_400 / 365
            dividends = present_dividends(world, symbol, at, contract.expiration)
            parity = spot - dividends - strike * exp(-RATE * years)
            slack = (width(call) + width(put)) / 2 + 0.01
            # Early exercise lets an option in the money be worth a little more than parity.
            of_put = max(strike - spot, 0.0) * (1 - exp(-RATE * years))
            of_call = dividends if spot > strike else 0.0
            assert -slack - of_put <= mid(call) - mid(put) - parity <= slack + of_call
            compared += 1
    assert compared > 500


def test_puts_gain_with_the_strike_and_never_faster_than_it(world: SyntheticWorld) -> None:
    for symbol in ("ALFA", "DLTQ", "GLFO", "KYLO"):
        listings = puts(world, symbol, noon(world.sessions[3]))
        for lower, higher in pairwise(listings):
            if lower.contract.expiration != higher.contract.expiration:
                continue
            slack = (width(lower) + width(higher)) / 2
            gain = mid(higher) - mid(lower)
            step = float(higher.contract.strike - lower.contract.strike)
            assert -slack <= gain <= step + slack


def test_no_vertical_or_butterfly_can_be_locked_in_for_a_profit(world: SyntheticWorld) -> None:
    for symbol in world.symbols:
        listings = puts(world, symbol, noon(world.sessions[3]))
        for low, middle, high in zip(listings, listings[1:], listings[2:], strict=False):
            if low.contract.expiration != high.contract.expiration:
                continue
            assert low.ask is not None
            assert high.ask is not None
            assert (middle.bid or 0) <= high.ask
            assert 2 * (middle.bid or 0) <= low.ask + high.ask


def test_an_option_is_never_offered_below_what_exercising_it_pays(world: SyntheticWorld) -> None:
    for symbol in world.symbols:
        at = noon(world.sessions[3])
        stock = world.stock(symbol, at)
        assert stock is not None
        for listing in world.chain(symbol, at, EVERYTHING):
            sign = 1 if listing.contract.option_type is OptionType.CALL else -1
            assert listing.ask is not None
            assert listing.ask >= sign * (stock.last - listing.contract.strike)


@given(minute=st.integers(0, 390), row=st.integers(0, len(DEFAULT_PROFILES) - 1))
@settings(max_examples=25)
def test_every_quote_is_a_positive_tick_wide_and_stands_on_ticks(
    world: SyntheticWorld, minute: int, row: int
) -> None:
    profile = DEFAULT_PROFILES[row]
    at = world.sessions[5].opens_at + timedelta(minutes=minute)
    low, high = ("0.01", "0.05") if profile.penny_program else ("0.05", "0.10")

    for listing in world.chain(profile.symbol, at, EVERYTHING):
        assert listing.ask is not None
        assert listing.bid is None or 0 < listing.bid < listing.ask
        assert (listing.bid_size > 0) == (listing.bid is not None)
        for price in (listing.bid, listing.ask):
            if price is not None:
                assert price % Decimal(low if price < 3 else high) == 0


@given(seed=st.integers(0, 2**63), row=st.integers(0, len(DEFAULT_PROFILES) - 1))
@settings(max_examples=15)
def test_any_seed_makes_a_market_that_adds_up(seed: int, row: int) -> None:
    profile = DEFAULT_PROFILES[row]
    world = SyntheticWorld(seed, 2, profiles=(profile,), plan=MarketPlan(halts_per_year=0.0))
    at = noon(world.sessions[1])
    quote = world.stock(profile.symbol, at)
    assert quote is not None
    assert quote.bid is not None
    assert quote.ask is not None

    assert 0 < quote.bid < quote.ask
    assert quote.bid <= quote.last <= quote.ask
    assert quote.low <= quote.last <= quote.high
    assert quote.volume > 0
    expirations = {each.contract.expiration for each in world.chain(profile.symbol, at, EVERYTHING)}
    assert len({each for each in expirations if 25 <= (each - at.date()).days <= 45}) >= 2
    listings = puts(world, profile.symbol, at)
    for low, middle, high in zip(listings, listings[1:], listings[2:], strict=False):
        if low.contract.expiration == high.contract.expiration:
            assert low.ask is not None
            assert high.ask is not None
            assert 2 * (middle.bid or 0) <= low.ask + high.ask


def test_the_filter_is_inclusive_on_every_side(world: SyntheticWorld) -> None:
    at = noon(world.sessions[0])
    every = world.chain("ALFA", at, EVERYTHING)
    expirations = sorted({each.contract.expiration for each in every})
    strikes = sorted({each.contract.strike for each in every})
    bounds = ListingFilter(expirations[2], expirations[4], strikes[5], strikes[9], OptionType.CALL)

    within = world.chain("ALFA", at, bounds)

    assert {each.contract.expiration for each in within} == set(expirations[2:5])
    assert {each.contract.strike for each in within} == set(strikes[5:10])
    assert {each.contract.option_type for each in within} == {OptionType.CALL}
    assert set(within) <= set(every)
    assert list(within) == sorted(within, key=lambda each: each.contract)


def test_a_strike_between_two_listed_ones_bounds_like_any_other(world: SyntheticWorld) -> None:
    at = noon(world.sessions[0])
    bounds = ListingFilter(strike_min=Decimal("170.0005"), strike_max=Decimal("174.9995"))

    strikes = {each.contract.strike for each in world.chain("ALFA", at, bounds)}

    assert strikes == {Decimal("172.5")}


def test_one_contract_is_quoted_alone_as_in_its_chain(world: SyntheticWorld) -> None:
    at = noon(world.sessions[0])
    every = world.chain("FXTT", at, EVERYTHING)

    assert all(world.option(each.contract, at) == each for each in every[::97])
    unlisted = OptionContract("FXTT", every[0].contract.expiration, OptionType.PUT, Decimal(9999))
    assert world.option(unlisted, at) is None


def test_contracts_stay_listed_until_the_close_of_their_last_day(world: SyntheticWorld) -> None:
    expirations = {
        each.contract.expiration
        for each in world.chain("ALFA", noon(world.sessions[0]), EVERYTHING)
    }
    listed: set[OptionContract] = set()
    for session in world.sessions:
        now = {each.contract for each in world.chain("ALFA", noon(session), EVERYTHING)}
        assert {each for each in listed if each.expiration >= session.session} <= now
        listed = now
        if session.session in expirations:
            gone = world.chain("ALFA", session.closes_at, EVERYTHING)
            assert all(each.contract.expiration > session.session for each in gone)


def test_every_contract_has_a_symbol_that_reads_back(world: SyntheticWorld) -> None:
    for symbol in world.symbols:
        for listing in world.chain(symbol, noon(world.sessions[0]), EVERYTHING):
            assert parse_occ_symbol(listing.contract.symbol) == listing.contract


def test_quotes_are_wider_in_the_first_minutes(world: SyntheticWorld) -> None:
    session = world.sessions[2]

    early = puts(world, "ALFA", session.opens_at + timedelta(minutes=1))
    later = puts(world, "ALFA", session.opens_at + timedelta(minutes=60))

    assert sum(map(width, early)) > 1.5 * sum(map(width, later))


def test_prior_volume_is_the_whole_volume_of_the_session_before(world: SyntheticWorld) -> None:
    before, after = world.sessions[2:4]
    full = {
        each.contract: each.volume
        for each in world.chain("ALFA", before.closes_at, EVERYTHING)
        if each.contract.expiration > before.session
    }

    prior = {
        each.contract: each.prior_volume
        for each in world.chain("ALFA", after.opens_at, EVERYTHING)
        if each.contract in full
    }

    assert prior == full
    assert sum(prior.values()) > 10_000


def test_option_volume_starts_the_session_at_nothing(world: SyntheticWorld) -> None:
    listings = world.chain("ALFA", world.sessions[3].opens_at, EVERYTHING)

    assert {each.volume for each in listings} == {0}
    assert max(each.open_interest for each in listings) > 1_000


def test_some_cheap_wings_find_no_bidder(world: SyntheticWorld) -> None:
    bids = [each.bid for each in puts(world, "ALFA", noon(world.sessions[0]))]

    assert 0.02 < bids.count(None) / len(bids) < 0.5


def test_the_market_holds_symbols_a_careful_trader_drops(world: SyntheticWorld) -> None:
    at = noon(world.sessions[0])
    stocks = [world.stock(symbol, at) for symbol in world.symbols]
    prices = [stock.last for stock in stocks if stock is not None]
    rare = world.stock("KYLO", at)

    assert min(prices) < 20
    assert max(prices) > 500
    assert sum(20 <= price <= 500 for price in prices) >= 8
    assert rare is not None
    assert rare.bid is not None
    assert rare.ask is not None
    assert (rare.ask - rare.bid) / rare.last > Decimal("0.01")
    assert rare.volume < 1_000_000


def test_a_holiday_is_not_played_and_an_early_close_is_short() -> None:
    world = SyntheticWorld(1, 5, date(2025, 11, 24), profiles=DEFAULT_PROFILES[:1])
    days = [each.session for each in world.sessions]
    friday = world.sessions[3]

    assert days == [date(2025, 11, day) for day in (24, 25, 26, 28)] + [date(2025, 12, 1)]
    closing = world.stock("ALFA", friday.closes_at)
    assert closing is not None
    assert closing.at == datetime(2025, 11, 28, 18, tzinfo=UTC)
    assert world.stock("ALFA", friday.closes_at + timedelta(hours=2)) == closing


def test_a_first_session_on_a_holiday_moves_to_the_next_opening() -> None:
    world = SyntheticWorld(1, 1, date(2026, 1, 1), profiles=DEFAULT_PROFILES[:1])

    assert world.sessions[0].session == date(2026, 1, 2)


def test_a_market_without_sessions_or_symbols_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one session"):
        SyntheticWorld(1, 0)
    with pytest.raises(ValueError, match="one symbol"):
        SyntheticWorld(1, 1, profiles=())
