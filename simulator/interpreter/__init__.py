"""A small interpreter of the definition files: it steps, and refuses what it does not implement."""

from simulator.interpreter.definition import Definition, load_definition, parse_definition
from simulator.interpreter.execution import (
    Answer,
    Ended,
    Execution,
    Failure,
    Invoke,
    Pause,
    Reply,
    Step,
)
from simulator.interpreter.expressions import FeatureRefused, QueryFailed

__all__ = [
    "Answer",
    "Definition",
    "Ended",
    "Execution",
    "Failure",
    "FeatureRefused",
    "Invoke",
    "Pause",
    "QueryFailed",
    "Reply",
    "Step",
    "load_definition",
    "parse_definition",
]
