"""Ask how the order of an intent stands: a step of both state machines."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from agent.bootstrap import run
from agent.use_cases.poll_fill import poll_fill
from agent.use_cases.steps import StepInput


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return run("poll_fill", poll_fill, StepInput, event, context)
