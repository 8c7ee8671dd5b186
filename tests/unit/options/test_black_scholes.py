"""Known values, limits and finite differences."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from agent.options import black_scholes
from agent.options.black_scholes import FloatArray, price, spot_greeks, spot_price

FORWARD_GRID: dict[str, Any] = {
    "is_call": np.array([True, False])[:, None],
    "forward": 100.0,
    "strike": np.array([70.0, 95.0, 100.0, 104.0, 150.0]),
    "time_years": 0.4,
    "volatility": 0.3,
    "discount_factor": np.exp(-0.05 * 0.4),
}
SPOT_GRID: dict[str, Any] = {
    "is_call": np.array([True, False])[:, None],
    "spot": 100.0,
    "strike": np.array([70.0, 95.0, 100.0, 104.0, 150.0]),
    "time_years": 0.4,
    "volatility": 0.3,
    "rate": 0.05,
    "dividend_yield": 0.02,
}


def slope(
    function: Callable[..., FloatArray], arguments: dict[str, Any], name: str, step: float
) -> FloatArray:
    """Differentiate by central difference."""
    up = function(**{**arguments, name: arguments[name] + step})
    down = function(**{**arguments, name: arguments[name] - step})
    return (up - down) / (2.0 * step)


def test_the_textbook_example_prices_as_in_the_textbook() -> None:
    # Hull, "Options, Futures, and Other Derivatives": S=42, K=40, r=10 %, sigma=20 %, T=0.5.
    found = spot_price(
        is_call=[True, False], spot=42.0, strike=40.0, time_years=0.5, volatility=0.2, rate=0.1
    )
    assert found == pytest.approx([4.759422, 0.808600], abs=1e-6)


def test_a_currency_option_of_the_textbook_prices_on_its_foreign_rate_as_yield() -> None:
    # Hull: S=1.6, K=1.6, r=8 %, foreign rate 11 %, T=4/12, call worth 0.0430 at 14.1 %.
    found = spot_price(
        is_call=True,
        spot=1.6,
        strike=1.6,
        time_years=4 / 12,
        volatility=0.141,
        rate=0.08,
        dividend_yield=0.11,
    )
    assert float(found) == pytest.approx(0.0430, abs=5e-5)


def test_spot_and_forward_forms_agree() -> None:
    forward = 100.0 * np.exp((0.05 - 0.02) * 0.4)
    assert spot_price(**SPOT_GRID) == pytest.approx(
        price(**{**FORWARD_GRID, "forward": forward}), rel=1e-14
    )


@pytest.mark.parametrize(
    ("greek", "name", "step", "sign"),
    [
        ("delta", "forward", 1e-3, 1.0),
        ("vega", "volatility", 1e-5, 1.0),
    ],
)
def test_greeks_on_the_forward_are_slopes_of_the_price(
    greek: str, name: str, step: float, sign: float
) -> None:
    found = getattr(black_scholes, greek)(**FORWARD_GRID)
    assert found == pytest.approx(sign * slope(price, FORWARD_GRID, name, step), abs=1e-6)


def test_gamma_on_the_forward_is_the_slope_of_delta() -> None:
    found = black_scholes.gamma(**FORWARD_GRID)
    assert found == pytest.approx(slope(black_scholes.delta, FORWARD_GRID, "forward", 1e-3))


def price_on_forward_at_rate(*, rate: float, time_years: float, **others: Any) -> FloatArray:
    return price(time_years=time_years, discount_factor=np.exp(-rate * time_years), **others)


def test_theta_and_rho_on_the_forward_hold_the_forward_still() -> None:
    grid = {key: value for key, value in FORWARD_GRID.items() if key != "discount_factor"}
    grid["rate"] = 0.05
    decay = -slope(price_on_forward_at_rate, grid, "time_years", 1e-5)
    assert black_scholes.theta(**FORWARD_GRID) == pytest.approx(decay, abs=1e-6)
    to_rate = slope(price_on_forward_at_rate, grid, "rate", 1e-5)
    assert black_scholes.rho(**FORWARD_GRID) == pytest.approx(to_rate, abs=1e-6)


def test_greeks_on_the_spot_are_slopes_of_the_price() -> None:
    greeks = spot_greeks(**SPOT_GRID)
    assert greeks.delta == pytest.approx(slope(spot_price, SPOT_GRID, "spot", 1e-3), abs=1e-6)
    assert greeks.vega == pytest.approx(slope(spot_price, SPOT_GRID, "volatility", 1e-5), abs=1e-6)
    assert greeks.rho == pytest.approx(slope(spot_price, SPOT_GRID, "rate", 1e-5), abs=1e-6)
    decay = -slope(spot_price, SPOT_GRID, "time_years", 1e-5)
    assert greeks.theta == pytest.approx(decay, abs=1e-6)

    def delta(**grid: Any) -> FloatArray:
        return spot_greeks(**grid).delta

    assert greeks.gamma == pytest.approx(slope(delta, SPOT_GRID, "spot", 1e-3), abs=1e-6)


@pytest.mark.parametrize(("time_years", "volatility"), [(0.0, 0.3), (-0.1, 0.3), (0.4, 0.0)])
def test_without_time_or_volatility_an_option_is_worth_what_it_would_pay(
    time_years: float, volatility: float
) -> None:
    certain = {**FORWARD_GRID, "time_years": time_years, "volatility": volatility}
    payoff = np.array([[30.0, 5.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 4.0, 50.0]])
    discount_factor = FORWARD_GRID["discount_factor"]
    assert price(**certain) == pytest.approx(discount_factor * payoff, abs=1e-12)
    at_the_strike = np.array([[1.0, 1.0, 0.5, 0.0, 0.0], [0.0, 0.0, -0.5, -1.0, -1.0]])
    assert black_scholes.delta(**certain) == pytest.approx(discount_factor * at_the_strike)
    assert black_scholes.gamma(**certain) == pytest.approx(np.zeros((2, 5)))


def test_at_expiration_greeks_are_zero_or_one_and_never_infinite() -> None:
    greeks = spot_greeks(**{**SPOT_GRID, "time_years": 0.0})
    assert greeks.delta[0] == pytest.approx([1.0, 1.0, 0.5, 0.0, 0.0])
    for sensitivity in (greeks.gamma, greeks.vega, greeks.rho):
        assert sensitivity == pytest.approx(np.zeros((2, 5)))
    assert np.isfinite(greeks.theta).all()
    assert black_scholes.theta(
        **{**FORWARD_GRID, "time_years": 0.0, "discount_factor": 1.0}
    ) == pytest.approx(np.zeros((2, 5)))


def test_what_is_unknown_stays_unknown() -> None:
    unknown = np.array([np.nan, 0.3])
    found = price(
        is_call=True,
        forward=100.0,
        strike=100.0,
        time_years=[0.5, 0.5],
        volatility=unknown,
        discount_factor=1.0,
    )
    assert np.isnan(found).tolist() == [True, False]
    greeks = spot_greeks(
        is_call=True, spot=100.0, strike=100.0, time_years=0.5, volatility=unknown, rate=0.05
    )
    for sensitivity in (greeks.delta, greeks.gamma, greeks.vega, greeks.theta, greeks.rho):
        assert np.isnan(sensitivity).tolist() == [True, False]


def test_a_worthless_stock_leaves_a_put_worth_its_discounted_strike() -> None:
    found = spot_price(
        is_call=[True, False], spot=0.0, strike=10.0, time_years=1.0, volatility=0.5, rate=0.1
    )
    assert found == pytest.approx([0.0, 10.0 * np.exp(-0.1)])
