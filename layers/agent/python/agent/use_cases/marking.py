"""Mark what is held: every open trade from quotes of this moment, never from a cache."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from agent.book.records import Position, PositionMark, PositionStatus, Trade
from agent.market.calendar import new_york_date
from agent.market.chain import ChainAnalytics, OptionChain, analyze_chain
from agent.market.quotes import (
    OptionQuote,
    StructureQuote,
    UnderlyingSnapshot,
    quote_structure,
)
from agent.market.rates import risk_free_rate
from agent.options.structures import LegSide
from agent.strategies.marks import MarkSource, TradeMark, mark_trade, model_prices
from agent.use_cases.desk import Desk


@dataclass(frozen=True)
class Marks:
    """Hold the mark of each trade, and what was seen of its positions."""

    by_trade: Mapping[str, TradeMark]
    positions_by_trade: Mapping[str, tuple[PositionMark, ...]]

    def of(self, trade_id: str) -> TradeMark:
        return self.by_trade[trade_id]

    def positions(self, trade_id: str) -> tuple[PositionMark, ...]:
        return self.positions_by_trade[trade_id]

    def is_marked(self, trade_id: str) -> bool:
        return self.by_trade[trade_id].source is not MarkSource.UNKNOWN


def fetch_marks(desk: Desk, trades: Sequence[Trade], as_of: datetime) -> Marks:
    """Mark open trades; two requests for quotes, however many trades there are."""
    contracts = {
        leg.contract.symbol: leg.contract for trade in trades for leg in trade.structure.legs
    }
    quotes = desk.market.option_quotes([contracts[symbol] for symbol in sorted(contracts)])
    snapshots = desk.market.underlyings(sorted({trade.symbol for trade in trades}))
    marks: dict[str, TradeMark] = {}
    positions: dict[str, tuple[PositionMark, ...]] = {}
    stored_by_trade = desk.book.positions_by_trade([trade.trade_id for trade in trades])
    good = {symbol for symbol, quote in quotes.items() if _is_good(desk, quote, as_of)}
    for trade in trades:
        stored = stored_by_trade[trade.trade_id]
        underlying = snapshots.get(trade.symbol)
        legs = [quotes[s] for s in trade.structure.symbols if s in quotes]
        analytics = _analyze(desk, underlying, legs, as_of)
        price = None if underlying is None else underlying.price
        marks[trade.trade_id] = _mark(
            desk,
            trade,
            stored,
            price=price,
            quote=quote_structure(trade.structure, quotes),
            as_of=as_of,
        )
        seen = [
            _mark_position(position, trade, quotes, analytics, price=price, good=good)
            for position in stored
            if position.status is PositionStatus.OPEN
        ]
        positions[trade.trade_id] = tuple(mark for mark in seen if _shows_anything(mark))
    return Marks(marks, positions)


def _is_good(desk: Desk, quote: OptionQuote, as_of: datetime) -> bool:
    """Say whether a quote may mark: fresh, two-sided, not crossed, and narrow enough."""
    market = desk.settings.market
    return quote.is_valid(
        as_of,
        age_max_seconds=market.quote_age_max_seconds,
        width_fraction_max=market.mark_quote_width_max_fraction,
    )


def _shows_anything(mark: PositionMark) -> bool:
    return len(mark.model_dump(exclude_none=True)) > 1


def _analyze(
    desk: Desk,
    underlying: UnderlyingSnapshot | None,
    legs: Sequence[OptionQuote],
    as_of: datetime,
) -> ChainAnalytics | None:
    if underlying is None or underlying.price is None or not legs:
        return None
    chain = OptionChain(underlying, as_of, tuple(legs))
    return analyze_chain(chain, rate=risk_free_rate(desk.settings.market, chain.session))


def _mark(
    desk: Desk,
    trade: Trade,
    positions: Sequence[Position],
    *,
    price: Decimal | None,
    quote: StructureQuote | None,
    as_of: datetime,
) -> TradeMark:
    market = desk.settings.market
    volatilities = _last_good_volatilities(trade, positions)
    model: tuple[Decimal, ...] | None = None
    if price is not None and volatilities is not None:
        model = model_prices(
            trade.structure,
            price,
            volatilities,
            as_of,
            risk_free_rate(market, new_york_date(as_of)),
        )
    return mark_trade(trade, quote, price, as_of, market, model_prices=model)


def _last_good_volatilities(trade: Trade, positions: Sequence[Position]) -> list[float] | None:
    """Give a volatility for each leg; None where that of a leg was never known."""
    known = {position.option_symbol: position.implied_volatility for position in positions}
    at_entry = trade.market_snapshot.implied_volatility
    found = [known.get(symbol) or at_entry for symbol in trade.structure.symbols]
    volatilities = [each for each in found if each is not None]
    return volatilities if len(volatilities) == len(found) else None


def _mark_position(
    position: Position,
    trade: Trade,
    quotes: Mapping[str, OptionQuote],
    analytics: ChainAnalytics | None,
    *,
    price: Decimal | None,
    good: Collection[str],
) -> PositionMark:
    """Bring a leg up to its quote; what the quote does not tell keeps its last good value.

    A volatility is taken from `good` quotes alone: one implied by a quote that stands still while
    the stock moves would have the model repeat that quote.
    """
    quote = quotes.get(position.option_symbol)
    mid = None if quote is None or quote.is_crossed else quote.mid
    unrealized = None
    if mid is not None and position.entry_price is not None:
        direction = Decimal(1) if position.side is LegSide.LONG else Decimal(-1)
        shares = position.quantity * trade.structure.multiplier
        unrealized = direction * (mid - position.entry_price) * shares
    measured = None
    if analytics is not None and position.option_symbol in good:
        measured = analytics.of(position.option_symbol)
    volatility = None if measured is None else measured.implied_volatility
    return PositionMark(
        position_id=position.position_id,
        current_delta=None if measured is None else measured.delta,
        implied_volatility=volatility,
        underlying_price=None if volatility is None else price,
        unrealized_pnl=unrealized,
    )
