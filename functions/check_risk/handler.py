"""Judge an entry against every risk limit: the first step of open_position."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from agent.bootstrap import run
from agent.use_cases.check_risk import check_risk
from agent.use_cases.steps import StepInput


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return run("check_risk", check_risk, StepInput, event, context)
