from datetime import timedelta
from decimal import Decimal

import pytest

from agent.market.quotes import OptionQuote, StructureQuote, quote_structure
from agent.options.structures import Leg, LegSide, Structure
from tests.unit.market.builders import AS_OF, a_quote, a_snapshot

SHORT = a_quote("2.40", "2.60", strike=190)
LONG = a_quote("1.10", "1.20", strike=185)


def a_spread_quote(short: OptionQuote = SHORT, long: OptionQuote = LONG) -> StructureQuote:
    structure = Structure((Leg(short.contract, LegSide.SHORT), Leg(long.contract, LegSide.LONG)))
    found = quote_structure(structure, {q.contract.symbol: q for q in (short, long)})
    assert found is not None
    return found


def is_valid(quote: OptionQuote | StructureQuote, *, width_fraction_max: str = "0.10") -> bool:
    return quote.is_valid(AS_OF, age_max_seconds=60, width_fraction_max=Decimal(width_fraction_max))


def test_the_mid_is_the_mean_and_the_width_a_fraction_of_it() -> None:
    quote = a_quote("1.20", "1.30")
    assert quote.mid == Decimal("1.25")
    assert quote.quote_width_fraction == Decimal("0.08")


@pytest.mark.parametrize(("bid", "ask"), [(None, "1"), ("1", None), ("0", "1"), ("0", "0")])
def test_a_quote_of_one_side_has_no_mid(bid: str | None, ask: str | None) -> None:
    quote = a_quote(bid, ask)
    assert quote.mid is None
    assert quote.quote_width_fraction is None
    assert not quote.is_crossed
    assert not is_valid(quote)


def test_a_crossed_quote_is_not_valid_and_a_locked_one_is() -> None:
    crossed, locked = a_quote("1.31", "1.30"), a_quote("1.30", "1.30")
    assert crossed.is_crossed
    assert not is_valid(crossed)
    assert not locked.is_crossed
    assert is_valid(locked)


def test_a_quote_as_wide_as_the_bound_is_not_valid() -> None:
    assert not is_valid(a_quote("1.20", "1.30"), width_fraction_max="0.08")
    assert is_valid(a_quote("1.20", "1.30"), width_fraction_max="0.0801")


def test_a_quote_is_stale_after_its_age_and_suspect_when_from_the_future() -> None:
    for seconds, expected in [(60, True), (61, False), (-60, True), (-61, False)]:
        quote = a_quote(quoted_at=AS_OF - timedelta(seconds=seconds))
        assert is_valid(quote) is expected


def test_a_stock_is_priced_at_mid_else_at_the_last_trade_else_not_at_all() -> None:
    assert a_snapshot("199.90", "200.00", "198.00").price == Decimal("199.95")
    assert a_snapshot("200.10", "200.00", "198.00").price == Decimal("198.00")
    assert a_snapshot(None, "200.00", "198.00").price == Decimal("198.00")
    assert a_snapshot(None, "200.00", None).price is None
    assert a_snapshot(None, None, "0").price is None


def test_a_stock_has_a_width_and_may_be_crossed() -> None:
    assert a_snapshot("199.00", "201.00").quote_width_fraction == Decimal("0.01")
    assert a_snapshot("200.10", "200.00").is_crossed


def test_opening_sells_at_the_bid_and_buys_at_the_ask() -> None:
    quote = a_spread_quote()
    assert quote.credit_mid == Decimal("1.35")
    assert quote.credit_natural == Decimal("1.20")


def test_closing_buys_at_the_ask_and_sells_at_the_bid() -> None:
    quote = a_spread_quote()
    assert quote.debit_mid == Decimal("1.35")
    assert quote.debit_natural == Decimal("1.50")


def test_the_width_of_a_structure_is_what_a_round_trip_costs() -> None:
    found = a_spread_quote().quote_width_fraction
    assert found is not None
    assert found * Decimal("1.35") == pytest.approx(Decimal("0.30"))


def test_a_long_that_nobody_bids_for_is_given_away_when_closing() -> None:
    quote = a_spread_quote(long=a_quote(None, "0.05", strike=185))
    assert quote.debit_natural == Decimal("2.60")
    assert quote.credit_natural == Decimal("2.35")
    assert quote.debit_mid is None
    assert quote.quote_width_fraction is None
    assert not is_valid(quote)


def test_a_short_that_nobody_offers_cannot_be_bought_back() -> None:
    for ask in (None, "0"):
        quote = a_spread_quote(short=a_quote("2.40", ask, strike=190))
        assert quote.debit_natural is None
        assert quote.quote_width_fraction is None


def test_a_short_that_nobody_bids_for_cannot_be_sold() -> None:
    for bid in (None, "0"):
        assert a_spread_quote(short=a_quote(bid, "2.60", strike=190)).credit_natural is None


def test_a_structure_worth_nothing_at_mid_has_no_width_fraction() -> None:
    quote = a_spread_quote(long=a_quote("2.40", "2.60", strike=185))
    assert quote.credit_mid == 0
    assert quote.quote_width_fraction is None


def test_a_structure_with_an_unquoted_leg_has_no_quote() -> None:
    structure = Structure((Leg(SHORT.contract, LegSide.SHORT), Leg(LONG.contract, LegSide.LONG)))
    assert quote_structure(structure, {SHORT.contract.symbol: SHORT}) is None


def test_a_structure_is_as_old_as_its_oldest_leg_and_valid_when_every_leg_is() -> None:
    older = AS_OF - timedelta(seconds=61)
    fresh = a_spread_quote()
    stale = a_spread_quote(long=a_quote("1.10", "1.20", strike=185, quoted_at=older))
    assert fresh.quoted_at == AS_OF
    assert is_valid(fresh)
    assert stale.quoted_at == older
    assert not is_valid(stale)


def test_ratios_count_in_the_price() -> None:
    structure = Structure(
        (Leg(SHORT.contract, LegSide.SHORT), Leg(LONG.contract, LegSide.LONG, ratio=2))
    )
    found = quote_structure(structure, {q.contract.symbol: q for q in (SHORT, LONG)})
    assert found is not None
    assert found.credit_natural == Decimal("0.00")
