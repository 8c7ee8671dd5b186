"""Where the P&L of a closed trade came from: volatility, time, the underlying, or no model."""

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
    fees: float
    residual: float | None
    """What no step explains: what the last fill gave up, and what the model does not know.

    None where nobody saw the stock near the exit; then the underlying's part is all that the other
    parts leave over.
    """

    @property
    def adverse(self) -> float:
        """Sum the parts that lost, positive."""
        return -sum(min(part, 0.0) for part in self._parts)

    @property
    def gross(self) -> float:
        """Sum the sizes of all parts: what a residual is small or large against."""
        return sum(abs(part) for part in self._parts)

    @property
    def _parts(self) -> tuple[float, ...]:
        return (self.volatility, self.time, self.underlying, self.fees, self.residual or 0.0)


@dataclass(frozen=True)
class _Steps:
    """Hold the changes of a leg's price, dollars a share."""

    volatility: float
    time: float
    underlying: float
    residual: float | None


def attribute(trade: Trade, positions: Sequence[Position], *, rate: float) -> Attribution | None:
    """Revalue a closed trade step by step: its volatilities change, time passes, the stock moves.

    Each leg starts at the volatility of its entry price, and ends at the last good one that the
    monitor saw, with the stock as it was then. What its exit price has beyond that is the
    residual. European options without dividends. None where a price or a volatility is missing, or
    an entry price has no volatility.
    """
    ended_at = trade.timestamp_exit
    at_entry = trade.market_snapshot.underlying_price
    if ended_at is None or at_entry is None or len(positions) != len(trade.structure.legs):
        return None
    years = [
        years_to_expiration(trade.structure.expiration, at)
        for at in (trade.timestamp_enter, ended_at)
    ]
    volatility = time = underlying = residual = 0.0
    is_seen = True
    for position in positions:
        steps = _revalue(position, float(at_entry), years, rate)
        if steps is None:
            return None
        direction = 1 if position.side is LegSide.LONG else -1
        shares = direction * position.quantity * trade.structure.multiplier
        volatility += shares * steps.volatility
        time += shares * steps.time
        underlying += shares * steps.underlying
        residual += shares * (steps.residual or 0.0)
        is_seen = is_seen and steps.residual is not None
    return Attribution(
        volatility=volatility,
        time=time,
        # A residual of some legs alone would be no residual of the trade.
        underlying=underlying if is_seen else underlying + residual,
        fees=-float(trade.execution.fees),
        residual=residual if is_seen else None,
    )


def _revalue(position: Position, spot: float, years: Sequence[float], rate: float) -> _Steps | None:
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
    moved = None if position.underlying_price is None else float(position.underlying_price)
    revalued, aged, ended = (
        float(
            spot_price(
                is_call=is_call,
                spot=price,
                strike=strike,
                time_years=time_years,
                volatility=position.implied_volatility,
                rate=rate,
            )
        )
        for price, time_years in ((spot, years[0]), (spot, years[1]), (moved or spot, years[1]))
    )
    return _Steps(
        volatility=revalued - entry,
        time=aged - revalued,
        underlying=left - aged if moved is None else ended - aged,
        residual=None if moved is None else left - ended,
    )
