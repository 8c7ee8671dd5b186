"""The first dashboard: what is scanned and traded, what fails, and how long it takes."""

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.constructs.alarms import FIVE_MINUTES, agent_metric, errors_of
from infra.constructs.functions import AgentFunction
from infra.constructs.workflows import Workflow

HALF = 12


class Dashboard(Construct):
    """Lay out the widgets, two a row."""

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
        scheduled = [function for function in functions if function.is_scheduled]

        def counts(function: str, *names: str) -> list[cloudwatch.IMetric]:
            return [agent_metric(namespace, function, name, FIVE_MINUTES) for name in names]

        def graph(title: str, metrics: Sequence[cloudwatch.IMetric]) -> cloudwatch.IWidget:
            return cloudwatch.GraphWidget(title=title, left=list(metrics), width=HALF)

        cloudwatch.Dashboard(
            self,
            "Board",
            widgets=[
                [cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(alarms), width=24)],
                [
                    graph(
                        "Scan",
                        counts(
                            "scan_market",
                            *("ScanPasses", "ScanCandidates", "ScanSignals", "ScanEntries"),
                            "StaleSlots",
                        ),
                    ),
                    graph(
                        "Monitor",
                        counts(
                            "monitor_positions",
                            *("MonitorPasses", "OpenTrades", "ExitsBegun", "UnresolvedIntents"),
                            *("UnmarkedTrades", "StaleSlots"),
                        ),
                    ),
                ],
                [
                    graph(
                        "Executions",
                        [
                            metric
                            for workflow in workflows
                            for metric in (
                                workflow.machine.metric_started(label=f"{workflow.name} started"),
                                workflow.machine.metric_succeeded(
                                    label=f"{workflow.name} succeeded"
                                ),
                                workflow.machine.metric_failed(label=f"{workflow.name} failed"),
                            )
                        ],
                    ),
                    graph("Errors", errors_of(functions)),
                ],
                [
                    graph(
                        "Duration, 95th percentile",
                        [
                            function.metric_duration(
                                period=FIVE_MINUTES, statistic="p95", label=function.name
                            )
                            for function in scheduled
                        ],
                    ),
                    graph(
                        "Throttles",
                        [
                            function.metric_throttles(
                                period=FIVE_MINUTES, statistic="Sum", label=function.name
                            )
                            for function in functions
                        ],
                    ),
                ],
            ],
        )
