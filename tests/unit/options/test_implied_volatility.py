import numpy as np
import pytest

from agent.options.black_scholes import FloatArray, price
from agent.options.implied_volatility import implied_volatility


def implied(
    prices: float | list[float],
    *,
    is_call: bool = False,
    strike: float = 95.0,
    time_years: float = 0.1,
) -> FloatArray:
    return implied_volatility(
        price=prices,
        is_call=is_call,
        forward=100.0,
        strike=strike,
        time_years=time_years,
        discount_factor=0.99,
    )


def test_the_volatility_found_prices_the_option_as_quoted() -> None:
    strikes = np.array([80.0, 95.0, 100.0, 105.0, 130.0])
    quoted = price(
        is_call=False,
        forward=100.0,
        strike=strikes,
        time_years=0.1,
        volatility=np.array([0.6, 0.35, 0.3, 0.28, 0.4]),
        discount_factor=0.99,
    )
    found = implied_volatility(
        price=quoted,
        is_call=False,
        forward=100.0,
        strike=strikes,
        time_years=0.1,
        discount_factor=0.99,
    )
    assert found == pytest.approx([0.6, 0.35, 0.3, 0.28, 0.4], abs=1e-9)


def test_a_price_at_or_below_intrinsic_has_no_volatility() -> None:
    intrinsic = 0.99 * (105.0 - 100.0)
    found = implied([intrinsic - 0.01, intrinsic, intrinsic + 0.01], strike=105.0)
    assert np.isnan(found).tolist() == [True, True, False]


def test_a_price_of_zero_or_less_has_no_volatility() -> None:
    assert np.isnan(implied([0.0, -0.05])).all()


def test_a_put_cannot_cost_its_discounted_strike_nor_a_call_the_discounted_forward() -> None:
    assert np.isnan(implied([0.99 * 95.0, 95.0])).all()
    assert np.isnan(implied([0.99 * 100.0, 100.0], is_call=True)).all()


def test_an_option_without_time_left_has_no_volatility() -> None:
    assert np.isnan(implied(1.0, time_years=0.0))
    assert np.isnan(implied(1.0, time_years=-0.1))


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_a_price_that_is_not_finite_has_no_volatility(broken: float) -> None:
    assert np.isnan(implied(broken))


def test_a_market_without_a_positive_forward_strike_or_discount_has_no_volatility() -> None:
    found = implied_volatility(
        price=1.0,
        is_call=True,
        forward=[0.0, 100.0, 100.0, np.nan],
        strike=[100.0, -1.0, 100.0, 100.0],
        time_years=0.1,
        discount_factor=[1.0, 1.0, 0.0, 1.0],
    )
    assert np.isnan(found).all()


def test_a_volatility_beyond_ten_is_not_believed() -> None:
    quoted = price(
        is_call=True,
        forward=100.0,
        strike=100.0,
        time_years=0.02,
        volatility=[9.9, 10.1],
        discount_factor=1.0,
    )
    found = implied_volatility(
        price=quoted,
        is_call=True,
        forward=100.0,
        strike=100.0,
        time_years=0.02,
        discount_factor=1.0,
    )
    assert found[0] == pytest.approx(9.9)
    assert np.isnan(found[1])


def test_one_bad_price_does_not_spoil_its_neighbours() -> None:
    found = implied([2.0, np.nan, 3.0])
    assert np.isnan(found).tolist() == [False, True, False]


def test_no_prices_give_no_volatilities() -> None:
    assert implied([]).shape == (0,)


@pytest.mark.parametrize("iterations_max", [0, 1, 5])
def test_brents_method_finds_the_same_where_the_vectorised_solver_ran_out(
    iterations_max: int,
) -> None:
    strikes = np.linspace(60.0, 160.0, 41)
    quoted = np.maximum(
        price(
            is_call=True,
            forward=100.0,
            strike=strikes,
            time_years=0.25,
            volatility=0.45,
            discount_factor=1.0,
        ),
        0.01,
    )
    found = implied_volatility(
        price=quoted,
        is_call=True,
        forward=100.0,
        strike=strikes,
        time_years=0.25,
        discount_factor=1.0,
        iterations_max=iterations_max,
    )
    vectorised = implied_volatility(
        price=quoted,
        is_call=True,
        forward=100.0,
        strike=strikes,
        time_years=0.25,
        discount_factor=1.0,
    )
    assert found == pytest.approx(vectorised, abs=1e-10)
