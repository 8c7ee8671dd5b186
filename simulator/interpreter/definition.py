"""A state-machine definition, checked and compiled: what is not implemented is refused here."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.interpreter.expressions import Evaluate, FeatureRefused, compiled

PLACEHOLDER = re.compile(r"^\$\{([A-Za-z0-9_]+)\}$")
_MACHINE_FIELDS = {"Comment", "QueryLanguage", "TimeoutSeconds", "StartAt", "States"}
_COMMON = {"Type", "Comment"}
_ONWARD = {"Next", "End"}
_FIELDS: Mapping[str, set[str]] = {
    "Task": _ONWARD
    | {"Resource", "Arguments", "TimeoutSeconds", "Assign", "Output", "Retry", "Catch"},
    "Pass": _ONWARD | {"Assign", "Output"},
    "Wait": _ONWARD | {"Seconds"},
    "Choice": {"Choices", "Default"},
    "Succeed": set(),
    "Fail": {"Error", "Cause"},
}
_RETRY_FIELDS = {"ErrorEquals", "IntervalSeconds", "MaxAttempts", "BackoffRate", "JitterStrategy"}
_CATCH_FIELDS = {"ErrorEquals", "Next"}
_CHOICE_FIELDS = {"Condition", "Next"}


@dataclass(frozen=True)
class Retrier:
    """Repeat a task on errors of these names, at most `attempts_max` times."""

    errors: tuple[str, ...]
    interval_seconds: float
    attempts_max: int
    backoff_rate: float
    is_jittered: bool


@dataclass(frozen=True)
class Catcher:
    errors: tuple[str, ...]
    following: str


@dataclass(frozen=True)
class Branch:
    condition: Evaluate
    following: str


@dataclass(frozen=True)
class State:
    """Hold one state; a field that its kind does not have is empty."""

    name: str
    kind: str
    following: str | None = None
    """The next state; None where the execution ends here."""
    function: str = ""
    arguments: Evaluate | None = None
    assign: Evaluate | None = None
    output: Evaluate | None = None
    seconds: Evaluate | None = None
    branches: tuple[Branch, ...] = ()
    retriers: tuple[Retrier, ...] = ()
    catchers: tuple[Catcher, ...] = ()
    error: str = ""
    cause: str = ""


@dataclass(frozen=True)
class Definition:
    name: str
    starts_at: str
    states: Mapping[str, State]
    timeout_seconds: int | None


def load_definition(path: Path) -> Definition:
    """Read a definition file; raises FeatureRefused for what is not implemented."""
    return parse_definition(path.name.split(".")[0], json.loads(path.read_text(encoding="utf-8")))


def parse_definition(name: str, document: Mapping[str, Any]) -> Definition:
    """Check and compile a definition; raises FeatureRefused for what is not implemented."""
    _require_known(name, document, _MACHINE_FIELDS)
    if document.get("QueryLanguage") != "JSONata":
        raise FeatureRefused(f"{name}: only JSONata definitions are implemented")
    states = {key: _state(key, body) for key, body in document["States"].items()}
    named = {document["StartAt"]}
    for state in states.values():
        named |= {branch.following for branch in state.branches}
        named |= {catcher.following for catcher in state.catchers}
        named |= set() if state.following is None else {state.following}
    unknown = sorted(named - states.keys())
    if unknown:
        raise FeatureRefused(f"{name}: there is no state {unknown[0]}")
    timeout = document.get("TimeoutSeconds")
    return Definition(name, document["StartAt"], states, timeout)


def _state(name: str, body: Mapping[str, Any]) -> State:
    kind = str(body.get("Type"))
    if kind not in _FIELDS:
        raise FeatureRefused(f"{name}: states of type {kind} are not implemented")
    _require_known(name, body, _FIELDS[kind] | _COMMON)
    if kind in {"Task", "Pass", "Wait"} and ("Next" in body) == (body.get("End") is True):
        raise FeatureRefused(f"{name}: a state goes on or ends, one of the two")
    if kind == "Choice" and "Default" not in body:
        raise FeatureRefused(f"{name}: a choice without a default is not implemented")
    return State(
        name=name,
        kind=kind,
        following=body.get("Default") if kind == "Choice" else body.get("Next"),
        function=_function(name, body) if kind == "Task" else "",
        arguments=_compiled(body, "Arguments"),
        assign=_compiled(body, "Assign"),
        output=_compiled(body, "Output"),
        seconds=_compiled(body, "Seconds"),
        branches=tuple(_branch(name, branch) for branch in body.get("Choices", ())),
        retriers=tuple(_retrier(name, retrier) for retrier in body.get("Retry", ())),
        catchers=tuple(_catcher(name, catcher) for catcher in body.get("Catch", ())),
        error=_literal(name, body, "Error"),
        cause=_literal(name, body, "Cause"),
    )


def _function(name: str, body: Mapping[str, Any]) -> str:
    match = PLACEHOLDER.match(str(body.get("Resource")))
    if match is None:
        raise FeatureRefused(f"{name}: a resource is the placeholder of a function")
    return match[1]


def _compiled(body: Mapping[str, Any], field: str) -> Evaluate | None:
    return compiled(body[field]) if field in body else None


def _literal(name: str, body: Mapping[str, Any], field: str) -> str:
    text = body.get(field, "")
    if not isinstance(text, str) or text.startswith("{%"):
        raise FeatureRefused(f"{name}: {field} is a plain text here")
    return text


def _branch(name: str, body: Mapping[str, Any]) -> Branch:
    _require_known(name, body, _CHOICE_FIELDS)
    return Branch(compiled(body["Condition"]), body["Next"])


def _retrier(name: str, body: Mapping[str, Any]) -> Retrier:
    _require_known(name, body, _RETRY_FIELDS)
    jitter = body.get("JitterStrategy", "NONE")
    if jitter not in {"NONE", "FULL"}:
        raise FeatureRefused(f"{name}: no jitter strategy {jitter}")
    return Retrier(
        errors=tuple(body["ErrorEquals"]),
        interval_seconds=body.get("IntervalSeconds", 1),
        attempts_max=body.get("MaxAttempts", 3),
        backoff_rate=body.get("BackoffRate", 2.0),
        is_jittered=jitter == "FULL",
    )


def _catcher(name: str, body: Mapping[str, Any]) -> Catcher:
    _require_known(name, body, _CATCH_FIELDS)
    return Catcher(tuple(body["ErrorEquals"]), body["Next"])


def _require_known(name: str, body: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(set(body) - known)
    if unknown:
        raise FeatureRefused(f"{name}: the field {unknown[0]} is not implemented")
