#!/usr/bin/env python
"""Sell the best cash-secured put by delta, open interest and yield, and hear of the fill.

    ALPACA_URL=http://127.0.0.1:8000 APCA_API_KEY_ID=... APCA_API_SECRET_KEY=... \
        python sell_put_by_delta.py AAPL MSFT

Without ALPACA_URL or --url it asks Alpaca's paper account.
"""

import argparse
import asyncio
import logging
import os
import queue
import sys
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from threading import Thread

from alpaca.data.historical.option import OptionHistoricalDataClient
from alpaca.data.requests import OptionSnapshotRequest
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import AssetStatus, ContractType, OrderSide, OrderStatus, TimeInForce
from alpaca.trading.models import OptionContract, TradeUpdate
from alpaca.trading.requests import GetOptionContractsRequest, MarketOrderRequest
from alpaca.trading.stream import TradingStream

BATCH = 100
DELTA_MIN, DELTA_MAX = 0.15, 0.30
OPEN_INTEREST_MIN = 100
YIELD_MIN, YIELD_MAX = 0.04, 1.0
LOOK_SECONDS, LOOKS_MAX = 1.0, 60

log = logging.getLogger("put")


def main() -> int:
    """Sell one put; exit with 1 where none is good enough or none is sold."""
    arguments = _arguments()
    keys = (os.environ["APCA_API_KEY_ID"], os.environ["APCA_API_SECRET_KEY"])
    trading = TradingClient(*keys, paper=True, url_override=arguments.url)
    options = OptionHistoricalDataClient(*keys, url_override=arguments.url)

    today = trading.get_clock().timestamp.date()
    contracts = list(_puts(trading, arguments.symbols, today))
    best = max(_scored(options, contracts, today), default=None)
    if best is None:
        log.error("none of %d puts is good enough", len(contracts))
        return 1
    _, symbol, delta, bid = best
    log.info("best of %d puts: %s, delta %.2f, bid %.2f", len(contracts), symbol, delta, bid)
    address = arguments.url and arguments.url.replace("http", "ws", 1) + "/stream"
    stream = TradingStream(*keys, paper=True, url_override=address)
    told: queue.Queue[TradeUpdate] = queue.Queue()

    async def note(update: TradeUpdate) -> None:
        await asyncio.sleep(0)
        told.put(update)

    stream.subscribe_trade_updates(note)
    listener = Thread(target=stream.run, daemon=True)
    listener.start()
    try:
        return _sell(trading, symbol, told)
    finally:
        stream.stop()
        listener.join(LOOKS_MAX)


def _puts(trading: TradingClient, symbols: Sequence[str], today: date) -> Iterator[OptionContract]:
    token = None
    while True:
        page = trading.get_option_contracts(
            GetOptionContractsRequest(
                underlying_symbols=list(symbols),
                status=AssetStatus.ACTIVE,
                type=ContractType.PUT,
                expiration_date_gte=today + timedelta(days=1),
                expiration_date_lte=today + timedelta(days=21),
                limit=1000,
                page_token=token,
            )
        )
        yield from page.option_contracts or ()
        token = page.next_page_token
        if token is None:
            return


def _scored(
    options: OptionHistoricalDataClient, contracts: Sequence[OptionContract], today: date
) -> Iterator[tuple[float, str, float, float]]:
    for start in range(0, len(contracts), BATCH):
        batch = {each.symbol: each for each in contracts[start : start + BATCH]}
        snapshots = options.get_option_snapshot(
            OptionSnapshotRequest(symbol_or_symbols=list(batch))
        )
        for symbol, snapshot in snapshots.items():
            contract, quote, greeks = batch[symbol], snapshot.latest_quote, snapshot.greeks
            if quote is None or greeks is None or contract.open_interest is None:
                continue
            delta, days = abs(greeks.delta), (contract.expiration_date - today).days
            annual = quote.bid_price / contract.strike_price * 365 / (days + 1)
            if (
                DELTA_MIN <= delta <= DELTA_MAX
                and int(contract.open_interest) > OPEN_INTEREST_MIN
                and YIELD_MIN <= annual <= YIELD_MAX
            ):
                score = (1 - delta) * 250 / (days + 5) * quote.bid_price / contract.strike_price
                yield score, symbol, greeks.delta, quote.bid_price


def _sell(trading: TradingClient, symbol: str, told: "queue.Queue[TradeUpdate]") -> int:
    order = trading.submit_order(
        MarketOrderRequest(symbol=symbol, qty=1, side=OrderSide.SELL, time_in_force=TimeInForce.DAY)
    )
    for _ in range(LOOKS_MAX):
        try:
            update = told.get(timeout=LOOK_SECONDS)
        except queue.Empty:
            # A stream may open too late, or break: the order itself is what counts.
            update = None
        if update is not None and update.order.id == order.id:
            log.info("heard of %s: %s", symbol, getattr(update.event, "value", update.event))
        order = trading.get_order_by_id(order.id)
        if order.status is OrderStatus.FILLED:
            log.info("sold 1 %s at %.2f", symbol, float(order.filled_avg_price))
            return 0
        if order.status in {OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED}:
            break
    log.error("%s was not sold: %s", symbol, order.status.value)
    return 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("symbols", nargs="+")
    parser.add_argument("--url", default=os.environ.get("ALPACA_URL"), help="in place of Alpaca's")
    return parser.parse_args()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    logging.getLogger("alpaca").setLevel(logging.WARNING)
    sys.exit(main())
