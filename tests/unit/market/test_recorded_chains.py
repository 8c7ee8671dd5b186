"""What recorded quotes imply, against put-call parity and against their vendor's numbers.

The vendor implies volatilities on a forward of its own, too low by about 2.4 volatility points of
put-call gap near the money; call and put averaged cancel that, so the averages are compared. Its
volatilities in the tails are junk and are left out.
"""

import csv
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.market.chain import ChainAnalytics, ForwardSource, analyze_chain
from agent.market.events import expected_report, iv30_without_event, suspect_report
from agent.market.probability import (
    expected_value_per_share,
    is_too_good_to_be_true,
    probability_of_profit,
)
from agent.market.quotes import OptionQuote, StructureQuote, quote_structure
from agent.market.volatility import at_thirty_days, iv30, term_structure
from agent.options.black_scholes import FloatArray
from agent.options.structures import Leg, LegSide, Structure
from tests.unit.market.recorded_chains import RecordedChain, recorded_chains

pytestmark = pytest.mark.shared_data

DAYS = ("2026-06-09", "2026-07-02", "2026-08-20")
RATE = 0.04
POINTS = 100.0


@dataclass(frozen=True, eq=False)
class Analyzed:
    recorded: RecordedChain
    analytics: ChainAnalytics


@pytest.fixture(scope="module")
def analyzed(shared_data_directory: Path) -> list[Analyzed]:
    return [
        Analyzed(recorded, analyze_chain(recorded.chain, rate=RATE))
        for recorded in recorded_chains(shared_data_directory, DAYS)
    ]


def near_pairs(item: Analyzed, *, width_fraction_max: float = 1.0) -> NDArray[np.intp]:
    """List (call, put) places of strikes within 3 % of the forward, both volatilities known."""
    chain, analytics = item.recorded.chain, item.analytics
    found: list[tuple[int, int]] = []
    for expiration in chain.expirations():
        forward = analytics.forwards[expiration].forward
        calls = {q.contract.strike: q.contract.symbol for q in chain.calls(expiration)}
        for put in chain.puts(expiration):
            strike = put.contract.strike
            if strike not in calls or abs(float(strike) / forward - 1.0) > 0.03:
                continue
            pair = (
                chain.index_by_symbol[calls[strike]],
                chain.index_by_symbol[put.contract.symbol],
            )
            known = not np.isnan(analytics.implied_volatility[list(pair)]).any()
            if known and (chain.columns.width_fraction[list(pair)] < width_fraction_max).all():
                found.append(pair)
    return np.array(found, dtype=np.intp).reshape(-1, 2)


def gaps(item: Analyzed, volatilities: FloatArray) -> FloatArray:
    """Give call less put volatility of the same strike, in points."""
    pairs = near_pairs(item)
    difference: FloatArray = (volatilities[pairs[:, 0]] - volatilities[pairs[:, 1]]) * POINTS
    return difference


def test_every_symbol_is_recorded_on_every_day(analyzed: list[Analyzed]) -> None:
    assert len(analyzed) == 10 * len(DAYS)


def test_parity_gives_nearly_every_forward(analyzed: list[Analyzed]) -> None:
    sources = [forward.source for item in analyzed for forward in item.analytics.forwards.values()]
    assert sources.count(ForwardSource.PARITY) / len(sources) > 0.95


def test_on_those_forwards_calls_and_puts_imply_the_same_volatility(
    analyzed: list[Analyzed],
) -> None:
    by_chain = [np.median(gaps(item, item.analytics.implied_volatility)) for item in analyzed]
    assert np.median(np.abs(by_chain)) <= 0.07
    of_vendor = [np.median(gaps(item, item.recorded.vendor_volatility)) for item in analyzed]
    assert np.median(np.abs(of_vendor)) > 1.6


def test_single_strikes_differ_by_less_than_their_quote_widths_explain(
    analyzed: list[Analyzed],
) -> None:
    single = np.concatenate([gaps(item, item.analytics.implied_volatility) for item in analyzed])
    assert np.median(np.abs(single)) < 0.5


def test_volatilities_near_the_money_agree_with_the_vendors(analyzed: list[Analyzed]) -> None:
    differences: list[FloatArray] = []
    for item in analyzed:
        pairs = near_pairs(item, width_fraction_max=0.1)
        ours = item.analytics.implied_volatility[pairs].mean(axis=1)
        vendors = item.recorded.vendor_volatility[pairs]
        sound = (vendors > 0).all(axis=1)
        differences.append((ours - vendors.mean(axis=1))[sound] * POINTS)
    points = np.concatenate(differences)
    assert len(points) > 300
    assert abs(np.median(points)) < 0.15
    assert np.percentile(np.abs(points), 90) < 1.5


def test_deltas_near_the_money_agree_with_the_vendors(analyzed: list[Analyzed]) -> None:
    differences: list[FloatArray] = []
    for item in analyzed:
        pairs = near_pairs(item, width_fraction_max=0.1).ravel()
        differences.append(item.analytics.delta[pairs] - item.recorded.vendor_delta[pairs])
    deltas = np.concatenate(differences)
    assert np.nanmedian(np.abs(deltas)) < 0.005
    assert np.nanpercentile(np.abs(deltas), 95) < 0.02


def test_thirty_day_volatility_exists_for_every_symbol_and_day(analyzed: list[Analyzed]) -> None:
    for item in analyzed:
        found = iv30(item.recorded.chain, item.analytics)
        assert found is not None, item.recorded.chain.underlying.symbol
        assert 0.10 < found.implied_volatility < 1.0
        assert found.implied_volatility_bid is not None
        assert found.implied_volatility_ask is not None
        assert found.implied_volatility_bid < found.implied_volatility
        assert found.implied_volatility < found.implied_volatility_ask


def last_reports(directory: Path) -> dict[str, date]:
    """Give each symbol's latest known report; those of July and August 2026 are not recorded."""
    with (directory / "earnings_dates_megacap10.csv").open(newline="") as lines:
        return {
            row["symbol"]: date.fromisoformat(row["report_date"])
            for row in sorted(csv.DictReader(lines), key=lambda row: row["report_date"])
        }


def test_the_quotes_know_when_the_unrecorded_summer_reports_are_due(
    analyzed: list[Analyzed], shared_data_directory: Path
) -> None:
    reports = last_reports(shared_data_directory)
    due: list[str] = []
    for item in analyzed:
        chain = item.recorded.chain
        if chain.session != date(2026, 7, 2):
            continue
        points = term_structure(chain, item.analytics)
        kink = suspect_report(points)
        expected = expected_report(reports[chain.underlying.symbol])
        if kink is None or kink.latest < expected.earliest or expected.latest < kink.earliest:
            continue
        due.append(chain.underlying.symbol)
        stripped, raw = iv30_without_event(points, kink), at_thirty_days(points)
        assert stripped is not None
        assert raw is not None
        assert stripped.implied_volatility <= raw.implied_volatility * 1.02
    assert len(due) >= 7


def put_spreads(item: Analyzed) -> list[StructureQuote]:
    """Quote 5 to 10 points wide put spreads, 25-45 days out, with tight legs and short delta."""
    chain = item.recorded.chain
    found: list[StructureQuote] = []
    for expiration in chain.expirations():
        if not 25 <= (expiration - chain.session).days <= 45:
            continue
        tight = [quote for quote in chain.puts(expiration) if is_tight(quote)]
        for short in tight:
            delta = item.analytics.of(short.contract.symbol).delta
            if delta is None or not -0.30 <= delta <= -0.20:
                continue
            for long in tight:
                if 5 <= short.contract.strike - long.contract.strike <= 10:
                    legs = (Leg(short.contract, LegSide.SHORT), Leg(long.contract, LegSide.LONG))
                    quote = quote_structure(Structure(legs), chain.by_symbol)
                    assert quote is not None
                    found.append(quote)
    return found


def is_tight(quote: OptionQuote) -> bool:
    width = quote.quote_width_fraction
    return width is not None and 0 <= width < Decimal("0.1")


def test_put_spreads_are_worth_their_mid_to_their_neighbours(analyzed: list[Analyzed]) -> None:
    shares_of_width: list[float] = []
    for item in analyzed:
        for quote in put_spreads(item):
            width, credit = quote.structure.width, quote.credit_mid
            assert width is not None
            assert credit is not None
            value = expected_value_per_share(quote.structure, credit, Decimal(0), item.analytics)
            assert value is not None
            assert not is_too_good_to_be_true(value, width)
            shares_of_width.append(value / float(width))
            probability = probability_of_profit(quote.structure, credit, item.analytics)
            assert probability is not None
            assert 0.6 < probability < 0.85
    assert len(shares_of_width) > 40
    assert abs(np.median(shares_of_width)) < 0.005
