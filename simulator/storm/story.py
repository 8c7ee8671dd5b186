"""The story of a day: what happened, in order, told of the trade that went wrong."""

from datetime import datetime

from simulator.exchange.calendar import NEW_YORK
from simulator.storm.functions import SCHEDULED
from simulator.storm.view import DayView, Violation, trade_id_of

LINES_MAX = 120
Line = tuple[datetime, str]


def tell(view: DayView, violation: Violation) -> list[str]:
    """Tell a violation step by step: the faults, and what touched the trade that it names."""
    trade_id = _trade_named(view, violation)
    lines: list[Line] = [
        (fault.at, f"FAULT {fault.kind} in {fault.state} ({fault.key})")
        for fault in view.plan.struck
    ]
    lines += [
        (at, text)
        for at, text in view.functions.timeline
        if _concerns(text, trade_id) or text.startswith(tuple(SCHEDULED))
    ]
    lines += [(at, text) for at, text in view.book.timeline if _concerns(text, trade_id)]
    lines += _broker_lines(view, trade_id)
    lines += [(at, f"OWNER says {state}") for at, state in view.trading_states]
    lines += [
        (move.at, f"BEFELL {move.quantity:+d} {move.symbol}: {move.kind}")
        for move in view.mishaps.moves
    ]
    lines.sort(key=lambda line: line[0])
    told = [f"{at.astimezone(NEW_YORK):%m-%d %H:%M:%S} {text}" for at, text in lines]
    if len(told) > LINES_MAX:
        left_out = len(told) - LINES_MAX
        told = [*told[: LINES_MAX // 3], f"... {left_out} lines ...", *told[-LINES_MAX * 2 // 3 :]]
    scenario = view.scenario
    head = (
        f"seed {violation.seed}, {view.profile.name}: {scenario.day.session}, "
        f"{', '.join(scenario.courses)}, {scenario.starting_cash} USD, "
        f"{' and '.join(scenario.settings.strategies)}"
    )
    end = (
        f"{violation.at.astimezone(NEW_YORK):%m-%d %H:%M:%S} VIOLATION of {violation.checker} "
        f"at step {violation.step}: {violation.message}"
    )
    return [head, *told, end]


def _trade_named(view: DayView, violation: Violation) -> str:
    named = {trade.trade_id for trade in view.book.all_trades()}
    named |= {intent.trade_id for intent in view.book.all_intents()}
    return max((name for name in named if name in violation.message), key=len, default="")


def _concerns(text: str, trade_id: str) -> bool:
    return trade_id in text


def _broker_lines(view: DayView, trade_id: str) -> list[Line]:
    lines: list[Line] = []
    for order in view.own_orders:
        if trade_id and trade_id_of(order.client_order_id) != trade_id:
            continue
        name = order.client_order_id
        lines.append(
            (order.created_at, f"BROKER accepts {name}: {order.units} at {order.signed_limit}")
        )
        ended = order.canceled_at or order.expired_at
        if ended is not None:
            lines.append((ended, f"BROKER ends {name}: {order.status}"))
        filled = {f.at: f.quantity for f in view.own_fills if f.order_id == order.order_id}
        lines += [(at, f"BROKER fills {quantity} of {name}") for at, quantity in filled.items()]
    return lines
