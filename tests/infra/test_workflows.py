"""How the state machines are deployed, and that no loop of theirs is endless."""

import json
import re
from typing import Any

import pytest

from infra.constructs.workflows import WORKFLOWS_DIRECTORY
from tests.infra.synthesized import Synthesized

WORKFLOWS = sorted(
    path.name.removesuffix(".asl.json") for path in WORKFLOWS_DIRECTORY.glob("*.asl.json")
)
COUNTS = re.compile(r"^\{% \$(\w+) [+-] 1 %\}$")
PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


def states_of(workflow: str) -> dict[str, dict[str, Any]]:
    text = (WORKFLOWS_DIRECTORY / f"{workflow}.asl.json").read_text(encoding="utf-8")
    states: dict[str, dict[str, Any]] = json.loads(text)["States"]
    return states


def following(state: dict[str, Any]) -> set[str]:
    branches = [state, *state.get("Choices", []), *state.get("Catch", [])]
    named = {branch["Next"] for branch in branches if "Next" in branch}
    return named | ({state["Default"]} if "Default" in state else set())


def counters_of(state: dict[str, Any]) -> set[str]:
    """Give the variables that a state moves by one."""
    values = state.get("Assign", {}).items()
    return {name for name, value in values if isinstance(value, str) and COUNTS.match(value)}


def reachable(states: dict[str, dict[str, Any]], start: str, *, without: set[str]) -> set[str]:
    reached: set[str] = set()
    ahead = following(states[start]) - without
    for _ in states:
        reached |= ahead
        ahead = {
            after for name in reached for after in following(states[name]) if after not in without
        }
    return reached


def test_every_definition_file_is_deployed(template: Synthesized) -> None:
    assert sorted(template.workflows()) == WORKFLOWS


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_machine_is_its_definition_file_with_the_functions_filled_in(
    template: Synthesized, workflow: str
) -> None:
    properties = template.workflows()[workflow].properties
    text = (WORKFLOWS_DIRECTORY / f"{workflow}.asl.json").read_text(encoding="utf-8")
    assert json.loads(properties["DefinitionString"]) == json.loads(text)
    functions = template.functions()
    filled = template.resolve(properties["DefinitionSubstitutions"])
    assert filled == {
        name: f"{functions[name].logical_id}.Arn" for name in set(PLACEHOLDER.findall(text))
    }


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_machine_keeps_its_history_and_logs_errors_without_their_data(
    template: Synthesized, workflow: str
) -> None:
    properties = template.workflows()[workflow].properties
    assert properties["StateMachineType"] == "STANDARD"
    assert properties["TracingConfiguration"] == {"Enabled": True}
    logging = properties["LoggingConfiguration"]
    assert logging["Level"] == "ERROR"
    assert logging["IncludeExecutionData"] is False


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_machine_may_call_the_functions_it_names_and_no_others(
    template: Synthesized, workflow: str
) -> None:
    machine = template.workflows()[workflow]
    named = template.resolve(machine.properties["DefinitionSubstitutions"]).values()
    allowed = template.allowed(template.role_of(machine))
    assert {pair for pair in allowed if not pair[0].startswith(("logs:", "xray:"))} == {
        ("lambda:InvokeFunction", arn) for arn in named
    }


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_every_loop_passes_a_state_that_counts(workflow: str) -> None:
    states = states_of(workflow)
    counting = {name for name, state in states.items() if counters_of(state)}
    assert counting == {"PollFill", "PollCancel"}
    for name in states.keys() - counting:
        assert name not in reachable(states, name, without=counting), name


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_no_branch_leads_back_into_a_loop_without_a_bound(workflow: str) -> None:
    states = states_of(workflow)
    bounds = ("$polls < 195", "$cancel_polls_left > 0")
    back = [
        (name, choice)
        for name, state in states.items()
        for choice in state.get("Choices", [])
        if choice["Next"] in {"WaitForFill", "WaitForCancel", "PlaceOrder"}
        and name in reachable(states, choice["Next"], without=set())
    ]
    assert back
    for name, choice in back:
        assert any(bound in choice["Condition"] for bound in bounds), name


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_an_order_that_went_astray_is_reconciled_before_the_machine_gives_up(
    workflow: str,
) -> None:
    states = states_of(workflow)
    before_the_end = {name for name, state in states.items() if "Unresolved" in following(state)}
    assert before_the_end == {"ReconcileOrder", "IsReconciled"}
