"""Splits of what is held: more shares and contracts, each worth less."""

from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from simulator.exchange.book import Book
from simulator.exchange.corporate_actions import Split, actions_between
from simulator.exchange.desk import OrderDesk
from simulator.exchange.market import MarketView
from simulator.exchange.numbers import plain
from simulator.exchange.records import ZERO, Position
from simulator.worlds.events import contract_after
from simulator.worlds.world import TradingSession, World

CENT = Decimal("0.01")


class Splits:
    """Convert positions when the session of a split's ex-date opens; what they cost stays."""

    def __init__(self, book: Book, desk: OrderDesk, market: MarketView, world: World) -> None:
        self._book = book
        self._desk = desk
        self._market = market
        self._world = world

    def open_session(self, session: TradingSession, at: datetime) -> None:
        """Apply the splits of today; working orders in what splits are withdrawn before."""
        day = session.session
        symbols = {_underlying_of(position) for position in self._book.positions.values()}
        symbols |= {
            leg.symbol if leg.contract is None else leg.contract.underlying
            for order in self._desk.working
            for leg in order.legs
        }
        for action in actions_between(self._world, sorted(symbols), day, day):
            if isinstance(action, Split):
                self._withdraw_orders(action.symbol)
                self._convert(action, at)

    def _withdraw_orders(self, symbol: str) -> None:
        for order in self._desk.working:
            if any(
                (leg.symbol if leg.contract is None else leg.contract.underlying) == symbol
                for leg in order.legs
            ):
                self._desk.withdraw(order)

    def _convert(self, split: Split, at: datetime) -> None:
        """Convert all positions at once: one may become the contract that another was."""
        held = [
            self._book.positions.pop(symbol)
            for symbol in sorted(self._book.positions)
            if _underlying_of(self._book.positions[symbol]) == split.symbol
        ]
        for position in held:
            before, name = position.quantity, position.symbol
            if position.contract is None:
                self._convert_shares(position, split, at)
            else:
                _convert_contracts(position, split)
            if position.quantity == 0:
                continue
            self._book.positions[position.symbol] = position
            if (position.quantity, position.symbol) != (before, name):
                self._tell(position, before, name, at)

    def _convert_shares(self, position: Position, split: Split, at: datetime) -> None:
        """Give whole shares; a fraction left over is paid in cash at the price of the moment."""
        ratio = split.new_rate / split.old_rate
        exact = position.quantity * ratio
        whole = exact.to_integral_value(ROUND_DOWN)
        stock = self._market.stock(position.symbol)
        price = position.cost / exact if stock is None else stock.last
        left = exact - whole
        if left:
            freed = position.cost * left / exact
            amount = (left * price).quantize(CENT)
            position.cost -= freed
            self._book.cash += amount
            self._book.realized_profit += amount - freed
            self._book.record_event(
                "CIL",
                at,
                cash_change=amount,
                description="Cash in lieu of fractional shares",
                symbol=position.symbol,
                qty=plain(left),
            )
        position.quantity = int(whole)
        _rescale_marks(position, ratio)

    def _tell(self, position: Position, before: int, name: str, at: datetime) -> None:
        if position.contract is None:
            self._record("SSP", "Stock Split", name, position.quantity - before, at)
            return
        # A contract that bears another symbol is taken away, and what it became is put there.
        self._record("OPCA", "Option Corporate Action", name, -before, at)
        self._record("OPCA", "Option Corporate Action", position.symbol, position.quantity, at)

    def _record(self, kind: str, text: str, symbol: str, quantity: int, at: datetime) -> None:
        self._book.record_event(
            kind, at, cash_change=ZERO, description=text, symbol=symbol, qty=plain(quantity)
        )


def _underlying_of(position: Position) -> str:
    return position.symbol if position.contract is None else position.contract.underlying


def _convert_contracts(position: Position, split: Split) -> None:
    """Convert contracts of a split into whole shares; others would be adjusted ones: they stay."""
    assert position.contract is not None
    ratio = split.new_rate / split.old_rate
    if ratio != int(ratio):
        return
    position.contract = contract_after(position.contract, split)
    position.symbol = position.contract.symbol
    position.quantity *= int(ratio)
    _rescale_marks(position, ratio)


def _rescale_marks(position: Position, ratio: Decimal) -> None:
    if position.last_mark is not None:
        position.last_mark /= ratio
    if position.lastday_mark is not None:
        position.lastday_mark /= ratio
