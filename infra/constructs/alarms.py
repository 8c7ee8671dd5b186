"""What wakes the owner."""

from collections.abc import Iterable

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.functions import AgentFunction
from infra.constructs.tables import pascal_case
from infra.constructs.workflows import Workflow

FIVE_MINUTES = cdk.Duration.minutes(5)
ONE_MINUTE = cdk.Duration.minutes(1)
UNRESOLVED_MINUTES = 10
DIFFERENT_MINUTES = 3
"""What the next passes book is no difference worth waking for."""
SILENT_PERIODS = 2
"""One look may miss: the broker is down for a moment, or a metric is late."""


class Alarms(Construct):
    """Create the alarms; each publishes to the topic when it goes off and when it is over.

    Missing data is good news to those that count failures, and bad news to the heartbeat, which
    is told around the clock: whatever keeps it from being told is worth waking for.
    """

    def __init__(self, scope: Construct, *, topic: sns.ITopic) -> None:
        super().__init__(scope, "Alarms")
        self._action = actions.SnsAction(topic)
        self.all: list[cloudwatch.Alarm] = []

    def watch_function(self, function: AgentFunction) -> None:
        self._alarm(
            f"{pascal_case(function.name)}Errors",
            function.metric_errors(period=FIVE_MINUTES, statistic="Sum"),
            f"{function.name} failed",
        )

    def watch_scheduled(self, function: AgentFunction) -> None:
        """Watch for slots that Lambda took and never ran to a result."""
        dropped = function.metric("AsyncEventsDropped", period=FIVE_MINUTES, statistic="Sum")
        self._alarm(f"{pascal_case(function.name)}Dropped", dropped, f"{function.name} lost a slot")

    def watch_workflow(self, workflow: Workflow) -> None:
        machine = workflow.machine
        ended_badly = cloudwatch.MathExpression(
            expression="failed + timed_out + aborted",
            label=f"{workflow.name} ended badly",
            period=FIVE_MINUTES,
            using_metrics={
                "failed": machine.metric_failed(statistic="Sum"),
                "timed_out": machine.metric_timed_out(statistic="Sum"),
                "aborted": machine.metric_aborted(statistic="Sum"),
            },
        )
        self._alarm(
            f"{pascal_case(workflow.name)}EndedBadly",
            ended_badly,
            f"an execution of {workflow.name} failed, timed out or was aborted",
        )

    def watch_dead_letters(self, queue: sqs.IQueue) -> None:
        self._alarm(
            "DeadLetters",
            queue.metric_approximate_number_of_messages_visible(
                period=FIVE_MINUTES, statistic="Maximum"
            ),
            "a schedule could not start its function; the queue of dead letters says which",
        )

    def watch_unresolved(self, unresolved: cloudwatch.IMetric) -> None:
        """Watch for intents that pass after pass of the monitor cannot settle."""
        self._alarm(
            "Unresolved",
            unresolved,
            f"an intent has been unresolved for {UNRESOLVED_MINUTES} minutes",
            periods=UNRESOLVED_MINUTES,
        )

    def watch_differences(self, differences: cloudwatch.IMetric) -> None:
        """Watch for what book and broker count differently, pass after pass."""
        self._alarm(
            "Differences",
            differences,
            f"book and broker have differed for {DIFFERENT_MINUTES} minutes",
            periods=DIFFERENT_MINUTES,
        )

    def watch_heartbeat(self, heartbeat: cloudwatch.IMetric) -> None:
        """Watch for silence: of scans and monitor passes, and of whoever listens for them."""
        self._alarm(
            "Heartbeat",
            heartbeat,
            "the agent is silent: its scans, its monitor passes, or the watch over both",
            periods=SILENT_PERIODS,
            rings_below=True,
        )

    def _alarm(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        sentence: str,
        *,
        periods: int = 1,
        rings_below: bool = False,
    ) -> None:
        """Ring at 1 or more, or below 1; what rings below takes missing data for silence."""
        comparison, missing = cloudwatch.ComparisonOperator, cloudwatch.TreatMissingData
        alarm = cloudwatch.Alarm(
            self,
            name,
            metric=metric,
            alarm_description=f"options-agent: {sentence}",
            threshold=1,
            evaluation_periods=periods,
            comparison_operator=(
                comparison.LESS_THAN_THRESHOLD
                if rings_below
                else comparison.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
            ),
            treat_missing_data=missing.BREACHING if rings_below else missing.NOT_BREACHING,
        )
        alarm.add_alarm_action(self._action)
        alarm.add_ok_action(self._action)
        self.all.append(alarm)


def agent_metric(
    namespace: str, function: str, name: str, period: cdk.Duration, statistic: str = "Sum"
) -> cloudwatch.Metric:
    """Name a metric that a function emits through Powertools."""
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map={"service": function},
        period=period,
        statistic=statistic,
    )


def errors_of(functions: Iterable[AgentFunction]) -> list[cloudwatch.IMetric]:
    return [
        function.metric_errors(period=FIVE_MINUTES, statistic="Sum", label=function.name)
        for function in functions
    ]
