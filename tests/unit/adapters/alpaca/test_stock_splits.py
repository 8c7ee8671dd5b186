"""Splits as Alpaca's corporate actions tell of them."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from agent.adapters.alpaca.market_data import AlpacaMarketData
from agent.market.splits import StockSplit
from agent.ports import BrokerMisunderstood
from tests.unit.adapters.alpaca.canned_server import CannedServer

ACTIONS = "GET /v1/corporate-actions"
FIRST, LAST = date(2026, 6, 6), date(2026, 6, 16)


def a_row(symbol: str = "ACME", ex_date: str = "2026-06-16", **changes: Any) -> dict[str, Any]:
    return {
        "id": "1",
        "symbol": symbol,
        "cusip": "000000000",
        "new_rate": 2,
        "old_rate": 1,
        "ex_date": ex_date,
        "process_date": ex_date,
    } | changes


def page(token: str | None = None, **kinds: list[dict[str, Any]]) -> dict[str, Any]:
    return {"corporate_actions": kinds, "next_page_token": token}


def test_splits_of_both_kinds_are_read_page_by_page_oldest_first(
    server: CannedServer, market: AlpacaMarketData
) -> None:
    server.says(ACTIONS, page("more", forward_splits=[a_row(), a_row("OTHER", "2026-06-20")]))
    reverse = a_row(ex_date="2026-06-08", new_rate=1, old_rate=2.5)
    server.says(ACTIONS, page(reverse_splits=[reverse], forward_splits=[a_row("STRANGE")]))
    assert market.splits(["OTHER", "ACME"], FIRST, LAST) == {
        "ACME": (
            StockSplit(date(2026, 6, 8), Decimal(1), Decimal("2.5")),
            StockSplit(date(2026, 6, 16), Decimal(2), Decimal(1)),
        )
    }
    first, _ = server.queries(ACTIONS)
    assert first == {
        "symbols": "ACME,OTHER",
        "types": "forward_split,reverse_split",
        "start": "2026-06-02",
        "end": "2026-06-20",
        "limit": "1000",
    }


def test_a_stock_without_splits_is_absent(server: CannedServer, market: AlpacaMarketData) -> None:
    server.says(ACTIONS, {"corporate_actions": None, "next_page_token": None})
    assert market.splits(["ACME"], FIRST, LAST) == {}


@pytest.mark.parametrize("changes", [{"new_rate": 0}, {"old_rate": -1}, {"new_rate": "many"}])
def test_a_ratio_that_is_none_is_misunderstood(
    server: CannedServer, market: AlpacaMarketData, changes: dict[str, Any]
) -> None:
    server.says(ACTIONS, page(forward_splits=[a_row(**changes)]))
    with pytest.raises(BrokerMisunderstood):
        market.splits(["ACME"], FIRST, LAST)
