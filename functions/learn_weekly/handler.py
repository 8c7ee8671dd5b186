"""Review what was learned: started by a schedule on Sunday evenings."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from agent.bootstrap import run
from agent.use_cases.learn_weekly import learn_weekly
from agent.use_cases.schedule import ScheduledEvent


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return run("learn_weekly", learn_weekly, ScheduledEvent, event, context)
