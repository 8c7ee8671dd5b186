"""Quotes, trades and bars of the past, watchlists and hours: what clients read besides orders."""

from datetime import timedelta
from typing import Any

import pytest

from simulator.exchange import Exchange, RefusalError
from simulator.exchange.asset_endpoints import (
    delete_watchlist_symbol,
    get_assets,
    post_watchlist,
    post_watchlist_symbol,
    put_watchlist,
)
from simulator.exchange.calls import Call, Endpoint
from simulator.exchange.corporate_action_endpoints import get_announcement, get_announcements
from simulator.exchange.history_endpoints import (
    get_option_bars,
    get_option_trades,
    get_stock_quotes,
    get_stock_trades,
)
from simulator.exchange.stock_endpoints import get_movers
from simulator.exchange.time_endpoints import get_calendar, get_clocks, get_market_calendar
from simulator.worlds.synthetic import SyntheticWorld
from simulator.worlds.world import ListingFilter
from tests.simulation.exchange.builders import NOON, PUT_100, exchange_at_noon, usual_world
from tests.simulation.exchange.small_world import MONDAY, WEEK

SINCE_MONDAY = {"start": MONDAY.isoformat()}


def asked(endpoint: Endpoint, exchange: Exchange, **query: str) -> Any:
    return endpoint(exchange, Call(query=query)).body


def pages(endpoint: Endpoint, exchange: Exchange, name: str, **query: str) -> list[Any]:
    rows: list[Any] = []
    token = ""
    while token is not None:
        body = asked(endpoint, exchange, **query, page_token=token)
        rows += [(symbol, row["t"]) for symbol, part in body[name].items() for row in part]
        token = body["next_page_token"]
    return rows


def test_a_quote_a_minute_in_pages_over_symbols_and_either_way() -> None:
    exchange = exchange_at_noon(usual_world().with_stock("50", "50.02", symbol="BETA"))
    query = {"symbols": "BETA,ACME", **SINCE_MONDAY, "limit": "40"}
    rows = pages(get_stock_quotes, exchange, "quotes", **query)
    assert len(rows) == len(set(rows)) == 2 * 151
    assert rows == sorted(rows)
    newest = asked(get_stock_trades, exchange, **{**query, "sort": "desc", "limit": "1"})
    assert newest["trades"]["ACME"][0]["t"].startswith("2026-06-15T16:00:00")


def test_nothing_is_told_of_minutes_to_come() -> None:
    exchange = exchange_at_noon()
    later = (NOON + timedelta(minutes=1)).isoformat()
    body = asked(get_stock_quotes, exchange, symbols="ACME", start=later, end="2026-06-19")
    assert body == {"quotes": {}, "next_page_token": None}


def test_trades_of_a_contract_add_up_to_the_volume_of_its_bars() -> None:
    world = SyntheticWorld(1, session_count=1)
    exchange = Exchange(world)
    exchange.clock.advance(2 * 3600)
    stock = exchange.market.stock("ALFA")
    assert stock is not None
    chain = exchange.world.chain("ALFA", exchange.now, ListingFilter())
    busiest = max(chain, key=lambda listing: listing.volume).contract.symbol
    query = {"symbols": busiest, "start": exchange.calendar.first.session.isoformat()}
    trades = asked(get_option_trades, exchange, **query, limit="10000")["trades"][busiest]
    bars = asked(get_option_bars, exchange, **query, timeframe="1Hour")["bars"][busiest]
    (day,) = asked(get_option_bars, exchange, **query, timeframe="1Day")["bars"][busiest]
    assert len(trades) > 10
    assert sum(trade["s"] for trade in trades) == sum(bar["v"] for bar in bars) == day["v"]


def test_contracts_of_no_world_and_quiet_ones_have_no_bars() -> None:
    exchange = exchange_at_noon()
    query = {"symbols": f"{PUT_100},NONE260619P00100000,NOPE", **SINCE_MONDAY}
    assert list(asked(get_option_bars, exchange, **query, timeframe="1Hour")["bars"]) == [PUT_100]
    assert list(asked(get_option_trades, exchange, **query)["trades"]) == [PUT_100]


def test_a_watchlist_keeps_the_order_of_its_symbols_and_takes_each_once() -> None:
    exchange = exchange_at_noon(usual_world().with_stock("50", "50.02", symbol="BETA"))

    def act(endpoint: Endpoint, body: Any, **path: str) -> Any:
        return endpoint(exchange, Call(path=path, body=body)).body

    made = act(post_watchlist, {"name": "mine", "symbols": ["BETA", "ACME", "BETA", None]})
    assert [asset["symbol"] for asset in made["assets"]] == ["BETA", "ACME"]
    own = {"watchlist_id": made["id"]}
    for endpoint, body, path, message in (
        (post_watchlist, {"name": "mine"}, {}, "name must be unique"),
        (post_watchlist, {"symbols": []}, {}, "name is required"),
        (post_watchlist, [], {}, "request body format is invalid"),
        (post_watchlist, {"name": "b", "symbols": "ACME"}, {}, "symbols must be a list"),
        (post_watchlist_symbol, {"symbol": "ACME"}, own, "duplicate symbol"),
        (post_watchlist_symbol, {"symbol": "NOPE"}, own, "asset not found"),
        (put_watchlist, {"name": "b"}, {"watchlist_id": "x"}, "watchlist not found for x"),
        (delete_watchlist_symbol, None, {**own, "symbol": "NOPE"}, "symbol not found"),
    ):
        with pytest.raises(RefusalError, match=message):
            act(endpoint, body, **path)
    assert act(put_watchlist, {"name": "mine", "symbols": ["ACME"]}, **own)["name"] == "mine"


def test_attributes_of_assets_are_alternatives() -> None:
    exchange = exchange_at_noon()
    assert len(asked(get_assets, exchange, attributes="ipo,has_options")) == 1
    assert asked(get_assets, exchange, attributes="ipo") == []


@pytest.mark.parametrize(
    ("moment", "nyse", "opra"),
    [
        ("2026-06-15T07:00:00Z", "closed", "closed"),
        ("2026-06-15T12:00:00Z", "pre", "closed"),
        ("2026-06-15T16:00:00Z", "core", "core"),
        ("2026-06-15T21:00:00Z", "post", "closed"),
        ("2026-06-20T16:00:00Z", "closed", "closed"),
    ],
)
def test_the_hours_of_a_market_have_phases(moment: str, nyse: str, opra: str) -> None:
    clocks = asked(get_clocks, exchange_at_noon(), markets="XNYS,OPRA", time=moment)["clocks"]
    assert [clock["phase"] for clock in clocks] == [nyse, opra]
    assert all(clock["phase_until"] > clock["timestamp"] for clock in clocks)


def test_calendars_of_markets_and_of_settlement() -> None:
    exchange = exchange_at_noon()
    body = get_market_calendar(
        exchange, Call(path={"market": "NASDAQ"}, query={"timezone": "UTC", **SINCE_MONDAY})
    ).body
    assert body["calendar"][0]["core_start"] == WEEK[0].opens_at.isoformat()
    assert body["market"]["mic"] == "XNAS"
    with pytest.raises(RefusalError, match="unknown market: LSE"):
        get_market_calendar(exchange, Call(path={"market": "LSE"}))
    tuesday = (MONDAY + timedelta(days=1)).isoformat()
    query = {"start": tuesday, "end": tuesday, "date_type": "SETTLEMENT"}
    assert [row["date"] for row in asked(get_calendar, exchange, **query)] == [MONDAY.isoformat()]


@pytest.mark.parametrize(
    "query",
    [
        {"since": "2026-06-15", "until": "2026-06-16"},
        {"ca_types": "dividend", "since": "2026-01-01", "until": "2026-06-16"},
        {"ca_types": "party", "since": "2026-06-15", "until": "2026-06-16"},
    ],
)
def test_announcements_are_asked_for_by_kind_and_range(query: dict[str, str]) -> None:
    with pytest.raises(RefusalError):
        asked(get_announcements, exchange_at_noon(), **query)


def test_an_announcement_that_nobody_made_is_not_found() -> None:
    with pytest.raises(RefusalError, match="announcement not found"):
        get_announcement(exchange_at_noon(), Call(path={"id": "x"}))


def test_movers_are_of_stocks() -> None:
    with pytest.raises(RefusalError, match="stocks only"):
        get_movers(exchange_at_noon(), Call(path={"market_type": "crypto"}))
    body = get_movers(exchange_at_noon(), Call(path={"market_type": "stocks"})).body
    assert [row["symbol"] for row in body["gainers"]] == ["ACME"]
