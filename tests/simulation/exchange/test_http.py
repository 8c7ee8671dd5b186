"""The exchange over HTTP, as alpaca-py's typed clients and plain requests see it."""

import socket
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import requests
from alpaca.common.exceptions import APIError
from alpaca.data.requests import (
    OptionChainRequest,
    OptionLatestQuoteRequest,
    OptionSnapshotRequest,
    StockBarsRequest,
    StockLatestQuoteRequest,
    StockSnapshotRequest,
)
from alpaca.data.timeframe import TimeFrame
from alpaca.trading.enums import (
    AssetClass,
    OrderClass,
    OrderSide,
    OrderStatus,
    PositionIntent,
    QueryOrderStatus,
    TimeInForce,
)
from alpaca.trading.requests import (
    GetAssetsRequest,
    GetCalendarRequest,
    GetOptionContractsRequest,
    GetOrdersRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    OptionLegRequest,
)

from simulator.exchange import ExchangeUnavailableError, serve
from tests.simulation.exchange.alpaca_clients import Clients
from tests.simulation.exchange.builders import CALL_110, PUT_95, PUT_100, exchange_at_noon
from tests.simulation.exchange.small_world import FRIDAY, MONDAY


def spread_request(limit: float = -0.6, qty: int = 1, **fields: Any) -> LimitOrderRequest:
    return LimitOrderRequest(
        qty=qty,
        order_class=OrderClass.MLEG,
        time_in_force=TimeInForce.DAY,
        limit_price=limit,
        legs=[
            OptionLegRequest(
                symbol=PUT_100,
                ratio_qty=1,
                side=OrderSide.SELL,
                position_intent=PositionIntent.SELL_TO_OPEN,
            ),
            OptionLegRequest(symbol=PUT_95, ratio_qty=1, side=OrderSide.BUY),
        ],
        **fields,
    )


def raw(clients: Clients, method: str, path: str, **arguments: Any) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        exchange = clients.exchange
        headers = {
            "APCA-API-KEY-ID": exchange.key_id,
            "APCA-API-SECRET-KEY": exchange.secret_key,
            **arguments.pop("headers", {}),
        }
        return session.request(
            method, clients.server.url + path, headers=headers, timeout=5, **arguments
        )


def test_a_multi_leg_order_is_placed_polled_and_filled(clients: Clients) -> None:
    placed = clients.trading.submit_order(spread_request(client_order_id="spread-1"))
    assert placed.status is OrderStatus.ACCEPTED
    assert placed.symbol is None
    assert [leg.symbol for leg in placed.legs] == [PUT_100, PUT_95]
    clients.exchange.clock.advance(1)
    assert clients.trading.get_order_by_id(placed.id).status is OrderStatus.NEW
    clients.exchange.clock.advance(4)
    filled = clients.trading.get_order_by_client_id("spread-1")
    assert (filled.status, filled.filled_avg_price) == (OrderStatus.FILLED, "-0.6")
    positions = {row.symbol: row.qty for row in clients.trading.get_all_positions()}
    assert positions == {PUT_100: "-1", PUT_95: "1"}
    assert clients.trading.get_open_position(PUT_95).side == "long"
    assert clients.trading.get_account().cash == "100060"


def test_a_working_order_is_cancelled_and_listed(clients: Clients) -> None:
    placed = clients.trading.submit_order(spread_request(-0.69))
    listed = clients.trading.get_orders(GetOrdersRequest(nested=True, symbols=["ACME"]))
    assert [order.id for order in listed] == [placed.id]
    assert len(listed[0].legs) == 2
    clients.trading.cancel_order_by_id(placed.id)
    assert clients.trading.get_order_by_id(placed.id).status is OrderStatus.CANCELED
    assert clients.trading.get_orders() == []
    closed = clients.trading.get_orders(GetOrdersRequest(status=QueryOrderStatus.CLOSED))
    assert [order.symbol for order in closed] == [None, PUT_100, PUT_95]


def test_cancelling_a_filled_order_says_why_not(clients: Clients) -> None:
    placed = clients.trading.submit_order(spread_request())
    clients.exchange.clock.advance(5)
    with pytest.raises(APIError) as refused:
        clients.trading.cancel_order_by_id(placed.id)
    assert (refused.value.status_code, refused.value.code) == (422, 42210000)


def test_all_orders_are_cancelled_at_once(clients: Clients) -> None:
    for number in range(3):
        clients.trading.submit_order(spread_request(-0.69, client_order_id=f"order-{number}"))
    assert [row.status for row in clients.trading.cancel_orders()] == [200, 200, 200]
    assert clients.exchange.working_orders == ()


def test_a_repeated_client_order_id_is_refused_and_the_first_found(clients: Clients) -> None:
    placed = clients.trading.submit_order(spread_request(client_order_id="twice"))
    with pytest.raises(APIError) as refused:
        clients.trading.submit_order(spread_request(client_order_id="twice"))
    assert (refused.value.status_code, refused.value.code) == (422, 40010001)
    assert clients.trading.get_order_by_client_id("twice").id == placed.id


def test_a_stock_is_bought_at_market(clients: Clients) -> None:
    order = clients.trading.submit_order(
        MarketOrderRequest(symbol="ACME", qty=10, side=OrderSide.BUY, time_in_force=TimeInForce.DAY)
    )
    clients.exchange.clock.advance(5)
    assert clients.trading.get_order_by_id(order.id).filled_avg_price == "105.05"
    by_asset_id = clients.trading.get_open_position(order.asset_id)
    assert (by_asset_id.symbol, by_asset_id.asset_class) == ("ACME", AssetClass.US_EQUITY)


def test_the_chain_is_paged_and_filtered(clients: Clients) -> None:
    chain = clients.options.get_option_chain(
        OptionChainRequest(
            underlying_symbol="ACME", type="put", expiration_date_gte=MONDAY, strike_price_gte=90
        )
    )
    assert sorted(chain) == [PUT_95, PUT_100]
    quote = chain[PUT_100].latest_quote
    assert (quote.bid_price, quote.ask_price, quote.bid_size) == (1.4, 1.6, 10)
    pages = []
    token = None
    for _ in range(4):
        query = {"limit": 1, "page_token": token} if token else {"limit": 1}
        page = raw(clients, "GET", "/v1beta1/options/snapshots/ACME", params=query).json()
        pages.extend(page["snapshots"])
        token = page["next_page_token"]
    assert token is None
    assert len(set(pages)) == 4


def test_snapshots_carry_volume_in_their_bars(clients: Clients) -> None:
    query = {"symbols": f"{PUT_100},{CALL_110}"}
    rows = raw(clients, "GET", "/v1beta1/options/snapshots", params=query).json()["snapshots"]
    assert rows[PUT_100]["dailyBar"]["v"] == 70
    typed = clients.options.get_option_snapshot(OptionSnapshotRequest(symbol_or_symbols=PUT_100))
    assert typed[PUT_100].latest_quote.ask_price == 1.6


def test_a_side_without_a_quote_is_zero(clients: Clients) -> None:
    world: Any = clients.exchange.world
    world.with_option(PUT_95, None, "0.05", since=clients.exchange.now)
    clients.exchange.clock.advance(1)
    request = OptionLatestQuoteRequest(symbol_or_symbols=PUT_95)
    quote = clients.options.get_option_latest_quote(request)[PUT_95]
    assert (quote.bid_price, quote.bid_size, quote.ask_price) == (0, 0, 0.05)


def test_contracts_tell_open_interest_as_text(clients: Clients) -> None:
    page = clients.trading.get_option_contracts(
        GetOptionContractsRequest(
            underlying_symbols=["ACME"], expiration_date_gte=MONDAY, expiration_date_lte=FRIDAY
        )
    )
    assert len(page.option_contracts) == 4
    put = clients.trading.get_option_contract(PUT_100)
    assert (put.strike_price, put.expiration_date, put.size) == (100, FRIDAY, "100")
    assert clients.trading.get_option_contract(put.id).symbol == PUT_100
    clients.exchange.clock.advance(86_400)
    assert clients.trading.get_option_contract(PUT_100).open_interest == "500"


def test_daily_bars_end_with_the_last_completed_session(clients: Clients) -> None:
    start = datetime(2026, 6, 1, tzinfo=UTC)
    request = StockBarsRequest(symbol_or_symbols="ACME", timeframe=TimeFrame.Day, start=start)
    bars = clients.stocks.get_stock_bars(request).data["ACME"]
    assert len(bars) == 10
    assert bars[-1].timestamp.date() == MONDAY - timedelta(days=3)
    limited = StockBarsRequest(
        symbol_or_symbols="ACME", timeframe=TimeFrame.Day, start=start, limit=4
    )
    assert len(clients.stocks.get_stock_bars(limited).data["ACME"]) == 4


def test_stock_snapshots_and_quotes(clients: Clients) -> None:
    snapshot = clients.stocks.get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols="ACME"))
    assert snapshot["ACME"].daily_bar.volume == 1_000_000
    assert snapshot["ACME"].previous_daily_bar.close == 97
    quotes = clients.stocks.get_stock_latest_quote(
        StockLatestQuoteRequest(symbol_or_symbols="ACME")
    )
    assert quotes["ACME"].bid_price == 104.95


def test_clock_calendar_and_assets(clients: Clients) -> None:
    clock = clients.trading.get_clock()
    assert clock.is_open
    assert clock.next_close == clients.exchange.world.sessions[0].closes_at
    days = clients.trading.get_calendar(GetCalendarRequest(start=MONDAY, end=FRIDAY))
    assert [day.date for day in days] == [MONDAY + timedelta(days=n) for n in range(5)]
    assert days[0].open.hour == 9
    assets = clients.trading.get_all_assets(GetAssetsRequest(asset_class=AssetClass.US_EQUITY))
    assert [asset.symbol for asset in assets] == ["ACME"]
    assert clients.trading.get_asset("ACME").tradable


def test_the_clock_looks_past_the_last_session(clients: Clients) -> None:
    clients.exchange.clock.advance_to(clients.exchange.world.sessions[-1].closes_at)
    clock = clients.trading.get_clock()
    assert not clock.is_open
    assert clock.next_open.date() == FRIDAY + timedelta(days=3)


def test_the_calendar_beyond_the_world_knows_holidays_and_early_closes(clients: Clients) -> None:
    independence_week = GetCalendarRequest(start=date(2026, 7, 1), end=date(2026, 7, 7))
    days = [day.date.day for day in clients.trading.get_calendar(independence_week)]
    assert days == [1, 2, 6, 7]
    (after_thanksgiving,) = clients.trading.get_calendar(
        GetCalendarRequest(start=date(2026, 11, 27), end=date(2026, 11, 27))
    )
    assert after_thanksgiving.close.hour == 13


def test_activities_are_listed_newest_first_and_paged(clients: Clients) -> None:
    clients.trading.submit_order(spread_request())
    clients.exchange.clock.advance(5)
    first = clients.trading.get("/account/activities/FILL", {"page_size": 1})
    assert first[0]["symbol"] == PUT_95
    rest = clients.trading.get(
        "/account/activities", {"activity_types": "FILL", "page_token": first[0]["id"]}
    )
    assert [row["symbol"] for row in rest] == [PUT_100]


def test_wrong_keys_are_unauthorized(clients: Clients) -> None:
    reply = raw(clients, "GET", "/v2/account", headers={"APCA-API-SECRET-KEY": "wrong"})
    assert (reply.status_code, reply.json()["code"]) == (401, 40110000)
    data = raw(clients, "GET", "/v2/stocks/bars", headers={"APCA-API-KEY-ID": "wrong"})
    assert (data.status_code, list(data.json())) == (401, ["message"])


def test_every_reply_tells_the_rate_limit(clients: Clients) -> None:
    remaining = []
    for path in ("/v2/clock", "/v2/orders/unknown"):
        headers = raw(clients, "GET", path).headers
        assert headers["X-RateLimit-Limit"] == "200"
        assert int(headers["X-RateLimit-Reset"]) > 0
        remaining.append(int(headers["X-RateLimit-Remaining"]))
    assert remaining[0] - remaining[1] == 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/orders/unknown", 404),
        ("GET", "/v2/orders:by_client_order_id?client_order_id=unknown", 404),
        ("GET", "/v2/positions/ACME", 404),
        ("GET", "/v2/assets/NOPE", 404),
        ("GET", "/v2/options/contracts/ACME260619P00001000", 404),
        ("GET", "/v2/orders?limit=501", 400),
        ("GET", "/v2/orders?status=odd", 400),
        ("GET", "/v2/orders?after=whenever", 400),
        ("GET", "/v1beta1/options/snapshots/ACME?page_token=%21", 400),
        ("GET", "/v1beta1/options/snapshots", 400),
        ("GET", "/v2/stocks/bars?symbols=ACME&timeframe=2Week", 400),
    ],
)
def test_what_cannot_be_answered_is_said_so(
    clients: Clients, method: str, path: str, status: int
) -> None:
    reply = raw(clients, method, path)
    assert reply.status_code == status
    assert reply.json()["message"]


def test_a_body_that_is_no_json_is_refused(clients: Clients) -> None:
    for body in (b"{", b"[]", b'{"order_class": ["mleg"], "qty": {}}'):
        assert raw(clients, "POST", "/v2/orders", data=body).status_code == 422


def test_flags_are_read_in_either_spelling(clients: Clients) -> None:
    clients.trading.submit_order(spread_request(-0.69))
    for spelling, rows in (("True", 1), ("true", 1), ("False", 3), ("false", 3)):
        reply = raw(clients, "GET", "/v2/orders", params={"nested": spelling})
        assert len(reply.json()) == rows


def test_a_taken_port_is_named_in_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ExchangeUnavailableError, match=str(port)):
            serve(exchange_at_noon(), port)


def test_a_stopped_server_frees_its_port_and_a_second_stop_is_harmless() -> None:
    server = serve(exchange_at_noon())
    server.stop()
    server.stop()
    with serve(exchange_at_noon(), server.port) as again:
        assert again.port == server.port
