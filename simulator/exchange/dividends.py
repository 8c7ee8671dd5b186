"""Cash dividends on shares held, as a live account gets and pays them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from simulator.exchange.book import Book
from simulator.exchange.corporate_actions import CashDividend, actions_between
from simulator.exchange.numbers import plain
from simulator.worlds.world import TradingSession, World

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class _Entitlement:
    dividend: CashDividend
    shares: int


class Dividends:
    """Note who holds shares at each ex-date's open, and pay on the payable date."""

    def __init__(self, book: Book, world: World) -> None:
        self._book = book
        self._world = world
        self._owed: list[_Entitlement] = []

    def open_session(self, session: TradingSession, at: datetime) -> None:
        """Note the shares that go ex today, then pay what is payable by today."""
        for action in actions_between(
            self._world, self._book.share_quantities(), session.session, session.session
        ):
            if isinstance(action, CashDividend):
                self._owed.append(_Entitlement(action, self._book.held(action.symbol)))
        due = [each for each in self._owed if each.dividend.payable_date <= session.session]
        self._owed = [each for each in self._owed if each not in due]
        for entitlement in due:
            self._pay(entitlement, at)

    def _pay(self, entitlement: _Entitlement, at: datetime) -> None:
        dividend, shares = entitlement.dividend, entitlement.shares
        amount = (dividend.rate * shares).quantize(CENT)
        self._book.cash += amount
        self._book.record_event(
            "DIV",
            at,
            cash_change=amount,
            description=f"Cash DIV @ {plain(dividend.rate)}",
            symbol=dividend.symbol,
            qty=plain(shares),
            per_share_amount=plain(dividend.rate),
        )
