"""The exchange itself: one account trading against one world, with no HTTP in it."""

from bisect import bisect_right
from datetime import datetime, timedelta
from decimal import Decimal
from threading import RLock
from typing import Any, Literal

from simulator.exchange.book import Book
from simulator.exchange.calendar import SessionCalendar
from simulator.exchange.clock import SimulatedClock
from simulator.exchange.errors import malformed, not_found, unprocessable
from simulator.exchange.fees import DEFAULT_SCHEDULE, FeeSchedule
from simulator.exchange.fills import ConcessionFillModel, FillModel, PartialFillRule
from simulator.exchange.market import MarketView
from simulator.exchange.matching import Matching
from simulator.exchange.numbers import Identifiers
from simulator.exchange.order_checks import CheckedOrder, OrderChecks
from simulator.exchange.order_requests import OrderRequest, read_order_request
from simulator.exchange.records import (
    Fill,
    Order,
    OrderLeg,
    OrderStatus,
    Position,
    TimeInForce,
)
from simulator.exchange.settlement import Settlement
from simulator.exchange.valuation import Balances, Valuation
from simulator.worlds.world import World

FEES_POSTED_AFTER_CLOSE = timedelta(minutes=30)
LOCAL_KEYS = ("local-key", "local-secret")
"""Key and secret that open nothing but this exchange."""
GOOD_TILL_CANCELED_LIFE = timedelta(days=90)


class Exchange:
    """Trade one account against a world, as Alpaca would.

    Everything is a function of the seed and of the sequence of requests and clock moves.
    Money is Decimal and exact. Hold `lock` while reading several things that must agree; the
    clock and every method here take it by themselves.
    """

    def __init__(
        self,
        world: World,
        *,
        starting_cash: Decimal = Decimal(100_000),
        seed: int = 0,
        fill_model: FillModel | None = None,
        partial_fill_probability: Decimal = Decimal("0.10"),
        fill_delay_seconds: float = 2,
        cancel_delay_seconds: float = 0,
        fees: FeeSchedule | Literal["regulatory", "none"] = "regulatory",
        options_level: int = 3,
        key_id: str = LOCAL_KEYS[0],
        secret_key: str = LOCAL_KEYS[1],
        account_number: str | None = None,
        starts_at: datetime | None = None,
    ) -> None:
        self.world = world
        self.calendar = SessionCalendar(world.sessions)
        self.clock = SimulatedClock(starts_at or self.calendar.first.opens_at)
        self.identifiers = Identifiers(seed)
        self.account_id = self.identifiers.of("account", "0")
        self.account_number = account_number or f"PA{self.account_id[:8].upper()}"
        self.opened_at = self.clock.now
        self.key_id, self.secret_key = key_id, secret_key
        self.options_approved_level = options_level
        self.options_level = options_level
        self.market = MarketView(world, self.clock)
        self.book = Book(starting_cash, self.identifiers)
        self.valuation = Valuation(self.book, self.market)
        self._cancel_delay = timedelta(seconds=cancel_delay_seconds)
        self._matching = Matching(
            self.book,
            self.market,
            self.calendar,
            fill_model=fill_model or ConcessionFillModel(),
            partial_fills=PartialFillRule(seed, partial_fill_probability),
            fee_schedule=_fee_schedule(fees),
            fill_delay=timedelta(seconds=fill_delay_seconds),
        )
        self._checks = OrderChecks(
            self.book, self.market, self.calendar, self.clock, self.valuation
        )
        self._settlement = Settlement(self.book, self.market, self.valuation)
        self._orders: dict[str, Order] = {}
        self._working: dict[str, Order] = {}
        self._ids_by_client_id: dict[str, str] = {}
        self._parent_ids: dict[str, str] = {}
        self.clock.follow(self)

    # What reports read

    @property
    def lock(self) -> RLock:
        """Give the one lock of this exchange."""
        return self.clock.lock

    @property
    def now(self) -> datetime:
        """Give the simulated time in UTC."""
        return self.clock.now

    @property
    def cash(self) -> Decimal:
        """Give the cash balance in dollars, fees not yet posted still in it."""
        with self.lock:
            return self.book.cash

    @property
    def equity(self) -> Decimal:
        """Give cash plus positions at mid, in dollars."""
        return self.balances().equity

    @property
    def accrued_fees(self) -> Decimal:
        """Give the fees of the day that are not yet posted, not rounded, in dollars."""
        with self.lock:
            return sum(self.book.accrued_fees.values(), Decimal(0))

    @property
    def orders(self) -> tuple[Order, ...]:
        """Give all orders, oldest first."""
        with self.lock:
            return tuple(self._orders.values())

    @property
    def working_orders(self) -> tuple[Order, ...]:
        """Give the orders that may still fill, oldest first."""
        with self.lock:
            return tuple(self._working.values())

    @property
    def fills(self) -> tuple[Fill, ...]:
        """Give all executions, one row a leg, oldest first."""
        with self.lock:
            return tuple(self.book.fills)

    @property
    def positions(self) -> tuple[Position, ...]:
        """Give what is held, ordered by symbol."""
        with self.lock:
            return tuple(self.book.positions[symbol] for symbol in sorted(self.book.positions))

    def balances(self) -> Balances:
        """Take stock of the account now."""
        with self.lock:
            return self.valuation.balances(self._working.values())

    # Orders

    def place_order(self, body: Any) -> Order:
        """Accept the order that a POST body asks for.

        Raises RefusalError with Alpaca's status, code and message.
        """
        with self.lock:
            request = read_order_request(body)
            number = len(self._orders)
            client_order_id = request.client_order_id or self.identifiers.of("client", str(number))
            if client_order_id in self._ids_by_client_id:
                raise malformed("client_order_id must be unique")
            checked = self._checks.check(request, self.working_orders, self.options_level)
            return self._accept(request, checked, client_order_id)

    def cancel_order(self, order_id: str) -> None:
        """Cancel a working order; raises RefusalError where it is not one."""
        with self.lock:
            if order_id in self._parent_ids:
                raise unprocessable("cannot cancel individual legs of a mleg order")
            order = self.order(order_id)
            if not order.is_working or order.status is OrderStatus.PENDING_CANCEL:
                raise unprocessable(f'order is already in "{order.status}" state')
            order.updated_at = self.now
            order.status = OrderStatus.PENDING_CANCEL
            order.cancel_due_at = self.now + self._cancel_delay
            self._finish_cancel(order, self.now)

    def cancel_all_orders(self) -> list[Order]:
        """Cancel every working order; gives those it cancelled."""
        with self.lock:
            cancelled = []
            for order in self.working_orders:
                if order.status is not OrderStatus.PENDING_CANCEL:
                    self.cancel_order(order.order_id)
                    cancelled.append(order)
            return cancelled

    def order(self, order_id: str) -> Order:
        """Find an order by its own id; raises RefusalError (404) where there is none."""
        with self.lock:
            order = self._orders.get(order_id)
            if order is None:
                raise not_found(f"order not found for {order_id}")
            return order

    def order_or_leg(self, order_id: str) -> tuple[Order, OrderLeg | None]:
        """Find an order by its id, or the leg whose id it is together with its order."""
        with self.lock:
            parent_id = self._parent_ids.get(order_id)
            if parent_id is None:
                return self.order(order_id), None
            parent = self._orders[parent_id]
            leg = next(leg for leg in parent.legs if leg.order_id == order_id)
            return parent, leg

    def order_or_leg_by_client_id(self, client_order_id: str) -> tuple[Order, OrderLeg | None]:
        """Find an order or leg by the client's id; raises RefusalError (404)."""
        with self.lock:
            order_id = self._ids_by_client_id.get(client_order_id)
            if order_id is None:
                raise not_found(f"order not found for {client_order_id}")
            return self.order_or_leg(order_id)

    def _accept(self, request: OrderRequest, checked: CheckedOrder, client_order_id: str) -> Order:
        now = self.now
        session = self.calendar.current_or_next(now)
        is_open = session.opens_at <= now
        order_id = self.identifiers.of("order", client_order_id)
        legs = tuple(
            OrderLeg(
                order_id=(
                    self.identifiers.of("leg", f"{client_order_id}/{index}")
                    if request.is_multileg
                    else order_id
                ),
                client_order_id=(
                    self.identifiers.of("client-leg", f"{client_order_id}/{index}")
                    if request.is_multileg
                    else client_order_id
                ),
                symbol=leg.symbol,
                contract=leg.contract,
                side=leg.side,
                position_intent=leg.position_intent,
                ratio=leg.ratio,
            )
            for index, leg in enumerate(checked.legs)
        )
        is_day = request.time_in_force is TimeInForce.DAY
        order = Order(
            order_id=order_id,
            client_order_id=client_order_id,
            order_class=request.order_class,
            order_type=request.order_type,
            time_in_force=request.time_in_force,
            limit_price=request.limit_price,
            units=request.units,
            legs=legs,
            created_at=now,
            updated_at=now,
            expires_at=session.closes_at if is_day else now + GOOD_TILL_CANCELED_LIFE,
            eligible_at=now + self._matching.fill_delay if is_open else None,
            reservation=checked.reservation,
        )
        self._register(order)
        if not self._matching.fill_delay:
            self._work(order, now)
        return order

    def _register(self, order: Order) -> None:
        self._orders[order.order_id] = order
        self._working[order.order_id] = order
        self._ids_by_client_id[order.client_order_id] = order.order_id
        if order.is_multileg:
            for leg in order.legs:
                self._parent_ids[leg.order_id] = order.order_id
                self._ids_by_client_id[leg.client_order_id] = leg.order_id

    # Time

    def next_event_after(self, after: datetime, until: datetime) -> datetime | None:
        """Give the next moment in (after, until] at which something is due."""
        due = self.calendar.events_after(after, until, FEES_POSTED_AFTER_CLOSE)
        for order in self._working.values():
            due.extend(
                moment
                for moment in (
                    order.eligible_at,
                    order.remainder_due_at,
                    order.cancel_due_at,
                    order.expires_at,
                )
                if moment is not None and after < moment <= until
            )
        quote_times = self.world.quote_times
        if quote_times is not None and self._working:
            index = bisect_right(quote_times, after)
            if index < len(quote_times) and quote_times[index] <= until:
                due.append(quote_times[index])
        return min(due, default=None)

    def happen(self, at: datetime) -> None:
        """Work orders at `at`, and close the session or the day where it ends now."""
        for order in list(self._working.values()):
            self._work(order, at)
        session = self.calendar.session_closing_at(at)
        if session is not None:
            self._settlement.settle_expirations(session, at)
            self._settlement.record_close(session, at, self.balances())
        completed = self.calendar.last_completed(at)
        if (
            completed is not None
            and at >= completed.closes_at + FEES_POSTED_AFTER_CLOSE
            and self.calendar.session_at(at) is None
        ):
            self.book.charge_fees(at)

    def _work(self, order: Order, at: datetime) -> None:
        self._matching.acknowledge(order, at)
        self._finish_cancel(order, at)
        self._matching.match(order, at, self.clock.moves)
        if order.is_working and at >= order.expires_at:
            order.status = OrderStatus.EXPIRED
            order.expired_at = order.updated_at = at
        self._retire(order)

    def _finish_cancel(self, order: Order, at: datetime) -> None:
        due_at = order.cancel_due_at
        if order.status is OrderStatus.PENDING_CANCEL and due_at is not None and at >= due_at:
            order.status = OrderStatus.CANCELED
            order.canceled_at = order.updated_at = at
        self._retire(order)

    def _retire(self, order: Order) -> None:
        if not order.is_working:
            self._working.pop(order.order_id, None)


def _fee_schedule(fees: FeeSchedule | Literal["regulatory", "none"]) -> FeeSchedule | None:
    if isinstance(fees, FeeSchedule):
        return fees
    if fees not in {"regulatory", "none"}:
        raise ValueError(f"fees must be a FeeSchedule, 'regulatory' or 'none', not {fees!r}")
    return DEFAULT_SCHEDULE if fees == "regulatory" else None
