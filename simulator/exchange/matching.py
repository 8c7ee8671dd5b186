"""Matching: what happens to working orders as time passes."""

from datetime import datetime, timedelta
from decimal import Decimal

from simulator.exchange.book import Book, fill_row
from simulator.exchange.calendar import SessionCalendar, new_york_date
from simulator.exchange.fees import FeeSchedule, fees_for_fill
from simulator.exchange.fills import FillModel, LegQuote, PackageQuote, PartialFillRule, leg_prices
from simulator.exchange.market import MarketView
from simulator.exchange.numbers import timestamp
from simulator.exchange.records import Fill, Order, OrderLeg, OrderStatus, Side, TimeInForce
from simulator.exchange.trade_updates import TradeUpdates

REMAINDER_DELAY = timedelta(seconds=30)
"""How long the rest of a partly filled order waits within one move of the clock."""


class Matching:
    """Fill orders of one account from one market."""

    def __init__(
        self,
        book: Book,
        market: MarketView,
        calendar: SessionCalendar,
        *,
        fill_model: FillModel,
        partial_fills: PartialFillRule,
        fee_schedule: FeeSchedule | None,
        fill_delay: timedelta,
        updates: TradeUpdates,
    ) -> None:
        self._book = book
        self._market = market
        self._calendar = calendar
        self._partial_fills = partial_fills
        self._fee_schedule = fee_schedule
        self._updates = updates
        self.fill_model = fill_model
        self.fill_delay = fill_delay

    def acknowledge(self, order: Order, at: datetime) -> None:
        """Let an accepted order start to work once time has passed in an open session."""
        session = self._calendar.session_at(at)
        if order.status is not OrderStatus.ACCEPTED or session is None or at <= order.created_at:
            return
        order.status = OrderStatus.NEW
        order.updated_at = at
        if order.eligible_at is None:
            order.eligible_at = max(session.opens_at, order.created_at) + self.fill_delay
        self._updates.changed(order, at)

    def follow(self, order: Order) -> None:
        """Let a trailing stop start from the price of now."""
        if order.trail is not None:
            self._trail(order, self._market.mark(order.legs[0].symbol))

    def _trail(self, order: Order, price: Decimal | None) -> None:
        if order.trail is None or price is None:
            return
        side, best = order.legs[0].side, order.best_price
        if best is None or (price - best) * side.sign < 0:
            order.best_price = price
            order.stop_price = order.trail.behind(price, side)

    def match(self, order: Order, at: datetime, move: int) -> None:
        """Fill what of the order trades at `at`, in the clock's `move`-th move."""
        if not order.is_working or order.status is OrderStatus.HELD:
            return
        if order.eligible_at is None or at < order.eligible_at:
            return
        due_at = order.remainder_due_at
        if order.partial_in_move == move and due_at is not None and at < due_at:
            return
        quotes = self._leg_quotes(order, at)
        if quotes is None:
            return
        package = PackageQuote.of(quotes)
        self._trail(order, quotes[0].mid)
        if order.is_waiting_for_stop and not self._stop_is_reached(order, package, at):
            return
        net = self.fill_model.net_price(order.signed_limit, package)
        if net is None and order.fills_late:
            net = order.signed_limit
        if net is None:
            return
        units = order.remaining_units
        if order.filled_units == 0 and order.time_in_force is not TimeInForce.FILL_OR_KILL:
            units = self._partial_fills.first_units(order.client_order_id, order.units)
        if units < order.remaining_units:
            order.partial_in_move = move
            order.remainder_due_at = at + REMAINDER_DELAY
        self._fill(
            order, units, net, list(zip(quotes, leg_prices(quotes, net, package), strict=True)), at
        )

    def _stop_is_reached(self, order: Order, package: PackageQuote, at: datetime) -> bool:
        """Let a stop order trade from now on where mid is at its stop or beyond."""
        if order.stop_price is None:
            return False
        # Signed like the package: a sell at 95 is one at -95, and 94 is -94, beyond it.
        if package.mid < order.legs[0].side.sign * order.stop_price:
            return False
        order.triggered_at = order.updated_at = at
        return True

    def _leg_quotes(self, order: Order, at: datetime) -> list[LegQuote] | None:
        session = self._calendar.session_at(at)
        if session is None:
            return None
        quotes = []
        # Nobody takes a single contract for nothing; beside a leg that is bought, somebody does.
        gives_away = any(leg.side is Side.BUY for leg in order.legs)
        for leg in order.legs:
            read = self._market.offer if gives_away else self._market.quote
            quote = read(leg.symbol)
            # A quote of an earlier session is what a world shows before its first of the day.
            if quote is None or quote[2] < session.opens_at:
                return None
            quotes.append(LegQuote(leg.side, leg.ratio, bid=quote[0], ask=quote[1]))
        return quotes

    def _fill(
        self,
        order: Order,
        units: int,
        net: Decimal,
        priced: list[tuple[LegQuote, Decimal]],
        at: datetime,
    ) -> None:
        order.filled_units += units
        order.filled_net += net * units
        order.updated_at = at
        if order.remaining_units == 0:
            order.status = OrderStatus.FILLED
            order.filled_at = at
        elif order.status is not OrderStatus.PENDING_CANCEL:
            order.status = OrderStatus.PARTIALLY_FILLED
        for leg, (quote, price) in zip(order.legs, priced, strict=True):
            self._fill_leg(order, leg, units=units, price=price, mid=quote.mid, at=at)
        self._updates.filled(order, units, net, [price for _, price in priced], at)

    def _fill_leg(
        self, order: Order, leg: OrderLeg, *, units: int, price: Decimal, mid: Decimal, at: datetime
    ) -> None:
        quantity = units * leg.ratio
        leg.filled_quantity += quantity
        leg.filled_value += price * quantity
        cash_change = self._book.trade(leg.symbol, leg.contract, leg.side.sign * quantity, price)
        fees = {}
        if self._fee_schedule is not None:
            fees = fees_for_fill(
                on=new_york_date(at),
                is_option=leg.contract is not None,
                is_sell=leg.side.sign < 0,
                quantity=quantity,
                price=price,
                multiplier=leg.contract.multiplier if leg.contract else 1,
                schedule=self._fee_schedule,
            )
        self._book.accrue(fees)
        fill = Fill(
            order_id=order.order_id,
            client_order_id=order.client_order_id,
            symbol=leg.symbol,
            side=leg.side,
            position_intent=leg.position_intent,
            quantity=quantity,
            price=price,
            mid=mid,
            at=at,
            fees=fees,
        )
        row = fill_row(
            order_id=leg.order_id,
            symbol=leg.symbol,
            side=leg.side,
            price=price,
            quantity=quantity,
            filled=leg.filled_quantity,
            ordered=order.units * leg.ratio,
            at=timestamp(at),
        )
        self._book.record_fill(fill, row, cash_change)
