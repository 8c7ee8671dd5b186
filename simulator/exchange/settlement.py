"""What a session's close does: expirations, assignments, the day's equity and fees."""

from datetime import datetime
from decimal import Decimal

from agent.options.contracts import OptionContract, OptionType
from simulator.exchange.book import Book
from simulator.exchange.margin import intrinsic_value
from simulator.exchange.market import MarketView
from simulator.exchange.records import Position, SessionEquity
from simulator.exchange.valuation import Balances, Valuation
from simulator.worlds.world import TradingSession

IN_THE_MONEY_MIN = Decimal("0.01")
"""What a contract must be in the money at the official close to be exercised by itself."""


class Settlement:
    """Settle one account at the close of a session."""

    def __init__(self, book: Book, market: MarketView, valuation: Valuation) -> None:
        self._book = book
        self._market = market
        self._valuation = valuation

    def settle_expirations(self, session: TradingSession, at: datetime) -> None:
        """Let contracts that expire by this session end: worthless, exercised or assigned.

        A contract whose underlying has no price at all stays until a close that has one.
        """
        expiring = sorted(
            (
                position
                for position in self._book.positions.values()
                if position.contract is not None and position.contract.expiration <= session.session
            ),
            key=lambda position: position.symbol,
        )
        for position in expiring:
            contract = position.contract
            if contract is None:
                continue
            spot = self._closing_price(contract.underlying, session)
            if spot is not None:
                self._expire(position, contract, spot, at)

    def _closing_price(self, symbol: str, session: TradingSession) -> Decimal | None:
        official = self._market.world.close_price(symbol, session.session)
        if official is not None:
            return official
        shown = self._market.stock(symbol)
        return None if shown is None else shown.last

    def _expire(
        self, position: Position, contract: OptionContract, spot: Decimal, at: datetime
    ) -> None:
        in_the_money = intrinsic_value(contract, spot) >= IN_THE_MONEY_MIN
        group = self._book.event_group(position.symbol, at)
        if not in_the_money or (position.quantity > 0 and position.do_not_exercise):
            self._book.close_out(position, at, "OPEXP", group)
        else:
            self.convert(position, contract, abs(position.quantity), at)

    def convert(
        self, position: Position, contract: OptionContract, quantity: int, at: datetime
    ) -> None:
        """Turn `quantity` contracts into shares at the strike: exercise longs, assign shorts."""
        is_long = position.quantity > 0
        group = self._book.event_group(position.symbol, at)
        receives = is_long == (contract.option_type is OptionType.CALL)
        shares = quantity * contract.multiplier * (1 if receives else -1)
        self._book.close_out(position, at, "OPEXC" if is_long else "OPASN", group, quantity)
        self._book.deliver_shares(contract, shares, at, group)

    def record_close(self, session: TradingSession, at: datetime, balances: Balances) -> None:
        """Keep the day's equity and marks, against which the next day is measured."""
        for position in self._book.positions.values():
            position.lastday_mark = self._valuation.mark(position)
        self._book.closes.append(
            SessionEquity(
                session=session.session,
                at=at,
                equity=balances.equity,
                maintenance_margin=balances.maintenance_margin,
            )
        )
