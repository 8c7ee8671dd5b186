"""Quotes, volumes and open interest, from answers as Alpaca spells them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from agent.adapters.alpaca.market_data import AlpacaMarketData
from agent.adapters.alpaca.session import AlpacaSession
from agent.market.quotes import UnderlyingSnapshot
from agent.options.contracts import OptionType
from agent.ports import BrokerMisunderstood, ChainRequest
from tests.unit.adapters.alpaca.builders import EXPIRATION, NOON, bar_json, put, quote_json
from tests.unit.adapters.alpaca.canned_server import CannedServer

STOCKS = "GET /v2/stocks/snapshots"
BARS = "GET /v2/stocks/bars"
CHAIN = "GET /v1beta1/options/snapshots/ACME"
QUOTES = "GET /v1beta1/options/snapshots"
CONTRACTS = "GET /v2/options/contracts"
ACME = UnderlyingSnapshot("ACME", NOON, Decimal("104.95"), Decimal("105.05"), None, None)
BOUNDS = ChainRequest(
    expiration_min=date(2026, 7, 10),
    expiration_max=date(2026, 7, 30),
    strike_min=Decimal(80),
    strike_max=Decimal(110),
    option_type=OptionType.PUT,
)
ANYTHING = ChainRequest(expiration_min=date(2026, 6, 1), expiration_max=date(2027, 6, 1))


@pytest.fixture
def market(session: AlpacaSession) -> AlpacaMarketData:
    return AlpacaMarketData(session, session)


def bars(volumes: Iterable[int], last: date = date(2026, 6, 12)) -> list[dict[str, Any]]:
    """Spell bars of consecutive days up to `last`."""
    days = list(volumes)
    first = last - timedelta(days=len(days) - 1)
    return [
        bar_json((first + timedelta(days=index)).isoformat(), volume)
        for index, volume in enumerate(days)
    ]


def contracts(*rows: dict[str, Any], following: str | None = None) -> dict[str, Any]:
    return {"option_contracts": list(rows), "next_page_token": following}


def contract(symbol: str, open_interest: str | None = "237", **fields: Any) -> dict[str, Any]:
    row = {"symbol": symbol, "root_symbol": "ACME", "multiplier": "100", "size": "100"}
    return {**row, "open_interest": open_interest, **fields}


def snapshots(by_symbol: dict[str, Any], following: str | None = None) -> dict[str, Any]:
    return {"snapshots": by_symbol, "next_page_token": following}


def quoted(bid: float = 1.4, ask: float = 1.6, **fields: Any) -> dict[str, Any]:
    return {"latestQuote": quote_json(bid, ask), **fields}


# Stocks


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


# Chains


def test_a_chain_joins_quotes_with_open_interest(
    server: CannedServer, market: AlpacaMarketData
) -> None:
    symbol = put(100).symbol
    bar: dict[str, Any] = {
        "dailyBar": bar_json("2026-06-15", 70),
        "prevDailyBar": bar_json("2026-06-12", 90),
    }
    server.says(CHAIN, snapshots({symbol: quoted(**bar)}))
    server.says(CONTRACTS, contracts(contract(symbol)))
    chain = market.chain(ACME, BOUNDS, NOON)
    (found,) = chain.quotes
    assert (chain.underlying, chain.as_of) == (ACME, NOON)
    assert (found.contract, found.bid, found.ask) == (put(100), Decimal("1.4"), Decimal("1.6"))
    assert (found.volume, found.open_interest) == (90, 237)
    assert found.quoted_at == datetime(2026, 6, 15, 15, 59, 59, 987654, tzinfo=UTC)


def test_every_bound_is_sent(server: CannedServer, market: AlpacaMarketData) -> None:
    server.says(CHAIN, snapshots({})).says(CONTRACTS, contracts())
    market.chain(ACME, BOUNDS, NOON)
    assert server.queries(CHAIN) == [
        {
            "limit": "1000",
            "expiration_date_gte": "2026-07-10",
            "expiration_date_lte": "2026-07-30",
            "strike_price_gte": "80",
            "strike_price_lte": "110",
            "type": "put",
        }
    ]


def test_every_page_of_a_chain_is_read(server: CannedServer, market: AlpacaMarketData) -> None:
    first, second = put(100).symbol, put(95).symbol
    server.says(CHAIN, snapshots({first: quoted()}, "more"))
    server.says(CHAIN, snapshots({second: quoted()}))
    server.says(CONTRACTS, contracts(contract(first, "1"), following="more"))
    server.says(CONTRACTS, contracts(contract(second, "2")))
    chain = market.chain(ACME, BOUNDS, NOON)
    assert {quote.contract.symbol: quote.open_interest for quote in chain.quotes} == {
        first: 1,
        second: 2,
    }


def test_what_is_unknown_stays_unknown(server: CannedServer, market: AlpacaMarketData) -> None:
    symbol, unlisted = put(100).symbol, put(95).symbol
    server.says(CHAIN, snapshots({symbol: quoted(0, 0.05), unlisted: quoted()}))
    server.says(CONTRACTS, contracts(contract(symbol, None)))
    worthless, other = market.chain(ACME, BOUNDS, NOON).quotes
    assert (worthless.bid, worthless.volume, worthless.open_interest) == (None, None, None)
    assert other.open_interest is None


def test_a_daily_bar_of_weeks_ago_tells_nothing_of_this_session(
    server: CannedServer, market: AlpacaMarketData
) -> None:
    fresh, stale = put(100).symbol, put(95).symbol
    server.says(
        CHAIN,
        snapshots(
            {
                fresh: quoted(dailyBar=bar_json("2026-06-10", 70)),
                stale: quoted(dailyBar=bar_json("2026-06-09", 70)),
            }
        ),
    )
    server.says(CONTRACTS, contracts())
    chain = market.chain(ACME, BOUNDS, NOON)
    assert [quote.volume for quote in chain.quotes] == [70, None]


@pytest.mark.parametrize(
    "symbol",
    [
        "ACME260612P00100000",  # expired
        "ACME270618P00100000",  # too late
        "ACME260717P00070000",  # too low
        "ACME260717P00120000",  # too high
        "ACME260717C00100000",  # another type
        "ACME1260717P00100000",  # an adjusted contract's root
        "OTHER260717P00100000",
        "ACME",
        "",
    ],
)
def test_what_was_not_asked_for_is_left_out(
    server: CannedServer, market: AlpacaMarketData, symbol: str
) -> None:
    server.says(CHAIN, snapshots({symbol: quoted(), put(100).symbol: quoted()}))
    server.says(CONTRACTS, contracts())
    chain = market.chain(ACME, BOUNDS, NOON)
    assert [quote.contract for quote in chain.quotes] == [put(100)]


def test_expired_contracts_are_left_out_even_where_the_bounds_have_them(
    server: CannedServer, market: AlpacaMarketData
) -> None:
    server.says(
        CHAIN, snapshots({"ACME260612P00100000": quoted(), "ACME260615P00100000": quoted()})
    )
    server.says(CONTRACTS, contracts())
    chain = market.chain(ACME, ANYTHING, NOON)
    assert [quote.contract.expiration for quote in chain.quotes] == [date(2026, 6, 15)]


@pytest.mark.parametrize(
    "fields", [{"multiplier": "10"}, {"size": "150"}, {"root_symbol": "ACME1"}]
)
def test_adjusted_contracts_are_left_out(
    server: CannedServer, market: AlpacaMarketData, fields: dict[str, Any]
) -> None:
    adjusted, standard = put(100).symbol, put(95).symbol
    server.says(CHAIN, snapshots({adjusted: quoted(), standard: quoted()}))
    server.says(CONTRACTS, contracts(contract(adjusted, **fields), contract(standard)))
    chain = market.chain(ACME, BOUNDS, NOON)
    assert [quote.contract.symbol for quote in chain.quotes] == [standard]


def test_a_contract_without_a_quote_is_left_out(
    server: CannedServer, market: AlpacaMarketData
) -> None:
    server.says(CHAIN, snapshots({put(100).symbol: {"latestTrade": {"p": 1.5}}}))
    server.says(CONTRACTS, contracts())
    assert market.chain(ACME, BOUNDS, NOON).quotes == ()


@pytest.mark.parametrize(
    "spoiled",
    [{"snapshots": [1]}, {}, {"snapshots": {put(100).symbol: {"latestQuote": {"bp": 1.0}}}}],
)
def test_a_chain_of_another_shape_is_misunderstood(
    server: CannedServer, market: AlpacaMarketData, spoiled: dict[str, Any]
) -> None:
    server.says(CHAIN, spoiled).says(CONTRACTS, contracts())
    with pytest.raises(BrokerMisunderstood):
        market.chain(ACME, BOUNDS, NOON)


# Open interest


def asked_for(
    server: CannedServer, market: AlpacaMarketData, *calls: tuple[ChainRequest, datetime]
) -> list[dict[str, str]]:
    server.says(CHAIN, snapshots({})).says(CONTRACTS, contracts())
    for bounds, as_of in calls:
        market.chain(ACME, bounds, as_of)
    assert len(server.queries(CHAIN)) == len(calls)
    return server.queries(CONTRACTS)


def test_open_interest_is_asked_for_a_little_wider_than_the_chain(
    server: CannedServer, market: AlpacaMarketData
) -> None:
    assert asked_for(server, market, (BOUNDS, NOON)) == [
        {
            "underlying_symbols": "ACME",
            "limit": "10000",
            "expiration_date_gte": "2026-07-10",
            "expiration_date_lte": "2026-07-30",
            "strike_price_gte": "72.0",
            "strike_price_lte": "121.0",
            "type": "put",
        }
    ]


def test_open_interest_is_asked_for_once_a_session_while_strikes_drift(
    server: CannedServer, market: AlpacaMarketData
) -> None:
    drifted = replace(BOUNDS, strike_min=Decimal(75), strike_max=Decimal(120))
    later = NOON + timedelta(hours=3)
    assert len(asked_for(server, market, (BOUNDS, NOON), (drifted, later), (BOUNDS, later))) == 1


def test_open_interest_is_asked_for_again_the_next_session(
    server: CannedServer, market: AlpacaMarketData
) -> None:
    tomorrow = NOON + timedelta(days=1)
    assert len(asked_for(server, market, (BOUNDS, NOON), (BOUNDS, tomorrow))) == 2


@pytest.mark.parametrize(
    "wider",
    [
        replace(BOUNDS, expiration_min=date(2026, 7, 9)),
        replace(BOUNDS, expiration_max=date(2026, 7, 31)),
        replace(BOUNDS, strike_min=Decimal(70)),
        replace(BOUNDS, strike_min=None),
        replace(BOUNDS, strike_max=Decimal(125)),
        replace(BOUNDS, strike_max=None),
        replace(BOUNDS, option_type=None),
        replace(BOUNDS, option_type=OptionType.CALL),
    ],
)
def test_wider_bounds_ask_again_for_both_and_then_no_more(
    server: CannedServer, market: AlpacaMarketData, wider: ChainRequest
) -> None:
    calls = [(BOUNDS, NOON), (wider, NOON), (BOUNDS, NOON), (wider, NOON)]
    assert len(asked_for(server, market, *calls)) == 2


# Quotes of single contracts


def test_option_quotes_are_asked_for_each_time(
    server: CannedServer, market: AlpacaMarketData
) -> None:
    symbol = put(100).symbol
    server.says(QUOTES, snapshots({symbol: quoted(1.4, 1.6)}))
    server.says(QUOTES, snapshots({symbol: quoted(1.5, 1.7)}))
    bids = [market.option_quotes([put(100)])[symbol].bid for _ in range(2)]
    assert bids == [Decimal("1.4"), Decimal("1.5")]


def test_option_quotes_that_are_unknown_or_not_asked_for_are_absent(
    server: CannedServer, market: AlpacaMarketData
) -> None:
    server.says(QUOTES, snapshots({put(100).symbol: {}, put(90).symbol: quoted()}))
    assert market.option_quotes([put(100), put(95)]) == {}


def test_option_quotes_come_in_batches_of_a_hundred(
    server: CannedServer, market: AlpacaMarketData
) -> None:
    wanted = [put(strike) for strike in range(100, 250)]
    server.says(QUOTES, snapshots({contract.symbol: quoted() for contract in wanted}))
    assert len(market.option_quotes(wanted)) == 150
    sizes = [len(query["symbols"].split(",")) for query in server.queries(QUOTES)]
    assert sizes == [100, 50]
    assert market.option_quotes([]) == {}
    assert wanted[0].expiration == EXPIRATION
