"""What moves of the market would do to what is at the broker, reckoned from its own prices.

It shares nothing with the agent's greeks: everything is a difference of two prices of the market.
"""

from collections import Counter
from datetime import datetime, timedelta

from agent.options.contracts import OCC_SYMBOL_PATTERN, OptionContract, parse_occ_symbol
from simulator.exchange import Order
from simulator.storm.market import StormMarket
from simulator.storm.view import DayView

SHARES = 100
SPOT_STEP = 0.0005
VOLATILITY_STEP = 0.005
ONE_PERCENT = 0.01
STRESSED_FALLS = (0.05, 0.10, 0.20)
STRESSED_VOLATILITY_FACTOR = 1.5
LOOKS_BACK = tuple(timedelta(seconds=seconds) for seconds in (0, 60, 120, 180))
"""A cap is valued when risk is reserved, a little before its order reaches the broker."""


def at_broker(view: DayView) -> Counter[str]:
    """Give what is held, and what working orders to open would add, by contract and by stock."""
    held = view.own_held
    for order in view.own_working:
        if "-entry-" in order.client_order_id:
            held.update(_added_by(order))
    return held


def _added_by(order: Order) -> dict[str, int]:
    left = order.remaining_units
    return {leg.symbol: leg.side.sign * leg.ratio * left for leg in order.legs}


def delta_and_vega(market: StormMarket, held: Counter[str], at: datetime) -> tuple[float, float]:
    """Give the dollars that a 1 % rise of all stocks, and a point more of volatility, would bring.

    Of the first, what delta alone says.
    """
    delta = vega = 0.0
    for symbol, quantity in held.items():
        if not quantity:
            continue
        if OCC_SYMBOL_PATTERN.fullmatch(symbol) is None:
            delta += quantity * market.spot(symbol, at) * ONE_PERCENT
            continue
        contract = parse_occ_symbol(symbol)
        up = market.value_if(contract, at, spot_factor=1 + SPOT_STEP)
        down = market.value_if(contract, at, spot_factor=1 - SPOT_STEP)
        delta += quantity * SHARES * (up - down) / (2 * SPOT_STEP) * ONE_PERCENT
        more = market.value_if(contract, at, volatility_added=VOLATILITY_STEP)
        less = market.value_if(contract, at, volatility_added=-VOLATILITY_STEP)
        vega += quantity * SHARES * (more - less)
    return delta, vega


def least_exposures(view: DayView) -> tuple[float, float]:
    """Give the smallest delta and vega of the last minutes, without their signs."""
    held, market = at_broker(view), view.scenario.market
    seen = [delta_and_vega(market, held, view.now - back) for back in LOOKS_BACK]
    return min(abs(delta) for delta, _ in seen), min(abs(vega) for _, vega in seen)


def stressed_value(market: StormMarket, contract: OptionContract, at: datetime) -> float:
    """Give what a put would be worth in the worst of the falls, in dollars a share."""
    return max(
        market.value_if(
            contract, at, spot_factor=1 - fall, volatility_factor=STRESSED_VOLATILITY_FACTOR
        )
        for fall in STRESSED_FALLS
    )
