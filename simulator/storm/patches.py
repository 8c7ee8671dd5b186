"""The places at which sabotages break the agent, and what they put there."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import count
from typing import Any

from agent.adapters.alpaca import broker as alpaca_broker
from agent.adapters.alpaca import orders as alpaca_orders
from agent.adapters.alpaca.session import AlpacaSession
from agent.adapters.memory.book import MemoryBook
from agent.book import order_plan
from agent.book.changes import LedgerMove
from agent.book.intents import TERMINAL_ORDER_STATUSES, OrderStatus
from agent.book.states import ACTIVE_STATUSES
from agent.book.transitions import refuse_entry
from agent.options.money import CENT
from agent.options.structures import LegSide
from agent.ports import AlertUnavailable, OrderRequest, TradingState
from agent.risk import checks, fees, order_prices, reservation
from agent.strategies import exits, strikes
from agent.use_cases import (
    cancel_order,
    check_risk,
    entry_risk,
    marking,
    monitor_positions,
    order_tracking,
    place_order,
    reconcile_order,
    scan_market,
    settlement,
    size_position,
)
from simulator.storm import functions
from simulator.storm.ports import FaultyBook, FaultyControl, FaultyOutbox

Patch = tuple[Any, str, Any]
"""Whose attribute, its name, and what stands in its place."""


def drop_the_intent_id() -> Sequence[Patch]:
    right, numbers = alpaca_orders.order_payload, count()

    def wrong(request: Any) -> dict[str, Any]:
        return {**right(request), "client_order_id": f"order-{next(numbers)}"}

    return [(alpaca_broker, "order_payload", wrong)]


def skip_the_poll_after_cancel() -> Sequence[Patch]:
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


def check_instead_of_reserve() -> Sequence[Patch]:
    return [(size_position, "reserve_moves", lambda *_, **__: ())]


def forget_the_sign() -> Sequence[Patch]:
    return [(alpaca_orders, "signed_limit_price", abs)]


def release_twice() -> Sequence[Patch]:
    right = reservation.release_moves

    def wrong(*given: Any, **named: Any) -> tuple[LedgerMove, ...]:
        return tuple(
            replace(move, deltas={name: 2 * delta for name, delta in move.deltas.items()})
            for move in right(*given, **named)
        )

    return [(settlement, "release_moves", wrong)]


def never_release() -> Sequence[Patch]:
    return [(settlement, "release_moves", lambda *_, **__: ())]


def unknown_is_rejected() -> Sequence[Patch]:
    return [(order_tracking, "LANDING_SECONDS_MAX", 0)]


def refused_again_is_refused() -> Sequence[Patch]:
    return [(place_order, "_send_again", place_order._send)]  # noqa: SLF001 - the place to break


def drop_the_stop_on_a_bad_quote() -> Sequence[Patch]:
    return [(marking, "model_prices", lambda *_: None)]


def trust_an_index() -> Sequence[Patch]:
    def wrong(book: FaultyBook) -> tuple[Any, ...]:
        return tuple(trade for trade in book.all_trades() if trade.status in ACTIVE_STATUSES)

    return [(FaultyBook, "active_trades", wrong)]


def forget_the_partial() -> Sequence[Patch]:
    return [(order_plan, "filled_contracts", lambda _: 0)]


def open_instead_of_close() -> Sequence[Patch]:
    right = OrderRequest
    return [
        (place_order, "OrderRequest", lambda **named: right(**{**named, "opening": True})),
    ]


def never_redrive() -> Sequence[Patch]:
    return [(monitor_positions, "_redrive", lambda *_: "running")]


def mark_before_telling() -> Sequence[Patch]:
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


def tell_for_ever() -> Sequence[Patch]:
    return [(FaultyOutbox, "mark_sent", lambda *_: None)]


def send_before_writing() -> Sequence[Patch]:
    right = order_tracking.store_orders

    def wrong(desk: Any, intent: Any, orders: Any) -> Any:
        if orders[-1].status is OrderStatus.SENDING:
            return intent.model_copy(update={"orders": tuple(orders)})
        return right(desk, intent, orders)

    return [(place_order, "store_orders", wrong)]


def leak_the_keys() -> Sequence[Patch]:
    right = AlpacaSession.__init__

    def wrong(session: Any, *given: Any, **named: Any) -> None:
        right(session, *given, **named)
        session._secrets = ()  # noqa: SLF001 - the place to break

    return [(AlpacaSession, "__init__", wrong)]


def cancel_everything() -> Sequence[Patch]:
    def wrong(broker: Any, _: str) -> None:
        broker._trading.delete("/orders")  # noqa: SLF001 - the place to break

    return [(alpaca_broker.AlpacaBroker, "cancel", wrong)]


def book_the_limit_as_the_fill() -> Sequence[Patch]:
    right = order_tracking.as_found

    def wrong(order: Any, found: Any, trade: Any) -> Any:
        merged = right(order, found, trade)
        filled = merged.limit_cash if merged.filled_contracts else None
        return merged.model_copy(update={"filled_cash": filled})

    return [(order_tracking, "as_found", wrong), (place_order, "as_found", wrong)]


def flatter_the_fills() -> Sequence[Patch]:
    """Book every entry a cent a share better, in its cash and in its first leg alike."""
    right = alpaca_orders.parse_order

    def wrong(answer: Any) -> Any:
        found = right(answer)
        if not found.filled_contracts or found.filled_cash is None or found.filled_cash < 0:
            return found
        symbol = min(found.leg_prices)
        short = symbol if _is_sold(answer, symbol) else max(found.leg_prices)
        prices = {**found.leg_prices, short: found.leg_prices[short] + CENT}
        return replace(found, filled_cash=found.filled_cash + CENT, leg_prices=prices)

    return [(alpaca_broker, "parse_order", wrong)]


def _is_sold(answer: Any, symbol: str) -> bool:
    return any(
        leg.text("symbol") == symbol and leg.text("side") == "sell" for leg in answer.parts("legs")
    )


def leave_out_the_cover() -> Sequence[Patch]:
    right = alpaca_orders.order_payload

    def wrong(request: Any) -> dict[str, Any]:
        shorts = tuple(leg for leg in request.legs if leg.side is LegSide.SHORT)
        return right(replace(request, legs=shorts[:1]) if request.opening else request)

    return [(alpaca_broker, "order_payload", wrong)]


def last_writer_wins() -> Sequence[Patch]:
    return [(MemoryBook, "_require_expected", lambda *_: None)]


def ignore_the_owner() -> Sequence[Patch]:
    return [(FaultyControl, "trading_state", lambda _: TradingState.ACTIVE)]


def target_on_mid() -> Sequence[Patch]:
    right = exits._profit_target  # noqa: SLF001 - the place to break

    def wrong(trade: Any, mark: Any, rules: Any) -> Any:
        return right(trade, replace(mark, debit_natural=mark.debit), rules)

    return [(exits, "_profit_target", wrong)]


def forget_the_target() -> Sequence[Patch]:
    return [(exits, "_profit_target", lambda *_: None)]


def stop_too_early() -> Sequence[Patch]:
    right = strikes.stop_level
    return [(exits, "stop_level", lambda *given: right(*given) / 2)]


def forget_the_expiration() -> Sequence[Patch]:
    return [(exits, "_expiration_safety", lambda *_: None), (exits, "_dte", lambda *_: None)]


def sell_below_natural() -> Sequence[Patch]:
    right = order_prices.price_entry

    def wrong(*given: Any) -> Any:
        priced = right(*given)
        if isinstance(priced, order_prices.NoOrder):
            return priced
        return replace(priced, limit_cash=priced.natural_cash - Decimal("0.10"))

    # The collar would refuse it: both have to fail.
    return [
        (place_order, "price_entry", wrong),
        (place_order, "collar_breach", lambda *_, **__: None),
    ]


def double_the_size() -> Sequence[Patch]:
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


def enter_on_any_quote() -> Sequence[Patch]:
    right = order_prices.price_entry

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

    # The collar would refuse the worst of them: all have to fail.
    return [
        (place_order, "price_entry", wrong),
        (place_order, "collar_breach", lambda *_, **__: None),
        (place_order, "moved_since", lambda *_: None),
    ]


def settle_without_waiting() -> Sequence[Patch]:
    def always(_: Any) -> bool:
        return True

    return [(settlement, "is_settled", always), (reconcile_order, "is_settled", always)]


def give_up_on_a_refusal() -> Sequence[Patch]:
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


def double_the_fees() -> Sequence[Patch]:
    right = fees.fill_fees
    return [(settlement, "fill_fees", lambda *given, **named: 2 * right(*given, **named))]


def act_on_stale_slots() -> Sequence[Patch]:
    return [(owner, "is_stale", lambda *_: False) for owner in (scan_market, check_risk)]


def exit_while_halted() -> Sequence[Patch]:
    return [(monitor_positions, "_is_allowed", lambda *_: True)]


def ignore_the_daily_loss() -> Sequence[Patch]:
    right = checks._daily_loss_finding  # noqa: SLF001 - the place to break
    return [(checks, "_daily_loss_finding", lambda context: replace(right(context), passed=True))]
