"""Explain the day: started by a schedule after the close of every weekday."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from agent.bootstrap import run
from agent.use_cases.analyze_day import analyze_day
from agent.use_cases.schedule import ScheduledEvent


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return run("analyze_day", analyze_day, ScheduledEvent, event, context)
