"""The market data API: stocks as they stand now, news and screeners."""

from collections.abc import Callable
from datetime import date, timedelta

from simulator.exchange.calendar import new_york_date
from simulator.exchange.calls import Call, Reply
from simulator.exchange.errors import bad_query, not_found
from simulator.exchange.exchange import Exchange
from simulator.exchange.market_rendering import (
    STOCK_VENUE,
    Json,
    render_stock_quote,
    render_stock_snapshot,
    render_stock_trade,
    sessions_around,
)
from simulator.exchange.numbers import timestamp
from simulator.worlds.world import DailyBar, StockQuote

SCREENED_DEFAULT, SCREENED_MAX = 10, 100
SHARES_PER_TRADE = 100
"""The world knows no single trades; a round lot stands for each."""
PERCENT = 100
PREVIOUS_BAR_LOOKBACK = timedelta(days=10)


def get_snapshots(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/stocks/snapshots: a map of symbols, without an envelope."""
    today, _ = sessions_around(exchange.calendar, exchange.now)

    def render(quote: StockQuote) -> Json:
        before = _bar_before(exchange, quote.symbol, today.session if today else None)
        return render_stock_snapshot(quote, today, before)

    return Reply(_of_stocks(exchange, call, render))


def get_snapshot(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/stocks/{symbol}/snapshot."""
    symbol, snapshot = _only(get_snapshots(exchange, call).body)
    return Reply({"symbol": symbol, "currency": "USD", **snapshot})


def get_latest_quotes(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/stocks/quotes/latest."""
    return Reply({"quotes": _of_stocks(exchange, call, render_stock_quote)})


def get_latest_quote(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/stocks/{symbol}/quotes/latest."""
    symbol, quote = _only(_of_stocks(exchange, call, render_stock_quote))
    return Reply({"symbol": symbol, "quote": quote})


def get_latest_trades(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/stocks/trades/latest."""
    return Reply({"trades": _of_stocks(exchange, call, render_stock_trade)})


def get_latest_trade(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/stocks/{symbol}/trades/latest."""
    symbol, trade = _only(_of_stocks(exchange, call, render_stock_trade))
    return Reply({"symbol": symbol, "trade": trade})


def get_latest_bars(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/stocks/bars/latest: the session so far as one bar."""
    today, _ = sessions_around(exchange.calendar, exchange.now)

    def render(quote: StockQuote) -> Json:
        return dict(render_stock_snapshot(quote, today, None).get("minuteBar", {}))

    bars = _of_stocks(exchange, call, render)
    return Reply({"bars": {symbol: bar for symbol, bar in bars.items() if bar}})


def get_latest_bar(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/stocks/{symbol}/bars/latest."""
    symbol, bar = _only(get_latest_bars(exchange, call).body["bars"])
    return Reply({"symbol": symbol, "bar": bar})


def get_conditions(_: Exchange, __: Call) -> Reply:
    """GET /v2/stocks/meta/conditions/{ticktype}: the ones that this exchange uses."""
    return Reply({"@": "Regular Sale", "R": "Regular Market Maker Open"})


def get_exchanges(_: Exchange, __: Call) -> Reply:
    """GET /v2/stocks/meta/exchanges: the one venue of this exchange."""
    return Reply({STOCK_VENUE: "Simulated exchange"})


def get_most_actives(exchange: Exchange, call: Call) -> Reply:
    """GET /v1beta1/screener/stocks/most-actives; trades and volume rank alike."""
    call.one_of("by", ("volume", "trades"), "volume")
    top = call.limit("top", SCREENED_DEFAULT, SCREENED_MAX)
    quotes = [quote for quote in map(exchange.market.stock, exchange.world.symbols) if quote]
    quotes.sort(key=lambda quote: (-quote.volume, quote.symbol))
    rows = [
        {
            "symbol": quote.symbol,
            "volume": quote.volume,
            "trade_count": quote.volume // SHARES_PER_TRADE,
        }
        for quote in quotes[:top]
    ]
    return Reply({"most_actives": rows, "last_updated": timestamp(exchange.now)})


def get_movers(exchange: Exchange, call: Call) -> Reply:
    """GET /v1beta1/screener/{market_type}/movers, against the close before."""
    market_type = str(call.path["market_type"])
    if market_type != "stocks":
        raise bad_query(f"invalid market_type: {market_type}: this exchange has stocks only")
    top = call.limit("top", SCREENED_DEFAULT, SCREENED_MAX)
    today, _ = sessions_around(exchange.calendar, exchange.now)
    movers: list[Json] = []
    for symbol in exchange.world.symbols:
        quote = exchange.market.stock(symbol)
        before = _bar_before(exchange, symbol, today.session if today else None)
        if quote is not None and before is not None:
            change = quote.last - before.close
            movers.append(
                {
                    "symbol": symbol,
                    "percent_change": round(float(change / before.close) * PERCENT, 2),
                    "change": float(change),
                    "price": float(quote.last),
                }
            )
    movers.sort(key=lambda row: (-row["percent_change"], row["symbol"]))
    return Reply(
        {
            "gainers": [row for row in movers if row["change"] > 0][:top],
            "losers": [row for row in reversed(movers) if row["change"] < 0][:top],
            "market_type": market_type,
            "last_updated": timestamp(exchange.now),
        }
    )


def get_news(_: Exchange, __: Call) -> Reply:
    """GET /v1beta1/news: there is none in a simulated world."""
    return Reply({"news": [], "next_page_token": None})


def _bar_before(exchange: Exchange, symbol: str, session: date | None) -> DailyBar | None:
    day = session or new_york_date(exchange.now)
    bars = exchange.world.daily_bars(symbol, day - PREVIOUS_BAR_LOOKBACK, exchange.now)
    earlier = [bar for bar in bars if bar.session < day]
    return earlier[-1] if earlier else None


def _of_stocks(
    exchange: Exchange, call: Call, render: Callable[[StockQuote], Json]
) -> dict[str, Json]:
    shown = {symbol: exchange.market.stock(symbol) for symbol in call.symbols()}
    return {symbol: render(quote) for symbol, quote in shown.items() if quote is not None}


def _only(rows: dict[str, Json]) -> tuple[str, Json]:
    if not rows:
        raise not_found("symbol not found")
    return next(iter(rows.items()))
