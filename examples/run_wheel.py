#!/usr/bin/env python
"""Run a wheel through Alpaca's API: sell puts until assigned, then covered calls until called away.

    ALPACA_URL=http://127.0.0.1:8000 APCA_API_KEY_ID=... APCA_API_SECRET_KEY=... \
        python run_wheel.py AAPL --weeks 4

It knows the time only from the account's clock, so it runs as fast as that does. Without
ALPACA_URL or --url it trades on Alpaca's paper account, and 4 weeks are 4 weeks.
"""

import argparse
import logging
import os
import sys
import time
from collections import Counter
from datetime import datetime, timedelta

from alpaca.common.exceptions import APIError
from alpaca.data.historical.option import OptionHistoricalDataClient
from alpaca.data.historical.stock import StockHistoricalDataClient
from alpaca.data.requests import OptionChainRequest, StockLatestTradeRequest
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import (
    AssetClass,
    ContractType,
    OrderSide,
    PositionIntent,
    QueryOrderStatus,
    TimeInForce,
)
from alpaca.trading.requests import GetOrdersRequest, LimitOrderRequest

log = logging.getLogger("wheel")
SHARES = 100
CLOCK_STANDS_SECONDS = 5.0


class Wheel:
    """One contract at a time on one stock."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        keys = (os.environ["APCA_API_KEY_ID"], os.environ["APCA_API_SECRET_KEY"])
        self.trading = TradingClient(*keys, paper=True, url_override=arguments.url)
        self.options = OptionHistoricalDataClient(*keys, url_override=arguments.url)
        self.stocks = StockHistoricalDataClient(*keys, url_override=arguments.url)
        self.symbol = arguments.symbol
        self.distance = arguments.distance
        self.days_min = arguments.days_min
        self.counts: Counter[str] = Counter()
        self.shares = self._shares()

    def turn(self, now: datetime) -> None:
        """Do what is to be done now, if anything."""
        self._notice_shares()
        if self._works_or_owes():
            return
        kind = ContractType.CALL if self.shares >= SHARES else ContractType.PUT
        sale = self._pick(kind, now)
        if sale is None:
            return
        contract, bid = sale
        try:
            self.trading.submit_order(
                LimitOrderRequest(
                    symbol=contract,
                    qty=1,
                    side=OrderSide.SELL,
                    position_intent=PositionIntent.SELL_TO_OPEN,
                    time_in_force=TimeInForce.DAY,
                    limit_price=bid,
                )
            )
        except APIError as refusal:
            log.info("%s: refused: %s", contract, refusal)
            return
        self.counts[f"{kind.value}s offered"] += 1
        log.info("%s: offered 1 %s at %.2f", now.date(), contract, bid)

    def _notice_shares(self) -> None:
        shares = self._shares()
        if shares > self.shares:
            self.counts["assigned"] += 1
            log.info("assigned: %d shares of %s", shares, self.symbol)
        elif shares < self.shares:
            self.counts["called away"] += 1
            log.info("called away: %d shares of %s are left", shares, self.symbol)
        self.shares = shares

    def _shares(self) -> int:
        return sum(
            int(each.qty) for each in self.trading.get_all_positions() if each.symbol == self.symbol
        )

    def _works_or_owes(self) -> bool:
        if self.trading.get_orders(GetOrdersRequest(status=QueryOrderStatus.OPEN)):
            return True
        return any(
            each.asset_class == AssetClass.US_OPTION and each.symbol.startswith(self.symbol)
            for each in self.trading.get_all_positions()
        )

    def _pick(self, kind: ContractType, now: datetime) -> tuple[str, float] | None:
        """Give the contract of the next expiration nearest to the wanted strike, and its bid."""
        latest = self.stocks.get_stock_latest_trade(
            StockLatestTradeRequest(symbol_or_symbols=self.symbol)
        )
        side = 1 if kind is ContractType.CALL else -1
        wanted = latest[self.symbol].price * (1 + side * self.distance)
        chain = self.options.get_option_chain(
            OptionChainRequest(
                underlying_symbol=self.symbol,
                type=kind,
                expiration_date_gte=now.date() + timedelta(days=self.days_min),
                expiration_date_lte=now.date() + timedelta(days=self.days_min + 10),
                strike_price_gte=round(wanted * 0.9, 2),
                strike_price_lte=round(wanted * 1.1, 2),
            )
        )
        bids = {
            name: each.latest_quote.bid_price
            for name, each in chain.items()
            if each.latest_quote is not None and each.latest_quote.bid_price
        }
        if not bids:
            return None
        first = min(name[len(self.symbol) : len(self.symbol) + 6] for name in bids)
        nearest = min(
            (name for name in bids if name[len(self.symbol) :].startswith(first)),
            key=lambda name: abs(int(name[-8:]) / 1000 - wanted),
        )
        return nearest, float(bids[nearest])


def main() -> int:
    """Turn the wheel until the weeks are over, or until the account's clock stands still."""
    arguments = _arguments()
    wheel = Wheel(arguments)
    now = wheel.trading.get_clock().timestamp
    until = now + timedelta(weeks=arguments.weeks)
    moved_at = time.monotonic()
    while now < until and time.monotonic() - moved_at < CLOCK_STANDS_SECONDS:
        clock = wheel.trading.get_clock()
        if clock.timestamp > now:
            now, moved_at = clock.timestamp, time.monotonic()
        if clock.is_open:
            wheel.turn(now)
        time.sleep(arguments.poll_seconds)
    account = wheel.trading.get_account()
    log.info(
        "%s: %s; %d shares, cash %s, equity %s",
        now.date(),
        ", ".join(f"{name} {count}" for name, count in sorted(wheel.counts.items())) or "nothing",
        wheel.shares,
        account.cash,
        account.equity,
    )
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run a wheel on one stock.")
    parser.add_argument("symbol")
    parser.add_argument("--url", default=os.environ.get("ALPACA_URL"))
    parser.add_argument("--weeks", type=float, default=4)
    parser.add_argument("--distance", type=float, default=0.02, help="of strikes from the stock")
    parser.add_argument("--days-min", type=int, default=3, help="fewest days to expiration")
    parser.add_argument("--poll-seconds", type=float, default=1.0)
    return parser.parse_args()


if __name__ == "__main__":
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stdout)
    sys.exit(main())
