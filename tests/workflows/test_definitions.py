"""What every state machine's definition file must say, read from the files themselves."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.workflows.carrying import STEPS, WORKFLOWS, definition

DEFINITIONS = sorted(path.name.removesuffix(".asl.json") for path in WORKFLOWS.glob("*.asl.json"))
TRANSIENT_ERRORS = {
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Sandbox.Timedout",
    "BrokerUnavailable",
    "BookBusy",
    "BookConflict",
}

pytestmark = pytest.mark.parametrize("workflow", DEFINITIONS)


def states_of(workflow: str) -> dict[str, dict[str, Any]]:
    states: dict[str, dict[str, Any]] = definition(workflow)["States"]
    return states


def tasks_of(workflow: str) -> dict[str, dict[str, Any]]:
    return {name: body for name, body in states_of(workflow).items() if body["Type"] == "Task"}


def successors(state: dict[str, Any]) -> set[str]:
    branches = [state, *state.get("Choices", []), *state.get("Catch", [])]
    return {branch["Next"] for branch in branches if "Next" in branch} | (
        {state["Default"]} if "Default" in state else set()
    )


def test_the_two_workflows_of_the_design_are_among_the_files(workflow: str) -> None:
    assert {"open_position", "close_position", "roll_position"} <= set(DEFINITIONS)
    assert definition(workflow)["QueryLanguage"] == "JSONata"


def test_every_transition_leads_to_a_state_and_every_state_is_reached(workflow: str) -> None:
    states = states_of(workflow)
    reached = {definition(workflow)["StartAt"]}
    for _ in states:
        reached |= {after for name in reached & states.keys() for after in successors(states[name])}
    assert reached == set(states)


def test_every_choice_has_a_default(workflow: str) -> None:
    choices = [body for body in states_of(workflow).values() if body["Type"] == "Choice"]
    assert choices
    assert all("Default" in choice for choice in choices)


def test_every_task_retries_the_transient_errors_and_catches_the_rest(workflow: str) -> None:
    for name, task in tasks_of(workflow).items():
        assert any(set(retry["ErrorEquals"]) >= TRANSIENT_ERRORS for retry in task["Retry"]), name
        assert all("States.ALL" not in retry["ErrorEquals"] for retry in task["Retry"]), name
        (catch,) = task["Catch"]
        assert catch["ErrorEquals"] == ["States.ALL"], name
        after = "Unresolved" if name == "ReconcileOrder" else "ReconcileOrder"
        assert catch["Next"] == after, name


def test_timeouts_nest_a_task_within_the_machine(workflow: str) -> None:
    assert all(task["TimeoutSeconds"] == 40 for task in tasks_of(workflow).values())
    assert definition(workflow)["TimeoutSeconds"] > 40


def test_every_task_calls_a_known_function_with_the_intent_alone(workflow: str) -> None:
    for name, task in tasks_of(workflow).items():
        assert task["Resource"] in {f"${{{step}}}" for step in STEPS}, name
        assert task["Arguments"] == {"intent_id": "{% $intent_id %}"}, name


def test_no_expression_reads_a_clock_or_chance(workflow: str) -> None:
    text = Path(WORKFLOWS / f"{workflow}.asl.json").read_text(encoding="utf-8")
    assert re.search(r"\$(now|millis|random|uuid|eval)\b", text) is None
