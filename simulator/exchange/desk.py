"""The order desk: it takes, keeps, works, replaces and cancels the orders of one account."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from simulator.exchange.calendar import SessionCalendar
from simulator.exchange.clock import SimulatedClock
from simulator.exchange.errors import forbidden, malformed, not_found, unprocessable
from simulator.exchange.faults import Faults
from simulator.exchange.matching import Matching
from simulator.exchange.numbers import Identifiers
from simulator.exchange.order_checks import CheckedOrder, OrderChecks
from simulator.exchange.order_requests import (
    LegRequest,
    OrderRequest,
    read_order_request,
    read_replacement,
)
from simulator.exchange.records import Order, OrderLeg, OrderStatus, TimeInForce

GOOD_TILL_CANCELED_LIFE = timedelta(days=90)
LATE_FILL_WINDOW = timedelta(minutes=10)
REPLACEABLE = frozenset({OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED})


class OrderDesk:
    """Keep every order ever taken, and work those that still may fill."""

    def __init__(
        self,
        clock: SimulatedClock,
        calendar: SessionCalendar,
        identifiers: Identifiers,
        *,
        checks: OrderChecks,
        matching: Matching,
        faults: Faults,
        cancel_delay: timedelta,
    ) -> None:
        self._clock = clock
        self._calendar = calendar
        self._identifiers = identifiers
        self._checks = checks
        self._matching = matching
        self._faults = faults
        self._cancel_delay = cancel_delay
        self._orders: dict[str, Order] = {}
        self._working: dict[str, Order] = {}
        self._ids_by_client_id: dict[str, str] = {}
        self._parent_ids: dict[str, str] = {}

    @property
    def orders(self) -> tuple[Order, ...]:
        """Give all orders, oldest first."""
        return tuple(self._orders.values())

    @property
    def working(self) -> tuple[Order, ...]:
        """Give the orders that may still fill, oldest first."""
        return tuple(self._working.values())

    # Finding

    def find(self, order_id: str) -> Order:
        """Find an order by its own id; raises RefusalError (404) where there is none."""
        order = self._orders.get(order_id)
        if order is None:
            raise not_found(f"order not found for {order_id}")
        return order

    def find_order_or_leg(self, order_id: str) -> tuple[Order, OrderLeg | None]:
        """Find an order by its id, or the leg whose id it is together with its order."""
        parent_id = self._parent_ids.get(order_id)
        if parent_id is None:
            return self.find(order_id), None
        parent = self._orders[parent_id]
        return parent, next(leg for leg in parent.legs if leg.order_id == order_id)

    def find_by_client_id(self, client_order_id: str) -> tuple[Order, OrderLeg | None]:
        """Find an order or leg by the client's id; raises RefusalError (404)."""
        order_id = self._ids_by_client_id.get(client_order_id)
        if order_id is None:
            raise not_found(f"order not found for {client_order_id}")
        return self.find_order_or_leg(order_id)

    # Taking, replacing, cancelling

    def place(self, body: Any, options_level: int) -> Order:
        """Accept the order that a POST body asks for; raises RefusalError."""
        request = read_order_request(body)
        client_order_id = self._unused_client_id(request.client_order_id)
        checked = self._checks.check(request, self.working, options_level)
        return self._accept(request, checked, client_order_id)

    def place_liquidation(self, request: OrderRequest, checked: CheckedOrder) -> Order:
        """Accept an order of the broker's own, which no check refuses and no delay holds."""
        order = self._accept(request, checked, self._unused_client_id(None))
        order.eligible_at = self._clock.now
        self._work(order, self._clock.now)
        return order

    def replace(self, order_id: str, body: Any, options_level: int) -> Order:
        """Put a new order in the place of a working one; raises RefusalError.

        Where the new order would be refused, the old one works on. A new quantity counts what
        the old order has already filled; the new order is for the rest.
        """
        if order_id in self._parent_ids:
            raise unprocessable("cannot replace individual legs of a mleg order")
        old = self.find(order_id)
        if old.status is OrderStatus.REPLACED:
            raise unprocessable("order already replaced")
        if old.status not in REPLACEABLE:
            raise unprocessable(f"cannot replace order in {old.status} status")
        if old.is_multileg and self._faults.take_replace_refusal():
            raise forbidden("replace mleg order is disabled")
        request = _replacement_request(old, body)
        client_order_id = self._unused_client_id(request.client_order_id)
        others = [order for order in self.working if order is not old]
        checked = self._checks.check(request, others, options_level)
        new = self._accept(request, checked, client_order_id)
        new.replaces = old.order_id
        old.status = OrderStatus.REPLACED
        old.replaced_by = new.order_id
        old.replaced_at = old.updated_at = self._clock.now
        self._retire(old)
        return new

    def cancel(self, order_id: str) -> None:
        """Cancel a working order; raises RefusalError where it is not one."""
        if order_id in self._parent_ids:
            raise unprocessable("cannot cancel individual legs of a mleg order")
        order = self.find(order_id)
        if not order.is_working or order.status is OrderStatus.PENDING_CANCEL:
            raise unprocessable(f'order is already in "{order.status}" state')
        now = self._clock.now
        order.updated_at = now
        order.status = OrderStatus.PENDING_CANCEL
        order.cancel_due_at = now + self._cancel_delay
        if self._faults.take_late_fill():
            order.fills_late = True
            order.cancel_due_at = now + LATE_FILL_WINDOW
        self._finish_cancel(order, now)

    def cancel_all(self) -> list[Order]:
        """Cancel every working order; gives those it cancelled."""
        cancelled = [
            order for order in self.working if order.status is not OrderStatus.PENDING_CANCEL
        ]
        for order in cancelled:
            self.cancel(order.order_id)
        return cancelled

    def withdraw(self, order: Order) -> None:
        """Cancel a working order at once, on the broker's own behalf."""
        order.status = OrderStatus.CANCELED
        order.canceled_at = order.updated_at = self._clock.now
        self._retire(order)

    # Working

    def due_moments(self, after: datetime, until: datetime) -> list[datetime]:
        """Give the moments in (after, until] at which a working order changes by itself."""
        return [
            moment
            for order in self._working.values()
            for moment in (
                order.eligible_at,
                order.remainder_due_at,
                order.cancel_due_at,
                order.expires_at,
            )
            if moment is not None and after < moment <= until
        ]

    def work_all(self, at: datetime) -> None:
        """Let every working order do at `at` what is due."""
        for order in self.working:
            self._work(order, at)

    def _work(self, order: Order, at: datetime) -> None:
        self._matching.acknowledge(order, at)
        self._finish_cancel(order, at)
        self._matching.match(order, at, self._clock.moves)
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

    # Keeping

    def _unused_client_id(self, asked_for: str | None) -> str:
        client_order_id = asked_for or self._identifiers.of("client", str(len(self._orders)))
        if client_order_id in self._ids_by_client_id:
            raise malformed("client_order_id must be unique")
        return client_order_id

    def _accept(self, request: OrderRequest, checked: CheckedOrder, client_order_id: str) -> Order:
        now = self._clock.now
        session = self._calendar.current_or_next(now)
        is_open = session.opens_at <= now
        is_day = request.time_in_force is TimeInForce.DAY
        order = Order(
            order_id=self._identifiers.of("order", client_order_id),
            client_order_id=client_order_id,
            order_class=request.order_class,
            order_type=request.order_type,
            time_in_force=request.time_in_force,
            limit_price=request.limit_price,
            stop_price=request.stop_price,
            units=request.units,
            legs=self._legs(request, checked, client_order_id),
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

    def _legs(
        self, request: OrderRequest, checked: CheckedOrder, client_order_id: str
    ) -> tuple[OrderLeg, ...]:
        order_id = self._identifiers.of("order", client_order_id)
        legs = []
        for index, leg in enumerate(checked.legs):
            name = f"{client_order_id}/{index}"
            ids = (order_id, client_order_id)
            if request.is_multileg:
                ids = (self._identifiers.of("leg", name), self._identifiers.of("client-leg", name))
            legs.append(
                OrderLeg(
                    order_id=ids[0],
                    client_order_id=ids[1],
                    symbol=leg.symbol,
                    contract=leg.contract,
                    side=leg.side,
                    position_intent=leg.position_intent,
                    ratio=leg.ratio,
                )
            )
        return tuple(legs)

    def _register(self, order: Order) -> None:
        self._orders[order.order_id] = order
        self._working[order.order_id] = order
        self._ids_by_client_id[order.client_order_id] = order.order_id
        if order.is_multileg:
            for leg in order.legs:
                self._parent_ids[leg.order_id] = order.order_id
                self._ids_by_client_id[leg.client_order_id] = leg.order_id


def _replacement_request(old: Order, body: Any) -> OrderRequest:
    if not isinstance(body, Mapping):
        raise malformed("request body format is invalid")
    is_option = old.legs[0].contract is not None
    change = read_replacement(body, is_multileg=old.is_multileg, is_option=is_option)
    if change.limit_price is not None and not old.order_type.has_limit:
        raise unprocessable("limit price is only valid for limit orders")
    if change.stop_price is not None and not old.order_type.has_stop:
        raise unprocessable("stop price is only valid for stop orders")
    units: int = old.units if change.units is None else change.units
    limit: Decimal | None = old.limit_price if change.limit_price is None else change.limit_price
    stop: Decimal | None = old.stop_price if change.stop_price is None else change.stop_price
    time_in_force = change.time_in_force or old.time_in_force
    now, before = (units, limit, stop, time_in_force), (old.units, old.limit_price, old.stop_price)
    if now == (*before, old.time_in_force):
        raise unprocessable("order parameters are not changed")
    if units <= old.filled_units:
        raise unprocessable("qty must be > filled_qty")
    return OrderRequest(
        order_class=old.order_class,
        order_type=old.order_type,
        time_in_force=time_in_force,
        units=units - old.filled_units,
        limit_price=limit,
        stop_price=stop,
        legs=tuple(
            LegRequest(leg.symbol, leg.side, leg.position_intent, leg.ratio) for leg in old.legs
        ),
        client_order_id=change.client_order_id,
    )
