"""A demo that was killed goes on with `--resume`, and ends with book = broker."""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator.rehearsal.rehearsal import Rehearsal, SessionProgress
from tests.e2e.commands import COMMAND, END_SECONDS, Outcome, run_here

RUN_LOG = "build/demo-unfinished.jsonl"
RUN = (
    *("--sessions", "3", "--set", "watchlist=[FXTT]"),
    *("--set", "market.symbols_without_reports=[FXTT]"),
    # Stopped out as soon as anything moves against a trade, so that there are exits.
    *("--set", "cash_secured_put.stop_loss=0.05", "--set", "iron_condor.stop_loss=0.05"),
    *("--set", "exits.stop_confirmation_passes=1"),
)
Record = tuple[str, Any]


def resumed(directory: Path, *arguments: str) -> tuple[Outcome, dict[str, Any]]:
    """Resume in this process; give how it ended and its report."""
    outcome = run_here("demo", "--resume", *arguments, directory=directory)
    assert (outcome.code, outcome.errors) == (0, "")
    return outcome, json.loads((directory / "build/demo/report.json").read_text("utf-8"))


def killed(directory: Path, *arguments: str, lines: int) -> None:
    """Start a demo in a process of its own, and kill it once its log has so many lines."""
    log = directory / RUN_LOG
    deadline = time.monotonic() + END_SECONDS
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, "demo", *arguments],
        cwd=directory,
        env={**os.environ, "NO_PROXY": "127.0.0.1"},
        stdout=subprocess.DEVNULL,
    ) as process:
        try:
            while not log.exists() or log.read_bytes().count(b"\n") < lines:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.01)
        finally:
            process.kill()


def assert_sound(report: dict[str, Any]) -> None:
    """Hold a report to what must be true of every run that ended."""
    assert float(report["cash_identity"]["difference"]) == 0
    assert report["differences"] == []
    statuses = {trade["status"] for trade in report["trades"]}
    assert statuses <= {"open", "closed", "cancelled", "rejected"}


@pytest.fixture(scope="module")
def whole_log(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Give the log of a run that went through, line by line.

    Every line is written before anything follows from it. A process that is killed leaves a
    beginning of these lines, and perhaps a torn one.
    """
    place = tmp_path_factory.mktemp("whole")
    kept: list[bytes] = []

    from simulator.rehearsal.run_log import RunLog

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunLog, "discard", lambda log: kept.append(log._path.read_bytes()))
        outcome = run_here("demo", *RUN, directory=place)
    assert (outcome.code, outcome.errors) == (0, "")
    return kept[0].splitlines(keepends=True)


def is_order(record: Record) -> bool:
    return record[0] == "exchange" and record[1].get("route") == "/v2/orders"


def is_cancel(record: Record) -> bool:
    return record[0] == "exchange" and record[1].get("method") == "DELETE"


def writes(*parts: str) -> Callable[[Record], bool]:
    """Find a transaction in which each of these texts occurs."""
    return lambda record: record[0] == "items" and all(part in str(record[1]) for part in parts)


POINTS: dict[str, tuple[Callable[[Record], bool], int]] = {
    "an entry is stated, and its execution not started": (writes("open_intent", "entry-1"), 0),
    "an execution has started and done nothing": (lambda record: record[0] == "execution", 0),
    "an order is written down and not sent": (is_order, -1),
    "an order was accepted and the answer lost": (is_order, 0),
    "a cancel was accepted and the answer lost": (is_cancel, 0),
    "an order has filled and nobody knows": (writes("trade_opened"), -1),
    "a fill is booked and the owner not told": (writes("trade_opened"), 0),
    "an exit is stated, and its execution not started": (writes("open_intent", "close-1"), 0),
    "an exit's order was accepted and the answer lost": (
        lambda record: is_order(record) and "close-1" in str(record[1]),
        0,
    ),
}


AT_EVERY_CHANGE = (
    "an order was accepted and the answer lost",
    "a cancel was accepted and the answer lost",
    "an order has filled and nobody knows",
    "an exit's order was accepted and the answer lost",
)
"""The points at which a broker and a book that died apart know different things."""


@pytest.mark.parametrize(
    "point",
    [
        pytest.param(point, marks=() if point in AT_EVERY_CHANGE else pytest.mark.nightly)
        for point in POINTS
    ],
)
def test_a_run_killed_within_an_orders_life_ends_with_book_and_broker_agreed(
    tmp_path: Path, whole_log: list[bytes], point: str
) -> None:
    found, after = POINTS[point]
    at = next(i for i, line in enumerate(whole_log) if found(json.loads(line))) + after
    log = tmp_path / RUN_LOG
    log.parent.mkdir()
    torn = whole_log[at + 1][:40]
    log.write_bytes(b"".join(whole_log[: at + 1]) + torn)
    _, report = resumed(tmp_path)
    assert_sound(report)
    assert report["sessions"] == 3
    assert not log.exists()


def test_a_process_that_is_killed_leaves_what_another_goes_on_with(tmp_path: Path) -> None:
    killed(tmp_path, *RUN, lines=30)
    before = (tmp_path / RUN_LOG).read_bytes().splitlines()
    _, report = resumed(tmp_path)
    assert_sound(report)
    assert len(before) >= 30
    assert (report["scans"], report["days_analyzed"]) == (3, 3)
    refused = run_here("demo", "--resume", directory=tmp_path)
    assert refused.code == 2
    assert "no unfinished run to resume" in refused.errors


def test_a_run_is_resumed_as_it_was_asked_for_or_not_at_all(
    tmp_path: Path, whole_log: list[bytes]
) -> None:
    log = tmp_path / RUN_LOG
    log.parent.mkdir()
    log.write_bytes(b"".join(whole_log[:20]))
    other_seed = run_here("demo", "--resume", "--seed", "2", directory=tmp_path)
    assert (other_seed.code, other_seed.output) == (2, "")
    assert "interrupted had --seed 1, not 2" in other_seed.errors
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AGENT__RISK__MAX_TRADES_PER_DAY", "4")
        other_settings = run_here("demo", "--resume", directory=tmp_path)
    assert other_settings.code == 2
    assert "this is not the run that was interrupted: settings.risk" in other_settings.errors
    assert log.read_bytes() == b"".join(whole_log[:20])


@pytest.mark.nightly
@pytest.mark.parametrize("attempt", range(6))
def test_a_demo_killed_again_and_again_at_random_moments_ends_sound(
    tmp_path: Path, whole_log: list[bytes], attempt: int
) -> None:
    dice = random.Random(attempt)
    killed(tmp_path, *RUN, lines=dice.randrange(2, len(whole_log) - 5))
    left = len((tmp_path / RUN_LOG).read_bytes().splitlines())
    killed(tmp_path, "--resume", lines=dice.randrange(left, left + 5))
    _, report = resumed(tmp_path)
    assert_sound(report)


def test_ctrl_c_says_how_to_go_on_and_keeps_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_: Rehearsal) -> Iterator[SessionProgress]:
        raise KeyboardInterrupt

    monkeypatch.setattr(Rehearsal, "play", stop)
    outcome = run_here("demo", *RUN, directory=tmp_path)
    assert outcome.code == 130
    assert outcome.errors == "error: stopped by Ctrl-C; options-agent demo --resume goes on\n"
    assert (tmp_path / RUN_LOG).exists()
