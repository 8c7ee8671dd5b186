from decimal import Decimal

import numpy as np
import pytest

from agent.market.chain import ChainAnalytics, analyze_chain
from agent.market.probability import (
    Smile,
    expected_value_per_share,
    is_too_good_to_be_true,
    probability_of_profit,
    smile_of,
)
from agent.market.quotes import OptionQuote, quote_structure
from agent.options.contracts import OptionContract, OptionType
from agent.options.structures import Leg, LegSide, Structure
from tests.unit.market.builders import RATE, a_chain, a_quote, an_expiration, flat, priced_quotes

EXPIRATION = an_expiration(38)
PUT, CALL = OptionType.PUT, OptionType.CALL
SHORT, LONG = LegSide.SHORT, LegSide.LONG


def skewed(_dte: int, strike: float) -> float:
    return 0.3 - 0.001 * (strike - 200.0)


def a_structure(*legs: tuple[LegSide, OptionType, int]) -> Structure:
    return Structure(
        tuple(
            Leg(OptionContract("AAPL", EXPIRATION, option_type, Decimal(strike)), side)
            for side, option_type, strike in legs
        )
    )


PUT_SPREAD = a_structure((SHORT, PUT, 190), (LONG, PUT, 185))
CONDOR = a_structure((LONG, PUT, 180), (SHORT, PUT, 185), (SHORT, CALL, 215), (LONG, CALL, 220))


@pytest.fixture
def analytics() -> ChainAnalytics:
    return analyze_chain(a_chain(priced_quotes(38, skewed)), rate=RATE)


def a_smile(analytics: ChainAnalytics) -> Smile:
    smile = smile_of(analytics, EXPIRATION)
    assert smile is not None
    return smile


def probability(structure: Structure, credit: str, analytics: ChainAnalytics) -> float:
    found = probability_of_profit(structure, Decimal(credit), analytics)
    assert found is not None
    return found


def simulated_profits(structure: Structure, credit: str, analytics: ChainAnalytics) -> float:
    """Count the profitable ends of a flat lognormal by its quantiles."""
    forward = analytics.forwards[EXPIRATION]
    normal = np.random.default_rng(7).standard_normal(100_000)
    deviation = 0.3 * np.sqrt(forward.time_years)
    ends = forward.forward * np.exp(deviation * normal - 0.5 * deviation**2)
    low, *high = sorted(float(end) for end in structure.breakevens(Decimal(credit)))
    return float(np.mean((ends > low) & (ends < (high[0] if high else np.inf))))


def test_the_smile_takes_puts_below_the_forward_and_calls_above(analytics: ChainAnalytics) -> None:
    smile = a_smile(analytics)
    assert smile.strikes.tolist() == sorted(smile.strikes.tolist())
    assert smile.volatility_at(190.0) == pytest.approx(0.31, abs=1e-3)
    assert smile.volatility_at(192.5) == pytest.approx(0.3075, abs=1e-3)
    assert smile.volatility_at(215.0) == pytest.approx(0.285, abs=1e-3)


def test_outside_the_smile_nothing_is_known(analytics: ChainAnalytics) -> None:
    smile = a_smile(analytics)
    assert smile.volatility_at(100.0) is None
    assert smile.volatility_at(400.0) is None
    assert smile.probability_below(100.0) is None
    assert smile.probability_below(0.0) == 0.0


def test_a_chain_of_unknown_volatilities_has_an_empty_smile() -> None:
    analytics = analyze_chain(a_chain([a_quote(None, None, expiration=EXPIRATION)]), rate=RATE)
    assert a_smile(analytics).volatility_at(190.0) is None


def test_an_expiration_that_is_not_quoted_has_no_smile(analytics: ChainAnalytics) -> None:
    other = Structure((Leg(a_quote(expiration=an_expiration(45)).contract, SHORT),))
    assert smile_of(analytics, an_expiration(45)) is None
    assert probability_of_profit(other, Decimal(1), analytics) is None
    assert expected_value_per_share(other, Decimal(1), Decimal(0), analytics) is None


@pytest.mark.parametrize(("structure", "credit"), [(PUT_SPREAD, "1.50"), (CONDOR, "2.20")])
def test_the_probability_of_profit_counts_the_ends_beyond_the_breakevens(
    structure: Structure, credit: str
) -> None:
    flat_analytics = analyze_chain(a_chain(priced_quotes(38, flat(0.3))), rate=RATE)
    found = probability(structure, credit, flat_analytics)
    expected = simulated_profits(structure, credit, flat_analytics)
    assert found == pytest.approx(expected, abs=0.006)


def test_the_volatility_is_taken_at_the_breakeven(analytics: ChainAnalytics) -> None:
    smile = a_smile(analytics)
    below = smile.probability_below(188.5)
    assert below is not None
    assert probability(PUT_SPREAD, "1.50", analytics) == pytest.approx(1.0 - below)
    flat_analytics = analyze_chain(a_chain(priced_quotes(38, flat(0.3))), rate=RATE)
    assert below > 1.0 - probability(PUT_SPREAD, "1.50", flat_analytics)


def test_a_mirrored_structure_wins_where_the_other_loses(analytics: ChainAnalytics) -> None:
    bought = a_structure((LONG, PUT, 190), (SHORT, PUT, 185))
    both = probability(PUT_SPREAD, "1.50", analytics) + probability(bought, "-1.50", analytics)
    assert both == pytest.approx(1.0)


def test_a_credit_beyond_the_width_always_wins_and_none_at_all_never(
    analytics: ChainAnalytics,
) -> None:
    assert probability(PUT_SPREAD, "5.10", analytics) == 1.0
    assert probability(PUT_SPREAD, "-0.10", analytics) == 0.0


def test_a_breakeven_beyond_the_smile_leaves_the_probability_unknown(
    analytics: ChainAnalytics,
) -> None:
    far = a_structure((SHORT, PUT, 165))
    assert probability_of_profit(far, Decimal(20), analytics) is None


def test_at_mid_a_structure_is_expected_to_lose_its_costs(analytics: ChainAnalytics) -> None:
    for structure in (PUT_SPREAD, CONDOR):
        quote = quote_structure(structure, analytics.chain.by_symbol)
        assert quote is not None
        assert quote.credit_mid is not None
        found = expected_value_per_share(structure, quote.credit_mid, Decimal("0.10"), analytics)
        assert found == pytest.approx(-0.10, abs=0.02)


def test_a_leg_quoted_out_of_line_shows_as_a_gift() -> None:
    def stale(quote: OptionQuote) -> OptionQuote:
        if quote.contract != PUT_SPREAD.legs[0].contract:
            return quote
        assert quote.mid is not None
        return a_quote(
            float(quote.mid) + 0.49,
            float(quote.mid) + 0.51,
            strike=190,
            expiration=EXPIRATION,
        )

    quotes = [stale(quote) for quote in priced_quotes(38, skewed)]
    analytics = analyze_chain(a_chain(quotes), rate=RATE)
    quote = quote_structure(PUT_SPREAD, analytics.chain.by_symbol)
    assert quote is not None
    assert quote.credit_mid is not None
    found = expected_value_per_share(PUT_SPREAD, quote.credit_mid, Decimal(0), analytics)
    assert found is not None
    assert found == pytest.approx(0.5, abs=0.03)
    assert is_too_good_to_be_true(found, Decimal(5))


def test_two_percent_of_width_is_the_most_that_is_believed() -> None:
    assert not is_too_good_to_be_true(0.10, Decimal(5))
    assert is_too_good_to_be_true(0.11, Decimal(5))
    assert not is_too_good_to_be_true(-0.30, Decimal(5))


def test_a_leg_without_neighbours_has_no_expected_value(analytics: ChainAnalytics) -> None:
    outermost = a_structure((SHORT, PUT, 165), (LONG, PUT, 160))
    assert expected_value_per_share(outermost, Decimal(1), Decimal(0), analytics) is None
