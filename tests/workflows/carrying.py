"""Run a real state-machine definition with scripted functions."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from simulator.cloud.executions import ExecutionRecord
from simulator.cloud.local_cloud import LocalCloud
from tests.simulation.cloud.builders import FakeClock, handlers_of, workflow_template

WORKFLOWS = Path(__file__).resolve().parents[2] / "infra" / "workflows"
STEPS = (
    "check_risk",
    "size_position",
    "place_order",
    "poll_fill",
    "cancel_order",
    "record_fill",
    "reconcile_order",
)

Answer = Mapping[str, Any] | Exception
Script = Mapping[str, Sequence[Answer]]

APPROVED = {"intent_id": "i", "approved": True, "reason": None}
RESERVED = {"intent_id": "i", "reserved": True, "contracts": 2, "reason": None}
REQUESTED = {"intent_id": "i", "requested": True}
FILLED = {"intent_id": "i", "settled": True, "outcome": "filled"}
SETTLED = {"intent_id": "i", "settled": True, "outcome": "reconciled"}
UNSETTLED = {"intent_id": "i", "settled": False, "outcome": None}
COMPLETE = {"intent_id": "i", "status": "complete", "rungs_left": 2}


class BrokerUnavailable(Exception):
    """Stands for the agent's own; the machines match errors by this name."""


class BrokerRefused(Exception):
    """Stands for the agent's own; no machine retries it."""


def placed(polls_left: int = 3, wait_seconds: int = 5) -> dict[str, Any]:
    return {
        "intent_id": "i",
        "placed": True,
        "polls_left": polls_left,
        "wait_seconds": wait_seconds,
        "reason": None,
    }


NOT_PLACED = placed() | {
    "placed": False,
    "polls_left": None,
    "wait_seconds": None,
    "reason": "halted",
}


def working(rungs_left: int = 2) -> dict[str, Any]:
    return {"intent_id": "i", "status": "working", "rungs_left": rungs_left}


def ended(rungs_left: int) -> dict[str, Any]:
    return {"intent_id": "i", "status": "ended", "rungs_left": rungs_left}


USUAL: Script = {
    "check_risk": [APPROVED],
    "size_position": [RESERVED],
    "place_order": [placed()],
    "poll_fill": [COMPLETE],
    "cancel_order": [REQUESTED],
    "record_fill": [FILLED],
    "reconcile_order": [SETTLED],
}
"""What each function answers where a test says nothing else; the last answer repeats."""


@dataclass(frozen=True)
class Carried:
    """Hold how an execution went and what it waited, in seconds."""

    execution: ExecutionRecord
    waits: list[float]

    @property
    def order_steps(self) -> tuple[str, ...]:
        """Give the functions invoked from the first order on."""
        tasks = self.execution.tasks_invoked
        return tasks[tasks.index("place_order") :]


def definition(workflow: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(
        (WORKFLOWS / f"{workflow}.asl.json").read_text(encoding="utf-8")
    )
    return loaded


def carry(
    directory: Path, workflow: str, script: Script, start_input: Mapping[str, Any] | None = None
) -> Carried:
    """Carry one intent through a workflow whose functions answer as the script says."""
    clock = FakeClock()
    answers = {name: iter(answers) for name, answers in {**USUAL, **script}.items()}
    last: dict[str, Answer] = {}

    def handler(name: str) -> Any:
        def answer(event: dict[str, Any], _context: Any) -> Any:
            assert event == {"intent_id": "i"}, f"{name} was sent {event}"
            given = last[name] = next(answers[name], last.get(name, KeyError(name)))
            if isinstance(given, Exception):
                raise type(given)(*given.args)  # a new one: its traceback would grow
            return given

        return answer

    template = workflow_template(directory, definition(workflow), STEPS)
    handlers = handlers_of({name: handler(name) for name in STEPS})
    with LocalCloud(template, clock=clock, secrets={}, handlers=handlers) as cloud:
        states = boto3.client("stepfunctions")
        (found,) = states.list_state_machines()["stateMachines"]
        states.start_execution(
            stateMachineArn=found["stateMachineArn"],
            name="i",
            input=json.dumps({"intent_id": "i"} if start_input is None else start_input),
        )
        cloud.drain()
        (execution,) = cloud.executions
    return Carried(execution, clock.advances)
