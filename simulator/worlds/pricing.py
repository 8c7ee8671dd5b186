"""What the synthetic market thinks an option is worth.

Written apart from the agent's own kernel on purpose: a market that shared the agent's arithmetic
would share, and so hide, its errors.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from simulator.worlds.randomness import FloatArray

BoolArray = NDArray[np.bool_]

SESSIONS_PER_YEAR = 252.0
_QUADRATURE_NODES, _QUADRATURE_WEIGHTS = np.polynomial.legendre.leggauss(8)
_LOWEST_RELATIVE_VOLATILITY = 0.5


@dataclass(frozen=True, slots=True)
class VarianceDynamics:
    """A log-variance that wanders about its mean (an Ornstein-Uhlenbeck process).

    `mean_log_variance` is of the annual variance, `deviation` the process's stationary standard
    deviation, `half_life_sessions` the time in which half of a departure is forgotten.
    """

    mean_log_variance: float
    deviation: float
    half_life_sessions: float

    @property
    def reversion_per_session(self) -> float:
        return float(np.log(2.0)) / self.half_life_sessions

    def expected_variance(self, log_variance: float, years: FloatArray) -> FloatArray:
        """Give the mean annual variance expected from now over each of `years`.

        The expectation of exp(h) under the process, averaged over the horizon by Gauss-Legendre
        quadrature; it is today's variance at a horizon of zero and the long-run mean far out.
        """
        nodes = (_QUADRATURE_NODES + 1.0) / 2.0
        sessions = np.multiply.outer(np.maximum(years, 0.0), nodes) * SESSIONS_PER_YEAR
        memory = np.exp(-self.reversion_per_session * sessions)
        mean = self.mean_log_variance + (log_variance - self.mean_log_variance) * memory
        spread = self.deviation**2 * (1.0 - memory**2)
        averages: FloatArray = np.exp(mean + spread / 2.0) @ (_QUADRATURE_WEIGHTS / 2.0)
        return averages


@dataclass(frozen=True, slots=True)
class Smile:
    """How implied volatility departs from the money, per standard deviation of log-moneyness.

    `skew` is the relative slope at the money (negative: puts dearer), `curvature` the relative
    slope both wings approach.
    """

    skew: float
    curvature: float

    def volatility(
        self, at_the_money: FloatArray, log_moneyness: FloatArray, years: FloatArray
    ) -> FloatArray:
        """Give the annual implied volatility of each strike.

        `log_moneyness` is ln(strike / forward). The wings grow linearly in standard deviations,
        so that total variance stays under the bound of Lee (2004).
        """
        deviations = log_moneyness / (at_the_money * np.sqrt(years))
        relative = 1.0 + self.skew * deviations
        relative += self.curvature * (np.sqrt(1.0 + deviations**2) - 1.0)
        volatility: FloatArray = at_the_money * np.maximum(relative, _LOWEST_RELATIVE_VOLATILITY)
        return volatility


def european_value(
    *,
    is_call: BoolArray,
    forward: FloatArray,
    strike: FloatArray,
    years: FloatArray,
    discount: FloatArray,
    volatility: FloatArray,
) -> FloatArray:
    """Price European options per share in dollars by Black (1976); all arrays of one shape."""
    deviation = volatility * np.sqrt(years)
    first = np.log(forward / strike) / deviation + deviation / 2.0
    second = first - deviation
    sign = np.where(is_call, 1.0, -1.0)
    inside = forward * ndtr(sign * first) - strike * ndtr(sign * second)
    value: FloatArray = discount * sign * inside
    return value
