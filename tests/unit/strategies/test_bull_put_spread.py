"""What the bull put spread enters."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from agent.book.intents import Signal
from agent.config.settings import Settings
from agent.config.strategy_settings import BullPutSpreadSettings
from agent.options.contracts import OptionType
from agent.options.structures import LegSide
from agent.strategies.bull_put_spread import BullPutSpread
from agent.strategies.screening import Rejection, ScreenedLeg, ScreenedSymbol
from agent.strategies.signals import PremiumSale, propose
from agent.strategies.strategy import ScanOutcome
from tests.builders import AS_OF, SESSION
from tests.unit.strategies.market import (
    FAR,
    NEAR,
    STRIKES,
    VOLATILITY,
    a_quote,
    a_stock,
    a_view,
    call,
    put,
    quotes_of,
)

SPREAD = BullPutSpread(BullPutSpreadSettings())


def scan(**of_view: Any) -> ScanOutcome:
    return SPREAD.generate_signals(a_view(**of_view))


def strikes_of(signal: Signal) -> tuple[date, Decimal, Decimal]:
    short, long = (leg.contract for leg in signal.structure.legs)
    return short.expiration, short.strike, long.strike


def test_it_sells_a_put_and_owns_a_lower_one_of_the_same_expiration() -> None:
    outcome = scan()
    assert outcome.signals
    for signal in outcome.signals:
        short, long = signal.structure.legs
        assert (short.side, long.side) == (LegSide.SHORT, LegSide.LONG)
        assert short.contract.option_type is long.contract.option_type is OptionType.PUT
        assert short.contract.expiration == long.contract.expiration
        assert Decimal(5) <= short.contract.strike - long.contract.strike <= Decimal(10)
        assert -0.30 <= signal.leg_deltas[0] <= -0.20


def test_it_finds_every_spread_within_its_rules() -> None:
    assert {strikes_of(signal) for signal in scan().signals} == {
        (NEAR, Decimal(190), Decimal(185)),
        (NEAR, Decimal(190), Decimal(180)),
        (FAR, Decimal(190), Decimal(185)),
        (FAR, Decimal(190), Decimal(180)),
        (FAR, Decimal(185), Decimal(180)),
        (FAR, Decimal(185), Decimal(175)),
    }


def test_the_best_comes_first() -> None:
    scores = [signal.score for signal in scan().signals]
    assert scores == sorted(scores, reverse=True)


def test_a_signal_tells_what_was_seen() -> None:
    signal = next(
        found for found in scan().signals if strikes_of(found)[1:] == (Decimal(190), Decimal(185))
    )
    assert (signal.symbol, signal.strategy) == ("AAPL", "bull_put_spread")
    assert signal.as_of == AS_OF
    assert signal.dte in {31, 45}
    assert signal.underlying_price == Decimal(200)
    assert signal.credit_natural == signal.credit_mid - Decimal("0.04")
    assert signal.max_loss == Decimal(5) - signal.credit_mid
    assert (signal.implied_volatility, signal.iv_rank) == (VOLATILITY, 50.0)
    assert 0 < signal.liquidity_score <= 100
    assert signal.parameters["dte_min"] == 25
    assert signal.parameters["credit_min"] == "0.30"


def test_its_order_never_fills_below_natural_nor_below_the_least_credit() -> None:
    for signal in scan().signals:
        assert signal.credit_min == max(signal.credit_natural, Decimal("0.30"))


def test_where_natural_is_poor_the_least_credit_is_the_floor() -> None:
    strategy = BullPutSpread(BullPutSpreadSettings(credit_min=Decimal("1.15")))
    found = [
        signal
        for signal in strategy.generate_signals(a_view()).signals
        if signal.credit_natural < Decimal("1.15")
    ]
    assert found
    assert all(signal.credit_min == Decimal("1.15") for signal in found)


def test_a_credit_below_the_minimum_at_mid_is_dropped_and_counted() -> None:
    strategy = BullPutSpread(BullPutSpreadSettings(credit_min=Decimal("2.00")))
    outcome = strategy.generate_signals(a_view())
    assert len(outcome.signals) == 1
    assert outcome.rejections["credit_below_minimum"] == 5


def test_a_credit_that_leaves_nothing_to_lose_is_a_wrong_price() -> None:
    cheap = {"bid": Decimal("0.30"), "ask": Decimal("0.32")}
    dear = {"bid": Decimal("6.00"), "ask": Decimal("6.05")}
    wide_open = BullPutSpread(BullPutSpreadSettings(short_delta_min=-0.60))
    outcome = wide_open.generate_signals(a_view(changes={put(190): dear, put(185): cheap}))
    assert outcome.rejections["credit_exceeds_width"] == 1


def test_every_candidate_is_a_signal_or_a_counted_rejection() -> None:
    outcome = scan()
    within = [
        quote
        for quote in a_view().chain.quotes
        if SPREAD.chain_bounds(Decimal(200), SESSION).contains(quote.contract)
    ]
    shorts_that_stand = {strikes_of(signal)[:2] for signal in outcome.signals}
    assert outcome.rejections.total() == len(within) - len(shorts_that_stand)
    assert outcome.candidates == outcome.rejections.total() + len(outcome.signals)


def test_a_bad_long_leg_is_counted_for_each_pair_it_spoils() -> None:
    clean = scan()
    outcome = scan(changes={put(180, FAR): {"volume": 3}})
    assert outcome.rejections["volume_low"] == 2
    assert len(outcome.signals) == len(clean.signals) - 2


def test_a_bad_short_leg_is_counted_once() -> None:
    outcome = scan(changes={put(190, FAR): {"open_interest": 3}})
    assert outcome.rejections["open_interest_low"] == 1
    assert (FAR, Decimal(190), Decimal(185)) not in map(strikes_of, outcome.signals)


def test_a_short_leg_without_a_partner_is_dropped_for_its_width() -> None:
    lonely = [a_quote(put(190)), a_quote(put(150)), a_quote(call(200)), a_quote(put(200))]
    outcome = scan(quotes=lonely)
    assert outcome.signals == ()
    assert outcome.rejections["width_out_of_range"] == 1


def test_the_width_is_also_bounded_as_a_share_of_spot() -> None:
    narrow = BullPutSpread(BullPutSpreadSettings(width_max_fraction_of_spot=Decimal("0.04")))
    outcome = narrow.generate_signals(a_view())
    assert outcome.signals
    assert {signal.structure.width for signal in outcome.signals} == {Decimal(5)}


def test_a_symbol_that_fails_is_one_candidate_with_one_reason() -> None:
    outcome = scan(iv_rank=None)
    assert outcome == ScanOutcome((), Counter({"iv_rank_unknown": 1}))
    assert outcome.candidates == 1


def test_a_chain_without_a_contract_in_bounds_says_so() -> None:
    early = quotes_of(expirations=[SESSION + timedelta(days=24), SESSION + timedelta(days=46)])
    assert scan(quotes=early).rejections == Counter({"chain_empty": 1})


@pytest.mark.parametrize(("dte", "found"), [(24, False), (25, True), (45, True), (46, False)])
def test_the_days_to_expiration_are_bounded_inclusively(dte: int, *, found: bool) -> None:
    view = a_view(quotes_of(expirations=[SESSION + timedelta(days=dte)]))
    assert bool(SPREAD.generate_signals(view).signals) is found


def test_calls_and_other_expirations_in_a_shared_chain_change_nothing() -> None:
    puts_only = [quote for quote in quotes_of() if quote.contract.option_type is OptionType.PUT]
    outside = quotes_of(expirations=[SESSION + timedelta(days=10)])
    alone = {strikes_of(signal) for signal in scan(quotes=puts_only).signals}
    shared = {strikes_of(signal) for signal in scan(quotes=quotes_of() + outside).signals}
    assert alone == shared


def test_it_asks_for_the_puts_it_may_need() -> None:
    bounds = SPREAD.chain_bounds(Decimal(200), SESSION)
    assert bounds.expiration_min == SESSION + timedelta(days=25)
    assert bounds.expiration_max == SESSION + timedelta(days=45)
    assert (bounds.strike_min, bounds.strike_max) == (Decimal(120), Decimal(220))
    assert bounds.option_type is OptionType.PUT
    assert bounds.contains(put(120))
    assert not bounds.contains(put(225))
    assert not bounds.contains(call(200))


def test_a_stock_quoted_in_odd_strikes_pairs_by_points_not_by_neighbours() -> None:
    strikes = [strike for strike in STRIKES if strike != 185]
    outcome = scan(quotes=quotes_of(strikes=strikes))
    assert {strikes_of(signal)[1:] for signal in outcome.signals} == {(Decimal(190), Decimal(180))}


def test_it_obeys_the_market_settings_of_the_view() -> None:
    strict = Settings.model_validate({"market": {"option_volume_min": 500}})
    assert scan(settings=strict).rejections["volume_low"] > 0
    assert scan(settings=strict).signals == ()


def test_a_stale_stock_quote_stops_the_symbol() -> None:
    stale = a_stock(quoted_at=AS_OF - timedelta(minutes=10))
    assert scan(stock=stale).rejections == Counter({"underlying_quote_stale": 1})


def test_it_closes_by_its_own_settings_and_may_be_rolled() -> None:
    rules = BullPutSpread(BullPutSpreadSettings(profit_target=Decimal("0.6"))).exit_rules
    assert rules.profit_target == Decimal("0.6")
    assert rules.stop_loss == Decimal(2)
    assert rules.exit_below_dte == 7
    assert not rules.exit_on_breach
    assert rules.rolls


def test_legs_that_cannot_be_priced_make_no_signal() -> None:
    symbol = ScreenedSymbol(Decimal(200), VOLATILITY, 50.0)
    one_sided = ScreenedLeg(a_quote(put(190), bid=None), -0.25, 50.0)
    whole = ScreenedLeg(a_quote(put(185)), -0.18, 50.0)
    legs = ((LegSide.SHORT, one_sided), (LegSide.LONG, whole))
    sale = PremiumSale("bull_put_spread", Decimal("0.30"), Decimal(2), {})
    assert propose(legs, sale, symbol, a_view()) is Rejection.QUOTE_MISSING
