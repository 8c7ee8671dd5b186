"""What every workflow does with an order, from its placing to its recorded fill."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.workflows.carrying import (
    COMPLETE,
    NOT_PLACED,
    REQUESTED,
    UNSETTLED,
    Answer,
    BrokerRefused,
    BrokerUnavailable,
    carry,
    ended,
    placed,
    working,
)

pytestmark = pytest.mark.parametrize(
    "workflow", ["open_position", "close_position", "roll_position"]
)


def test_an_order_that_fills_is_recorded(tmp_path: Path, workflow: str) -> None:
    carried = carry(tmp_path, workflow, {"poll_fill": [working(), COMPLETE]})
    assert carried.execution.status == "SUCCEEDED"
    assert carried.execution.output == {"intent_id": "i", "settled": True, "outcome": "filled"}
    assert carried.order_steps == ("place_order", "poll_fill", "poll_fill", "record_fill")


def test_it_waits_before_each_poll_as_long_as_the_order_asks(tmp_path: Path, workflow: str) -> None:
    script = {"place_order": [placed(wait_seconds=7)], "poll_fill": [working(), COMPLETE]}
    assert carry(tmp_path, workflow, script).waits == [7, 7]


def test_an_order_that_was_not_placed_is_recorded_without_a_poll(
    tmp_path: Path, workflow: str
) -> None:
    carried = carry(tmp_path, workflow, {"place_order": [NOT_PLACED]})
    assert carried.order_steps == ("place_order", "record_fill")
    assert carried.waits == []


def test_out_of_patience_it_cancels_confirms_and_reprices(tmp_path: Path, workflow: str) -> None:
    carried = carry(
        tmp_path,
        workflow,
        {
            "place_order": [placed(polls_left=2), placed(polls_left=2)],
            "poll_fill": [working(), working(), ended(rungs_left=1), COMPLETE],
        },
    )
    assert carried.order_steps == (
        *("place_order", "poll_fill", "poll_fill"),
        *("cancel_order", "poll_fill"),
        *("place_order", "poll_fill", "record_fill"),
    )
    assert carried.waits == [5, 5, 2, 5]


def test_each_rung_brings_its_own_patience(tmp_path: Path, workflow: str) -> None:
    carried = carry(
        tmp_path,
        workflow,
        {
            "place_order": [placed(polls_left=1), placed(polls_left=3, wait_seconds=9)],
            "poll_fill": [working(), ended(rungs_left=1), working(), working(), COMPLETE],
        },
    )
    assert carried.order_steps[4:] == (
        *("place_order", "poll_fill", "poll_fill", "poll_fill"),
        "record_fill",
    )
    assert carried.waits == [5, 2, 9, 9, 9]


def test_an_order_that_fills_while_it_is_cancelled_is_not_placed_again(
    tmp_path: Path, workflow: str
) -> None:
    script = {"place_order": [placed(polls_left=1)], "poll_fill": [working(), COMPLETE]}
    carried = carry(tmp_path, workflow, script)
    assert carried.order_steps == (
        *("place_order", "poll_fill", "cancel_order", "poll_fill"),
        "record_fill",
    )


def test_out_of_rungs_the_unfilled_rest_is_recorded(tmp_path: Path, workflow: str) -> None:
    script = {"place_order": [placed(polls_left=1)], "poll_fill": [working(), ended(rungs_left=0)]}
    carried = carry(tmp_path, workflow, script)
    assert carried.execution.status == "SUCCEEDED"
    assert carried.order_steps.count("place_order") == 1
    assert carried.order_steps[-1] == "record_fill"


def test_an_order_that_the_broker_ended_is_repriced_without_a_cancel(
    tmp_path: Path, workflow: str
) -> None:
    carried = carry(tmp_path, workflow, {"poll_fill": [ended(rungs_left=1), COMPLETE]})
    assert carried.order_steps == (
        *("place_order", "poll_fill", "place_order", "poll_fill"),
        "record_fill",
    )


def test_a_cancel_that_is_never_confirmed_ends_in_reconciliation(
    tmp_path: Path, workflow: str
) -> None:
    script = {"place_order": [placed(polls_left=1)], "poll_fill": [working()]}
    carried = carry(tmp_path, workflow, script)
    assert carried.order_steps == (
        *("place_order", "poll_fill", "cancel_order"),
        *["poll_fill"] * 5,
        "reconcile_order",
    )
    assert carried.execution.status == "SUCCEEDED"


@pytest.mark.parametrize("step", ["place_order", "poll_fill", "cancel_order", "record_fill"])
def test_an_unavailable_broker_is_tried_again_with_growing_pauses(
    tmp_path: Path, workflow: str, step: str
) -> None:
    lost = BrokerUnavailable("no answer in 5 s")
    usual: dict[str, Sequence[Answer]] = {
        "place_order": [placed(polls_left=1)],
        "poll_fill": [working(), COMPLETE],
        "cancel_order": [REQUESTED],
        "record_fill": [{"intent_id": "i", "settled": True, "outcome": "filled"}],
    }
    usual[step] = [lost, lost, *usual[step]]
    carried = carry(tmp_path, workflow, usual)
    assert carried.execution.status == "SUCCEEDED"
    assert "reconcile_order" not in carried.execution.tasks_invoked
    first, second = (wait for wait in carried.waits if wait not in (2, 5))
    assert 0 <= first <= 2
    assert 0 <= second <= 4


@pytest.mark.parametrize("step", ["place_order", "poll_fill", "cancel_order", "record_fill"])
def test_a_broker_that_stays_away_leads_to_reconciliation(
    tmp_path: Path, workflow: str, step: str
) -> None:
    script: dict[str, list[Answer]] = {
        "place_order": [placed(polls_left=1)],
        "poll_fill": [working(), COMPLETE],
        step: [BrokerUnavailable("no answer in 5 s")],
    }
    carried = carry(tmp_path, workflow, script)
    assert carried.order_steps[-5:] == (*[step] * 4, "reconcile_order")
    assert carried.execution.status == "SUCCEEDED"


@pytest.mark.parametrize("step", ["place_order", "poll_fill", "cancel_order", "record_fill"])
def test_an_error_that_no_retry_lists_goes_straight_to_reconciliation(
    tmp_path: Path, workflow: str, step: str
) -> None:
    script: dict[str, list[Answer]] = {
        "place_order": [placed(polls_left=1)],
        "poll_fill": [working(), COMPLETE],
        step: [BrokerRefused("not tradable")],
    }
    carried = carry(tmp_path, workflow, script)
    assert carried.order_steps[-2:] == (step, "reconcile_order")
    assert carried.execution.tasks_invoked.count(step) == 1
    assert carried.execution.output == {"intent_id": "i", "settled": True, "outcome": "reconciled"}


@pytest.mark.parametrize("reconciled", [UNSETTLED, BrokerRefused("no"), BrokerUnavailable("no")])
def test_what_cannot_be_reconciled_ends_unresolved(
    tmp_path: Path, workflow: str, reconciled: Answer
) -> None:
    script: dict[str, list[Answer]] = {
        "place_order": [BrokerRefused("no")],
        "reconcile_order": [reconciled],
    }
    carried = carry(tmp_path, workflow, script)
    assert (carried.execution.status, carried.execution.error) == ("FAILED", "Unresolved")
    assert "record_fill" not in carried.execution.tasks_invoked


@pytest.mark.parametrize("key", ["polls_left", "wait_seconds"])
def test_a_placed_order_without_its_patience_is_reconciled_not_polled(
    tmp_path: Path, workflow: str, key: str
) -> None:
    answer = {name: value for name, value in placed().items() if name != key}
    carried = carry(tmp_path, workflow, {"place_order": [answer]})
    assert carried.order_steps == ("place_order", "reconcile_order")
    assert carried.execution.status == "SUCCEEDED"


def test_a_placement_that_does_not_say_placed_is_not_polled(tmp_path: Path, workflow: str) -> None:
    answer = {name: value for name, value in placed().items() if name != "placed"}
    carried = carry(tmp_path, workflow, {"place_order": [answer]})
    assert carried.order_steps == ("place_order", "record_fill")


def test_polls_that_do_not_say_a_status_end_in_a_cancel_and_reconciliation(
    tmp_path: Path, workflow: str
) -> None:
    script = {"place_order": [placed(polls_left=1)], "poll_fill": [{"intent_id": "i"}]}
    carried = carry(tmp_path, workflow, script)
    assert "cancel_order" in carried.order_steps
    assert carried.order_steps[-1] == "reconcile_order"


def test_an_ended_order_that_does_not_say_its_rungs_is_recorded(
    tmp_path: Path, workflow: str
) -> None:
    carried = carry(tmp_path, workflow, {"poll_fill": [{"intent_id": "i", "status": "ended"}]})
    assert carried.order_steps == ("place_order", "poll_fill", "record_fill")


def test_an_input_without_an_intent_fails_before_any_function_runs(
    tmp_path: Path, workflow: str
) -> None:
    carried = carry(tmp_path, workflow, {}, start_input={"intent": "i"})
    assert carried.execution.status == "FAILED"
    assert carried.execution.error == "States.QueryEvaluationError"
    assert carried.execution.tasks_invoked == ()


def test_the_machine_ends_by_its_own_timeout(tmp_path: Path, workflow: str) -> None:
    script = {
        "place_order": [placed(polls_left=1_000, wait_seconds=60)],
        "poll_fill": [working()],
    }
    carried = carry(tmp_path, workflow, script)
    assert carried.execution.status == "TIMED_OUT"
    assert sum(carried.waits) == 3600


class TestEveryLoopIsCounted:
    """Functions that never come to an end do not keep an execution alive."""

    def test_an_order_that_works_for_ever(self, tmp_path: Path, workflow: str) -> None:
        script = {
            "place_order": [placed(polls_left=10_000, wait_seconds=1)],
            "poll_fill": [working()],
        }
        carried = carry(tmp_path, workflow, script)
        assert carried.order_steps.count("poll_fill") <= 200
        assert carried.execution.history_event_count < 10_000
        assert carried.order_steps[-1] == "reconcile_order"

    def test_a_ladder_without_an_end_whose_orders_end_at_once(
        self, tmp_path: Path, workflow: str
    ) -> None:
        script = {"place_order": [placed(wait_seconds=1)], "poll_fill": [ended(rungs_left=1)]}
        carried = carry(tmp_path, workflow, script)
        assert carried.order_steps.count("poll_fill") <= 200
        assert carried.execution.history_event_count < 10_000
        assert carried.order_steps[-1] == "record_fill"

    def test_a_ladder_without_an_end_through_slow_cancels_and_retries(
        self, tmp_path: Path, workflow: str
    ) -> None:
        lost = BrokerUnavailable("no answer in 5 s")
        rung: list[Answer] = [lost, lost, lost, working()]
        cancel: list[Answer] = [*rung * 4, lost, lost, lost, ended(rungs_left=1)]
        script: dict[str, list[Answer]] = {
            "place_order": [lost, lost, lost, placed(polls_left=1, wait_seconds=1)] * 250,
            "poll_fill": (rung + cancel) * 250,
            "cancel_order": [lost, lost, lost, REQUESTED] * 250,
        }
        carried = carry(tmp_path, workflow, script)
        successful_polls = carried.order_steps.count("poll_fill") / 4
        assert successful_polls <= 200
        assert carried.execution.history_event_count < 10_000
