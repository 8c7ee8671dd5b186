"""Watch open trades: started by a schedule every minute."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from agent.bootstrap import run
from agent.use_cases.monitor_positions import monitor_positions
from agent.use_cases.schedule import ScheduledEvent


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return run("monitor_positions", monitor_positions, ScheduledEvent, event, context)
