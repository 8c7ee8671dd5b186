"""The volatility at which Black's formula gives a quoted price, over arrays.

Every option is first turned into the out-of-the-money one of the same strike by put-call parity,
scaled by the root of forward times strike. What is left has two arguments, the distance to the
strike in logs and the deviation (volatility times the root of time), and is solved by
Chandrupatla's bracketing method on all elements at once (T. Chandrupatla, "A new hybrid
quadratic/bisection algorithm for finding the zero of a nonlinear function without using
derivatives", 1997). Brent's method takes over, one element at a time, where that did not converge.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import ndtr

from agent.options.black_scholes import BoolArray, FloatArray

VOLATILITY_MIN = 1e-4
VOLATILITY_MAX = 10.0
ITERATIONS_MAX = 64

_DEVIATION_TOLERANCE = 1e-12
_RELATIVE_TOLERANCE = 4.0 * float(np.finfo(np.float64).eps)


def implied_volatility(
    *,
    price: ArrayLike,
    is_call: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    time_years: ArrayLike,
    discount_factor: ArrayLike,
    iterations_max: int = ITERATIONS_MAX,
) -> FloatArray:
    """Solve for the annual volatility fraction that prices each option at `price`.

    Price, forward and strike are in dollars a share. NaN where there is none: a price that is not
    finite, at or below its intrinsic value, at or above its bound (discounted forward for a call,
    discounted strike for a put), an option without time left, or a volatility outside
    0.0001..10. `iterations_max` bounds the vectorised solver before Brent's method takes over.
    """
    prices, calls, forwards, strikes, times, discounts = np.broadcast_arrays(
        np.asarray(price, dtype=np.float64),
        np.asarray(is_call, dtype=np.bool_),
        np.asarray(forward, dtype=np.float64),
        np.asarray(strike, dtype=np.float64),
        np.asarray(time_years, dtype=np.float64),
        np.asarray(discount_factor, dtype=np.float64),
    )
    result = np.full(prices.shape, np.nan)
    sane = (
        np.isfinite(prices + forwards + strikes + times + discounts)
        & (forwards > 0.0)
        & (strikes > 0.0)
        & (times > 0.0)
        & (discounts > 0.0)
    )
    root_time = np.sqrt(times[sane])
    sign = np.where(calls[sane], 1.0, -1.0)
    intrinsic = np.maximum(sign * (forwards[sane] - strikes[sane]), 0.0)
    scale = np.sqrt(forwards[sane] * strikes[sane])
    problem = _Problem(
        distance=np.abs(np.log(forwards[sane] / strikes[sane])),
        target=(prices[sane] / discounts[sane] - intrinsic) / scale,
    )
    result[sane] = (
        _solve(problem, VOLATILITY_MIN * root_time, VOLATILITY_MAX * root_time, iterations_max)
        / root_time
    )
    return result


@dataclass(frozen=True, eq=False)
class _Problem:
    """Ask for the deviation at which scaled out-of-the-money prices equal `target`."""

    distance: FloatArray
    target: FloatArray

    def excess(self, deviation: FloatArray) -> FloatArray:
        """Give the scaled price at `deviation` above the target; it rises with deviation."""
        return _scaled_price(self.distance, deviation) - self.target

    def __getitem__(self, chosen: BoolArray | int) -> "_Problem":
        return _Problem(self.distance[chosen], self.target[chosen])


def _scaled_price(distance: FloatArray, deviation: FloatArray) -> FloatArray:
    centre = -distance / deviation
    half_width, half_distance = 0.5 * deviation, 0.5 * distance
    near = np.exp(-half_distance) * ndtr(centre + half_width)
    return near - np.exp(half_distance) * ndtr(centre - half_width)


def _solve(problem: _Problem, low: FloatArray, high: FloatArray, iterations_max: int) -> FloatArray:
    roots = np.full(low.shape, np.nan)
    excess_low, excess_high = problem.excess(low), problem.excess(high)
    # A target of zero has no volatility, whatever the smallest price rounds to.
    open_elements = (problem.target > 0.0) & (excess_low <= 0.0) & (excess_high >= 0.0)
    positions = np.flatnonzero(open_elements)
    state = _Bracket.start(
        problem[open_elements],
        low[open_elements],
        high[open_elements],
        excess_low[open_elements],
        excess_high[open_elements],
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(iterations_max):
            if positions.size == 0:
                return roots
            state.step()
            done = state.converged()
            if done.any():
                roots[positions[done]] = state.best[done]
                positions, state = positions[~done], state.keep(~done)
    for position in positions:
        roots[position] = _brent(problem[int(position)], low[position], high[position])
    return roots


def _brent(problem: _Problem, low: float, high: float) -> float:
    def excess(deviation: float) -> float:
        return problem.excess(np.asarray(deviation)).item()

    return float(brentq(excess, low, high, xtol=_DEVIATION_TOLERANCE, rtol=_RELATIVE_TOLERANCE))


@dataclass(eq=False)
class _Bracket:
    """Carry Chandrupatla's three points: the root lies between `newest` and `opposite`."""

    problem: _Problem
    newest: FloatArray
    opposite: FloatArray
    previous: FloatArray
    value_newest: FloatArray
    value_opposite: FloatArray
    value_previous: FloatArray
    step_fraction: FloatArray
    best: FloatArray = field(init=False)
    """The end of the bracket that is nearer to the root, after a step."""
    tolerance: FloatArray = field(init=False)

    @classmethod
    def start(
        cls,
        problem: _Problem,
        low: FloatArray,
        high: FloatArray,
        value_low: FloatArray,
        value_high: FloatArray,
    ) -> "_Bracket":
        return cls(
            problem, high, low, low, value_high, value_low, value_low, np.full(low.shape, 0.5)
        )

    def keep(self, chosen: BoolArray) -> "_Bracket":
        return _Bracket(
            self.problem[chosen],
            self.newest[chosen],
            self.opposite[chosen],
            self.previous[chosen],
            self.value_newest[chosen],
            self.value_opposite[chosen],
            self.value_previous[chosen],
            self.step_fraction[chosen],
        )

    def converged(self) -> BoolArray:
        exact = (self.value_newest == 0.0) | (self.value_opposite == 0.0)
        close = np.abs(self.opposite - self.newest) <= 2.0 * self.tolerance
        done: BoolArray = exact | close
        return done

    def step(self) -> None:
        """Evaluate one point an element, then choose where the next one lies.

        The caller silences divisions by zero, once for all steps.
        """
        tried = self.newest + self.step_fraction * (self.opposite - self.newest)
        value = self.problem.excess(tried)
        same_side = np.sign(value) == np.sign(self.value_newest)
        self.previous = np.where(same_side, self.newest, self.opposite)
        self.value_previous = np.where(same_side, self.value_newest, self.value_opposite)
        self.opposite = np.where(same_side, self.opposite, self.newest)
        self.value_opposite = np.where(same_side, self.value_opposite, self.value_newest)
        self.newest, self.value_newest = tried, value
        closer = np.abs(self.value_newest) < np.abs(self.value_opposite)
        self.best = np.where(closer, self.newest, self.opposite)
        self.tolerance = _DEVIATION_TOLERANCE + _RELATIVE_TOLERANCE * np.abs(self.best)
        self._choose_step()

    def _choose_step(self) -> None:
        f1, f2, f3 = self.value_newest, self.value_opposite, self.value_previous
        span, beyond = self.opposite - self.newest, f3 - f2
        xi = -span / (self.previous - self.opposite)
        phi = (f1 - f2) / beyond
        rest = 1.0 - phi
        is_smooth = (phi * phi < xi) & (rest * rest < 1.0 - xi)
        quadratic = f1 / (f2 - f1) * f3 / -beyond + (self.previous - self.newest) / span * (
            f1 / (f3 - f1) * f2 / beyond
        )
        margin = self.tolerance / np.abs(span)
        chosen = np.where(is_smooth & np.isfinite(quadratic), quadratic, 0.5)
        self.step_fraction = np.minimum(np.maximum(chosen, margin), 1.0 - margin)
