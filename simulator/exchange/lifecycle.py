"""What befalls option positions before they expire: exercise, early assignment, liquidation."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from agent.options.contracts import OptionContract, OptionType
from simulator.exchange.book import Book
from simulator.exchange.calendar import NEW_YORK, SessionCalendar, new_york_date
from simulator.exchange.desk import OrderDesk
from simulator.exchange.errors import forbidden, not_found
from simulator.exchange.margin import intrinsic_value
from simulator.exchange.market import MarketView
from simulator.exchange.numbers import plain
from simulator.exchange.order_checks import CheckedLeg, CheckedOrder
from simulator.exchange.order_requests import LegRequest, OrderRequest
from simulator.exchange.records import (
    ZERO,
    OrderClass,
    OrderType,
    Position,
    PositionIntent,
    TimeInForce,
)
from simulator.exchange.settlement import IN_THE_MONEY_MIN, Settlement
from simulator.exchange.valuation import Balances

LIQUIDATION_BEFORE_CLOSE = timedelta(minutes=30)
OUT_OF_THE_MONEY = (
    "you are attempting to exercise an out of the money option contract, "
    "please contact support@alpaca.markets to complete this request"
)


class EarlyAssignment(Protocol):
    """Decide, after each close, how many short contracts are assigned overnight."""

    def contracts_assigned(
        self, contract: OptionContract, short_contracts: int, spot: Decimal, at: datetime
    ) -> int:
        """Give a count in 0..`short_contracts`, the same for the same arguments."""
        ...


class Lifecycle:
    """Exercise, assign and liquidate the options of one account."""

    def __init__(
        self,
        *,
        book: Book,
        market: MarketView,
        calendar: SessionCalendar,
        desk: OrderDesk,
        settlement: Settlement,
        balances: Callable[[], Balances],
    ) -> None:
        self._book = book
        self._market = market
        self._calendar = calendar
        self._desk = desk
        self._settlement = settlement
        self._balances = balances

    def exercise(self, symbol: str, at: datetime) -> None:
        """Exercise all available contracts now; raises RefusalError."""
        position, contract = self._long_position(symbol)
        session = self._calendar.session_on(new_york_date(at))
        if session is not None and at >= session.closes_at:
            raise forbidden("exercise requests are not accepted after market close until midnight")
        if position.do_not_exercise:
            raise forbidden("cannot exercise position marked as do-not-exercise")
        available = position.quantity - self._held_for_orders(symbol)
        if available <= 0:
            raise forbidden("no qty available to exercise")
        stock = self._market.stock(contract.underlying)
        if stock is None or intrinsic_value(contract, stock.last) < IN_THE_MONEY_MIN:
            raise forbidden(OUT_OF_THE_MONEY)
        self._check_delivery(contract, available)
        self._settlement.convert(position, contract, available, at)

    def _check_delivery(self, contract: OptionContract, contracts: int) -> None:
        shares = contracts * contract.multiplier
        if contract.option_type is OptionType.CALL:
            required = contract.strike * shares
            available = max(self._balances().buying_power, ZERO)
            if required > available:
                raise forbidden(
                    "insufficient cash available "
                    f"(required: {plain(required)}, available: {plain(available)})"
                )
            return
        owned = max(self._book.held(contract.underlying), 0)
        if owned < shares:
            raise forbidden(
                "insufficient underlying qty available for deliverable: "
                f"{contract.underlying} (requested: {shares}, available: {owned})"
            )

    def do_not_exercise(self, symbol: str, at: datetime) -> None:
        """Let a long contract expire whatever it is worth; raises RefusalError."""
        position, contract = self._long_position(symbol)
        if contract.expiration != new_york_date(at):
            raise forbidden(
                "dne requests are only accepted on the expiration day of the option contract"
            )
        session = self._calendar.session_on(contract.expiration)
        if session is None or at >= session.closes_at:
            cut_off = "the close" if session is None else _hour(session.closes_at)
            raise forbidden(f"dne requests are not accepted after {cut_off}")
        position.do_not_exercise = True

    def assign(self, symbol: str, at: datetime, contracts: int | None = None) -> None:
        """Assign short contracts now, all of them unless told how many.

        Raises ValueError where so many are not held short.
        """
        position = self._book.positions.get(symbol)
        if position is None or position.contract is None or position.quantity >= 0:
            raise ValueError(f"no short contracts of {symbol} are held")
        count = -position.quantity if contracts is None else contracts
        if not 0 < count <= -position.quantity:
            raise ValueError(f"cannot assign {count} of {-position.quantity} {symbol}")
        self._cancel_orders_on(symbol)
        self._settlement.convert(position, position.contract, count, at)

    def assign_early(self, rule: EarlyAssignment, at: datetime) -> None:
        """Ask the rule about every short contract, and assign what it says."""
        for position in self._ordered_positions():
            contract = position.contract
            stock = None if contract is None else self._market.stock(contract.underlying)
            if contract is None or stock is None or position.quantity >= 0:
                continue
            count = rule.contracts_assigned(contract, -position.quantity, stock.last, at)
            if count > 0:
                self.assign(position.symbol, at, min(count, -position.quantity))

    def liquidate_expiring(self, at: datetime) -> None:
        """Close expiring contracts that the account could not settle, each leg by itself.

        That a long and a short leg would offset one another is not looked at: so does Alpaca,
        and a spread held into this hour may come out of it as a single leg.
        """
        today = new_york_date(at)
        for position in self._ordered_positions():
            contract = position.contract
            if contract is None or contract.expiration != today:
                continue
            if self._cannot_settle(position, contract):
                self.liquidate(position.symbol)

    def liquidate(self, symbol: str) -> None:
        """Close all contracts of a symbol at the market; raises ValueError where none are held."""
        position = self._book.positions.get(symbol)
        if position is None or position.contract is None:
            raise ValueError(f"no contracts of {symbol} are held")
        self._cancel_orders_on(symbol)
        request, checked = _closing_order(position, position.contract)
        self._desk.place_liquidation(request, checked)

    def _cannot_settle(self, position: Position, contract: OptionContract) -> bool:
        stock = self._market.stock(contract.underlying)
        if stock is None or intrinsic_value(contract, stock.last) < IN_THE_MONEY_MIN:
            return False
        shares = abs(position.quantity) * contract.multiplier
        delivers_shares = (position.quantity > 0) == (contract.option_type is OptionType.PUT)
        if delivers_shares:
            return self._book.held(contract.underlying) < shares
        balances = self._balances()
        return contract.strike * shares > balances.cash - balances.reserved_for_orders

    def _ordered_positions(self) -> list[Position]:
        return [self._book.positions[symbol] for symbol in sorted(self._book.positions)]

    def _long_position(self, symbol: str) -> tuple[Position, OptionContract]:
        position = self._book.positions.get(symbol)
        if position is None or position.contract is None or position.quantity <= 0:
            raise not_found(f"long position not found: {symbol}")
        return position, position.contract

    def _held_for_orders(self, symbol: str) -> int:
        return sum(
            order.remaining_units * leg.ratio
            for order in self._desk.working
            for leg in order.legs
            if leg.symbol == symbol and leg.position_intent is PositionIntent.SELL_TO_CLOSE
        )

    def _cancel_orders_on(self, symbol: str) -> None:
        for order in self._desk.working:
            if any(leg.symbol == symbol for leg in order.legs):
                self._desk.withdraw(order)


def _closing_order(
    position: Position, contract: OptionContract
) -> tuple[OrderRequest, CheckedOrder]:
    is_long = position.quantity > 0
    intent = PositionIntent.SELL_TO_CLOSE if is_long else PositionIntent.BUY_TO_CLOSE
    request = OrderRequest(
        order_class=OrderClass.SIMPLE,
        order_type=OrderType.MARKET,
        time_in_force=TimeInForce.DAY,
        units=abs(position.quantity),
        limit_price=None,
        legs=(LegRequest(position.symbol, intent.side, intent, 1),),
        client_order_id=None,
    )
    leg = CheckedLeg(position.symbol, contract, intent.side, intent, 1)
    return request, CheckedOrder((leg,), ZERO)


def _hour(at: datetime) -> str:
    return at.astimezone(NEW_YORK).strftime("%H:%M")
