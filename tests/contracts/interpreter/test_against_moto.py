"""The small interpreter and moto's carry the same scripts the same way."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from simulator.interpreter import (
    Answer,
    Ended,
    Execution,
    Failure,
    Invoke,
    Pause,
    load_definition,
)
from tests.workflows.carrying import (
    APPROVED,
    COMPLETE,
    FILLED,
    NOT_PLACED,
    RESERVED,
    UNSETTLED,
    USUAL,
    WORKFLOWS,
    BrokerRefused,
    BrokerUnavailable,
    Script,
    carry,
    ended,
    placed,
    working,
)


class OrderStillWorking(Exception):
    """Stands for the agent's own; only the reconciling step retries it."""


LOST = BrokerUnavailable("no answer")
SCRIPTS: Mapping[str, Script] = {
    "usual": {},
    "refused": {"check_risk": [APPROVED | {"approved": False, "reason": "heat"}]},
    "not_reserved": {"size_position": [RESERVED | {"reserved": False}]},
    "not_placed": {"place_order": [NOT_PLACED]},
    "waits": {"poll_fill": [working(), working(), COMPLETE]},
    "reprices": {"poll_fill": [ended(2), ended(1), ended(0)]},
    "cancels": {
        "place_order": [placed(polls_left=1)],
        "poll_fill": [working(), working(), ended(1), COMPLETE],
    },
    "never_cancels": {"place_order": [placed(polls_left=1)], "poll_fill": [working()]},
    "one_lost_answer": {"place_order": [LOST, placed()]},
    "all_answers_lost": {"place_order": [LOST]},
    "refused_for_good": {"place_order": [BrokerRefused("no")]},
    "record_fails_once": {"record_fill": [OrderStillWorking("works"), FILLED]},
    "unresolved": {
        "record_fill": [BrokerRefused("no")],
        "reconcile_order": [OrderStillWorking("works")],
    },
    "unsettled": {"check_risk": [BrokerRefused("no")], "reconcile_order": [UNSETTLED]},
    "missing_key": {"poll_fill": [{"intent_id": "i"}]},
    "null_counts": {
        "place_order": [placed() | {"polls_left": None}],
        "poll_fill": [working(), COMPLETE],
    },
    "missing_count": {"place_order": [{"intent_id": "i", "placed": True, "wait_seconds": 1}]},
}


def step_through(
    workflow: str, script: Script, start_input: Any
) -> tuple[Ended, list[str], list[float]]:
    """Run the interpreter with the functions that `carry` gives to moto."""
    answers = {name: iter(answers) for name, answers in {**USUAL, **script}.items()}
    last: dict[str, Any] = {}
    execution = Execution(load_definition(WORKFLOWS / f"{workflow}.asl.json"), start_input)
    tasks: list[str] = []
    waits: list[float] = []
    step = execution.resume()
    while not isinstance(step, Ended):
        if isinstance(step, Pause):
            if not step.is_retry:
                waits.append(step.seconds)
            step = execution.resume()
            continue
        assert isinstance(step, Invoke)
        tasks.append(step.function)
        given = last[step.function] = next(answers[step.function], last.get(step.function))
        if isinstance(given, Exception):
            step = execution.resume(Failure(type(given).__name__, str(given)))
        else:
            step = execution.resume(Answer(given))
    return step, tasks, waits


@pytest.mark.parametrize("workflow", ["open_position", "close_position", "roll_position"])
@pytest.mark.parametrize("name", SCRIPTS)
def test_the_same_script_takes_the_same_way(tmp_path: Path, workflow: str, name: str) -> None:
    script = SCRIPTS[name]
    by_moto = carry(tmp_path, workflow, script)
    ours, tasks, waits = step_through(workflow, script, {"intent_id": "i"})
    assert tuple(tasks) == by_moto.execution.tasks_invoked
    assert ours.status == by_moto.execution.status
    assert ours.output == by_moto.execution.output
    # Waits between retries are drawn; those of the definition are not.
    assert set(waits) <= set(by_moto.waits)
    if ours.status == "FAILED":
        assert ours.error == by_moto.execution.error


def test_an_input_without_its_key_fails_alike(tmp_path: Path) -> None:
    by_moto = carry(tmp_path, "open_position", {}, start_input={})
    ours, tasks, _ = step_through("open_position", {}, {})
    assert (ours.status, ours.error) == (by_moto.execution.status, by_moto.execution.error)
    assert not tasks
    assert not by_moto.execution.tasks_invoked


def test_every_definition_file_is_within_what_is_implemented() -> None:
    files = sorted(WORKFLOWS.glob("*.asl.json"))
    assert files
    for path in files:
        assert load_definition(path).states.keys() == json.loads(path.read_text())["States"].keys()
