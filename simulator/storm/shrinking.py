"""Shrinking: of all that went wrong on a day, leave only what it takes to break the rule."""

from collections.abc import Callable, Sequence

from simulator.storm.day import DayResult, StormDay
from simulator.storm.faults import Profile
from simulator.storm.story import tell

RUNS_MAX = 60


def shrunk_story(result: DayResult, profile: Profile) -> list[str]:
    """Run a failed day again with fewer and fewer faults, and tell the smallest that fails."""
    found = result.violation
    if found is None:
        return []
    runs = 0

    def still_fails(keys: Sequence[str]) -> bool:
        nonlocal runs
        runs += 1
        again = StormDay(result.seed, profile, frozenset(keys)).run().violation
        return again is not None and again.checker == found.checker

    def is_spent() -> bool:
        return runs >= RUNS_MAX

    struck = [fault.key for fault in result.faults]
    needed = _fewest(struck, still_fails, is_spent)
    day = StormDay(result.seed, profile, frozenset(needed))
    violation = day.run().violation
    if violation is None:  # The last faults depended on others that did not strike.
        day = StormDay(result.seed, profile)
        violation = day.run().violation
    assert violation is not None
    head = f"{len(needed)} of {len(struck)} faults are needed; {runs} days were run to find them"
    return [head, *tell(day.view, violation)]


def _fewest(
    keys: list[str],
    still_fails: Callable[[Sequence[str]], bool],
    is_spent: Callable[[], bool],
) -> list[str]:
    """Remove parts, halves first, as long as what is left still fails (delta debugging)."""
    parts = 2
    while keys and not is_spent():
        size = max(1, -(-len(keys) // parts))
        for start in range(0, len(keys), size):
            rest = keys[:start] + keys[start + size :]
            if is_spent():
                return keys
            if still_fails(rest):
                keys = rest
                parts = max(2, parts - 1)
                break
        else:
            if size == 1:
                return keys
            parts = min(len(keys), parts * 2)
    return keys
