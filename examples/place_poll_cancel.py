#!/usr/bin/env python
"""Place a multi-leg order through Alpaca's API, watch it, cancel it; then trade one in and out.

    ALPACA_URL=http://127.0.0.1:8000 APCA_API_KEY_ID=... APCA_API_SECRET_KEY=... \
        python place_poll_cancel.py AAPL

The first order asks for more credit than anybody pays, so it has to be cancelled. The second
takes what the market bids, and what it opened is closed again. Without ALPACA_URL or --url it
trades on Alpaca's paper account.
"""

import argparse
import logging
import os
import sys
import time
from datetime import timedelta
from itertools import pairwise

from alpaca.data.historical.option import OptionHistoricalDataClient
from alpaca.data.requests import OptionChainRequest, OptionLatestQuoteRequest
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import (
    ContractType,
    OrderClass,
    OrderSide,
    OrderStatus,
    PositionIntent,
    TimeInForce,
)
from alpaca.trading.models import Order
from alpaca.trading.requests import LimitOrderRequest, OptionLegRequest

log = logging.getLogger("order")
ENDED = {
    *(OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED),
    OrderStatus.REPLACED,
}
POLLS_MAX = 240


class Desk:
    """Two clients of one account."""

    def __init__(self, url: str | None, poll_seconds: float) -> None:
        keys = (os.environ["APCA_API_KEY_ID"], os.environ["APCA_API_SECRET_KEY"])
        self.trading = TradingClient(*keys, paper=True, url_override=url)
        self.options = OptionHistoricalDataClient(*keys, url_override=url)
        self._poll_seconds = poll_seconds

    def pick_spread(self, symbol: str) -> tuple[str, str]:
        """Give a short and a long put of one expiration that pay a credit at natural."""
        today = self.trading.get_clock().timestamp.date()
        chain = self.options.get_option_chain(
            OptionChainRequest(
                underlying_symbol=symbol,
                type=ContractType.PUT,
                expiration_date_gte=today + timedelta(days=20),
                expiration_date_lte=today + timedelta(days=50),
            )
        )
        quotes = {
            name: each.latest_quote
            for name, each in sorted(chain.items())
            if each.latest_quote and each.latest_quote.bid_price and each.latest_quote.ask_price
        }
        names = list(quotes)
        # An OCC symbol ends in type, and strike in eight digits: neighbours differ in strike.
        for long, short in pairwise(names):
            same = long[:-8] == short[:-8]
            if same and quotes[short].bid_price > quotes[long].ask_price + 0.05:
                return short, long
        raise SystemExit(f"no two puts of {symbol} make a credit now")

    def quote(self, short: str, long: str) -> tuple[float, float]:
        """Give what selling the spread brings now, and what buying it back costs."""
        quotes = self.options.get_option_latest_quote(
            OptionLatestQuoteRequest(symbol_or_symbols=[short, long])
        )
        sold = quotes[short].bid_price - quotes[long].ask_price
        bought = quotes[short].ask_price - quotes[long].bid_price
        return round(sold, 2), round(bought, 2)

    def send(self, short: str, long: str, *, limit: float, opening: bool) -> Order:
        """Send one spread; a credit is a negative limit."""
        intents = (
            (PositionIntent.SELL_TO_OPEN, PositionIntent.BUY_TO_OPEN)
            if opening
            else (PositionIntent.BUY_TO_CLOSE, PositionIntent.SELL_TO_CLOSE)
        )
        sides = (OrderSide.SELL, OrderSide.BUY) if opening else (OrderSide.BUY, OrderSide.SELL)
        order = self.trading.submit_order(
            LimitOrderRequest(
                qty=1,
                order_class=OrderClass.MLEG,
                time_in_force=TimeInForce.DAY,
                limit_price=limit,
                legs=[
                    OptionLegRequest(symbol=name, ratio_qty=1, side=side, position_intent=intent)
                    for name, side, intent in zip((short, long), sides, intents, strict=True)
                ],
            )
        )
        log.info("sent %s at %.2f: %s", order.id, limit, order.status.value)
        return order

    def watch(self, order: Order, polls: int = POLLS_MAX) -> Order:
        """Poll until the order has ended, or so many times."""
        for _ in range(polls):
            time.sleep(self._poll_seconds)
            order = self.trading.get_order_by_id(order.id)
            if order.status in ENDED:
                break
        log.info("order %s: %s, filled %s", order.id, order.status.value, order.filled_qty)
        return order


def main() -> int:
    """Run the two orders; exit with 1 where one did not end as it should."""
    parser = argparse.ArgumentParser(description="Place, poll and cancel a multi-leg order.")
    parser.add_argument("symbol")
    parser.add_argument("--url", default=os.environ.get("ALPACA_URL"))
    parser.add_argument("--poll-seconds", type=float, default=0.5)
    arguments = parser.parse_args()
    desk = Desk(arguments.url, arguments.poll_seconds)

    short, long = desk.pick_spread(arguments.symbol)
    log.info("the spread: sell %s, buy %s", short, long)
    sold, bought = desk.quote(short, long)
    order = desk.send(short, long, limit=-round(3 * bought, 2), opening=True)
    order = desk.watch(order, polls=3)
    if order.status in ENDED:
        return 1
    desk.trading.cancel_order_by_id(order.id)
    if desk.watch(order).status is not OrderStatus.CANCELED:
        return 1

    opened = desk.watch(desk.send(short, long, limit=-sold, opening=True))
    if opened.status is not OrderStatus.FILLED:
        return 1
    _, bought = desk.quote(short, long)
    closed = desk.watch(desk.send(short, long, limit=round(bought + 0.05, 2), opening=False))
    if closed.status is not OrderStatus.FILLED:
        return 1
    net = -(float(opened.filled_avg_price) + float(closed.filled_avg_price))
    log.info("in and out of one spread: %+.2f USD before fees", net * 100)
    return 0


if __name__ == "__main__":
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stdout)
    sys.exit(main())
