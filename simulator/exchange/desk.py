"""The order desk: it takes, keeps, works, replaces and cancels the orders of one account."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from simulator.exchange.calendar import SessionCalendar
from simulator.exchange.clock import SimulatedClock
from simulator.exchange.errors import forbidden, malformed, not_found, unprocessable
from simulator.exchange.faults import Faults
from simulator.exchange.matching import Matching
from simulator.exchange.numbers import Identifiers
from simulator.exchange.order_checks import CheckedOrder, OrderChecks
from simulator.exchange.order_requests import OrderRequest, read_order_request
from simulator.exchange.records import (
    WORKING_STATUSES,
    ZERO,
    Order,
    OrderClass,
    OrderLeg,
    OrderStatus,
    TimeInForce,
)
from simulator.exchange.replacements import replacement_request
from simulator.exchange.trade_updates import TradeUpdates

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
        updates: TradeUpdates,
        cancel_delay: timedelta,
    ) -> None:
        self._clock = clock
        self._calendar = calendar
        self._identifiers = identifiers
        self._checks = checks
        self._matching = matching
        self._faults = faults
        self._updates = updates
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
        request = read_order_request(body, self._unused_client_id)
        client_order_id = self._unused_client_id(request.client_order_id)
        checked = self._checks.check(request, self.working, options_level)
        order = self._accept(request, checked, client_order_id)
        self._attach(order, request, checked)
        return order

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
        request = replacement_request(old, body)
        client_order_id = self._unused_client_id(request.client_order_id)
        others = [order for order in self.working if order is not old]
        checked = self._checks.check(request, others, options_level)
        new = self._accept(request, checked, client_order_id)
        new.replaces = old.order_id
        self._hand_over(old, new)
        old.status = OrderStatus.REPLACED
        old.replaced_by = new.order_id
        old.replaced_at = old.updated_at = self._clock.now
        self._updates.changed(old, self._clock.now)
        self._retire(old)
        return new

    def cancel(self, order_id: str) -> None:
        """Cancel a working order; raises RefusalError where it is not one."""
        if order_id in self._parent_ids:
            status = self._orders[self._parent_ids[order_id]].status
            if status not in WORKING_STATUSES:
                raise unprocessable(f"leg order is already in {status} state")
            raise unprocessable("cannot cancel individual legs of a mleg order")
        order = self.find(order_id)
        if order.is_multileg and self._faults.take_cancel_refusal():
            raise forbidden("cancel mleg order is disabled")
        if not order.is_working or order.status is OrderStatus.PENDING_CANCEL:
            raise unprocessable(f'order is already in "{order.status}" state')
        now = self._clock.now
        order.updated_at = now
        order.status = OrderStatus.PENDING_CANCEL
        order.cancel_due_at = now + self._cancel_delay
        self._updates.changed(order, now)
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
            # The end of one may have been that of another attached to it.
            if order.is_working:
                self.cancel(order.order_id)
        return cancelled

    def withdraw(self, order: Order) -> None:
        """Cancel a working order at once, on the broker's own behalf."""
        self._end(order, OrderStatus.CANCELED, self._clock.now)

    # Orders that hang together

    def _attach(self, order: Order, request: OrderRequest, checked: CheckedOrder) -> None:
        """Accept the exits of a bracket or OTO, held until its entry fills, or an OCO's rival."""
        is_rival = request.order_class is OrderClass.ONE_CANCELS_OTHER
        attached = []
        for index, each in enumerate(request.attached):
            name = self._identifiers.of("attached", f"{order.client_order_id}/{index}")
            legs = tuple(replace(leg, side=each.legs[0].side) for leg in checked.legs)
            child = self._accept(each, CheckedOrder(legs, ZERO), name)
            child.parent_id = order.order_id
            if not is_rival:
                child.status, child.eligible_at = OrderStatus.HELD, None
                self._updates.changed(child, self._clock.now)
            attached.append(child)
        order.attached_ids = tuple(child.order_id for child in attached)
        rivals = [order, *attached] if is_rival else attached
        if len(rivals) > 1:
            first, second = rivals
            first.rival_id, second.rival_id = second.order_id, first.order_id
            second.is_second_rival = True

    def _hand_over(self, old: Order, new: Order) -> None:
        """Let the order that replaces another stand where that stood among others."""
        new.parent_id, new.attached_ids = old.parent_id, old.attached_ids
        new.rival_id, new.is_second_rival = old.rival_id, old.is_second_rival
        new.best_price = old.best_price
        for child in self._attached(old):
            child.parent_id = new.order_id
        if old.rival_id is not None:
            self._orders[old.rival_id].rival_id = new.order_id
        parent = self._orders.get(old.parent_id or "")
        if parent is not None:
            parent.attached_ids = tuple(
                new.order_id if each == old.order_id else each for each in parent.attached_ids
            )

    def _attached(self, order: Order) -> list[Order]:
        return [self._orders[each] for each in order.attached_ids]

    def attached_to(self, order: Order) -> tuple[Order, ...]:
        """Give the orders attached to this one."""
        return tuple(self._attached(order))

    def _settle_others(self, order: Order, at: datetime) -> None:
        """Wake the exits of a filled entry; end the rival of an order that has ended."""
        if order.status is OrderStatus.FILLED:
            for child in self._attached(order):
                if child.status is OrderStatus.HELD:
                    child.status, child.updated_at = OrderStatus.NEW, at
                    child.eligible_at = at + self._matching.fill_delay
                    self._updates.changed(child, at)
        elif order.order_class is not OrderClass.ONE_CANCELS_OTHER:
            for child in self._attached(order):
                self._end(child, OrderStatus.CANCELED, at)
        rival = self._orders.get(order.rival_id or "")
        if rival is not None:
            self._end(rival, OrderStatus.CANCELED, at)

    def _end(self, order: Order, status: OrderStatus, at: datetime) -> None:
        if not order.is_working:
            return
        order.status, order.updated_at = status, at
        if status is OrderStatus.CANCELED:
            order.canceled_at = at
        elif status is OrderStatus.EXPIRED:
            order.expired_at = at
        self._updates.changed(order, at)
        self._retire(order)

    def _is_outrun(self, order: Order) -> bool:
        """Say whether a rival has begun to fill: the shares are no longer this order's."""
        rival = self._orders.get(order.rival_id or "")
        return rival is not None and rival.filled_units > 0

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
        if not self._is_outrun(order):
            self._matching.match(order, at, self._clock.moves)
        eligible = order.eligible_at is not None and at >= order.eligible_at
        if eligible and order.time_in_force.is_immediate:
            self._end(order, OrderStatus.CANCELED, at)
        if at >= order.expires_at:
            self._end(order, OrderStatus.EXPIRED, at)
        self._retire(order)

    def _finish_cancel(self, order: Order, at: datetime) -> None:
        due_at = order.cancel_due_at
        if order.status is OrderStatus.PENDING_CANCEL and due_at is not None and at >= due_at:
            self._end(order, OrderStatus.CANCELED, at)
        self._retire(order)

    def _retire(self, order: Order) -> None:
        if order.is_working or self._working.pop(order.order_id, None) is None:
            return
        if order.status is not OrderStatus.REPLACED:
            self._settle_others(order, self._clock.now)

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
        is_good_till_canceled = request.time_in_force is TimeInForce.GOOD_TILL_CANCELED
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
            expires_at=(
                now + GOOD_TILL_CANCELED_LIFE if is_good_till_canceled else session.closes_at
            ),
            eligible_at=now + self._matching.fill_delay if is_open else None,
            reservation=checked.reservation,
            trail=request.trail,
        )
        self._matching.follow(order)
        self._register(order)
        self._updates.changed(order, now)
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
