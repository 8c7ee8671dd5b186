from dataclasses import replace

import numpy as np
import pytest

from agent.market.calendar import years_to_expiration
from agent.market.chain import ContractAnalytics, ForwardSource, OptionChain, analyze_chain
from agent.options.black_scholes import spot_greeks
from agent.options.contracts import OptionType
from tests.unit.market.builders import (
    AS_OF,
    RATE,
    SESSION,
    SPOT,
    a_chain,
    a_quote,
    a_snapshot,
    an_expiration,
    flat,
    priced_quotes,
)

UNKNOWN = ContractAnalytics(None, None, None, None, None)
NEAR, FAR = an_expiration(24), an_expiration(38)


def test_a_chain_finds_its_quotes_by_symbol_expiration_and_type() -> None:
    low, high = a_quote(strike=185, expiration=NEAR), a_quote(strike=190, expiration=NEAR)
    call = a_quote(strike=190, option_type=OptionType.CALL, expiration=NEAR)
    later = a_quote(expiration=FAR)
    chain = a_chain([later, high, call, low])
    assert chain.expirations() == (NEAR, FAR)
    assert chain.puts(NEAR) == (low, high)
    assert chain.calls(NEAR) == (call,)
    assert chain.calls(FAR) == ()
    assert chain.puts(SESSION) == ()
    assert chain.quote(high.contract.symbol) == high
    assert chain.quote("AAPL260717P00999000") is None
    assert chain.session == SESSION


def test_a_chain_refuses_another_stocks_options_and_repeated_contracts() -> None:
    with pytest.raises(ValueError, match="not an option on MSFT: AAPL"):
        OptionChain(replace(a_snapshot(), symbol="MSFT"), AS_OF, (a_quote(),))
    with pytest.raises(ValueError, match="quotes a contract twice"):
        a_chain([a_quote(), a_quote("1.00", "1.10")])


def test_columns_align_to_quotes_and_hold_nan_for_what_is_unknown() -> None:
    chain = a_chain([a_quote("1.20", "1.30"), a_quote(None, "0.05", strike=150)])
    columns = chain.columns
    assert columns.strike.tolist() == [190.0, 150.0]
    assert columns.mid[0] == 1.25
    assert np.isnan(columns.bid).tolist() == [False, True]
    assert np.isnan(columns.mid).tolist() == [False, True]
    assert np.isnan(columns.width_fraction).tolist() == [False, True]
    assert columns.ask.tolist() == [1.30, 0.05]
    assert not columns.is_call.any()


def test_analytics_recover_the_volatility_and_greeks_that_made_the_quotes() -> None:
    chain = a_chain(priced_quotes(38, flat(0.3), dividend_yield=0.02))
    analytics = analyze_chain(chain, rate=RATE)
    known = ~np.isnan(analytics.implied_volatility)
    assert known.sum() > 25
    assert analytics.implied_volatility[known] == pytest.approx(0.3, abs=5e-4)
    expected = spot_greeks(
        is_call=chain.columns.is_call,
        spot=SPOT,
        strike=chain.columns.strike,
        time_years=chain.columns.time_years,
        volatility=0.3,
        rate=RATE,
        dividend_yield=0.02,
    )
    assert analytics.delta[known] == pytest.approx(expected.delta[known], abs=2e-3)
    assert analytics.gamma[known] == pytest.approx(expected.gamma[known], abs=1e-4)
    assert analytics.vega[known] == pytest.approx(expected.vega[known] / 100, abs=1e-3)
    assert analytics.theta[known] == pytest.approx(expected.theta[known] / 365, abs=1e-3)


def test_the_forward_comes_from_parity_and_knows_the_dividends() -> None:
    analytics = analyze_chain(a_chain(priced_quotes(38, flat(0.3), dividend_yield=0.05)), rate=RATE)
    forward = analytics.forwards[FAR]
    time_years = years_to_expiration(FAR, AS_OF)
    assert forward.source is ForwardSource.PARITY
    assert forward.time_years == time_years
    assert forward.forward == pytest.approx(SPOT * np.exp((RATE - 0.05) * time_years), abs=1e-3)
    assert forward.discount_factor == pytest.approx(np.exp(-RATE * time_years))


def test_puts_alone_stand_on_a_forward_from_carry() -> None:
    chain = a_chain(priced_quotes(38, flat(0.3), types=[OptionType.PUT]))
    analytics = analyze_chain(chain, rate=RATE)
    assert analytics.forwards[FAR].source is ForwardSource.CARRY
    known = analytics.implied_volatility[~np.isnan(analytics.implied_volatility)]
    assert known == pytest.approx(0.3, abs=5e-4)


def test_one_contract_is_looked_up_by_symbol_with_signed_delta() -> None:
    chain = a_chain(priced_quotes(38, flat(0.3)))
    analytics = analyze_chain(chain, rate=RATE)
    put = analytics.of(chain.puts(FAR)[6].contract.symbol)
    assert put.implied_volatility == pytest.approx(0.3, abs=1e-3)
    assert put.delta is not None
    assert put.delta < 0
    assert put.theta is not None
    assert put.theta < 0
    assert put.gamma is not None
    assert put.vega is not None
    assert min(put.gamma, put.vega) > 0
    assert analytics.of("AAPL260717P00999000") == UNKNOWN


@pytest.mark.parametrize(("bid", "ask"), [(None, "1.30"), ("1.40", "1.30"), ("0.40", "2.00")])
def test_an_absent_crossed_or_wide_quote_implies_nothing(bid: str | None, ask: str) -> None:
    odd = a_quote(bid, ask, strike=172, expiration=FAR)
    analytics = analyze_chain(a_chain(priced_quotes(38, flat(0.3)), [odd]), rate=RATE)
    assert analytics.of(odd.contract.symbol) == UNKNOWN


def test_a_price_below_intrinsic_implies_nothing() -> None:
    cheap = a_quote("20.00", "20.10", strike=225, expiration=FAR)
    puts = priced_quotes(38, flat(0.3), strikes=range(180, 215, 5))
    analytics = analyze_chain(a_chain(puts, [cheap]), rate=RATE)
    assert analytics.of(cheap.contract.symbol) == UNKNOWN


def test_the_width_bound_is_the_callers() -> None:
    wide = a_quote("1.00", "2.00", strike=180, expiration=FAR)
    chain = a_chain(priced_quotes(38, flat(0.3), strikes=[195, 200, 205]), [wide])
    symbol = wide.contract.symbol
    assert analyze_chain(chain, rate=RATE).of(symbol).implied_volatility is not None
    assert analyze_chain(chain, rate=RATE, width_fraction_max=0.5).of(symbol) == UNKNOWN


def test_without_a_price_of_the_stock_nothing_is_known() -> None:
    quoted = a_chain(priced_quotes(38, flat(0.3)))
    blind = OptionChain(a_snapshot(None, None, None), AS_OF, quoted.quotes)
    analytics = analyze_chain(blind, rate=RATE)
    assert analytics.forwards == {}
    assert np.isnan(analytics.implied_volatility).all()
    assert np.isnan(analytics.delta).all()


def test_an_expired_contract_implies_nothing() -> None:
    past = a_quote(expiration=an_expiration(-1))
    analytics = analyze_chain(a_chain([past]), rate=RATE)
    assert analytics.of(past.contract.symbol) == UNKNOWN


def test_an_empty_chain_has_empty_analytics() -> None:
    analytics = analyze_chain(a_chain(), rate=RATE)
    assert analytics.implied_volatility.shape == (0,)
    assert analytics.forwards == {}
