"""What a day came to in numbers: what coverage is measured by."""

from collections import Counter
from collections.abc import Iterable

from agent.book.intents import IntentKind
from agent.book.states import TradeStatus
from simulator.storm.checkers_book import BookIsBroker
from simulator.storm.checkers_exits import ExitsFire
from simulator.storm.checkers_limits import LimitsHold
from simulator.storm.view import Checker, DayView, is_of_one_leg, is_put_sold_alone


def count_day(view: DayView, checkers: Iterable[Checker]) -> Counter[str]:
    """Count what happened on a day, by name."""
    counts = _orders(view) + _trades(view) + _watched(checkers)
    counts.update(_mishaps(view))
    return counts


def _orders(view: DayView) -> Counter[str]:
    counts: Counter[str] = Counter()
    own = view.own_orders
    counts["orders"] = len(own)
    counts["fills"] = len(view.own_fills)
    counts["partial_orders"] = sum(
        0 < order.filled_units < order.units or _came_in_parts(view, order.order_id)
        for order in own
    )
    counts["single_leg_orders"] = sum(is_of_one_leg(order) for order in own)
    counts["foreign_orders"] = len(view.foreign_client_ids)
    counts["invocations"] = view.functions.invoked
    counts["executions"] = len(view.executions.runs)
    for run in view.executions.runs.values():
        counts[f"execution_{run.status.lower()}"] += 1
    return counts


def _trades(view: DayView) -> Counter[str]:
    counts: Counter[str] = Counter()
    for intent in view.book.all_intents():
        if intent.exit_reason is not None:
            counts[f"exit_begun_{intent.exit_reason}"] += 1
        counts["roll_residues"] += intent.of_residue
        is_roll = intent.kind is IntentKind.ROLL
        counts["rolls_unfilled"] += is_roll and not any(o.filled_contracts for o in intent.orders)
    for trade in view.book.all_trades():
        counts[f"trade_{trade.status}"] += 1
        counts["rolls"] += trade.campaign.rolls
        counts["rolls_begun"] += trade.campaign.attempts
        counts["puts_sold_alone"] += bool(
            is_put_sold_alone(trade.trade_id) and trade.execution.contracts
        )
        counts["shares_kept"] += bool(trade.shares_held)
        if trade.status is TradeStatus.CLOSED:
            counts[f"exit_{trade.exit_reason}"] += 1
    return counts


def _mishaps(view: DayView) -> Counter[str]:
    counts: Counter[str] = Counter()
    counts["mornings"] = int(view.scenario.morning is not None)
    for move in view.mishaps.moves:
        counts[f"mishap_{move.kind}"] += 1
        counts["short_stock"] += move.kind == "delivered" and move.quantity < 0
    return counts


def _watched(checkers: Iterable[Checker]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for checker in checkers:
        if isinstance(checker, BookIsBroker):
            counts["times_quiescent"] = checker.times_checked
        if isinstance(checker, LimitsHold):
            counts["passive_breaches"] = checker.passive_breaches
        if isinstance(checker, ExitsFire):
            for reason, number in checker.required.items():
                counts[f"exit_required_{reason}"] = number
    return counts


def _came_in_parts(view: DayView, order_id: str) -> bool:
    moments = {(fill.symbol, fill.at) for fill in view.own_fills if fill.order_id == order_id}
    return len({at for _, at in moments}) > 1
