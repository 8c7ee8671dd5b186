"""Every endpoint, walked with alpaca-py's typed clients and checked against Alpaca's own files."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from alpaca.data.enums import MarketType, MostActivesBy
from alpaca.data.historical.corporate_actions import CorporateActionsClient
from alpaca.data.historical.news import NewsClient
from alpaca.data.historical.screener import ScreenerClient
from alpaca.data.requests import (
    CorporateActionsRequest,
    MarketMoversRequest,
    MostActivesRequest,
    NewsRequest,
    OptionBarsRequest,
    OptionChainRequest,
    OptionLatestQuoteRequest,
    OptionLatestTradeRequest,
    OptionSnapshotRequest,
    OptionTradesRequest,
    StockBarsRequest,
    StockLatestBarRequest,
    StockLatestQuoteRequest,
    StockLatestTradeRequest,
    StockQuotesRequest,
    StockSnapshotRequest,
    StockTradesRequest,
)
from alpaca.data.timeframe import TimeFrame
from alpaca.trading.enums import CorporateActionType
from alpaca.trading.models import OptionContractsResponse, Order, PortfolioHistory
from alpaca.trading.requests import (
    ClosePositionRequest,
    CreateWatchlistRequest,
    GetCorporateAnnouncementsRequest,
    GetOptionContractsRequest,
    GetOrdersRequest,
    GetPortfolioHistoryRequest,
    ReplaceOrderRequest,
    UpdateWatchlistRequest,
)

from simulator.exchange import serve
from simulator.exchange.corporate_actions import Split
from simulator.exchange.routes import MARKET_DATA, TRADING
from tests.simulation.exchange.alpaca_clients import Clients, clients_of, close_clients
from tests.simulation.exchange.builders import (
    CALL_110,
    PUT_95,
    PUT_100,
    at_close,
    exchange_at_noon,
    filled,
    put_spread,
    single_order,
)
from tests.simulation.exchange.small_world import FRIDAY, MONDAY, SmallWorld, contract_symbol
from tests.simulation.exchange.specifications import Specification
from tests.simulation.exchange.test_lifecycle import DIVIDEND, TUESDAY

CALL_100 = contract_symbol("C", 100)
EVERY_CONTRACT = GetOptionContractsRequest(
    underlying_symbols=["ACME"], expiration_date_gte=MONDAY, show_deliverables=True
)
LAST_WEEK = datetime(2026, 6, 8, tzinfo=UTC)


class Recorder:
    """Note every exchange of request and answer that a client's session makes."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, int, Any]] = []

    def note(self, response: requests.Response, *_: Any, **__: Any) -> None:
        path = str(response.request.path_url).split("?")[0]
        body = response.json() if response.content else None
        self.seen.append((str(response.request.method), path, response.status_code, body))


def well_stocked_world() -> SmallWorld:
    split = Split(
        "ACME",
        TUESDAY,
        new_rate=Decimal(2),
        old_rate=Decimal(1),
    )
    world = SmallWorld(actions=[DIVIDEND, split])
    world.with_stock("104.95", "105.05")
    for symbol, bid, ask in (
        (PUT_100, "1.40", "1.60"),
        (PUT_95, "0.70", "0.90"),
        (CALL_110, "1.00", "1.10"),
        (CALL_100, "5.50", "5.70"),
    ):
        world.with_option(symbol, bid, ask)
    return world


@pytest.fixture(scope="module")
def walked() -> Recorder:
    """Walk every endpoint once with alpaca-py, noting what was answered."""
    recorder = Recorder()
    exchange = exchange_at_noon(well_stocked_world(), behaves_like="live", fees="regulatory")
    with serve(exchange) as server:
        clients = clients_of(server)
        for client in (clients.trading, clients.options, clients.stocks):
            client._session.hooks["response"].append(recorder.note)
        walk_orders(clients)
        walk_positions(clients)
        walk_account(clients)
        walk_watchlists(clients)
        walk_market(clients, recorder)
        walk_what_the_sdk_has_no_name_for(clients)
        close_clients(clients)
    return recorder


def walk_orders(clients: Clients) -> None:
    trading, clock = clients.trading, clients.exchange.clock
    filled(clients.exchange, put_spread("-0.50", qty=2))
    placed = Order(**trading.post("/orders", put_spread("-0.69", client_order_id="walked")))
    clock.advance(1)
    replaced = trading.replace_order_by_id(placed.id, ReplaceOrderRequest(limit_price=-0.68))
    assert replaced.replaces == placed.id
    assert trading.get_order_by_id(replaced.id).legs[0].ratio_qty == "1"
    assert trading.get_order_by_client_id("walked").replaced_by == replaced.id
    trading.cancel_order_by_id(replaced.id)
    trading.post("/orders", single_order("ACME", "buy", "100", qty=5))
    assert len(trading.get_orders(GetOrdersRequest(nested=True, status="all"))) == 4
    assert len(trading.get_orders(GetOrdersRequest(nested=False))) == 1
    assert [row.status for row in trading.cancel_orders()] == [200]


def walk_positions(clients: Clients) -> None:
    trading, exchange = clients.trading, clients.exchange
    filled(exchange, single_order("ACME", "buy", "106", qty=100))
    filled(exchange, single_order(CALL_100, "buy", "5.70", qty=2))
    assert len(trading.get_all_positions()) == 4
    assert trading.get_open_position(PUT_100).qty == "-2"
    closing = trading.close_position(CALL_100, ClosePositionRequest(qty="1"))
    assert closing.position_intent == "sell_to_close"
    exchange.clock.advance(5)
    trading.exercise_options_position(CALL_100)
    assert trading.get_open_position("ACME").qty == "200"
    responses = trading.close_all_positions(cancel_orders=True)
    assert {response.status for response in responses} == {200, 403}
    exchange.clock.advance(5)
    exchange.clock.advance_to(at_close() + timedelta(hours=18))


def walk_account(clients: Clients) -> None:
    trading = clients.trading
    assert trading.get_account().options_trading_level == 3
    configuration = trading.get_account_configurations()
    configuration.max_options_trading_level = 2
    assert trading.set_account_configurations(configuration).max_options_trading_level == 2
    trading.patch("/account/configurations", {"max_options_trading_level": 3})
    history = trading.get_portfolio_history(GetPortfolioHistoryRequest(period="1M"))
    assert isinstance(history, PortfolioHistory)
    assert len(history.equity) == 2
    types = {row["activity_type"] for row in trading.get("/account/activities")}
    assert types == {"FILL", "OPCA", "OPEXC", "OPTRD", "FEE"}
    trading.get("/account/activities/FILL", {"page_size": 2})
    assert not trading.get_clock().is_open or trading.get_clock().next_close
    assert len(trading.get_calendar()) > 200
    assert trading.get_asset(trading.get_all_assets()[0].id).symbol == "ACME"


def walk_watchlists(clients: Clients) -> None:
    trading = clients.trading
    made = trading.create_watchlist(CreateWatchlistRequest(name="mine", symbols=["ACME"]))
    assert [asset.symbol for asset in made.assets] == ["ACME"]
    assert trading.remove_asset_from_watchlist_by_id(made.id, "ACME").assets == []
    assert len(trading.add_asset_to_watchlist_by_id(made.id, "ACME").assets) == 1
    renamed = UpdateWatchlistRequest(name="ours")
    assert trading.update_watchlist_by_id(made.id, renamed).name == "ours"
    assert trading.get_watchlist_by_id(made.id).assets[0].symbol == "ACME"
    assert [each.id for each in trading.get_watchlists()] == [made.id]
    trading.delete_watchlist_by_id(made.id)
    trading.post("/watchlists", {"name": "named"})
    by_name = "/watchlists:by_name?name=named"
    trading.post(by_name, {"symbol": "ACME"})
    trading.put(by_name, {"symbols": []})
    assert trading.get(by_name)["assets"] == []
    trading.delete(by_name)
    assert trading.get_watchlists() == []


def walk_market(clients: Clients, recorder: Recorder) -> None:
    options, stocks = clients.options, clients.stocks
    contracts = clients.trading.get_option_contracts(EVERY_CONTRACT)
    assert isinstance(contracts, OptionContractsResponse)
    assert clients.trading.get_option_contract(PUT_100).open_interest == "500"
    chain = options.get_option_chain(OptionChainRequest(underlying_symbol="ACME"))
    assert len(chain) == 4
    two = [PUT_95, PUT_100]
    assert len(options.get_option_snapshot(OptionSnapshotRequest(symbol_or_symbols=two))) == 2
    assert options.get_option_latest_quote(OptionLatestQuoteRequest(symbol_or_symbols=two))
    trades = options.get_option_latest_trade(OptionLatestTradeRequest(symbol_or_symbols=two))
    assert trades[PUT_100].price == 1.5
    request = OptionBarsRequest(symbol_or_symbols=two, timeframe=TimeFrame.Day, start=LAST_WEEK)
    assert [bar.close for bar in options.get_option_bars(request).data[PUT_100]] == [1.5, 1.5]
    lived = OptionTradesRequest(symbol_or_symbols=two, start=LAST_WEEK)
    assert {trade.price for trade in options.get_option_trades(lived).data[PUT_100]} == {1.5}
    hourly = OptionBarsRequest(symbol_or_symbols=two, timeframe=TimeFrame.Hour, start=LAST_WEEK)
    assert [bar.volume for bar in options.get_option_bars(hourly).data[PUT_100]] == [70, 70]
    assert options.get_option_exchange_codes()
    assert stocks.get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols="ACME"))
    assert stocks.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols="ACME"))
    assert stocks.get_stock_latest_trade(StockLatestTradeRequest(symbol_or_symbols="ACME"))
    assert stocks.get_stock_latest_bar(StockLatestBarRequest(symbol_or_symbols="ACME"))
    quoted = StockQuotesRequest(symbol_or_symbols=["ACME"], start=LAST_WEEK, limit=400)
    assert len(stocks.get_stock_quotes(quoted).data["ACME"]) == 400
    traded = StockTradesRequest(symbol_or_symbols="ACME", start=LAST_WEEK, limit=5, sort="desc")
    assert len(stocks.get_stock_trades(traded).data["ACME"]) == 5
    for adjustment in ("raw", "all"):
        daily = StockBarsRequest(
            symbol_or_symbols="ACME",
            timeframe=TimeFrame.Day,
            start=LAST_WEEK,
            adjustment=adjustment,
        )
        assert len(stocks.get_stock_bars(daily).data["ACME"]) == 6
    keys = (clients.exchange.key_id, clients.exchange.secret_key)
    actions = CorporateActionsClient(*keys, url_override=clients.server.url)
    news = NewsClient(*keys, url_override=clients.server.url)
    screener = ScreenerClient(*keys, url_override=clients.server.url)
    for client in (actions, news, screener):
        client._session.trust_env = False
        client._session.hooks["response"].append(recorder.note)
    found = actions.get_corporate_actions(
        CorporateActionsRequest(symbols=["ACME"], start=MONDAY, end=FRIDAY)
    )
    assert set(found.data) == {"cash_dividends", "forward_splits"}
    assert news.get_news(NewsRequest(symbols="ACME")).data["news"] == []
    assert (
        screener.get_most_actives(MostActivesRequest(by=MostActivesBy.VOLUME))
        .most_actives[0]
        .symbol
        == "ACME"
    )
    assert (
        screener.get_market_movers(MarketMoversRequest(market_type=MarketType.STOCKS)).losers == []
    )
    for client in (actions, news, screener):
        client._session.close()
    asked = GetCorporateAnnouncementsRequest(
        ca_types=[CorporateActionType.DIVIDEND, CorporateActionType.SPLIT],
        since=MONDAY,
        until=FRIDAY,
    )
    with pytest.warns(DeprecationWarning, match="deprecated"):
        announced = clients.trading.get_corporate_announcements(asked)
    one = clients.trading.get_corporate_announcement_by_id(announced[0].id)
    assert len(announced) == 2
    assert one == announced[0]


def walk_what_the_sdk_has_no_name_for(clients: Clients) -> None:
    stocks, options = clients.stocks, clients.options
    for name in ("snapshot", "quotes/latest", "trades/latest", "bars/latest"):
        assert stocks.get(f"/stocks/ACME/{name}", None)["symbol"] == "ACME"
    since = {"start": "2026-06-08", "limit": 3}
    for name in ("quotes", "trades", "auctions"):
        assert len(stocks.get(f"/stocks/ACME/{name}", since)[name]) == 3
    assert stocks.get("/stocks/auctions", {"symbols": "ACME", **since})["auctions"]["ACME"]
    assert stocks.get("/stocks/meta/conditions/trade", {"tape": "C"})
    assert stocks.get("/stocks/meta/exchanges", None)
    clocks = clients.trading.get("/clock", {"markets": "NYSE,OPRA"}, api_version="v3")["clocks"]
    assert [each["market"]["acronym"] for each in clocks] == ["NYSE", "OPRA"]
    calendar = clients.trading.get("/calendar/OPRA", None, api_version="v3")["calendar"]
    assert calendar[0]["core_start"].endswith("T09:30:00-04:00")
    assert stocks.get("/stocks/ACME/bars", {"timeframe": "1Day", "start": "2026-06-08"})["bars"]
    assert options.get("/options/meta/conditions/trade", None)
    clients.exchange.clock.advance_to(at_close(4) - timedelta(hours=2))
    filled(clients.exchange, single_order(CALL_110, "buy", "1.10"))
    clients.trading.post(f"/positions/{CALL_110}/do-not-exercise")
    assert clients.exchange.book.positions[CALL_110].do_not_exercise


def matching_route(method: str, path: str) -> str | None:
    for route_method, route_path, _ in (*TRADING, *MARKET_DATA):
        pattern = re.sub(r"\\\{[a-z_]+\\\}", "[^/]+", re.escape(route_path))
        if method == route_method and re.fullmatch(pattern, path):
            return route_path
    return None


def test_every_route_was_walked(walked: Recorder) -> None:
    reached = {(method, matching_route(method, path)) for method, path, _, _ in walked.seen}
    assert {(method, path) for method, path, _ in (*TRADING, *MARKET_DATA)} == reached


def test_every_answer_fits_alpacas_own_schema(
    walked: Recorder, specification_directory: Path
) -> None:
    files = [
        Specification(specification_directory / name)
        for name in ("trading-api.json", "market-data-api.json")
    ]
    violations, validated = [], 0
    for method, path, status, body in walked.seen:
        route = matching_route(method, path)
        shown = body
        if (method, path) == ("DELETE", "/v2/positions"):
            # The schema knows orders only; a position that cannot be closed carries its refusal.
            shown = [row for row in body if row["status"] == 200]
        for specification in files:
            if (method, route) in specification.paths:
                validated += 1
                violations += specification.violations(method, str(route), status, shown)
    assert not violations, "\n".join(violations)
    assert validated == len(walked.seen)
