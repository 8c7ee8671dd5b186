"""Measure the whole book as of now: stress, beta-weighted delta and vega."""

from collections.abc import Sequence
from datetime import datetime

from agent.book.intents import Signal
from agent.book.records import Position, Trade
from agent.market.calendar import new_york_date
from agent.market.rates import risk_free_rate
from agent.risk.exposure import (
    NO_EXPOSURE,
    Exposure,
    Pricing,
    structure_exposure_now,
    trade_exposure,
)
from agent.use_cases.desk import Desk


def book_exposure(desk: Desk, as_of: datetime) -> Exposure | None:
    """Add up every trade that is not over; None where a price or a volatility is unknown.

    Volatilities are the last good ones, which each pass of the monitor renews, else that at entry.
    """
    active = desk.book.active_trades()
    if not active:
        return NO_EXPOSURE
    snapshots = desk.market.underlyings(sorted({trade.symbol for trade in active}))
    stored = desk.book.positions_by_trade([trade.trade_id for trade in active])
    total = NO_EXPOSURE
    for trade in active:
        snapshot = snapshots.get(trade.symbol)
        spot = None if snapshot is None else snapshot.price
        volatilities = _volatilities(trade, stored[trade.trade_id])
        if spot is None or volatilities is None:
            return None
        pricing = Pricing(spot, volatilities, as_of, _rate(desk, as_of))
        total += trade_exposure(trade, pricing, desk.settings.risk)
    return total


def signal_exposure_now(desk: Desk, signal: Signal, contracts: int, as_of: datetime) -> Exposure:
    """Give what an entry would add, at the volatilities of its signal."""
    structure = signal.structure
    volatilities = signal.leg_volatilities or (signal.implied_volatility,) * len(structure.legs)
    pricing = Pricing(signal.underlying_price, volatilities, as_of, _rate(desk, as_of))
    return structure_exposure_now(structure, contracts, pricing, desk.settings.risk)


def _volatilities(trade: Trade, positions: Sequence[Position]) -> tuple[float, ...] | None:
    known = {position.option_symbol: position.implied_volatility for position in positions}
    at_entry = trade.market_snapshot.implied_volatility
    found = [known.get(symbol) or at_entry for symbol in trade.structure.symbols]
    measured = tuple(each for each in found if each is not None)
    return measured if len(measured) == len(found) else None


def _rate(desk: Desk, as_of: datetime) -> float:
    return risk_free_rate(desk.settings.market, new_york_date(as_of))
