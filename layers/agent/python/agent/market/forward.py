"""The forward price of a stock for one expiration, as its options imply it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agent.options.black_scholes import FloatArray

STRIKE_DISTANCE_FRACTION_MAX = 0.06
_WIDTH_FLOOR = 0.01


@dataclass(frozen=True, eq=False)
class StrikePairs:
    """Align calls and puts of one expiration by strike, in dollars a share; NaN is unknown."""

    strike: FloatArray
    call_bid: FloatArray
    call_ask: FloatArray
    put_bid: FloatArray
    put_ask: FloatArray


def forward_from_parity(pairs: StrikePairs, *, spot: float, discount_factor: float) -> float | None:
    """Average the forwards that put-call parity implies at strikes within 6 % of `spot`.

    A strike counts where both sides of both options are quoted above zero and not crossed. Its
    forward is strike + (call - put) / discount_factor, its weight the inverse square of the width
    of that forward's own bid and ask. None without such a strike, and where the bids and asks of
    the strikes do not intersect: then not all of those quotes belong to one market.

    Parity is exact for European options; early exercise of American puts biases the strikes above
    the forward a little, which the 6 % bound keeps small.
    """
    low_sides = np.minimum(pairs.call_bid, pairs.put_bid)
    is_usable = (
        (low_sides > 0.0)
        & (pairs.call_ask >= pairs.call_bid)
        & (pairs.put_ask >= pairs.put_bid)
        & (np.abs(pairs.strike - spot) <= STRIKE_DISTANCE_FRACTION_MAX * spot)
    )
    if not is_usable.any():
        return None
    strike = pairs.strike[is_usable]
    bid = strike + (pairs.call_bid - pairs.put_ask)[is_usable] / discount_factor
    ask = strike + (pairs.call_ask - pairs.put_bid)[is_usable] / discount_factor
    if bid.max() > ask.min():
        return None
    weight = np.maximum(ask - bid, _WIDTH_FLOOR) ** -2.0
    return float(np.average(0.5 * (bid + ask), weights=weight))


def forward_from_carry(
    *, spot: float, rate: float, time_years: float, dividends: Sequence[tuple[float, float]] = ()
) -> float:
    """Grow `spot` at `rate`, less what the known dividends are worth by then.

    Each dividend is (years until its ex-date, dollars a share); those after `time_years` do not
    count.
    """
    grown = spot * float(np.exp(rate * time_years))
    paid = (
        amount * float(np.exp(rate * (time_years - ahead)))
        for ahead, amount in dividends
        if ahead <= time_years
    )
    return grown - sum(paid)
