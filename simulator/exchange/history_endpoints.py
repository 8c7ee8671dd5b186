"""The market data API: bars, quotes and trades of past moments, of stocks and of options."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import TypeVar

from agent.options.contracts import OptionContract
from simulator.exchange.calendar import new_york_date
from simulator.exchange.calls import Call, Reply, page_from
from simulator.exchange.corporate_actions import adjusted_bars
from simulator.exchange.exchange import Exchange
from simulator.exchange.intraday_bars import (
    MINUTE,
    Interval,
    bar_of,
    intervals_between,
    look_at_option,
    look_at_stock,
    moments_between,
    read_timeframe,
)
from simulator.exchange.market import mark_of, option_contract
from simulator.exchange.market_rendering import (
    Json,
    bars_between,
    render_auctions,
    render_bar,
    render_option_trade,
    render_stock_quote,
    render_stock_trade,
)
from simulator.exchange.numbers import timestamp
from simulator.worlds.world import DailyBar, ListingFilter, OptionListing, TradingSession

PAGE_DEFAULT = 1_000
PAGE_MAX = 10_000
ADJUSTMENTS = ("raw", "split", "dividend", "all")
LAST_QUOTE_BEFORE_CLOSE = timedelta(seconds=1)
Range = tuple[datetime, datetime]
Rows = list[tuple[str, Json]]
Part = TypeVar("Part")


def get_stock_bars(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/stocks/bars; `limit` counts bars over all symbols."""
    return _by_symbol("bars", *_stock_bars(exchange, call))


def get_bars_of_stock(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/stocks/{symbol}/bars."""
    return _of_one("bars", call, *_stock_bars(exchange, call))


def get_stock_quotes(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/stocks/quotes; one quote a minute."""
    return _by_symbol("quotes", *_ticks(exchange, call, _stock_quote, _stocks(exchange, call)))


def get_quotes_of_stock(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/stocks/{symbol}/quotes."""
    rows = _ticks(exchange, call, _stock_quote, _stocks(exchange, call))
    return _of_one("quotes", call, *rows)


def get_stock_trades(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/stocks/trades; one trade a minute."""
    return _by_symbol("trades", *_ticks(exchange, call, _stock_trade, _stocks(exchange, call)))


def get_trades_of_stock(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/stocks/{symbol}/trades."""
    rows = _ticks(exchange, call, _stock_trade, _stocks(exchange, call))
    return _of_one("trades", call, *rows)


def get_stock_auctions(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/stocks/auctions: the opening and closing prices of daily bars."""
    return _by_symbol("auctions", *_auctions(exchange, call))


def get_auctions_of_stock(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/stocks/{symbol}/auctions."""
    return _of_one("auctions", call, *_auctions(exchange, call))


def get_option_trades(exchange: Exchange, call: Call) -> Reply:
    """GET /v1beta1/options/trades: what a minute's volume grew by, at its mid."""
    return _by_symbol("trades", *_ticks(exchange, call, _option_trade, sorted(call.symbols())))


def get_option_bars(exchange: Exchange, call: Call) -> Reply:
    """GET /v1beta1/options/bars, for the sessions of the world.

    The world knows quotes, not trades: a bar is made of mids and carries the volume; where
    nothing was traded there is none.
    """
    length = read_timeframe(call.text("timeframe"))
    start, end = _range(exchange, call)
    contracts = {symbol: option_contract(symbol) for symbol in sorted(call.symbols())}
    known = {
        symbol: contract
        for symbol, contract in contracts.items()
        if contract is not None and contract.underlying in exchange.world.symbols
    }
    if isinstance(length, timedelta):

        def render(symbol: str, interval: Interval) -> Json | None:
            bar = bar_of(look_at_option(exchange.world, known[symbol]), interval)
            if bar is None or bar.volume <= 0:
                return None
            return {**render_bar(bar), "t": timestamp(interval.stamp)}

        intervals = intervals_between(exchange.world, length, start, end, exchange.now)
        return _by_symbol("bars", *_paged(call, list(known), intervals, render))
    rows: Rows = []
    for symbol, bars in _option_days(exchange, known).items():
        kept = bars_between(length.joined(bars), start, end)
        rows.extend((symbol, render_bar(bar)) for bar in _ordered(call, kept))
    return _by_symbol("bars", *page_from(rows, call.text("page_token"), _limit(call)))


def _stock_bars(exchange: Exchange, call: Call) -> tuple[Sequence[tuple[str, Json]], str | None]:
    length = read_timeframe(call.text("timeframe"))
    adjustment = call.one_of("adjustment", ADJUSTMENTS, "raw")
    today = new_york_date(exchange.now)
    start, end = _range(exchange, call)
    symbols = _stocks(exchange, call)
    if isinstance(length, timedelta):

        def render(symbol: str, interval: Interval) -> Json | None:
            bar = bar_of(look_at_stock(exchange.world, symbol), interval)
            if bar is None:
                return None
            (adjusted,) = adjusted_bars(exchange.world, symbol, [bar], adjustment, today)
            return {**render_bar(adjusted), "t": timestamp(interval.stamp)}

        intervals = intervals_between(exchange.world, length, start, end, exchange.now)
        return _paged(call, symbols, intervals, render)
    rows: Rows = []
    for symbol in symbols:
        first = length.first_of(new_york_date(start))
        raw = exchange.world.daily_bars(symbol, first, exchange.now)
        bars = adjusted_bars(exchange.world, symbol, raw, adjustment, today)
        kept = bars_between(length.joined(bars), start, end)
        rows.extend((symbol, render_bar(bar)) for bar in _ordered(call, kept))
    return page_from(rows, call.text("page_token"), _limit(call))


def _auctions(exchange: Exchange, call: Call) -> tuple[Sequence[tuple[str, Json]], str | None]:
    start, end = _range(exchange, call)
    rows: Rows = []
    for symbol in _stocks(exchange, call):
        bars = exchange.world.daily_bars(symbol, new_york_date(start), exchange.now)
        for bar in _ordered(call, bars_between(bars, start, end)):
            session = exchange.calendar.session_on(bar.session)
            if session is not None:
                rows.append((symbol, render_auctions(bar, session)))
    return page_from(rows, call.text("page_token"), _limit(call))


def _option_days(
    exchange: Exchange, contracts: Mapping[str, OptionContract]
) -> dict[str, list[DailyBar]]:
    """Give the daily bars of contracts, by OCC symbol: two looks at a chain a session."""
    look = exchange.world.chain
    days: dict[str, list[DailyBar]] = {symbol: [] for symbol in contracts}
    for underlying in sorted({contract.underlying for contract in contracts.values()}):
        own = [each for each in contracts.values() if each.underlying == underlying]
        bounds = ListingFilter(
            expiration_min=min(each.expiration for each in own),
            expiration_max=max(each.expiration for each in own),
            strike_min=min(each.strike for each in own),
            strike_max=max(each.strike for each in own),
        )
        for session in exchange.world.sessions:
            last_moment = min(session.closes_at - LAST_QUOTE_BEFORE_CLOSE, exchange.now)
            if last_moment < session.opens_at:
                break
            opening, closing = (
                {each.contract.symbol: each for each in look(underlying, at, bounds)}
                for at in (session.opens_at, last_moment)
            )
            for contract in own:
                symbol = contract.symbol
                bar = _option_day(session, opening.get(symbol), closing.get(symbol))
                if bar is not None:
                    days[symbol].append(bar)
    return days


def _option_day(
    session: TradingSession, opening: OptionListing | None, closing: OptionListing | None
) -> DailyBar | None:
    close = None if closing is None else mark_of(closing.bid, closing.ask)
    if closing is None or close is None or closing.volume <= 0:
        return None
    opened = close
    if opening is not None and opening.at >= session.opens_at:
        opened = mark_of(opening.bid, opening.ask) or close
    return DailyBar(
        session=session.session,
        open=opened,
        high=max(opened, close),
        low=min(opened, close),
        close=close,
        volume=closing.volume,
    )


# Single moments

Tick = Callable[[Exchange, str, datetime], Json | None]


def _stock_quote(exchange: Exchange, symbol: str, at: datetime) -> Json | None:
    quote = exchange.world.stock(symbol, at)
    if quote is None or (quote.bid is None and quote.ask is None):
        return None
    return render_stock_quote(quote)


def _stock_trade(exchange: Exchange, symbol: str, at: datetime) -> Json | None:
    quote = exchange.world.stock(symbol, at)
    if quote is None or (quote.bid is None and quote.ask is None):
        return None
    return render_stock_trade(quote)


def _option_trade(exchange: Exchange, symbol: str, at: datetime) -> Json | None:
    contract = option_contract(symbol)
    if contract is None or contract.underlying not in exchange.world.symbols:
        return None
    listing = exchange.world.option(contract, at)
    trade = None if listing is None else render_option_trade(listing)
    if listing is None or trade is None:
        return None
    size = listing.volume
    if exchange.world.quote_times is None and exchange.calendar.session_at(at - MINUTE):
        before = exchange.world.option(contract, at - MINUTE)
        size -= 0 if before is None else before.volume
    return {**trade, "s": size} if size > 0 else None


def _ticks(
    exchange: Exchange, call: Call, tick: Tick, symbols: Sequence[str]
) -> tuple[Sequence[tuple[str, Json]], str | None]:
    moments = moments_between(exchange.world, *_range(exchange, call), exchange.now)

    def render(symbol: str, at: datetime) -> Json | None:
        return tick(exchange, symbol, at)

    return _paged(call, symbols, moments, render)


# Ranges and pages


def _range(exchange: Exchange, call: Call) -> Range:
    """Read the range asked for: from today's midnight in UTC to now unless it says otherwise."""
    today = datetime.combine(new_york_date(exchange.now), time(0), UTC)
    end = min(call.moment("end") or exchange.now, exchange.now)
    return call.moment("start") or today, end


def _stocks(exchange: Exchange, call: Call) -> list[str]:
    return [symbol for symbol in sorted(call.symbols()) if symbol in exchange.world.symbols]


def _limit(call: Call) -> int:
    return call.limit("limit", PAGE_DEFAULT, PAGE_MAX)


def _ordered(call: Call, parts: Sequence[Part]) -> Sequence[Part]:
    descending = call.one_of("sort", ("asc", "desc"), "asc") == "desc"
    return parts[::-1] if descending else parts


def _paged(
    call: Call,
    symbols: Sequence[str],
    parts: Sequence[Part],
    render: Callable[[str, Part], Json | None],
) -> tuple[Rows, str | None]:
    """Render a page of `parts` per symbol; what renders to nothing leaves its page shorter."""
    wanted = [(symbol, part) for symbol in symbols for part in _ordered(call, parts)]
    page, token = page_from(wanted, call.text("page_token"), _limit(call))
    rows = [(symbol, render(symbol, part)) for symbol, part in page]
    return [(symbol, row) for symbol, row in rows if row is not None], token


def _by_symbol(name: str, rows: Sequence[tuple[str, Json]], token: str | None) -> Reply:
    grouped: dict[str, list[Json]] = {}
    for symbol, row in rows:
        grouped.setdefault(symbol, []).append(row)
    return Reply({name: grouped, "next_page_token": token})


def _of_one(name: str, call: Call, rows: Sequence[tuple[str, Json]], token: str | None) -> Reply:
    shown = [row for _, row in rows]
    return Reply({"symbol": call.path["symbol"], name: shown, "next_page_token": token})
