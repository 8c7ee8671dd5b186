"""Look at one symbol: its snapshot, its chain, its volatility and how that ranks."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from agent.config.settings import MarketSettings
from agent.market.calendar import NEW_YORK, new_york_date
from agent.market.chain import analyze_chain
from agent.market.quotes import UnderlyingSnapshot
from agent.market.volatility import ImpliedVolatilitySample, iv30, iv_rank
from agent.ports import ChainRequest
from agent.strategies.registry import entering
from agent.strategies.strategy import MarketView
from agent.use_cases.desk import Desk

# IV30 needs an expiration on each side of 30 days; weekly listings are 7 days apart, 8 where a
# holiday moves one.
NEAREST_DTE = 22
FARTHEST_DTE = 38
STRIKE_RANGE_FRACTION = Decimal("0.10")
"""Around spot, for the at-the-money forward; strategies widen it to what they look at."""


def look_at(desk: Desk, underlying: UnderlyingSnapshot, as_of: datetime) -> MarketView:
    """Fetch the chain of an underlying that has a price, and measure it.

    Where the day's IV sample is due it is recorded. Raises what the market data port raises.
    """
    spot = underlying.price
    if spot is None:
        raise ValueError(f"{underlying.symbol} has no price to look at")
    market = desk.settings.market
    session = new_york_date(as_of)
    chain = desk.market.chain(underlying, _chain_request(desk, spot, session), as_of)
    analytics = analyze_chain(chain, rate=market.risk_free_rate)
    current = iv30(chain, analytics)
    rank = None
    if current is not None:
        history = desk.volatility.samples(underlying.symbol, market.iv_history_sessions_max)
        rank = iv_rank(
            current.implied_volatility,
            history,
            session=session,
            sessions_min=market.iv_history_sessions_min,
            sessions_max=market.iv_history_sessions_max,
        )
        if is_sample_due(as_of, market) and not any(s.session == session for s in history):
            desk.volatility.record(
                underlying.symbol,
                [
                    ImpliedVolatilitySample(
                        session=session,
                        implied_volatility=current.implied_volatility,
                        implied_volatility_bid=current.implied_volatility_bid,
                        implied_volatility_ask=current.implied_volatility_ask,
                        source=current.source,
                    )
                ],
            )
    return MarketView(
        underlying=underlying,
        chain=chain,
        analytics=analytics,
        iv30=None if current is None else current.implied_volatility,
        iv_rank=rank,
        as_of=as_of,
        settings=desk.settings,
    )


def _chain_request(desk: Desk, spot: Decimal, session: date) -> ChainRequest:
    """Bound the chain so that it serves every strategy and the volatility sample."""
    strategies = entering(desk.strategies, desk.settings)
    bounds = [strategy.chain_bounds(spot, session) for strategy in strategies]
    return ChainRequest(
        expiration_min=min(
            [session + timedelta(days=NEAREST_DTE), *(b.expiration_min for b in bounds)]
        ),
        expiration_max=max(
            [session + timedelta(days=FARTHEST_DTE), *(b.expiration_max for b in bounds)]
        ),
        strike_min=min([spot * (1 - STRIKE_RANGE_FRACTION), *(b.strike_min for b in bounds)]),
        strike_max=max([spot * (1 + STRIKE_RANGE_FRACTION), *(b.strike_max for b in bounds)]),
    )


def is_sample_due(as_of: datetime, market: MarketSettings) -> bool:
    """Say whether the time of the day's IV sample has come."""
    return f"{as_of.astimezone(NEW_YORK):%H:%M}" >= market.iv_sample_new_york_time
