"""The dashboard: status, positions, performance, what fails, and how long it takes."""

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.constructs.alarms import FIVE_MINUTES, agent_metric, errors_of
from infra.constructs.functions import AgentFunction
from infra.constructs.workflows import Workflow

HALF = 12
VIEW = "render_dashboard"
"""Called with the rights of whoever looks at the dashboard."""

SCAN = ("ScanPasses", "ScanCandidates", "ScanSignals", "ScanEntries", "StaleSlots")
WATCH = ("MonitorPasses", "UnresolvedIntents", "UnmarkedTrades", "BookDifferences", "StaleSlots")
POSITIONS = ("OpenTrades", "ExitsBegun")
LIMITS = ("DailyLossBasisPoints", "LimitsBreached")
PERFORMANCE = ("DayPnlCents",)


class Dashboard(Construct):
    """Lay out status, positions, performance, and what fails or is slow, two a row."""

    def __init__(
        self,
        scope: Construct,
        *,
        namespace: str,
        functions: Sequence[AgentFunction],
        workflows: Sequence[Workflow],
        alarms: Sequence[cloudwatch.Alarm],
    ) -> None:
        super().__init__(scope, "Dashboard")
        (view,) = (each for each in functions if each.name == VIEW)

        def counts(
            title: str, function: str, names: Sequence[str], statistic: str = "Sum"
        ) -> cloudwatch.IWidget:
            metrics = [
                agent_metric(namespace, function, name, FIVE_MINUTES, statistic) for name in names
            ]
            return _graph(title, metrics)

        cloudwatch.Dashboard(
            self,
            "Board",
            widgets=[
                [cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(alarms), width=24)],
                [
                    cloudwatch.CustomWidget(
                        function_arn=view.function_arn,
                        title="Status, positions, performance",
                        update_on_resize=False,
                        update_on_time_range_change=False,
                        width=24,
                        height=9,
                    )
                ],
                [
                    counts("Scan", "scan_market", SCAN),
                    counts("Monitor", "monitor_positions", WATCH),
                ],
                [
                    counts("Positions", "monitor_positions", POSITIONS),
                    counts("Performance, cents a day", "analyze_day", PERFORMANCE),
                ],
                [
                    counts("Daily loss in basis points", "monitor_positions", LIMITS, "Maximum"),
                    _graph("Duration, 95th percentile", _durations(functions)),
                ],
                [
                    _graph("Executions", _executions(workflows)),
                    _graph("Errors", errors_of(functions)),
                ],
                [_graph("Throttles", _throttles(functions))],
            ],
        )


def _graph(title: str, metrics: Sequence[cloudwatch.IMetric]) -> cloudwatch.IWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=HALF)


def _executions(workflows: Sequence[Workflow]) -> list[cloudwatch.IMetric]:
    metrics: list[cloudwatch.IMetric] = []
    for workflow in workflows:
        machine, name = workflow.machine, workflow.name
        metrics += [
            machine.metric_started(label=f"{name} started"),
            machine.metric_succeeded(label=f"{name} succeeded"),
            machine.metric_failed(label=f"{name} failed"),
        ]
    return metrics


def _durations(functions: Sequence[AgentFunction]) -> list[cloudwatch.IMetric]:
    return [
        function.metric_duration(period=FIVE_MINUTES, statistic="p95", label=function.name)
        for function in functions
        if function.is_scheduled
    ]


def _throttles(functions: Sequence[AgentFunction]) -> list[cloudwatch.IMetric]:
    return [
        function.metric_throttles(period=FIVE_MINUTES, statistic="Sum", label=function.name)
        for function in functions
    ]
