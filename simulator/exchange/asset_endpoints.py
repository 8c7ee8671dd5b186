"""The trading API: the world's stocks as assets, and watchlists of them."""

from collections.abc import Mapping
from typing import Any

from simulator.exchange.calls import Call, Reply
from simulator.exchange.errors import malformed, not_found, unprocessable
from simulator.exchange.exchange import Exchange
from simulator.exchange.numbers import timestamp
from simulator.exchange.rendering import STOCK_EXCHANGE, Json
from simulator.exchange.watchlists import Watchlist

ATTRIBUTES = ("has_options",)
NAME_LENGTH_MAX = 64


def get_assets(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/assets; the world's stocks."""
    wanted_status = call.text("status") or "active"
    wanted_class = call.text("asset_class") or "us_equity"
    wanted_exchange = call.text("exchange") or STOCK_EXCHANGE
    wanted_attributes = set(call.words("attributes"))
    if (wanted_status, wanted_class, wanted_exchange) != ("active", "us_equity", STOCK_EXCHANGE):
        return Reply([])
    if wanted_attributes and not wanted_attributes & set(ATTRIBUTES):
        return Reply([])
    return Reply([render_asset(exchange, symbol) for symbol in exchange.world.symbols])


def get_asset(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/assets/{symbol_or_asset_id}."""
    named = str(call.path["symbol_or_asset_id"])
    symbol = find_asset(exchange, named)
    if symbol is None:
        raise not_found(f"asset not found for {named}")
    return Reply(render_asset(exchange, symbol))


def find_asset(exchange: Exchange, symbol_or_asset_id: str) -> str | None:
    """Give the symbol of a stock of the world, None where it has none of that name or id."""
    for symbol in exchange.world.symbols:
        if symbol_or_asset_id in {symbol, exchange.identifiers.asset(symbol)}:
            return symbol
    return None


def render_asset(exchange: Exchange, symbol: str) -> Json:
    """Spell a stock of the world."""
    return {
        "id": exchange.identifiers.asset(symbol),
        "class": "us_equity",
        "exchange": STOCK_EXCHANGE,
        "symbol": symbol,
        "name": f"{symbol} Common Stock",
        "status": "active",
        "tradable": True,
        "marginable": True,
        "shortable": False,
        "easy_to_borrow": False,
        "borrow_status": "hard_to_borrow",
        "fractionable": False,
        "attributes": list(ATTRIBUTES),
    }


# Watchlists, by id or by name


def get_watchlists(exchange: Exchange, _: Call) -> Reply:
    """GET /v2/watchlists; without their assets."""
    return Reply([_heading(exchange, watchlist) for watchlist in exchange.watchlists])


def post_watchlist(exchange: Exchange, call: Call) -> Reply:
    """POST /v2/watchlists."""
    body = _body(call)
    name = _unused_name(exchange, body.get("name"), None)
    now = exchange.now
    watchlist_id = exchange.identifiers.of("watchlist", f"{now.isoformat()}/{name}")
    watchlist = Watchlist(watchlist_id, name, now, now, _symbols(exchange, body))
    exchange.watchlists.append(watchlist)
    return Reply(_render(exchange, watchlist))


def get_watchlist(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/watchlists/{watchlist_id} and /v2/watchlists:by_name."""
    return Reply(_render(exchange, _find(exchange, call)))


def put_watchlist(exchange: Exchange, call: Call) -> Reply:
    """PUT /v2/watchlists/{watchlist_id} and :by_name; what the body leaves out stays."""
    watchlist, body = _find(exchange, call), _body(call)
    name = watchlist.name
    if body.get("name") is not None:
        name = _unused_name(exchange, body["name"], watchlist)
    symbols = watchlist.symbols if body.get("symbols") is None else _symbols(exchange, body)
    watchlist.name, watchlist.symbols = name, symbols
    watchlist.updated_at = exchange.now
    return Reply(_render(exchange, watchlist))


def post_watchlist_symbol(exchange: Exchange, call: Call) -> Reply:
    """POST /v2/watchlists/{watchlist_id} and :by_name: add one symbol."""
    watchlist = _find(exchange, call)
    symbol = _known(exchange, _body(call).get("symbol"))
    if symbol in watchlist.symbols:
        raise unprocessable(f"duplicate symbol: {symbol}")
    watchlist.symbols.append(symbol)
    watchlist.updated_at = exchange.now
    return Reply(_render(exchange, watchlist))


def delete_watchlist_symbol(exchange: Exchange, call: Call) -> Reply:
    """DELETE /v2/watchlists/{watchlist_id}/{symbol}."""
    watchlist = _find(exchange, call)
    symbol = str(call.path["symbol"])
    if symbol not in watchlist.symbols:
        raise not_found(f"symbol not found: {symbol}")
    watchlist.symbols.remove(symbol)
    watchlist.updated_at = exchange.now
    return Reply(_render(exchange, watchlist))


def delete_watchlist(exchange: Exchange, call: Call) -> Reply:
    """DELETE /v2/watchlists/{watchlist_id} and :by_name."""
    exchange.watchlists.remove(_find(exchange, call))
    return Reply(None, status=204)


def _find(exchange: Exchange, call: Call) -> Watchlist:
    named, name = call.path.get("watchlist_id"), call.text("name")
    for watchlist in exchange.watchlists:
        if named == watchlist.watchlist_id or (named is None and name == watchlist.name):
            return watchlist
    raise not_found(f"watchlist not found for {named or name}")


def _body(call: Call) -> Mapping[str, Any]:
    if not isinstance(call.body, Mapping):
        raise malformed("request body format is invalid")
    return call.body


def _unused_name(exchange: Exchange, name: object, own: Watchlist | None) -> str:
    if not isinstance(name, str) or not 0 < len(name) <= NAME_LENGTH_MAX:
        raise malformed(f"name is required, of at most {NAME_LENGTH_MAX} characters")
    if any(each.name == name and each is not own for each in exchange.watchlists):
        raise unprocessable("watchlist name must be unique")
    return name


def _symbols(exchange: Exchange, body: Mapping[str, Any]) -> list[str]:
    named = body.get("symbols") or []
    if not isinstance(named, list):
        raise malformed("symbols must be a list")
    return list(dict.fromkeys(_known(exchange, symbol) for symbol in named if symbol is not None))


def _known(exchange: Exchange, symbol: object) -> str:
    found = find_asset(exchange, symbol) if isinstance(symbol, str) else None
    if found is None:
        raise unprocessable(f"asset not found for {symbol}")
    return found


def _heading(exchange: Exchange, watchlist: Watchlist) -> Json:
    return {
        "id": watchlist.watchlist_id,
        "account_id": exchange.account_id,
        "created_at": timestamp(watchlist.created_at),
        "updated_at": timestamp(watchlist.updated_at),
        "name": watchlist.name,
    }


def _render(exchange: Exchange, watchlist: Watchlist) -> Json:
    assets = [render_asset(exchange, symbol) for symbol in watchlist.symbols]
    return {**_heading(exchange, watchlist), "assets": assets}
