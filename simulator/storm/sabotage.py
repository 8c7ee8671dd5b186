"""Sabotages: one rule of the agent broken at one place, which a storm must notice."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import count
from typing import Any

from agent.adapters.alpaca import broker as alpaca_broker
from agent.adapters.alpaca import orders as alpaca_orders
from agent.adapters.alpaca.session import AlpacaSession
from agent.adapters.memory.book import MemoryBook
from agent.book.changes import LedgerMove
from agent.book.records import TERMINAL_ORDER_STATUSES, OrderStatus
from agent.book.states import ACTIVE_STATUSES
from agent.book.transitions import refuse_entry
from agent.ports import AlertUnavailable, OrderRequest, TradingState
from agent.risk import reservation
from agent.strategies import exits, strikes
from agent.use_cases import (
    cancel_order,
    entry_risk,
    marking,
    monitor_positions,
    order_tracking,
    place_order,
    reconcile_order,
    settlement,
    size_position,
)
from simulator.storm import functions
from simulator.storm.ports import FaultyBook, FaultyControl, FaultyOutbox

Patch = tuple[Any, str, Any]
"""Whose attribute, its name, and what stands in its place."""


@dataclass(frozen=True)
class Sabotage:
    """A broken rule; `patches` makes what stands in the place of the right thing."""

    name: str
    says: str
    patches: Callable[[], Sequence[Patch]]
    seeds: range = range(1, 11)
    """The days on which it must be noticed, unless others are asked for."""

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Break the rule for a while."""
        patches = self.patches()
        before = [(owner, name, getattr(owner, name)) for owner, name, _ in patches]
        for owner, name, replacement in patches:
            setattr(owner, name, replacement)
        try:
            yield
        finally:
            for owner, name, original in before:
                setattr(owner, name, original)


def _drop_the_intent_id() -> Sequence[Patch]:
    right, numbers = alpaca_orders.order_payload, count()

    def wrong(request: Any) -> dict[str, Any]:
        return {**right(request), "client_order_id": f"order-{next(numbers)}"}

    return [(alpaca_broker, "order_payload", wrong)]


def _skip_the_poll_after_cancel() -> Sequence[Patch]:
    right = cancel_order.cancel_working

    def wrong(desk: Any, intent: Any) -> int:
        asked = right(desk, intent)
        ended = [
            order
            if order.status in TERMINAL_ORDER_STATUSES
            else order.model_copy(update={"status": OrderStatus.CANCELED})
            for order in intent.orders
        ]
        order_tracking.store_orders(desk, intent, ended)
        return asked

    return [(cancel_order, "cancel_working", wrong)]


def _check_instead_of_reserve() -> Sequence[Patch]:
    return [(size_position, "reserve_moves", lambda *_, **__: ())]


def _forget_the_sign() -> Sequence[Patch]:
    return [(alpaca_orders, "signed_limit_price", abs)]


def _release_twice() -> Sequence[Patch]:
    right = reservation.release_moves

    def wrong(*given: Any, **named: Any) -> tuple[LedgerMove, ...]:
        return tuple(
            replace(move, deltas={name: 2 * delta for name, delta in move.deltas.items()})
            for move in right(*given, **named)
        )

    return [(settlement, "release_moves", wrong)]


def _never_release() -> Sequence[Patch]:
    return [(settlement, "release_moves", lambda *_, **__: ())]


def _unknown_is_rejected() -> Sequence[Patch]:
    return [(order_tracking, "LANDING_SECONDS_MAX", 0)]


def _refused_again_is_refused() -> Sequence[Patch]:
    return [(place_order, "_send_again", place_order._send)]  # noqa: SLF001 - the place to break


def _drop_the_stop_on_a_bad_quote() -> Sequence[Patch]:
    return [(marking, "model_debit", lambda *_: None)]


def _trust_an_index() -> Sequence[Patch]:
    def wrong(book: FaultyBook) -> tuple[Any, ...]:
        return tuple(trade for trade in book.all_trades() if trade.status in ACTIVE_STATUSES)

    return [(FaultyBook, "active_trades", wrong)]


def _forget_the_partial() -> Sequence[Patch]:
    return [(place_order, "contracts_left", order_tracking.contracts_wanted)]


def _open_instead_of_close() -> Sequence[Patch]:
    right = OrderRequest
    return [
        (place_order, "OrderRequest", lambda **named: right(**{**named, "opening": True})),
    ]


def _never_redrive() -> Sequence[Patch]:
    return [(monitor_positions, "_redrive", lambda *_: "running")]


def _mark_before_telling() -> Sequence[Patch]:
    def wrong(desk: Any) -> int:
        told = 0
        for alert in desk.outbox.unsent():
            desk.outbox.mark_sent(alert.alert_id)
            try:
                desk.alerts.publish(alert)
            except AlertUnavailable:
                return told
            told += 1
        return told

    return [(owner, "publish_alerts", wrong) for owner in (settlement, monitor_positions)]


def _tell_for_ever() -> Sequence[Patch]:
    return [(FaultyOutbox, "mark_sent", lambda *_: None)]


def _send_before_writing() -> Sequence[Patch]:
    right = order_tracking.store_orders

    def wrong(desk: Any, intent: Any, orders: Any) -> Any:
        if orders[-1].status is OrderStatus.SENDING:
            return intent.model_copy(update={"orders": tuple(orders)})
        return right(desk, intent, orders)

    return [(place_order, "store_orders", wrong)]


def _leak_the_keys() -> Sequence[Patch]:
    right = AlpacaSession.__init__

    def wrong(session: Any, *given: Any, **named: Any) -> None:
        right(session, *given, **named)
        session._secrets = ()  # noqa: SLF001 - the place to break

    return [(AlpacaSession, "__init__", wrong)]


def _cancel_everything() -> Sequence[Patch]:
    def wrong(broker: Any, _: str) -> None:
        broker._trading.delete("/orders")  # noqa: SLF001 - the place to break

    return [(alpaca_broker.AlpacaBroker, "cancel", wrong)]


def _book_the_limit_as_the_fill() -> Sequence[Patch]:
    right = order_tracking.as_found

    def wrong(order: Any, found: Any, trade: Any) -> Any:
        merged = right(order, found, trade)
        filled = merged.limit_cash if merged.filled_contracts else None
        return merged.model_copy(update={"filled_cash": filled})

    return [(order_tracking, "as_found", wrong), (place_order, "as_found", wrong)]


def _last_writer_wins() -> Sequence[Patch]:
    return [(MemoryBook, "_require_expected", lambda *_: None)]


def _ignore_the_owner() -> Sequence[Patch]:
    return [(FaultyControl, "trading_state", lambda _: TradingState.ACTIVE)]


def _target_on_mid() -> Sequence[Patch]:
    right = exits._profit_target  # noqa: SLF001 - the place to break

    def wrong(trade: Any, mark: Any, rules: Any) -> Any:
        return right(trade, replace(mark, debit_natural=mark.debit), rules)

    return [(exits, "_profit_target", wrong)]


def _forget_the_target() -> Sequence[Patch]:
    return [(exits, "_profit_target", lambda *_: None)]


def _stop_too_early() -> Sequence[Patch]:
    right = strikes.stop_level
    return [(exits, "stop_level", lambda *given: right(*given) / 2)]


def _forget_the_expiration() -> Sequence[Patch]:
    return [(exits, "_expiration_safety", lambda *_: None), (exits, "_dte", lambda *_: None)]


def _sell_below_natural() -> Sequence[Patch]:
    right = place_order.price_entry

    def wrong(*given: Any) -> Any:
        priced = right(*given)
        if isinstance(priced, place_order.NoOrder):
            return priced
        return replace(priced, limit_cash=priced.natural_cash - Decimal("0.10"))

    return [(place_order, "price_entry", wrong)]


def _double_the_size() -> Sequence[Patch]:
    right = entry_risk.measure_entry

    def wrong(*given: Any) -> Any:
        measured = right(*given)
        risk = measured.risk
        doubled = risk.model_copy(
            update={
                "contracts_reserved": 2 * risk.contracts_reserved,
                "heat_cents": 2 * risk.heat_cents,
                "capital_cents": 2 * risk.capital_cents,
            }
        )
        return replace(measured, risk=doubled)

    return [(size_position, "measure_entry", wrong)]


def _enter_on_any_quote() -> Sequence[Patch]:
    right = place_order.price_entry

    class AnyQuote:
        """Say of every quote that it is good."""

        def __init__(self, quote: Any) -> None:
            self._quote = quote

        def is_valid(self, *_: Any, **__: Any) -> bool:
            return True

        def __getattr__(self, name: str) -> Any:
            return getattr(self._quote, name)

    def wrong(quote: Any, *given: Any) -> Any:
        return right(AnyQuote(quote), *given)  # type: ignore[arg-type]  # a quote that lies

    return [(place_order, "price_entry", wrong)]


def _settle_without_waiting() -> Sequence[Patch]:
    def always(_: Any) -> bool:
        return True

    return [(settlement, "is_settled", always), (reconcile_order, "is_settled", always)]


def _give_up_on_a_refusal() -> Sequence[Patch]:
    """Let a reconciling step swallow that an order may still fill."""
    steps: dict[str, Any] = dict(functions.STEPS)
    right = steps["reconcile_order"]

    def wrong(desk: Any, event: Any) -> Any:
        try:
            return right(desk, event)
        except Exception:
            desk.book.commit(
                refuse_entry(
                    desk.book.intent(event.intent_id),
                    "gave up",
                    desk.clock.market_clock().now,
                    {},
                )
            )
            raise

    return [(functions, "STEPS", {**steps, "reconcile_order": wrong})]


def _sabotages() -> Iterator[Sabotage]:
    rows: Mapping[str, tuple[str, Callable[[], Sequence[Patch]]]] = {
        "drop-the-intent-id": ("orders bear a name of chance", _drop_the_intent_id),
        "skip-the-poll-after-cancel": (
            "an order counts as cancelled once a cancel was asked for",
            _skip_the_poll_after_cancel,
        ),
        "check-instead-of-reserve": ("the ledger does not move", _check_instead_of_reserve),
        "forget-the-sign": ("a credit is sent as a debit", _forget_the_sign),
        "release-twice": ("risk is given back twice over", _release_twice),
        "never-release": ("risk is never given back", _never_release),
        "unknown-is-rejected": ("an order not seen at once is dead", _unknown_is_rejected),
        "refused-again-is-refused": (
            "a second sending's refusal ends what the first may have begun",
            _refused_again_is_refused,
        ),
        "drop-the-stop-on-a-bad-quote": (
            "without a good quote there is no mark",
            _drop_the_stop_on_a_bad_quote,
        ),
        "trust-an-index": ("decisions read a list that lags", _trust_an_index),
        "forget-the-partial": ("a new rung asks for everything again", _forget_the_partial),
        "open-instead-of-close": ("exits are sent as entries", _open_instead_of_close),
        "never-redrive": ("what went astray is left alone", _never_redrive),
        "mark-before-telling": ("an alert is ticked off first", _mark_before_telling),
        "tell-for-ever": ("an alert is never ticked off", _tell_for_ever),
        "send-before-writing": ("orders are sent unwritten", _send_before_writing),
        "leak-the-keys": ("messages keep the keys in them", _leak_the_keys),
        "cancel-everything": ("a cancel takes all of the account's orders", _cancel_everything),
        "book-the-limit-as-the-fill": (
            "fills are booked at their limits",
            _book_the_limit_as_the_fill,
        ),
        "last-writer-wins": ("no write looks at versions", _last_writer_wins),
        "ignore-the-owner": ("the trading state is not asked", _ignore_the_owner),
        "target-on-mid": ("profit targets trigger on mid", _target_on_mid),
        "forget-the-target": ("profit targets never trigger", _forget_the_target),
        "stop-too-early": ("the stop lies at half its level", _stop_too_early),
        "forget-the-expiration": ("nothing leaves before expiration", _forget_the_expiration),
        "sell-below-natural": ("entries concede more than the market asks", _sell_below_natural),
        "double-the-size": ("twice what the sizing allowed is reserved", _double_the_size),
        "enter-on-any-quote": ("entries are priced on any quote", _enter_on_any_quote),
        "settle-without-waiting": ("working orders are settled", _settle_without_waiting),
        "give-up-reconciling": ("what cannot be reconciled is called done", _give_up_on_a_refusal),
    }
    for name, (says, patches) in rows.items():
        yield Sabotage(name, says, patches)


SABOTAGES: Mapping[str, Sabotage] = {sabotage.name: sabotage for sabotage in _sabotages()}
