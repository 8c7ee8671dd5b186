"""What happens to orders, told to whoever listens as it happens: the trade_updates stream."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from simulator.exchange.book import Book
from simulator.exchange.numbers import Identifiers, plain, timestamp
from simulator.exchange.order_rendering import render_order
from simulator.exchange.records import Order, OrderStatus

Update = dict[str, Any]
Listener = Callable[[Update], None]
EVENTS = {
    OrderStatus.ACCEPTED: "pending_new",
    OrderStatus.NEW: "new",
    OrderStatus.PENDING_CANCEL: "pending_cancel",
    OrderStatus.CANCELED: "canceled",
    OrderStatus.EXPIRED: "expired",
    OrderStatus.REPLACED: "replaced",
    OrderStatus.HELD: "held",
}


class TradeUpdates:
    """Tell listeners of each order's changes; without a listener nothing is spelled at all."""

    def __init__(self, book: Book, identifiers: Identifiers) -> None:
        self._book = book
        self._identifiers = identifiers
        self._listeners: list[Listener] = []

    @property
    def has_listeners(self) -> bool:
        """Say whether anybody is told."""
        return bool(self._listeners)

    def listen(self, listener: Listener) -> None:
        """Tell `listener` of every change from now on."""
        self._listeners.append(listener)

    def stop_listening(self, listener: Listener) -> None:
        """Tell `listener` no more; doing so twice is harmless."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def changed(self, order: Order, at: datetime) -> None:
        """Tell that an order is in another status."""
        if self._listeners:
            self._tell(order, at, {"event": EVENTS[order.status]})

    def filled(
        self, order: Order, units: int, net: Decimal, prices: Sequence[Decimal], at: datetime
    ) -> None:
        """Tell that `units` of an order traded, at `net` each and each leg at its price."""
        if not self._listeners:
            return
        done = order.status is OrderStatus.FILLED
        name = f"{order.order_id}/{order.filled_units}"
        update: Update = {
            "event": "fill" if done else "partial_fill",
            "execution_id": self._identifiers.of("execution", name),
            "qty": plain(units),
            "price": plain(net if order.is_multileg else prices[0]),
        }
        held = {leg.symbol: plain(self._book.held(leg.symbol)) for leg in order.legs}
        if order.is_multileg:
            update["position_qtys"] = held
            update["legs"] = [
                {
                    "execution_id": self._identifiers.of("execution", f"{name}/{leg.symbol}"),
                    "order_id": leg.order_id,
                    "symbol": leg.symbol,
                    "side": leg.side.value,
                    "qty": plain(units * leg.ratio),
                    "price": plain(price),
                }
                for leg, price in zip(order.legs, prices, strict=True)
            ]
        else:
            update["position_qty"] = held[order.legs[0].symbol]
        self._tell(order, at, update)

    def _tell(self, order: Order, at: datetime, update: Update) -> None:
        told = {
            **update,
            "timestamp": timestamp(at),
            "order": render_order(order, self._identifiers),
        }
        for listener in tuple(self._listeners):
            listener(told)
