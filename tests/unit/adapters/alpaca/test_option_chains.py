"""Options: chains, open interest and single quotes, from answers as Alpaca spells them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from agent.adapters.alpaca.market_data import AlpacaMarketData, DataFeeds
from agent.adapters.alpaca.session import AlpacaSession
from agent.options.contracts import OptionType
from agent.ports import BrokerMisunderstood, ChainRequest
from tests.unit.adapters.alpaca.builders import ACME, NOON, bar_json, put, quoted
from tests.unit.adapters.alpaca.canned_server import CannedServer

CHAIN = "GET /v1beta1/options/snapshots/ACME"
QUOTES = "GET /v1beta1/options/snapshots"
CONTRACTS = "GET /v2/options/contracts"
STOCKS, BARS = "GET /v2/stocks/snapshots", "GET /v2/stocks/bars"
BOUNDS = ChainRequest(
    expiration_min=date(2026, 7, 10),
    expiration_max=date(2026, 7, 30),
    strike_min=Decimal(80),
    strike_max=Decimal(110),
    option_type=OptionType.PUT,
)
ANYTHING = ChainRequest(expiration_min=date(2026, 6, 1), expiration_max=date(2027, 6, 1))


def contracts(*rows: dict[str, Any], following: str | None = None) -> dict[str, Any]:
    return {"option_contracts": list(rows), "next_page_token": following}


def contract(symbol: str, open_interest: str | None = "237", **fields: Any) -> dict[str, Any]:
    row = {"symbol": symbol, "root_symbol": "ACME", "multiplier": "100", "size": "100"}
    return {**row, "open_interest": open_interest, **fields}


def snapshots(by_symbol: dict[str, Any], following: str | None = None) -> dict[str, Any]:
    return {"snapshots": by_symbol, "next_page_token": following}


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


def test_a_chain_is_asked_for_once_a_minute_for_the_same_bounds(
    server: CannedServer, market: AlpacaMarketData
) -> None:
    server.says(CHAIN, snapshots({put(100).symbol: quoted()}))
    server.says(CHAIN, snapshots({put(95).symbol: quoted()}))
    server.says(CONTRACTS, contracts(contract(put(100).symbol)))
    first = market.chain(ACME, BOUNDS, NOON)
    moved = replace(ACME, last=Decimal(106))
    again = market.chain(moved, BOUNDS, NOON + timedelta(seconds=60))
    assert again.quotes == first.quotes
    assert (again.underlying, again.as_of) == (moved, NOON + timedelta(seconds=60))
    later = market.chain(ACME, BOUNDS, NOON + timedelta(seconds=61))
    assert [quote.contract for quote in later.quotes] == [put(95)]


def test_other_bounds_are_another_chain(server: CannedServer, market: AlpacaMarketData) -> None:
    server.says(CHAIN, snapshots({put(100).symbol: quoted()}))
    server.says(CHAIN, snapshots({put(95).symbol: quoted()}))
    server.says(CONTRACTS, contracts(contract(put(100).symbol)))
    market.chain(ACME, BOUNDS, NOON)
    narrower = replace(BOUNDS, strike_max=Decimal(98))
    found = market.chain(ACME, narrower, NOON).quotes
    assert [quote.contract for quote in found] == [put(95)]


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
    later = NOON + timedelta(minutes=5)
    calls = [(BOUNDS, NOON), (wider, NOON), (BOUNDS, later), (wider, later)]
    assert len(asked_for(server, market, *calls)) == 2


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


def test_the_feeds_of_the_settings_are_asked_for(
    server: CannedServer, session: AlpacaSession
) -> None:
    market = AlpacaMarketData(session, session, DataFeeds(stocks="sip", options="opra"))
    server.says(STOCKS, {"ACME": quoted()}).says(BARS, {"bars": None})
    server.says(CHAIN, snapshots({})).says(QUOTES, snapshots({})).says(CONTRACTS, contracts())
    market.underlyings(["ACME"])
    market.chain(ACME, BOUNDS, NOON)
    market.option_quotes([put(100)])
    asked = [server.queries(call)[0]["feed"] for call in (STOCKS, CHAIN, QUOTES)]
    assert asked == ["sip", "opra", "opra"]


def test_without_a_word_of_the_settings_the_broker_chooses_the_feed(
    server: CannedServer, market: AlpacaMarketData
) -> None:
    server.says(QUOTES, snapshots({}))
    market.option_quotes([put(100)])
    assert "feed" not in server.queries(QUOTES)[0]
