"""Bring an intent that went astray to a known end: the catch of both machines."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from agent.bootstrap import run
from agent.use_cases.reconcile_order import reconcile_order
from agent.use_cases.steps import StepInput


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return run("reconcile_order", reconcile_order, StepInput, event, context)
