"""Stocks: quotes and average volumes, from answers as Alpaca spells them."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from agent.adapters.alpaca.market_data import AlpacaMarketData
from agent.market.quotes import UnderlyingSnapshot
from agent.ports import BrokerMisunderstood
from tests.unit.adapters.alpaca.builders import bar_json, quote_json, quoted
from tests.unit.adapters.alpaca.canned_server import CannedServer

STOCKS = "GET /v2/stocks/snapshots"
BARS = "GET /v2/stocks/bars"


def bars(volumes: Iterable[int], last: date = date(2026, 6, 12)) -> list[dict[str, Any]]:
    """Spell bars of consecutive days up to `last`."""
    days = list(volumes)
    first = last - timedelta(days=len(days) - 1)
    return [
        bar_json((first + timedelta(days=index)).isoformat(), volume)
        for index, volume in enumerate(days)
    ]


def test_a_stock_has_its_quote_its_last_trade_and_its_average_volume(
    server: CannedServer, market: AlpacaMarketData
) -> None:
    trade = {"t": "2026-06-15T15:59:58Z", "p": 105.01, "s": 100}
    server.says(STOCKS, {"ACME": {"latestQuote": quote_json(104.95, 105.05), "latestTrade": trade}})
    server.says(BARS, {"bars": {"ACME": bars([1_000_000] * 20)}, "next_page_token": None})
    assert market.underlyings(["ACME"]) == {
        "ACME": UnderlyingSnapshot(
            symbol="ACME",
            quoted_at=datetime(2026, 6, 15, 15, 59, 59, 987654, tzinfo=UTC),
            bid=Decimal("104.95"),
            ask=Decimal("105.05"),
            last=Decimal("105.01"),
            average_volume_shares=1_000_000,
        )
    }


def test_a_side_of_zero_is_no_side(server: CannedServer, market: AlpacaMarketData) -> None:
    server.says(STOCKS, {"ACME": {"latestQuote": quote_json(0, 105.05), "latestTrade": None}})
    server.says(BARS, {"bars": None})
    stock = market.underlyings(["ACME"])["ACME"]
    assert (stock.bid, stock.ask, stock.last) == (None, Decimal("105.05"), None)


def test_a_stock_without_any_quote_is_absent(
    server: CannedServer, market: AlpacaMarketData
) -> None:
    server.says(STOCKS, {"ACME": {"latestTrade": {"p": 1}}, "GONE": None, "STRANGER": quoted()})
    assert market.underlyings(["ACME", "GONE", "UNKNOWN"]) == {}
    assert server.calls() == [STOCKS]


def test_no_symbols_ask_nothing(server: CannedServer, market: AlpacaMarketData) -> None:
    assert market.underlyings([]) == {}
    assert server.requests == []


def test_stocks_are_asked_for_in_batches_of_a_hundred(
    server: CannedServer, market: AlpacaMarketData
) -> None:
    symbols = [f"S{number}" for number in range(150)]
    server.says(STOCKS, {symbol: quoted() for symbol in symbols})
    server.says(BARS, {"bars": {}})
    assert set(market.underlyings([*symbols, *symbols])) == set(symbols)
    for call in (STOCKS, BARS):
        sizes = [len(query["symbols"].split(",")) for query in server.queries(call)]
        assert sizes == [100, 50]


def average_of(
    server: CannedServer, market: AlpacaMarketData, rows: list[dict[str, Any]]
) -> int | None:
    server.says(STOCKS, {"ACME": quoted()})
    server.says(BARS, {"bars": {"ACME": rows}})
    return market.underlyings(["ACME"])["ACME"].average_volume_shares


def test_the_average_volume_is_of_the_newest_twenty_sessions(
    server: CannedServer, market: AlpacaMarketData
) -> None:
    assert average_of(server, market, bars([9_000_000] * 5 + [100, 300] * 10)) == 200


def test_the_session_under_way_is_not_averaged(
    server: CannedServer, market: AlpacaMarketData
) -> None:
    rows = [*bars([100] * 20), bar_json("2026-06-15", 9_000_000)]
    assert average_of(server, market, rows) == 100


def test_too_few_sessions_make_an_unknown_average(
    server: CannedServer, market: AlpacaMarketData
) -> None:
    assert average_of(server, market, bars([100] * 9)) is None


def test_bars_are_consolidated_completed_and_paged(
    server: CannedServer, market: AlpacaMarketData
) -> None:
    server.says(STOCKS, {"ACME": quoted(), "OTHER": quoted()})
    server.says(BARS, {"bars": {"ACME": bars([100] * 15)}, "next_page_token": "more"})
    server.says(BARS, {"bars": {"ACME": [], "OTHER": bars([300] * 20)}, "next_page_token": None})
    found = market.underlyings(["OTHER", "ACME"])
    assert found["ACME"].average_volume_shares == 100
    assert found["OTHER"].average_volume_shares == 300
    first, second = server.queries(BARS)
    assert first == {
        "symbols": "ACME,OTHER",
        "timeframe": "1Day",
        "start": "2026-05-11T04:00:00Z",
        "end": "2026-06-15T03:59:59Z",
        "limit": "10000",
        "adjustment": "split",
        "feed": "sip",
    }
    assert second["page_token"] == "more"


def test_average_volumes_are_asked_for_once_a_session_and_quotes_each_time(
    server: CannedServer, market: AlpacaMarketData
) -> None:
    server.says(STOCKS, {"ACME": quoted()}).says(STOCKS, {"ACME": quoted()})
    server.says(STOCKS, {"ACME": {"latestQuote": quote_json(1, 2, "2026-06-16T15:00:00Z")}})
    server.says(BARS, {"bars": {}})
    for calls in (1, 1, 2):
        market.underlyings(["ACME"])
        assert len(server.queries(BARS)) == calls
    assert len(server.queries(STOCKS)) == 3


@pytest.mark.parametrize(
    "snapshot", [7, {"latestQuote": []}, {"latestQuote": {"t": "now"}}, {"latestQuote": {"bp": 1}}]
)
def test_a_stock_of_another_shape_is_misunderstood(
    server: CannedServer, market: AlpacaMarketData, snapshot: object
) -> None:
    server.says(STOCKS, {"ACME": snapshot}).says(BARS, {"bars": {}})
    with pytest.raises(BrokerMisunderstood, match="ACME"):
        market.underlyings(["ACME"])
