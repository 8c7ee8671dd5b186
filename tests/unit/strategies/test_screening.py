"""Which symbols and legs may be traded, and the reason where they may not."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from agent.config.settings import Settings
from agent.market.outlook import ReportOutlook
from agent.market.quotes import UnderlyingSnapshot
from agent.market.volatility import IvRankBand
from agent.strategies.screening import (
    DeltaRange,
    Rejection,
    ScreenedLeg,
    ScreenedSymbol,
    screen_expiration,
    screen_leg,
    screen_symbol,
)
from tests.builders import AS_OF
from tests.unit.strategies.market import FAR, NEAR, a_stock, a_view, put

SHORT = DeltaRange(-0.30, -0.20)
STALE = AS_OF - timedelta(seconds=121)


def reason_of(changes: Mapping[str, Any], short: DeltaRange | None = SHORT) -> object:
    view = a_view(changes={put(190): changes})
    quote = view.chain.by_symbol[put(190).symbol]
    return screen_leg(quote, view, short)


def test_a_symbol_that_passes_brings_its_spot_volatility_and_rank() -> None:
    assert screen_symbol(a_view()) == ScreenedSymbol(Decimal(200), 0.30, 50.0)


@pytest.mark.parametrize(
    ("stock", "reason"),
    [
        (a_stock(bid=None, ask=None, last=None), "underlying_price_unknown"),
        (a_stock(bid=Decimal("19.98"), ask=Decimal("19.99")), "underlying_price_too_low"),
        (a_stock(bid=Decimal("501.00"), ask=Decimal("501.02")), "underlying_price_too_high"),
        (a_stock(average_volume_shares=None), "underlying_volume_unknown"),
        (a_stock(average_volume_shares=1_000_000), "underlying_volume_too_low"),
        (a_stock(bid=None), "underlying_quote_unknown"),
        (a_stock(bid=Decimal("200.02")), "underlying_quote_crossed"),
        (a_stock(ask=Decimal("202.10")), "underlying_quote_too_wide"),
        (a_stock(quoted_at=STALE), "underlying_quote_stale"),
    ],
)
def test_a_stock_that_fails_a_filter_is_named_by_it(stock: UnderlyingSnapshot, reason: str) -> None:
    assert screen_symbol(a_view(stock=stock)) == reason


def test_an_unknown_volatility_or_rank_is_no_entry() -> None:
    assert screen_symbol(a_view(iv30=None)) is Rejection.IMPLIED_VOLATILITY_UNKNOWN
    assert screen_symbol(a_view(iv_rank=None)) is Rejection.IV_RANK_UNKNOWN


def test_the_rank_must_exceed_its_minimum() -> None:
    assert screen_symbol(a_view(iv_rank=25.0)) is Rejection.IV_RANK_LOW
    assert isinstance(screen_symbol(a_view(iv_rank=25.1)), ScreenedSymbol)


@pytest.mark.parametrize(
    ("band", "reason"),
    [
        (IvRankBand(24.0, 30.0, 36.0), Rejection.IV_RANK_STRADDLES),
        (IvRankBand(14.0, 20.0, 26.0), Rejection.IV_RANK_STRADDLES),
        (IvRankBand(14.0, 20.0, 25.0), Rejection.IV_RANK_LOW),
        (IvRankBand(None, 60.0, 70.0), Rejection.IV_RANK_UNKNOWN),
        (IvRankBand(50.0, 60.0, None), Rejection.IV_RANK_UNKNOWN),
    ],
)
def test_the_rank_at_bid_and_ask_must_agree_with_the_rank_at_mid(
    band: IvRankBand, reason: Rejection
) -> None:
    assert screen_symbol(a_view(iv_rank_band=band)) is reason


REPORT_IN_LIFE = ReportOutlook(known=NEAR - timedelta(days=1))
NOTHING_ON_RECORD = ReportOutlook()
ALLOWED = Settings.model_validate({"market": {"earnings_unknown": "allow"}})


def test_no_life_spans_a_report_on_record_unless_the_strategy_may() -> None:
    view = a_view(report=REPORT_IN_LIFE)
    assert screen_expiration(NEAR, view, earnings_in_life=False) is Rejection.EARNINGS_IN_LIFE
    assert screen_expiration(NEAR, view, earnings_in_life=True) is None


def test_a_report_after_the_expiration_is_no_objection() -> None:
    view = a_view(report=ReportOutlook(known=NEAR + timedelta(days=1)))
    assert screen_expiration(NEAR, view, earnings_in_life=False) is None
    assert screen_expiration(FAR, view, earnings_in_life=False) is Rejection.EARNINGS_IN_LIFE


def test_a_report_that_is_not_ruled_out_blocks_unless_settings_allow_it() -> None:
    view = a_view(report=NOTHING_ON_RECORD)
    assert screen_expiration(NEAR, view, earnings_in_life=True) is Rejection.EARNINGS_UNKNOWN
    allowing = a_view(report=NOTHING_ON_RECORD, settings=ALLOWED)
    assert screen_expiration(NEAR, allowing, earnings_in_life=False) is None


def test_a_report_on_record_blocks_where_the_unknown_is_allowed() -> None:
    view = a_view(report=REPORT_IN_LIFE, settings=ALLOWED)
    assert screen_expiration(NEAR, view, earnings_in_life=False) is Rejection.EARNINGS_IN_LIFE


def test_a_leg_that_passes_brings_its_delta_and_liquidity() -> None:
    leg = reason_of({})
    assert isinstance(leg, ScreenedLeg)
    assert -0.30 <= leg.delta <= -0.20
    assert 0 < leg.liquidity <= 100


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"bid": None}, Rejection.QUOTE_MISSING),
        ({"bid": Decimal(0)}, Rejection.QUOTE_MISSING),
        ({"ask": None}, Rejection.QUOTE_MISSING),
        ({"bid": Decimal("2.95"), "ask": Decimal("2.90")}, Rejection.QUOTE_CROSSED),
        ({"quoted_at": STALE}, Rejection.QUOTE_STALE),
        ({"bid": Decimal(250), "ask": Decimal(251)}, Rejection.DELTA_UNKNOWN),
        ({"bid": Decimal("9.00"), "ask": Decimal("9.10")}, Rejection.SHORT_DELTA_OUT_OF_RANGE),
        ({"bid": Decimal("2.70"), "ask": Decimal("3.00")}, Rejection.QUOTE_WIDE),
        ({"open_interest": None}, Rejection.OPEN_INTEREST_UNKNOWN),
        ({"open_interest": 100}, Rejection.OPEN_INTEREST_LOW),
        ({"volume": None}, Rejection.VOLUME_UNKNOWN),
        ({"volume": 50}, Rejection.VOLUME_LOW),
    ],
)
def test_a_leg_that_fails_is_named_by_what_it_fails(
    changes: Mapping[str, Any], reason: Rejection
) -> None:
    assert reason_of(changes) is reason


def test_the_first_reason_that_applies_is_the_one_counted() -> None:
    assert reason_of({"bid": None, "quoted_at": STALE, "volume": 0}) is Rejection.QUOTE_MISSING
    assert reason_of({"quoted_at": STALE, "volume": 0}) is Rejection.QUOTE_STALE
    assert reason_of({"open_interest": 0, "volume": 0}) is Rejection.OPEN_INTEREST_LOW


def test_a_leg_to_be_bought_may_have_any_delta() -> None:
    found = reason_of({"bid": Decimal("9.00"), "ask": Decimal("9.10")}, short=None)
    assert isinstance(found, ScreenedLeg)


def test_a_quote_exactly_as_wide_as_the_bound_is_too_wide() -> None:
    assert reason_of({"bid": Decimal("2.85"), "ask": Decimal("3.15")}) is Rejection.QUOTE_WIDE
