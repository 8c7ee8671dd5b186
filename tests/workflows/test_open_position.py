"""What comes before the order of an entry: the risk check and the reservation."""

from pathlib import Path
from typing import Any

import pytest

from tests.workflows.carrying import (
    APPROVED,
    RESERVED,
    Answer,
    BrokerRefused,
    BrokerUnavailable,
    carry,
)


def test_an_entry_is_checked_sized_placed_polled_and_recorded_in_this_order(
    tmp_path: Path,
) -> None:
    carried = carry(tmp_path, "open_position", {})
    assert carried.execution.status == "SUCCEEDED"
    assert carried.execution.tasks_invoked == (
        *("check_risk", "size_position", "place_order", "poll_fill"),
        "record_fill",
    )


@pytest.mark.parametrize("verdict", [False, None, "yes", 1, "absent"])
@pytest.mark.parametrize(
    ("step", "key", "usual"),
    [("check_risk", "approved", APPROVED), ("size_position", "reserved", RESERVED)],
)
def test_only_an_explicit_true_lets_an_entry_go_on(
    tmp_path: Path, step: str, key: str, usual: dict[str, Any], verdict: Any
) -> None:
    answer = usual | {key: verdict, "reason": "portfolio heat 31 % is above 30 %"}
    if verdict == "absent":
        del answer[key]
    carried = carry(tmp_path, "open_position", {step: [answer]})
    assert carried.execution.status == "SUCCEEDED"
    assert carried.execution.output == answer
    assert carried.execution.tasks_invoked[-1] == step


@pytest.mark.parametrize("step", ["check_risk", "size_position"])
def test_a_check_that_fails_places_no_order_and_is_reconciled(tmp_path: Path, step: str) -> None:
    carried = carry(tmp_path, "open_position", {step: [BrokerRefused("no such account")]})
    assert carried.execution.tasks_invoked[-2:] == (step, "reconcile_order")
    assert "place_order" not in carried.execution.tasks_invoked


@pytest.mark.parametrize("step", ["check_risk", "size_position"])
def test_a_check_is_tried_again_while_the_broker_is_away(tmp_path: Path, step: str) -> None:
    lost = BrokerUnavailable("no answer in 5 s")
    usual: Answer = APPROVED if step == "check_risk" else RESERVED
    carried = carry(tmp_path, "open_position", {step: [lost, lost, usual]})
    assert carried.execution.tasks_invoked.count(step) == 3
    assert carried.execution.tasks_invoked[-1] == "record_fill"


def test_an_exit_never_waits_for_a_risk_check(tmp_path: Path) -> None:
    carried = carry(tmp_path, "close_position", {})
    assert carried.execution.tasks_invoked == ("place_order", "poll_fill", "record_fill")
