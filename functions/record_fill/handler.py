"""Record what the orders of an intent came to: a step of both state machines."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from agent.bootstrap import run
from agent.use_cases.record_fill import record_fill
from agent.use_cases.steps import StepInput


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return run("record_fill", record_fill, StepInput, event, context)
