"""Where the P&L of a closed trade came from: volatility, time, or the underlying."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from agent.book.records import Position, Trade
from agent.market.calendar import years_to_expiration
from agent.options.black_scholes import spot_price
from agent.options.contracts import OptionType
from agent.options.implied_volatility import implied_volatility
from agent.options.structures import LegSide


@dataclass(frozen=True)
class Attribution:
    """Split a trade's P&L, in dollars; the parts add up to it."""

    volatility: float
    time: float
    underlying: float
    """The rest: what the underlying's move did, with what the last fill gave up in it."""
    fees: float

    @property
    def adverse(self) -> float:
        """Sum the parts that lost, positive."""
        return -sum(
            min(part, 0.0) for part in (self.volatility, self.time, self.underlying, self.fees)
        )


def attribute(trade: Trade, positions: Sequence[Position], *, rate: float) -> Attribution | None:
    """Revalue a closed trade step by step: first its volatilities change, then time passes.

    Each leg starts at the volatility of its entry price and ends at the last good one that the
    monitor saw. The book keeps no price of the underlying at exit, so its part is what the exit
    prices leave over. European options without dividends. None where a price or a volatility is
    missing, or an entry price has no volatility.
    """
    ended_at = trade.timestamp_exit
    at_entry = trade.market_snapshot.underlying_price
    if ended_at is None or at_entry is None or len(positions) != len(trade.structure.legs):
        return None
    spot = float(at_entry)
    years = [
        years_to_expiration(trade.structure.expiration, at)
        for at in (trade.timestamp_enter, ended_at)
    ]
    volatility = time = underlying = 0.0
    for position in positions:
        steps = _revalue(position, spot, years, rate)
        if steps is None:
            return None
        direction = 1 if position.side is LegSide.LONG else -1
        shares = direction * position.quantity * trade.structure.multiplier
        volatility += shares * steps[0]
        time += shares * steps[1]
        underlying += shares * steps[2]
    return Attribution(volatility, time, underlying, -float(trade.execution.fees))


def _revalue(
    position: Position, spot: float, years: Sequence[float], rate: float
) -> tuple[float, float, float] | None:
    """Give the changes of a leg's price by volatility, by time and by the rest, a share."""
    if position.entry_price is None or position.exit_price is None:
        return None
    if position.implied_volatility is None:
        return None
    entry, left = float(position.entry_price), float(position.exit_price)
    is_call = position.option_type is OptionType.CALL
    strike = float(position.strike)
    at_entry = implied_volatility(
        price=entry,
        is_call=is_call,
        forward=spot * math.exp(rate * years[0]),
        strike=strike,
        time_years=years[0],
        discount_factor=math.exp(-rate * years[0]),
    )
    if math.isnan(float(at_entry)):
        return None
    revalued, aged = (
        float(
            spot_price(
                is_call=is_call,
                spot=spot,
                strike=strike,
                time_years=time_years,
                volatility=position.implied_volatility,
                rate=rate,
            )
        )
        for time_years in years
    )
    return revalued - entry, aged - revalued, left - aged
