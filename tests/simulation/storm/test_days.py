"""Stormy days break no rule, and are the same days whenever they are run."""

import hashlib
import os
import subprocess
import sys

import pytest

from simulator.storm.campaign import run_storm
from simulator.storm.coverage import missing
from simulator.storm.day import StormDay
from simulator.storm.faults import CALM, PROFILES, ROUGH, FaultKind


@pytest.mark.parametrize(
    ("profile", "seed"), [("calm", 1), ("rough", 2), ("rough", 3), ("hell", 4), ("hell", 25)]
)
def test_a_day_breaks_no_rule(profile: str, seed: int) -> None:
    result = StormDay(seed, PROFILES[profile]).run()
    assert result.violation is None, result.violation.message


def test_a_calm_day_meets_no_fault_and_still_trades() -> None:
    results = [StormDay(seed, CALM).run() for seed in (1, 4)]
    assert not any(result.faults for result in results)
    for result in results:
        assert result.counts["slots_monitor_positions"] >= 78
        assert result.counts["slots_scan_market"] >= 13
    assert sum(result.counts["carried"] for result in results)
    assert sum(result.counts["fills"] for result in results)


def digest_of(seed: int) -> str:
    """Sum up everything that a rough day came to."""
    day = StormDay(seed, ROUGH)
    day.run()
    told = [f"{at} {text}" for at, text in (*day.view.book.timeline, *day.view.functions.timeline)]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def test_the_same_seed_is_the_same_day_in_any_process() -> None:
    program = "from tests.simulation.storm.test_days import digest_of; print(digest_of(5))"
    answers = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert answers == {digest_of(5)}


def test_what_is_silenced_leaves_the_other_faults_where_they_were() -> None:
    whole = StormDay(3, ROUGH).run()
    first = whole.faults[0]
    alone = StormDay(3, ROUGH, only=frozenset({first.key})).run()
    assert [fault.key for fault in alone.faults] == [first.key]


def test_a_report_counts_days_faults_and_what_was_not_met() -> None:
    report = run_storm(range(1, 3), ROUGH)
    assert report.days == 2
    assert sum(report.faults_by_kind.values()) == sum(
        number for state in report.faults_by_state.values() for number in state.values()
    )
    assert report.days_per_core_hour > 0
    assert not report.violations
    assert report.rolls == report.counts.get("rolls", 0)
    assert report.assignments == report.counts.get("mishap_assigned", 0)


def test_a_storm_in_which_nothing_happens_is_not_good() -> None:
    lacking = missing(ROUGH, 400, {}, {}, {})
    assert "exit_stop_loss: 0 of at least 2" in lacking
    assert f"no {FaultKind.LATE_LANDING}" in lacking
    assert f"no {FaultKind.DIE_AFTER} in open_position.PlaceOrder" in lacking


def test_calm_days_need_no_faults() -> None:
    assert not [lack for lack in missing(CALM, 400, {}, {}, {}) if lack.startswith("no ")]
