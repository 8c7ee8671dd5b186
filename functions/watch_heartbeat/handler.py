"""Listen for the heartbeat: started by a schedule every five minutes, day and night."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from agent.bootstrap import run
from agent.use_cases.schedule import ScheduledEvent
from agent.use_cases.watch_heartbeat import watch_heartbeat


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return run("watch_heartbeat", watch_heartbeat, ScheduledEvent, event, context)
