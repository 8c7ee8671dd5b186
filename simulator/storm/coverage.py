"""What a storm must have met to mean anything: bounds that grow with the number of days."""

from collections import Counter
from collections.abc import Iterable, Mapping
from math import sqrt

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
USUAL_PER_HUNDRED_DAYS: Mapping[str, float] = {
    "orders": 1_300,
    "fills": 1_900,
    "partial_orders": 50,
    "carried": 240,
    "single_leg_orders": 20,
    "times_quiescent": 20_000,
    "trade_closed": 200,
    "exit_profit_target": 40,
    "exit_stop_loss": 7,
    "exit_manual": 13,
    "exit_expiration_near": 75,
    "exit_strike_breached": 13,
    "exit_assigned": 35,
    "exit_broker_liquidated": 4,
    "rolls": 5.5,
    "rolls_begun": 15,
    "rolls_unfilled": 9,
    "mornings": 48,
    "mishap_assigned": 37,
    "mishap_by_hand": 2.3,
    "mishap_liquidated": 6.5,
    "short_stock": 2.8,
    "puts_sold_alone": 30,
    "passive_breaches": 150,
}
"""What a hundred days see on average, the lower figure of long rough and hellish runs; less of what
faults bring about, since calm days have to do without."""
USUAL_MIN = 8.0
"""With fewer to be expected, seeing none may be chance, and nothing is asked for."""
NOT_YET_COVERED: tuple[str, ...] = (
    "splits into whole shares: played where a climate asks for them, on no usual day",
    "contracts that any other corporate action adjusts: the exchange knows none",
    "exits for assignment_risk: no stock of a storm pays a dividend",
    "strangers who open contracts of ours: theirs are in contracts that the agent never trades",
    "what a roll leaves behind, shares kept, and trades that expire: counted, too rare to ask for",
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


def least_of(usual: float) -> int:
    """Give the least of what is usually seen so often: half, less three deviations, but one."""
    return 0 if usual < USUAL_MIN else max(1, int(usual / 2 - 3 * sqrt(usual / 2)))


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
        for name, per_hundred in USUAL_PER_HUNDRED_DAYS.items()
        if counts.get(name, 0) < (least := least_of(per_hundred * days / 100))
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
