"""What a pass learns of a leg from its quote, and what it does not."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from agent.book.records import Trade
from agent.market.quotes import OptionQuote
from agent.options.contracts import OptionContract
from tests.unit.use_cases.conftest import TestDesk
from tests.unit.use_cases.test_four_legs_and_one import a_pass


class FrozenQuotes:
    """Answer as the market does, but with option quotes that stand still."""

    def __init__(self, market: Any, quotes: Mapping[str, OptionQuote]) -> None:
        self._market = market
        self._quotes = quotes

    def option_quotes(self, contracts: Sequence[OptionContract]) -> Mapping[str, OptionQuote]:
        return {each.symbol: self._quotes[each.symbol] for each in contracts}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._market, name)


def volatilities(desk: TestDesk, trade: Trade) -> list[float | None]:
    return [each.implied_volatility for each in desk.book.positions(trade.trade_id)]


def test_a_quote_that_stands_still_while_the_stock_moves_tells_no_volatility(
    desk: TestDesk,
) -> None:
    trade = desk.open_trade()
    a_pass(desk)
    before = volatilities(desk, trade)
    assert None not in before

    quotes = desk.desk.market.option_quotes([leg.contract for leg in trade.structure.legs])
    desk.desk = replace(desk.desk, market=FrozenQuotes(desk.desk.market, quotes))
    desk.exchange.clock.advance_to(desk.exchange.now + timedelta(minutes=10))
    desk.world.with_stock("101.95", "102.05", since=desk.exchange.now)
    a_pass(desk)

    assert volatilities(desk, trade) == before
