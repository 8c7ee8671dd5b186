"""What a storm must have met to mean anything: bounds that grow with the number of days."""

from collections import Counter
from collections.abc import Iterable, Mapping

from simulator.storm.day import DayResult
from simulator.storm.faults import FaultKind, Profile

MACHINE_STATES: tuple[str, ...] = (
    "open_position.CheckRisk",
    "open_position.SizePosition",
    "open_position.PlaceOrder",
    "open_position.PollFill",
    "open_position.CancelOrder",
    "open_position.PollCancel",
    "open_position.RecordFill",
    "open_position.ReconcileOrder",
    "close_position.PlaceOrder",
    "close_position.PollFill",
    "close_position.CancelOrder",
    "close_position.PollCancel",
    "close_position.RecordFill",
    "close_position.ReconcileOrder",
    "scan_market",
    "monitor_positions",
    "watch_heartbeat",
)
ANYWHERE: tuple[FaultKind, ...] = (
    FaultKind.DIE_BEFORE,
    FaultKind.DIE_AFTER,
    FaultKind.DELAY_BEFORE,
    FaultKind.DELAY_AFTER,
    FaultKind.BOOK_BUSY_BEFORE,
    FaultKind.INVOCATION_REFUSED,
    FaultKind.INVOCATION_LOST,
    FaultKind.INVOCATION_DOUBLED,
)
"""Kinds that can strike in every state."""
DAYS_FOR_KINDS = 40
"""From so many days on, every kind of fault must have struck."""
DAYS_FOR_STATES = 400
"""From so many days on, every kind that can strike anywhere must have struck in every state."""
PER_HUNDRED_DAYS: Mapping[str, int] = {
    "orders": 300,
    "fills": 300,
    "partial_orders": 10,
    "carried": 150,
    "single_leg_orders": 5,
    "times_quiescent": 1_000,
    "trade_closed": 30,
    "exit_profit_target": 8,
    "exit_stop_loss": 3,
    "exit_manual": 3,
    "exit_expiration_near": 10,
    "exit_strike_breached": 10,
}
"""What so many days must have seen, whatever the profile."""
NOT_YET_COVERED: tuple[str, ...] = (
    "rolls: counted, but too rare in these markets for a bound",
    "assignments, exercise and early assignment: no leg of a storm is assigned",
    "the broker's own liquidations and corporate actions",
    "cash-secured puts and assigned stock: rule 4 watches spreads only",
    "the reconciler's orphans: somebody else's orders are in contracts that the agent never trades",
)


def faults_by_kind(results: Iterable[DayResult]) -> Counter[str]:
    return Counter(fault.kind.value for result in results for fault in result.faults)


def faults_by_state(results: Iterable[DayResult]) -> dict[str, Counter[str]]:
    """Count the faults of every kind in every state."""
    found: dict[str, Counter[str]] = {}
    for result in results:
        for fault in result.faults:
            found.setdefault(fault.state, Counter())[fault.kind.value] += 1
    return found


def missing(
    profile: Profile,
    days: int,
    counts: Mapping[str, int],
    kinds: Mapping[str, int],
    states: Mapping[str, Mapping[str, int]],
) -> list[str]:
    """Say what did not occur often enough for so many days; nothing where coverage is met."""
    found = [
        f"{name}: {counts.get(name, 0)} of at least {least}"
        for name, per_hundred in PER_HUNDRED_DAYS.items()
        if counts.get(name, 0) < (least := per_hundred * days // 100)
    ]
    if not profile.probabilities:
        return found
    if days >= DAYS_FOR_KINDS:
        found += [f"no {kind}" for kind in FaultKind if not kinds.get(kind.value)]
    if days >= DAYS_FOR_STATES:
        found += [
            f"no {kind} in {state}"
            for state in MACHINE_STATES
            for kind in ANYWHERE
            if not states.get(state, {}).get(kind.value)
        ]
    return found
