"""Many stormy days: run, count, shrink what failed, and say what it all came to."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from pydantic import BaseModel, ConfigDict

from simulator.garbage import rare_collections
from simulator.storm.coverage import NOT_YET_COVERED, faults_by_kind, faults_by_state, missing
from simulator.storm.day import DayResult, StormDay
from simulator.storm.faults import PROFILES, Profile
from simulator.storm.sabotage import Sabotage
from simulator.storm.shrinking import shrunk_story

SECONDS_PER_HOUR = 3_600.0


class ViolationReport(BaseModel):
    """Tell of one broken rule; `story` is shrunk to the faults that it takes."""

    model_config = ConfigDict(frozen=True)

    seed: int
    step: int
    at: str
    rule: str
    message: str
    story: tuple[str, ...]


class StormReport(BaseModel):
    """Hold what a campaign came to."""

    model_config = ConfigDict(frozen=True)

    profile: str
    first_seed: int
    end_seed: int
    days: int
    days_per_core_hour: float
    faults_by_kind: dict[str, int]
    faults_by_state: dict[str, dict[str, int]]
    counts: dict[str, int]
    exits: dict[str, int]
    rolls: int
    assignments: int
    partials: int
    violations: tuple[ViolationReport, ...]
    not_met: tuple[str, ...]
    """Coverage that so many days must have had and did not."""
    not_yet_covered: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        return not self.violations and not self.not_met


def run_storm(
    seeds: range,
    profile: Profile,
    *,
    processes: int = 1,
    shrinks: bool = True,
    told: Callable[[DayResult], None] = lambda _: None,
) -> StormReport:
    """Run a day a seed; `told` hears of each as it ends."""
    results: list[DayResult] = []
    core_seconds = 0.0
    if processes > 1:
        play = partial(_timed_day, profile_name=profile.name)
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            for result, seconds in pool.map(play, seeds, chunksize=4):
                core_seconds += seconds
                results.append(result)
                told(result)
    else:
        for seed in seeds:
            result, seconds = _timed_day(seed, profile.name)
            core_seconds += seconds
            results.append(result)
            told(result)
    return _report(seeds, profile, results, core_seconds, shrinks=shrinks)


def _timed_day(seed: int, profile_name: str) -> tuple[DayResult, float]:
    started = time.process_time()
    with rare_collections():
        result = StormDay(seed, PROFILES[profile_name]).run()
    return result, time.process_time() - started


def _report(
    seeds: range,
    profile: Profile,
    results: Sequence[DayResult],
    core_seconds: float,
    *,
    shrinks: bool,
) -> StormReport:
    counts: Counter[str] = Counter()
    for result in results:
        counts += result.counts
    kinds, states = faults_by_kind(results), faults_by_state(results)
    return StormReport(
        profile=profile.name,
        first_seed=seeds.start,
        end_seed=seeds.stop,
        days=len(results),
        days_per_core_hour=round(len(results) * SECONDS_PER_HOUR / max(core_seconds, 1e-9), 1),
        faults_by_kind=dict(sorted(kinds.items())),
        faults_by_state={state: dict(sorted(found.items())) for state, found in states.items()},
        counts=dict(sorted(counts.items())),
        exits={
            name.removeprefix("exit_"): number
            for name, number in sorted(counts.items())
            if name.startswith("exit_") and not name.startswith(("exit_begun", "exit_required"))
        },
        rolls=counts["rolls"],
        assignments=counts["mishap_assigned"],
        partials=counts["partial_orders"],
        violations=tuple(
            _violation(result, profile, shrinks=shrinks) for result in results if result.violation
        ),
        not_met=tuple(missing(profile, len(results), counts, kinds, states)),
        not_yet_covered=NOT_YET_COVERED,
    )


def _violation(result: DayResult, profile: Profile, *, shrinks: bool) -> ViolationReport:
    found = result.violation
    assert found is not None
    return ViolationReport(
        seed=found.seed,
        step=found.step,
        at=found.at.isoformat(),
        rule=found.checker,
        message=found.message,
        story=tuple(shrunk_story(result, profile)) if shrinks else (),
    )


def catch(
    sabotage: Sabotage,
    profile: Profile,
    seeds: Sequence[int] | None = None,
    *,
    unwatched: frozenset[str] = frozenset(),
) -> DayResult | None:
    """Give the first day on which a sabotage is noticed, None where none notices it.

    `unwatched` names rules that nobody checks meanwhile.
    """
    with sabotage.at_work():
        for seed in sabotage.seeds if seeds is None else seeds:
            result = StormDay(seed, sabotage.weather(profile), unwatched=unwatched).run()
            if result.violation is not None:
                return result
    return None
