"""Ask for the cancel of what still works: a step of both state machines."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from agent.bootstrap import run
from agent.use_cases.cancel_order import cancel_order
from agent.use_cases.steps import StepInput


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return run("cancel_order", cancel_order, StepInput, event, context)
