"""Templates, clocks and handlers to try the local cloud with."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from simulator.cloud.lambda_runtime import Handler

START = datetime(2026, 6, 9, 14, 0, tzinfo=UTC)
SECRET = {"broker": {"key_id": "K", "secret_key": "S", "endpoint": "http://127.0.0.1:1"}}


@dataclass
class FakeClock:
    """Tell a simulated time and remember every advance, in seconds."""

    now: datetime = START
    advances: list[float] = field(default_factory=list)

    def advance(self, seconds: float) -> None:
        self.advances.append(seconds)
        self.now += timedelta(seconds=seconds)


def handlers_of(functions: Mapping[str, Handler]) -> Callable[[str], Handler]:
    """Look handlers up by folder name; an unknown one is an ImportError, as from disk."""

    def find(name: str) -> Handler:
        if name not in functions:
            raise ModuleNotFoundError(f"No module named 'functions.{name}'")
        return functions[name]

    return find


def function_resource(
    folder: str, variables: Mapping[str, Any] | None = None, **properties: Any
) -> dict[str, Any]:
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Handler": f"functions.{folder}.handler.handler",
            "Runtime": "python3.13",
            "MemorySize": 512,
            "Timeout": 30,
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            "Environment": {"Variables": dict(variables or {})},
            **properties,
        },
    }


def machine_resource(
    definition: Mapping[str, Any], substitutions: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "DefinitionString": json.dumps(definition),
            "DefinitionSubstitutions": dict(substitutions or {}),
            "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
        },
    }


def schedule_resource(function_id: str, expression: str, **properties: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::Scheduler::Schedule",
        "Properties": {
            "ScheduleExpression": expression,
            "ScheduleExpressionTimezone": "America/New_York",
            "Target": {
                "Arn": {"Fn::GetAtt": [function_id, "Arn"]},
                "Input": '{"slot": "<aws.scheduler.scheduled-time>"}',
                "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
            },
            **properties,
        },
    }


def arn_of(logical_id: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [logical_id, "Arn"]}


def task(function: str, **fields: Any) -> dict[str, Any]:
    """Build a Lambda task state that hands on its input."""
    end = {} if "Next" in fields else {"End": True}
    return {
        "Type": "Task",
        "Resource": f"${{{function}}}",
        "Arguments": "{% $states.input %}",
        "Output": "{% $states.result %}",
        **end,
        **fields,
    }


def machine(states: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """Build a JSONata definition that starts at its first state."""
    return {
        "QueryLanguage": "JSONata",
        "StartAt": next(iter(states)),
        "States": dict(states),
        **fields,
    }


def write_template(directory: Path, resources: Mapping[str, Any]) -> Path:
    path = directory / "Local.template.json"
    path.write_text(json.dumps({"Resources": dict(resources)}), encoding="utf-8")
    return path


def workflow_template(
    directory: Path, definition: Mapping[str, Any], functions: tuple[str, ...]
) -> Path:
    """Write a template of one machine and the functions that its placeholders name."""
    ids = {name: name.title().replace("_", "") for name in functions}
    return write_template(
        directory,
        {
            **{ids[name]: function_resource(name) for name in functions},
            "Machine": machine_resource(definition, {name: arn_of(ids[name]) for name in ids}),
        },
    )
