"""Pass an alert on to the owner's webhook: fed by the alerts topic."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from agent.bootstrap import run
from agent.use_cases.notify_webhook import PublishedAlerts, notify_webhook


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return run("notify_webhook", notify_webhook, PublishedAlerts, event, context)
