"""Show status, positions and performance: called by the dashboard's own widget."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from agent.bootstrap import run
from agent.use_cases.render_dashboard import WidgetRequest, render_dashboard


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return run("render_dashboard", render_dashboard, WidgetRequest, event, context)
