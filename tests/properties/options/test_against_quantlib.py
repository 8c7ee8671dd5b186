"""Our kernel and QuantLib, which share no line, price and differentiate alike."""

import warnings
from math import exp, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from agent.options import black_scholes
from agent.options.implied_volatility import implied_volatility

with warnings.catch_warnings():
    # The bindings of QuantLib 1.44 name no module for three of their types.
    warnings.simplefilter("ignore", DeprecationWarning)
    import QuantLib

options = st.fixed_dictionaries(
    {
        "is_call": st.booleans(),
        "spot": st.floats(5.0, 900.0),
        "moneyness": st.floats(0.5, 1.6),
        "time_years": st.floats(1 / 365, 1.5),
        "volatility": st.floats(0.05, 1.5),
        "rate": st.floats(-0.01, 0.10),
        "dividend_yield": st.floats(0.0, 0.06),
    }
)


class Case:
    """One option on a stock, as both libraries take it."""

    def __init__(self, drawn: dict[str, float]) -> None:
        self.is_call = bool(drawn["is_call"])
        self.spot, self.time_years = drawn["spot"], drawn["time_years"]
        self.strike = self.spot * drawn["moneyness"]
        self.volatility, self.rate = drawn["volatility"], drawn["rate"]
        self.dividend_yield = drawn["dividend_yield"]
        self.forward = self.spot * exp((self.rate - self.dividend_yield) * self.time_years)
        self.discount_factor = exp(-self.rate * self.time_years)
        self.kind = QuantLib.Option.Call if self.is_call else QuantLib.Option.Put
        self.reference = QuantLib.BlackCalculator(
            QuantLib.PlainVanillaPayoff(self.kind, self.strike),
            self.forward,
            self.volatility * sqrt(self.time_years),
            self.discount_factor,
        )

    @property
    def of_stock(self) -> dict[str, Any]:
        return {
            "is_call": self.is_call,
            "spot": self.spot,
            "strike": self.strike,
            "time_years": self.time_years,
            "volatility": self.volatility,
            "rate": self.rate,
            "dividend_yield": self.dividend_yield,
        }

    @property
    def of_forward(self) -> dict[str, Any]:
        return {
            "is_call": self.is_call,
            "forward": self.forward,
            "strike": self.strike,
            "time_years": self.time_years,
            "discount_factor": self.discount_factor,
        }

    def near(self, expected: float) -> object:
        """Agree to nine digits of the figure, or to a billionth of the stock's price."""
        return pytest.approx(expected, rel=1e-9, abs=1e-9 * self.spot)


@given(options)
def test_prices_agree(drawn: dict[str, float]) -> None:
    case = Case(drawn)
    ours = black_scholes.spot_price(**case.of_stock)
    assert ours.item() == case.near(case.reference.value())
    on_forward = black_scholes.price(**case.of_forward, volatility=case.volatility)
    assert on_forward.item() == case.near(case.reference.value())


@given(options)
def test_greeks_agree(drawn: dict[str, float]) -> None:
    case = Case(drawn)
    ours, theirs = black_scholes.spot_greeks(**case.of_stock), case.reference
    assert ours.delta.item() == pytest.approx(theirs.delta(case.spot), abs=1e-9)
    assert ours.gamma.item() == case.near(theirs.gamma(case.spot))
    assert ours.vega.item() == case.near(theirs.vega(case.time_years))
    assert ours.theta.item() == case.near(theirs.theta(case.spot, case.time_years))
    assert ours.rho.item() == case.near(theirs.rho(case.time_years))


@given(options)
def test_implied_volatilities_agree(drawn: dict[str, float]) -> None:
    case = Case(drawn)
    price = case.reference.value()
    floor = case.discount_factor * abs(case.forward - case.strike)
    # Below a cent of time value, or of vega, the price no longer tells the volatility.
    assume(case.reference.vega(case.time_years) > 0.01 * case.spot)
    assume(price > 1e-4 * case.spot and abs(price - floor) > 1e-4 * case.spot)
    theirs = QuantLib.blackFormulaImpliedStdDev(
        case.kind, case.strike, case.forward, price, case.discount_factor, 0.0, 0.3, 1e-12, 500
    ) / sqrt(case.time_years)
    ours = implied_volatility(price=price, **case.of_forward)
    assert np.isfinite(ours)
    assert ours.item() == pytest.approx(theirs, abs=1e-6)
    assert ours.item() == pytest.approx(case.volatility, abs=1e-6)
