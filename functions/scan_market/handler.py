"""Scan the watchlist: started by a schedule every five minutes."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from agent.bootstrap import run
from agent.use_cases.scan_market import scan_market
from agent.use_cases.schedule import ScheduledEvent


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return run("scan_market", scan_market, ScheduledEvent, event, context)
