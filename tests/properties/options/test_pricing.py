"""What holds for every option, whatever its numbers."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from agent.options.black_scholes import delta, price, vega
from agent.options.implied_volatility import implied_volatility

forwards = st.floats(5.0, 2000.0)
moneyness = st.floats(0.5, 2.0)
times = st.floats(1.0 / 365.0, 2.0)
volatilities = st.floats(0.03, 3.0)
rates = st.floats(-0.02, 0.10)


@st.composite
def options(draw: st.DrawFn) -> dict[str, Any]:
    forward, time_years = draw(forwards), draw(times)
    return {
        "is_call": draw(st.booleans()),
        "forward": forward,
        "strike": forward * draw(moneyness),
        "time_years": time_years,
        "discount_factor": float(np.exp(-draw(rates) * time_years)),
    }


@given(options(), volatilities)
def test_call_minus_put_is_the_discounted_forward_minus_strike(
    option: dict[str, Any], volatility: float
) -> None:
    call, put = price(**{**option, "is_call": [True, False]}, volatility=volatility)
    parity = option["discount_factor"] * (option["forward"] - option["strike"])
    assert call - put == pytest.approx(parity, abs=1e-9 * option["forward"])


@given(options(), volatilities, volatilities)
def test_a_price_stays_within_its_bounds_and_rises_with_volatility(
    option: dict[str, Any], one: float, other: float
) -> None:
    low, high = price(**option, volatility=sorted([one, other]))
    sign = 1.0 if option["is_call"] else -1.0
    distance = sign * (option["forward"] - option["strike"])
    bound = option["forward"] if option["is_call"] else option["strike"]
    slack = 1e-9 * option["forward"]
    assert option["discount_factor"] * max(distance, 0.0) - slack <= low
    assert low <= high + slack
    assert high <= option["discount_factor"] * bound + slack


@given(options(), volatilities)
def test_delta_keeps_its_sign_and_size(option: dict[str, Any], volatility: float) -> None:
    found = float(delta(**option, volatility=volatility))
    sign = 1.0 if option["is_call"] else -1.0
    assert 0.0 <= sign * found <= option["discount_factor"]


@given(options(), volatilities)
def test_the_implied_volatility_is_the_one_that_priced(
    option: dict[str, Any], volatility: float
) -> None:
    quoted = float(price(**option, volatility=volatility))
    sensitivity = float(vega(**option, volatility=volatility)) / option["forward"]
    found = float(implied_volatility(price=quoted, **option))
    # Where a price hardly depends on volatility it cannot tell one: rounding has the last word.
    if sensitivity > 1e-6:
        assert found == pytest.approx(volatility, abs=1e-7)
    elif not np.isnan(found):
        assert float(price(**option, volatility=found)) == pytest.approx(
            quoted, abs=1e-9 * option["forward"]
        )


@settings(max_examples=50)
@given(options(), volatilities)
def test_the_implied_volatility_agrees_with_brents_method_on_the_plain_formula(
    option: dict[str, Any], volatility: float
) -> None:
    quoted = float(price(**option, volatility=volatility))
    if float(vega(**option, volatility=volatility)) / option["forward"] < 1e-4:
        quoted = float(price(**{**option, "strike": option["forward"]}, volatility=volatility))
        option["strike"] = option["forward"]

    def excess(candidate: float) -> float:
        return float(price(**option, volatility=candidate)) - quoted

    by_brent = brentq(excess, 1e-4, 10.0, xtol=1e-12)
    assert float(implied_volatility(price=quoted, **option)) == pytest.approx(by_brent, abs=1e-8)
