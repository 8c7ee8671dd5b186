"""What a storm must have met to mean anything: bounds that grow with the number of days."""

from collections import Counter
from collections.abc import Iterable, Mapping

from simulator.storm.day import DayResult
from simulator.storm.faults import ANYWHERE, FaultKind, Profile

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
    "roll_position.PlaceOrder",
    "roll_position.PollFill",
    "roll_position.RecordFill",
    "scan_market",
    "monitor_positions",
    "watch_heartbeat",
)
SELDOM_STATES: tuple[str, ...] = (
    "roll_position.CancelOrder",
    "roll_position.PollCancel",
    "roll_position.ReconcileOrder",
)
"""Steps that few executions reach: some fault must have struck them, whatever its kind."""
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
    "exit_strike_breached": 8,
    "exit_assigned": 10,
    "rolls": 5,
    "rolls_begun": 8,
    "mornings": 30,
    "mishap_assigned": 15,
    "mishap_by_hand": 4,
    "mishap_liquidated": 5,
    "short_stock": 1,
    "puts_sold_alone": 15,
    "passive_breaches": 10,
}
"""What so many days must have seen, whatever the profile."""
SELDOM_PER_HUNDRED_DAYS: Mapping[str, float] = {
    "exit_broker_liquidated": 0.5,
    "rolls_unfilled": 0.5,
    "shares_kept": 0.25,
    "mishap_expired": 0.25,
}
"""What takes many days to be sure of: asked for from `DAYS_FOR_STATES` days on."""
NOT_YET_COVERED: tuple[str, ...] = (
    "splits and adjusted contracts: no stock of a storm has a corporate action",
    "exits for assignment_risk: no stock of a storm pays a dividend",
    "strangers who open contracts of ours: theirs are in contracts that the agent never trades",
    "what a roll leaves behind, and trades that end by expiration: counted, too rare to ask for",
    "rolls of condors and of puts sold alone: only verticals roll",
    "calls on assigned shares: played where a climate asks for them, on no usual day",
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
    if days >= DAYS_FOR_STATES:
        found += [
            f"{name}: {counts.get(name, 0)} of at least {rarely:g}"
            for name, share in SELDOM_PER_HUNDRED_DAYS.items()
            if counts.get(name, 0) < (rarely := share * days / 100)
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
        found += [f"no fault in {state}" for state in SELDOM_STATES if not states.get(state)]
    return found
