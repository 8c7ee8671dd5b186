"""What the account is worth and what it can still buy."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from agent.options.contracts import OptionContract
from simulator.exchange.book import Book
from simulator.exchange.margin import SHORT_STOCK_FRACTION, spread_requirement
from simulator.exchange.market import MarketView
from simulator.exchange.records import ZERO, Order, Position


@dataclass(frozen=True, slots=True)
class Balances:
    """The account's balances in dollars at one moment, positions at mid."""

    cash: Decimal
    long_market_value: Decimal
    short_market_value: Decimal
    maintenance_margin: Decimal
    reserved_for_orders: Decimal

    @property
    def equity(self) -> Decimal:
        """Give cash plus what is held, short values negative; accrued fees not yet taken."""
        return self.cash + self.long_market_value + self.short_market_value

    @property
    def buying_power(self) -> Decimal:
        """Give the cash that neither positions nor working orders lay claim to."""
        return self.cash - self.maintenance_margin - self.reserved_for_orders


class Valuation:
    """Value one book in one market."""

    def __init__(self, book: Book, market: MarketView) -> None:
        self._book = book
        self._market = market

    def mark(self, position: Position) -> Decimal:
        """Give a position's price per share: mid now, else the last one known, else its cost."""
        now = self._market.mark(position.symbol)
        if now is not None:
            position.last_mark = now
            return now
        return position.average_entry_price if position.last_mark is None else position.last_mark

    def market_value(self, position: Position) -> Decimal:
        """Give a position's value in dollars, negative where it is short."""
        return self.mark(position) * position.quantity * position.multiplier

    def maintenance_margin(
        self, option_quantities: Mapping[OptionContract, int] | None = None
    ) -> Decimal | None:
        """Give what must stay in the account, None where the risk is unbounded.

        `option_quantities` stands in for the options held.
        """
        quantities = (
            self._book.option_quantities() if option_quantities is None else option_quantities
        )
        options = spread_requirement(quantities, self._book.share_quantities())
        if options is None:
            return None
        short_stock = sum(
            (
                -self.market_value(position) * SHORT_STOCK_FRACTION
                for position in self._book.positions.values()
                if position.contract is None and position.quantity < 0
            ),
            ZERO,
        )
        return options + short_stock

    def balances(self, working_orders: Iterable[Order]) -> Balances:
        """Take stock of the account now."""
        values = [self.market_value(position) for position in self._book.positions.values()]
        margin = self.maintenance_margin()
        if margin is None:
            # Nothing accepted here opens an unbounded risk; should one arise, all cash backs it.
            margin = max(self._book.cash, ZERO)
        return Balances(
            cash=self._book.cash,
            long_market_value=sum((value for value in values if value > 0), ZERO),
            short_market_value=sum((value for value in values if value < 0), ZERO),
            maintenance_margin=margin,
            reserved_for_orders=sum((order.reserved for order in working_orders), ZERO),
        )
