#!/usr/bin/env python
"""List the puts of a stock through Alpaca's API, and pick a bull put spread from them.

    ALPACA_URL=http://127.0.0.1:8000 APCA_API_KEY_ID=... APCA_API_SECRET_KEY=... \
        python list_chain_and_pick_spread.py AAPL

Without ALPACA_URL or --url it asks Alpaca itself.
"""

import argparse
import logging
import os
import sys
from datetime import date, timedelta

from alpaca.data.historical.option import OptionHistoricalDataClient
from alpaca.data.historical.stock import StockHistoricalDataClient
from alpaca.data.models.snapshots import OptionsSnapshot
from alpaca.data.requests import OptionChainRequest, StockLatestTradeRequest
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import AssetStatus, ContractType
from alpaca.trading.models import OptionContract
from alpaca.trading.requests import GetOptionContractsRequest

log = logging.getLogger("chain")


def main() -> int:
    """Print the chain and the spread; exit with 1 where no spread can be had."""
    arguments = _arguments()
    keys = (os.environ["APCA_API_KEY_ID"], os.environ["APCA_API_SECRET_KEY"])
    trading = TradingClient(*keys, paper=True, url_override=arguments.url)
    options = OptionHistoricalDataClient(*keys, url_override=arguments.url)
    stocks = StockHistoricalDataClient(*keys, url_override=arguments.url)

    symbol = arguments.symbol
    trade = stocks.get_stock_latest_trade(StockLatestTradeRequest(symbol_or_symbols=symbol))
    spot = float(trade[symbol].price)
    today = trading.get_clock().timestamp.date()
    contracts = _puts(trading, symbol, today + timedelta(days=arguments.days), spot)
    if not contracts:
        log.error("no puts of %s expire within 15 days of day %d", symbol, arguments.days)
        return 1
    expiration = contracts[0].expiration_date
    chain = options.get_option_chain(
        OptionChainRequest(
            underlying_symbol=symbol,
            type=ContractType.PUT,
            expiration_date=expiration,
            strike_price_gte=contracts[0].strike_price,
            strike_price_lte=contracts[-1].strike_price,
        )
    )
    log.info("%s at %.2f; puts of %s:", symbol, spot, expiration)
    for contract in contracts:
        bid, ask = _sides(chain.get(contract.symbol))
        interest = contract.open_interest or "?"
        log.info("%9.2f %8.2f x %-8.2f open %s", contract.strike_price, bid, ask, interest)
    return _pick(contracts, chain, spot * (1 - arguments.below))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="List puts and pick a bull put spread.")
    parser.add_argument("symbol")
    parser.add_argument("--url", default=os.environ.get("ALPACA_URL"))
    parser.add_argument("--days", type=int, default=30, help="days to expiration, about")
    parser.add_argument("--below", type=float, default=0.05, help="short strike under the stock")
    return parser.parse_args()


def _puts(trading: TradingClient, symbol: str, around: date, spot: float) -> list[OptionContract]:
    """List the puts of the expiration nearest to a day, by strike; every page of them."""
    found: list[OptionContract] = []
    request = GetOptionContractsRequest(
        underlying_symbols=[symbol],
        status=AssetStatus.ACTIVE,
        type=ContractType.PUT,
        expiration_date_gte=around - timedelta(days=15),
        expiration_date_lte=around + timedelta(days=15),
        strike_price_gte=f"{spot * 0.8:.2f}",
        strike_price_lte=f"{spot * 1.02:.2f}",
        limit=500,
    )
    while True:
        page = trading.get_option_contracts(request)
        found += page.option_contracts or []
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    if not found:
        return []
    nearest = min({each.expiration_date for each in found}, key=lambda day: abs(day - around))
    return sorted(
        (each for each in found if each.expiration_date == nearest),
        key=lambda each: each.strike_price,
    )


def _sides(snapshot: OptionsSnapshot | None) -> tuple[float, float]:
    """Give bid and ask; a side that nobody quotes is 0."""
    if snapshot is None or snapshot.latest_quote is None:
        return 0.0, 0.0
    return float(snapshot.latest_quote.bid_price), float(snapshot.latest_quote.ask_price)


def _pick(
    contracts: list[OptionContract], chain: dict[str, OptionsSnapshot], short_below: float
) -> int:
    """Sell the first strike under a price, buy the one under it that pays best for its width."""
    quoted = [(each, *_sides(chain.get(each.symbol))) for each in contracts]
    shorts = [row for row in quoted if row[0].strike_price <= short_below and row[1] > 0]
    if not shorts:
        log.error("no put under %.2f has a bid", short_below)
        return 1
    short, short_bid, _ = shorts[-1]
    candidates = []
    for long, _, long_ask in quoted:
        width = short.strike_price - long.strike_price
        if width > 0 and long_ask > 0 and short_bid > long_ask:
            candidates.append(((short_bid - long_ask) / width, width, short_bid - long_ask, long))
    if not candidates:
        log.error("no put under %.2f makes a credit", short.strike_price)
        return 1
    _, width, credit, long = max(candidates, key=lambda row: row[:2])
    log.info(
        "sell %s, buy %s: credit %.2f, at risk %.2f a share",
        *(short.symbol, long.symbol, credit, width - credit),
    )
    return 0


if __name__ == "__main__":
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stdout)
    sys.exit(main())
