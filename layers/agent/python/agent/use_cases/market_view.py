"""Look at one symbol: its snapshot, its chain, its volatility, how that ranks, its next report."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from agent.config.settings import MarketSettings
from agent.market.calendar import NEW_YORK, new_york_date
from agent.market.chain import ChainAnalytics, OptionChain, analyze_chain
from agent.market.dividends import ExDividend
from agent.market.last_trades import LAST_TRADES_OF, OVERLAP_SESSIONS_MIN, joined_history
from agent.market.outlook import ReportOutlook, is_disturbed, report_outlook, without_event
from agent.market.quotes import UnderlyingSnapshot
from agent.market.rates import risk_free_rate
from agent.market.volatility import (
    AtTheMoneyVolatility,
    ImpliedVolatilitySample,
    IvRankBand,
    TermPoint,
    at_thirty_days,
    iv_rank_band,
    term_structure,
)
from agent.ports import ChainRequest
from agent.strategies.registry import entering
from agent.strategies.strategy import MarketView, Strategy
from agent.use_cases.desk import Desk

NEAREST_DTE = 7
FARTHEST_DTE = 60
"""What the term structure is seen over: a report shows as a kink only beside calmer expirations."""
STRIKE_RANGE_FRACTION = Decimal("0.10")
"""Around spot, for the at-the-money forward; strategies widen it to what they look at."""
CHAIN_STRIKE_STEP = Decimal(5)
"""Strikes are bounded in whole steps, so that two looks within a minute ask for the same chain."""
NO_RANK = IvRankBand(None, None, None)


def look_at(
    desk: Desk,
    underlying: UnderlyingSnapshot,
    as_of: datetime,
    dividends: Sequence[ExDividend] = (),
    *,
    strategies: Sequence[Strategy] = (),
) -> MarketView:
    """Fetch the chain of an underlying that has a price, and measure it.

    The chain serves the strategies that enter, and those given besides. Where the day's IV samples
    are due they are recorded. Raises what the market data port raises.
    """
    spot = underlying.price
    if spot is None:
        raise ValueError(f"{underlying.symbol} has no price to look at")
    settings, symbol = desk.settings.market, underlying.symbol
    request = _chain_request(desk, spot, new_york_date(as_of), strategies)
    chain = desk.market.chain(underlying, request, as_of)
    analytics = analyze_chain(
        chain, rate=risk_free_rate(settings, chain.session), dividends=dividends
    )
    seen = _see_volatility(desk, chain, analytics)
    if seen.current is not None:
        _record_samples(desk, symbol, seen, as_of)
    return MarketView(
        underlying=underlying,
        chain=chain,
        analytics=analytics,
        iv30=None if seen.current is None else seen.current.implied_volatility,
        iv_rank_band=_rank(desk, symbol, seen),
        report=seen.report,
        as_of=as_of,
        settings=desk.settings,
    )


@dataclass(frozen=True)
class _Volatility:
    """Hold what a chain implies for 30 days: as it is, and clear of the next report."""

    session: date
    points: tuple[TermPoint, ...]
    report: ReportOutlook
    current: AtTheMoneyVolatility | None
    stripped: AtTheMoneyVolatility | None


def _see_volatility(desk: Desk, chain: OptionChain, analytics: ChainAnalytics) -> _Volatility:
    symbol = chain.underlying.symbol
    points = term_structure(chain, analytics)
    report = report_outlook(
        desk.reports.reports(symbol),
        chain.session,
        points,
        never_reports=symbol in desk.settings.market.symbols_without_reports,
    )
    current = at_thirty_days(points)
    return _Volatility(
        session=chain.session,
        points=points,
        report=report,
        current=current,
        stripped=None if current is None else without_event(current, points, report),
    )


def _rank(desk: Desk, symbol: str, seen: _Volatility) -> IvRankBand:
    """Rank today's volatility: that clear of the report where one disturbs it, else as it is."""
    market = desk.settings.market
    decisive = seen.stripped if is_disturbed(seen.points, seen.report) else seen.current
    if decisive is None:
        return NO_RANK
    return iv_rank_band(
        decisive,
        _history(desk, symbol, decisive.source),
        session=seen.session,
        sessions_min=market.iv_history_sessions_min,
        sessions_max=market.iv_history_sessions_max,
    )


def _history(desk: Desk, symbol: str, source: str) -> Sequence[ImpliedVolatilitySample]:
    """Give a source's history; where it is short, with what last trades tell of the time before."""
    sessions_max = desk.settings.market.iv_history_sessions_max
    history = desk.volatility.samples(symbol, sessions_max, source=source)
    if not OVERLAP_SESSIONS_MIN <= len(history) < sessions_max:
        return history
    earlier = desk.volatility.samples(symbol, sessions_max, source=LAST_TRADES_OF[source])
    return joined_history(history, earlier)


def _record_samples(desk: Desk, symbol: str, seen: _Volatility, as_of: datetime) -> None:
    """Record both volatilities once a session, from the time of the day's sample on."""
    if not is_sample_due(as_of, desk.settings.market):
        return
    found = [measured for measured in (seen.current, seen.stripped) if measured is not None]
    desk.volatility.record(
        symbol,
        [
            ImpliedVolatilitySample(
                session=seen.session,
                implied_volatility=measured.implied_volatility,
                implied_volatility_bid=measured.implied_volatility_bid,
                implied_volatility_ask=measured.implied_volatility_ask,
                source=measured.source,
            )
            for measured in found
        ],
    )


def _chain_request(
    desk: Desk, spot: Decimal, session: date, besides: Sequence[Strategy]
) -> ChainRequest:
    """Bound the chain so that it serves every strategy and the term structure."""
    step = CHAIN_STRIKE_STEP
    strategies = (*entering(desk.strategies, desk.settings), *besides)
    bounds = [strategy.chain_bounds(spot, session) for strategy in strategies]
    lowest = min([spot * (1 - STRIKE_RANGE_FRACTION), *(b.strike_min for b in bounds)])
    highest = max([spot * (1 + STRIKE_RANGE_FRACTION), *(b.strike_max for b in bounds)])
    return ChainRequest(
        expiration_min=min(
            [session + timedelta(days=NEAREST_DTE), *(b.expiration_min for b in bounds)]
        ),
        expiration_max=max(
            [session + timedelta(days=FARTHEST_DTE), *(b.expiration_max for b in bounds)]
        ),
        strike_min=lowest // step * step,
        strike_max=-(-highest // step) * step,
    )


def is_sample_due(as_of: datetime, market: MarketSettings) -> bool:
    """Say whether the time of the day's IV sample has come."""
    return f"{as_of.astimezone(NEW_YORK):%H:%M}" >= market.iv_sample_new_york_time
