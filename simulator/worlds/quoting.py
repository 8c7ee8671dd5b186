"""How a synthetic market maker shows a value: widths, ticks, sizes and sides left open."""

from decimal import Decimal
from functools import lru_cache

import numpy as np

from simulator.worlds.listings import IntArray
from simulator.worlds.profiles import SymbolProfile
from simulator.worlds.randomness import FloatArray

TICK_CHANGES_AT_CENTS = 300
OPENING_WIDTH_EXTRA = 2.0
OPENING_WIDTH_MINUTES = 8.0
NO_BID_CHANCE_BELOW_CENTS = 12.0
NO_BID_CHANCE = 0.35
MOST_SHOWN_CONTRACTS = 120
RARELY_TRADED_SHARES = 1_500_000.0
LIQUID_WIDTH_FRACTION, RARE_WIDTH_FRACTION = 0.0001, 0.016


def opening_factor(minute: int) -> float:
    """Say how much wider quotes are than usual, so many minutes after the opening."""
    return 1.0 + OPENING_WIDTH_EXTRA * float(np.exp(-minute / OPENING_WIDTH_MINUTES))


def option_quote_cents(
    profile: SymbolProfile,
    *,
    value: FloatArray,
    intrinsic: FloatArray,
    width_factor: float,
    luck: FloatArray,
    side_luck: FloatArray,
) -> tuple[IntArray, IntArray]:
    """Quote options worth `value` dollars: bids and asks in whole cents, a bid of 0 for none.

    The width is 1.5 cents, 1.8 % of the time value and 4 % of the intrinsic value, scaled by the
    symbol, by `width_factor` and by each contract's own `luck` (0 to 1). The bid is rounded down
    and the ask up to the contract's tick. Some cheap contracts, by `side_luck`, find no bidder.
    """
    cents = value * 100.0
    intrinsic_cents = intrinsic * 100.0
    time_cents = cents - intrinsic_cents
    width = 1.5 + 0.018 * time_cents + 0.04 * intrinsic_cents
    width *= profile.width_factor * width_factor * (0.7 + 0.6 * luck)
    bid = _rounded(cents - width / 2.0, profile.penny_program, up=False)
    ask = _rounded(cents + width / 2.0, profile.penny_program, up=True)
    deserted = (cents < NO_BID_CHANCE_BELOW_CENTS) & (side_luck < NO_BID_CHANCE)
    bid = np.where(deserted, 0, np.maximum(bid, 0))
    return bid, np.maximum(ask, bid + _ticks(bid, profile.penny_program))


def shown_sizes(activity: float, luck: FloatArray) -> IntArray:
    """Say how many contracts a side shows, given how active the options are."""
    depth = min(max(activity / 4.0, 0.05), 1.0) * MOST_SHOWN_CONTRACTS
    sizes: IntArray = (1 + np.floor(depth * luck**2)).astype(np.int64)
    return sizes


def stock_quote_cents(profile: SymbolProfile, price: float, width_factor: float) -> tuple[int, int]:
    """Quote a share around its last price: one basis point wide where it trades a lot."""
    rarity = min((RARELY_TRADED_SHARES / profile.daily_shares) ** 3, 1.0)
    fraction = LIQUID_WIDTH_FRACTION + (RARE_WIDTH_FRACTION - LIQUID_WIDTH_FRACTION) * rarity
    width = fraction * price * 100.0 * width_factor
    middle = round(price * 100.0)
    below = max(int(width / 2.0), 0)
    return max(middle - below, 1), middle + max(round(width / 2.0), 1)


@lru_cache(maxsize=200_000)
def dollars(cents: int) -> Decimal:
    """Turn whole cents into dollars with two decimals."""
    return Decimal(cents).scaleb(-2)


def _ticks(cents: IntArray, penny_program: bool) -> IntArray:
    low, high = (1, 5) if penny_program else (5, 10)
    return np.where(cents < TICK_CHANGES_AT_CENTS, low, high)


def _rounded(cents: FloatArray, penny_program: bool, *, up: bool) -> IntArray:
    low, high = (1, 5) if penny_program else (5, 10)
    tick = np.where(cents < TICK_CHANGES_AT_CENTS, low, high)
    # A hair's breadth of float error must not cost a whole tick.
    steps = np.ceil(cents / tick - 1e-9) if up else np.floor(cents / tick + 1e-9)
    rounded: IntArray = (steps * tick).astype(np.int64)
    return rounded
