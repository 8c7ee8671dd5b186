"""The market data API: options; and the trading API's list of contracts."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from agent.options.contracts import OptionType
from simulator.exchange.calendar import SATURDAY, new_york_date
from simulator.exchange.calls import Call, Reply, page_after
from simulator.exchange.errors import bad_query, not_found
from simulator.exchange.exchange import Exchange
from simulator.exchange.greeks import Greeks, greeks_of
from simulator.exchange.market_rendering import (
    OPTION_VENUE,
    Json,
    render_contract,
    render_option_quote,
    render_option_snapshot,
    render_option_trade,
    sessions_around,
)
from simulator.worlds.world import ListingFilter, OptionListing

SNAPSHOTS_DEFAULT = 100
SNAPSHOTS_MAX = 1_000
CONTRACTS_DEFAULT = 100
CONTRACTS_MAX = 10_000
LAST_QUOTE_BEFORE_CLOSE = timedelta(seconds=1)


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


def get_snapshots(exchange: Exchange, call: Call) -> Reply:
    """GET /v1beta1/options/snapshots?symbols=; what is not listed is left out."""
    listings = [exchange.market.option(symbol) for symbol in sorted(call.symbols())]
    return _snapshot_page(exchange, call, [listing for listing in listings if listing])


def _snapshot_page(exchange: Exchange, call: Call, listings: Iterable[OptionListing]) -> Reply:
    limit = call.limit("limit", SNAPSHOTS_DEFAULT, SNAPSHOTS_MAX)
    ordered = sorted(listings, key=lambda listing: listing.contract.symbol)
    keys = [listing.contract.symbol for listing in ordered]
    page, token = page_after(ordered, keys, call.text("page_token"), limit)
    today, before = sessions_around(exchange.calendar, exchange.now)
    greeks = _greeks(exchange, page)
    snapshots = {
        symbol: render_option_snapshot(listing, today, before, greeks.get(symbol))
        for listing in page
        for symbol in (listing.contract.symbol,)
    }
    return Reply({"snapshots": snapshots, "next_page_token": token})


def _greeks(exchange: Exchange, page: Sequence[OptionListing]) -> dict[str, Greeks]:
    found: dict[str, Greeks] = {}
    if not exchange.shows_greeks or exchange.faults.greeks_missing:
        return found
    by_underlying: dict[str, list[OptionListing]] = {}
    for listing in page:
        by_underlying.setdefault(listing.contract.underlying, []).append(listing)
    for underlying, listings in by_underlying.items():
        spot = exchange.market.mark(underlying)
        if spot is not None:
            moment = min(exchange.now, listings[0].at)
            today = new_york_date(exchange.now)
            found |= greeks_of(listings, spot, moment, today, exchange.calendar.closes_on)
    return found


def get_latest_quotes(exchange: Exchange, call: Call) -> Reply:
    """GET /v1beta1/options/quotes/latest."""
    quotes = {}
    for symbol in call.symbols():
        listing = exchange.market.option(symbol)
        if listing is not None:
            quotes[symbol] = render_option_quote(listing)
    return Reply({"quotes": quotes})


def get_latest_trades(exchange: Exchange, call: Call) -> Reply:
    """GET /v1beta1/options/trades/latest; a contract that did not trade today is left out."""
    trades = {}
    for symbol in call.symbols():
        listing = exchange.market.option(symbol)
        trade = None if listing is None else render_option_trade(listing)
        if trade is not None:
            trades[symbol] = trade
    return Reply({"trades": trades})


def get_conditions(_: Exchange, __: Call) -> Reply:
    """GET /v1beta1/options/meta/conditions/{ticktype}: the one that this exchange uses."""
    return Reply({" ": "Regular"})


def get_exchanges(_: Exchange, __: Call) -> Reply:
    """GET /v1beta1/options/meta/exchanges: the one venue of this exchange."""
    return Reply({OPTION_VENUE: "Simulated exchange"})


def get_contracts(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/options/contracts; without a date bound, as Alpaca, up to the coming weekend."""
    limit = call.limit("limit", CONTRACTS_DEFAULT, CONTRACTS_MAX)
    bounds = listing_filter(call)
    if bounds.expiration_min is None and bounds.expiration_max is None:
        today = new_york_date(exchange.now)
        weekend = today + timedelta(days=(SATURDAY - today.weekday()) % 7)
        bounds = replace(bounds, expiration_max=weekend)
    underlyings = call.words("underlying_symbols") or list(exchange.world.symbols)
    root = call.text("root_symbol")
    listed: list[OptionListing] = []
    is_listed = call.one_of("status", ("active", "inactive"), "active") == "active"
    if call.text("style") != "european":
        for underlying in underlyings:
            if root in {None, underlying}:
                listed.extend(
                    exchange.market.chain(underlying, bounds)
                    if is_listed
                    else _expired(exchange, underlying, bounds)
                )
    listed.sort(key=lambda listing: listing.contract.symbol)
    keys = [listing.contract.symbol for listing in listed]
    page, token = page_after(listed, keys, call.text("page_token"), limit)
    render = _contract_renderer(exchange, call)
    rows = [render(listing, is_listed=is_listed) for listing in page]
    return Reply({"option_contracts": rows, "next_page_token": token})


def get_contract(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/options/contracts/{symbol_or_id}."""
    named = str(call.path["symbol_or_id"])
    listing = exchange.market.option(exchange.identifiers.symbol_of(named))
    if listing is None:
        raise not_found(f"option contract {named} not found")
    return Reply(_contract_renderer(exchange, call)(listing))


def _expired(exchange: Exchange, underlying: str, bounds: ListingFilter) -> Iterator[OptionListing]:
    """List the contracts that expired on past sessions of the world, as they last were."""
    if underlying not in exchange.world.symbols:
        return
    today = new_york_date(exchange.now)
    first = bounds.expiration_min or exchange.world.sessions[0].session
    last = min(bounds.expiration_max or today, today - timedelta(days=1))
    for session in exchange.world.sessions:
        day = session.session
        if first <= day <= last:
            on_the_day = replace(bounds, expiration_min=day, expiration_max=day)
            at = session.closes_at - LAST_QUOTE_BEFORE_CLOSE
            yield from exchange.world.chain(underlying, at, on_the_day)


def _contract_renderer(exchange: Exchange, call: Call) -> Callable[..., Json]:
    """Give what spells the contracts of one answer, all as of the same session."""
    _, before = sessions_around(exchange.calendar, exchange.now)
    if before is None and exchange.open_interest_on_first_day:
        before = exchange.calendar.session_before(exchange.calendar.first.session)
    return partial(
        render_contract,
        identifiers=exchange.identifiers,
        open_interest_date=None if before is None else before.session.isoformat(),
        show_deliverables=call.flag("show_deliverables"),
    )


def listing_filter(call: Call) -> ListingFilter:
    """Read the bounds that chains and contracts share."""
    exact = call.date("expiration_date")
    named = call.text("type")
    if named is not None and named not in set(OptionType):
        raise bad_query(f"invalid type: {named}")
    return ListingFilter(
        expiration_min=exact or call.date("expiration_date_gte"),
        expiration_max=exact or call.date("expiration_date_lte"),
        strike_min=call.decimal("strike_price_gte"),
        strike_max=call.decimal("strike_price_lte"),
        option_type=None if named is None else OptionType(named),
    )
