"""The market data API: stocks, corporate actions and news."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

from simulator.exchange.calendar import new_york_date
from simulator.exchange.calls import Call, Reply, page_from
from simulator.exchange.corporate_actions import (
    CashDividend,
    CorporateAction,
    actions_between,
    adjusted_bars,
)
from simulator.exchange.errors import bad_query, not_found
from simulator.exchange.exchange import Exchange
from simulator.exchange.intraday_bars import (
    DAILY_TIMEFRAMES,
    Interval,
    bar_of,
    intervals_between,
    read_timeframe,
)
from simulator.exchange.market_rendering import (
    Json,
    bars_between,
    render_bar,
    render_stock_quote,
    render_stock_snapshot,
    render_stock_trade,
    sessions_around,
)
from simulator.exchange.numbers import timestamp
from simulator.worlds.events import is_declared
from simulator.worlds.world import DailyBar, StockQuote

BARS_DEFAULT = 1_000
BARS_MAX = 10_000
ACTIONS_DEFAULT = 100
ACTIONS_MAX = 1_000
ADJUSTMENTS = ("raw", "split", "dividend", "all")
PREVIOUS_BAR_LOOKBACK = timedelta(days=10)
NO_CUSIP = "000000000"
"""The world knows no CUSIPs; the field is required."""


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


def get_bars(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/stocks/bars; `limit` counts bars over all symbols."""
    page, token = _bar_page(exchange, call)
    bars: dict[str, list[Json]] = {}
    for symbol, bar in page:
        bars.setdefault(symbol, []).append(bar)
    return Reply({"bars": bars, "next_page_token": token})


def get_bars_of_one(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/stocks/{symbol}/bars."""
    page, token = _bar_page(exchange, call)
    rows = [bar for _, bar in page]
    return Reply({"symbol": call.path["symbol"], "bars": rows, "next_page_token": token})


def _bar_page(exchange: Exchange, call: Call) -> tuple[list[tuple[str, Json]], str | None]:
    length = read_timeframe(call.text("timeframe"))
    limit = call.limit("limit", BARS_DEFAULT, BARS_MAX)
    adjustment = call.one_of("adjustment", ADJUSTMENTS, "raw")
    today = new_york_date(exchange.now)
    start = call.moment("start") or datetime.combine(today, time(0), UTC)
    end = min(call.moment("end") or exchange.now, exchange.now)
    descending = call.one_of("sort", ("asc", "desc"), "asc") == "desc"
    symbols = [symbol for symbol in sorted(call.symbols()) if symbol in exchange.world.symbols]
    if length is not None:
        intervals = intervals_between(exchange.world, length, start, end, exchange.now)
        wanted = [
            (symbol, interval)
            for symbol in symbols
            for interval in (reversed(intervals) if descending else intervals)
        ]
        part, token = page_from(wanted, call.text("page_token"), limit)
        found = [_intraday(exchange, symbol, each, adjustment) for symbol, each in part]
        return [bar for bar in found if bar is not None], token
    rows: list[tuple[str, DailyBar]] = []
    for symbol in symbols:
        raw = exchange.world.daily_bars(symbol, new_york_date(start), exchange.now)
        bars = adjusted_bars(exchange.world, symbol, raw, adjustment, today)
        kept = bars_between(bars, start, end)
        rows.extend((symbol, bar) for bar in (reversed(kept) if descending else kept))
    page, token = page_from(rows, call.text("page_token"), limit)
    return [(symbol, render_bar(bar)) for symbol, bar in page], token


def _intraday(
    exchange: Exchange, symbol: str, interval: Interval, adjustment: str
) -> tuple[str, Json] | None:
    bar = bar_of(exchange.world, symbol, interval)
    if bar is None:
        return None
    today = new_york_date(exchange.now)
    (adjusted,) = adjusted_bars(exchange.world, symbol, [bar], adjustment, today)
    return symbol, {**render_bar(adjusted), "t": timestamp(interval.stamp)}


def check_daily(call: Call) -> None:
    """Refuse bars of options of any length but a day."""
    if call.text("timeframe") not in DAILY_TIMEFRAMES:
        raise bad_query("this exchange has daily bars of options only: timeframe must be 1Day")


def get_corporate_actions(exchange: Exchange, call: Call) -> Reply:
    """GET /v1/corporate-actions, by ex-date, as declared so far; empty where none are known."""
    today = new_york_date(exchange.now)
    start = call.date("start") or today
    end = call.date("end") or today
    limit = call.limit("limit", ACTIONS_DEFAULT, ACTIONS_MAX)
    types = set(call.words("types"))
    symbols = call.words("symbols") or exchange.world.symbols
    found = [
        action
        for action in actions_between(exchange.world, symbols, start, end)
        if is_declared(action, today) and (not types or _action_type(action) in types)
    ]
    found.sort(key=lambda action: (_process_date(action), action.symbol))
    if call.one_of("sort", ("asc", "desc"), "asc") == "desc":
        found.reverse()
    page, token = page_from(found, call.text("page_token"), limit)
    grouped: dict[str, list[Json]] = {}
    for action in page:
        grouped.setdefault(f"{_action_type(action)}s", []).append(_render(exchange, action))
    return Reply({"corporate_actions": grouped, "next_page_token": token})


def _action_type(action: CorporateAction) -> str:
    if isinstance(action, CashDividend):
        return "cash_dividend"
    return "forward_split" if action.new_rate > action.old_rate else "reverse_split"


def _process_date(action: CorporateAction) -> date:
    return action.payable_date if isinstance(action, CashDividend) else action.ex_date


def _render(exchange: Exchange, action: CorporateAction) -> Json:
    kind = _action_type(action)
    body: Json = {
        "id": exchange.identifiers.of(kind, f"{action.symbol}/{action.ex_date}"),
        "symbol": action.symbol,
        "ex_date": action.ex_date.isoformat(),
        "process_date": _process_date(action).isoformat(),
    }
    if isinstance(action, CashDividend):
        return body | {
            "cusip": NO_CUSIP,
            "rate": float(action.rate),
            "special": action.special,
            "foreign": False,
            "record_date": action.ex_date.isoformat(),
            "payable_date": action.payable_date.isoformat(),
        }
    rates: Json = {"new_rate": float(action.new_rate), "old_rate": float(action.old_rate)}
    if kind == "reverse_split":
        return body | rates | {"old_cusip": NO_CUSIP, "new_cusip": NO_CUSIP}
    return body | rates | {"cusip": NO_CUSIP}


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
