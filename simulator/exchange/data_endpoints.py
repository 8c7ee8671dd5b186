"""The endpoints of the market data API, and the trading API's option contracts."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from agent.options.contracts import OptionType
from simulator.exchange.calendar import SATURDAY, new_york_date
from simulator.exchange.calls import Call, Reply, decode_token, encode_token, page_after
from simulator.exchange.errors import bad_query, not_found
from simulator.exchange.exchange import Exchange
from simulator.exchange.market_rendering import (
    Json,
    bars_between,
    render_bar,
    render_contract,
    render_option_quote,
    render_option_snapshot,
    render_stock_quote,
    render_stock_snapshot,
    sessions_around,
)
from simulator.worlds.world import DailyBar, ListingFilter, OptionListing, StockQuote

SNAPSHOTS_DEFAULT = 100
SNAPSHOTS_MAX = 1_000
CONTRACTS_DEFAULT = 100
CONTRACTS_MAX = 10_000
BARS_DEFAULT = 1_000
BARS_MAX = 10_000
SYMBOLS_MAX = 100
DAILY_TIMEFRAMES = ("1Day", "1D")
PREVIOUS_BAR_LOOKBACK = timedelta(days=10)


def get_chain(exchange: Exchange, call: Call) -> Reply:
    """GET /v1beta1/options/snapshots/{underlying_symbol}, paged by symbol."""
    underlying = str(call.path["underlying_symbol"])
    listings = exchange.market.chain(underlying, listing_filter(call))
    updated_since = call.moment("updated_since")
    if updated_since is not None:
        listings = [listing for listing in listings if listing.at >= updated_since]
    if call.text("root_symbol") not in {None, underlying}:
        listings = []
    return _snapshot_page(exchange, call, listings)


def get_option_snapshots(exchange: Exchange, call: Call) -> Reply:
    """GET /v1beta1/options/snapshots?symbols=; what is not listed is left out."""
    listings = [exchange.market.option(symbol) for symbol in sorted(_symbols(call))]
    return _snapshot_page(exchange, call, [listing for listing in listings if listing])


def _snapshot_page(exchange: Exchange, call: Call, listings: Iterable[OptionListing]) -> Reply:
    limit = call.limit("limit", SNAPSHOTS_DEFAULT, SNAPSHOTS_MAX)
    ordered = sorted(listings, key=lambda listing: listing.contract.symbol)
    keys = [listing.contract.symbol for listing in ordered]
    page, token = page_after(ordered, keys, call.text("page_token"), limit)
    today, before = sessions_around(exchange.calendar, exchange.now)
    snapshots = {
        listing.contract.symbol: render_option_snapshot(listing, today, before) for listing in page
    }
    return Reply({"snapshots": snapshots, "next_page_token": token})


def get_option_latest_quotes(exchange: Exchange, call: Call) -> Reply:
    """GET /v1beta1/options/quotes/latest."""
    quotes = {}
    for symbol in _symbols(call):
        listing = exchange.market.option(symbol)
        if listing is not None:
            quotes[symbol] = render_option_quote(listing)
    return Reply({"quotes": quotes})


def get_contracts(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/options/contracts; without a date bound, as Alpaca, up to the coming weekend."""
    limit = call.limit("limit", CONTRACTS_DEFAULT, CONTRACTS_MAX)
    bounds = listing_filter(call)
    if bounds.expiration_min is None and bounds.expiration_max is None:
        today = new_york_date(exchange.now)
        weekend = today + timedelta(days=(SATURDAY - today.weekday()) % 7)
        bounds = _with_last_expiration(bounds, weekend)
    underlyings = call.words("underlying_symbols") or list(exchange.world.symbols)
    root = call.text("root_symbol")
    listed: list[OptionListing] = []
    if call.text("status") != "inactive" and call.text("style") != "european":
        for underlying in underlyings:
            if root in {None, underlying}:
                listed.extend(exchange.market.chain(underlying, bounds))
    listed.sort(key=lambda listing: listing.contract.symbol)
    keys = [listing.contract.symbol for listing in listed]
    page, token = page_after(listed, keys, call.text("page_token"), limit)
    rows = [_contract(exchange, call, listing) for listing in page]
    return Reply({"option_contracts": rows, "next_page_token": token})


def get_contract(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/options/contracts/{symbol_or_id}."""
    named = str(call.path["symbol_or_id"])
    listing = exchange.market.option(exchange.identifiers.symbol_of(named))
    if listing is None:
        raise not_found(f"option contract {named} not found")
    return Reply(_contract(exchange, call, listing))


def _contract(exchange: Exchange, call: Call, listing: OptionListing) -> Json:
    _, before = sessions_around(exchange.calendar, exchange.now)
    return render_contract(
        listing,
        exchange.identifiers,
        None if before is None else before.session.isoformat(),
        show_deliverables=call.flag("show_deliverables"),
    )


def get_stock_snapshots(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/stocks/snapshots: a map of symbols, without an envelope."""
    today, _ = sessions_around(exchange.calendar, exchange.now)
    snapshots = {}
    for symbol in _symbols(call):
        quote = exchange.market.stock(symbol)
        if quote is not None:
            before = _bar_before(exchange, symbol, today.session if today else None)
            snapshots[symbol] = render_stock_snapshot(quote, today, before)
    return Reply(snapshots)


def _bar_before(exchange: Exchange, symbol: str, session: date | None) -> DailyBar | None:
    day = session or new_york_date(exchange.now)
    bars = exchange.world.daily_bars(symbol, day - PREVIOUS_BAR_LOOKBACK, exchange.now)
    earlier = [bar for bar in bars if bar.session < day]
    return earlier[-1] if earlier else None


def get_stock_latest_quotes(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/stocks/quotes/latest."""
    return Reply({"quotes": _of_stocks(exchange, call, render_stock_quote)})


def _of_stocks(
    exchange: Exchange, call: Call, render: Callable[[StockQuote], Json]
) -> dict[str, Json]:
    shown = {symbol: exchange.market.stock(symbol) for symbol in _symbols(call)}
    return {symbol: render(quote) for symbol, quote in shown.items() if quote is not None}


def get_stock_bars(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/stocks/bars with timeframe 1Day; `limit` counts bars over all symbols."""
    if call.text("timeframe") not in DAILY_TIMEFRAMES:
        raise bad_query("this exchange has daily bars only: timeframe must be 1Day")
    limit = call.limit("limit", BARS_DEFAULT, BARS_MAX)
    midnight = datetime.combine(new_york_date(exchange.now), datetime.min.time(), UTC)
    start = call.moment("start") or midnight
    end = min(call.moment("end") or exchange.now, exchange.now)
    descending = call.one_of("sort", ("asc", "desc"), "asc") == "desc"
    rows: list[tuple[str, DailyBar]] = []
    for symbol in sorted(_symbols(call)):
        if symbol not in exchange.world.symbols:
            continue
        known = exchange.world.daily_bars(symbol, new_york_date(start), exchange.now)
        kept = bars_between(known, start, end)
        rows.extend((symbol, bar) for bar in (reversed(kept) if descending else kept))
    token = call.text("page_token")
    offset = _offset(token)
    bars: dict[str, list[Json]] = {}
    for symbol, bar in rows[offset : offset + limit]:
        bars.setdefault(symbol, []).append(render_bar(bar))
    more = offset + limit < len(rows)
    following = encode_token(str(offset + limit)) if more else None
    return Reply({"bars": bars, "next_page_token": following})


def _offset(token: str | None) -> int:
    if token is None:
        return 0
    text = decode_token(token)
    if not text.isdecimal():
        raise bad_query("invalid page_token")
    return int(text)


def listing_filter(call: Call) -> ListingFilter:
    """Read the bounds that chains and contracts share."""
    exact = call.date("expiration_date")
    named = call.text("type")
    if named is not None and named not in set(OptionType):
        raise bad_query(f"invalid type: {named}")
    strike_min: Decimal | None = call.decimal("strike_price_gte")
    strike_max: Decimal | None = call.decimal("strike_price_lte")
    return ListingFilter(
        expiration_min=exact or call.date("expiration_date_gte"),
        expiration_max=exact or call.date("expiration_date_lte"),
        strike_min=strike_min,
        strike_max=strike_max,
        option_type=None if named is None else OptionType(named),
    )


def _with_last_expiration(bounds: ListingFilter, last: date) -> ListingFilter:
    return ListingFilter(
        expiration_min=bounds.expiration_min,
        expiration_max=last,
        strike_min=bounds.strike_min,
        strike_max=bounds.strike_max,
        option_type=bounds.option_type,
    )


def _symbols(call: Call) -> list[str]:
    symbols: list[Any] = call.words("symbols")
    if not symbols:
        raise bad_query("symbols is required")
    if len(symbols) > SYMBOLS_MAX:
        raise bad_query(f"symbols: at most {SYMBOLS_MAX} are allowed")
    return symbols
