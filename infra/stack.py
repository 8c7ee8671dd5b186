"""The stack: everything that one stage of the agent is made of."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from agent.config.environment import ENVIRONMENTS, StartingEnvironment
from infra.constructs.alarms import FIVE_MINUTES, ONE_MINUTE, Alarms, agent_metric
from infra.constructs.alerting import Alerting
from infra.constructs.dashboard import Dashboard
from infra.constructs.functions import AgentFunction
from infra.constructs.grants import Grantor
from infra.constructs.journal import Journal
from infra.constructs.layers import Layers
from infra.constructs.schedules import Schedules
from infra.constructs.tables import Tables
from infra.constructs.webhook import FUNCTION as WEBHOOK_FUNCTION
from infra.constructs.webhook import Webhook
from infra.constructs.workflows import Workflow
from infra.stage import Stage

DEAD_LETTER_RETENTION = cdk.Duration.days(14)
PLACEHOLDER = '{"key_id": "replace-me"}'
"""Never to be altered: CloudFormation would put a new placeholder in place of the owner's keys."""


class AgentStack(cdk.Stack):
    """Create a stage."""

    def __init__(
        self, scope: Construct, stage: Stage, *, bundle_layers: bool, functions_directory: Path
    ) -> None:
        super().__init__(
            scope,
            stage.stack_name,
            description=f"options-agent, stage {stage.name}",
            env=cdk.Environment(region=stage.region) if stage.region else None,
            termination_protection=True,
        )
        self._functions_directory = functions_directory
        self._layers = Layers(self, bundle=bundle_layers, functions_directory=functions_directory)
        tables = Tables(self)
        alerting = Alerting(self)
        journal = Journal(self)
        secret = self._secret()
        webhook = Webhook(self)
        namespace = f"OptionsAgent/{stage.name}"
        self._values = {
            "ALPACA_SECRET_ARN": secret.secret_arn,
            "WEBHOOK_SECRET_ARN": webhook.secret_arn,
            "ALERTS_TOPIC_ARN": alerting.topic.topic_arn,
            "JOURNAL_BUCKET": journal.bucket.bucket_name,
            "AGENT_SETTINGS": stage.settings_json,
            "POWERTOOLS_METRICS_NAMESPACE": namespace,
        }
        for name, table in tables.by_name.items():
            self._values[f"{name.upper()}_TABLE"] = table.table_name
        steps = self._functions(starting=False)
        workflows = [
            Workflow(self, name, stage=stage, functions=steps)
            for name in ("open_position", "close_position", "roll_position")
        ]
        for workflow in workflows:
            self._values[f"{workflow.name.upper()}_ARN"] = workflow.machine.state_machine_arn
        functions = {**self._functions(starting=True), **steps}
        machines = {workflow.name: workflow.machine for workflow in workflows}
        grantor = Grantor(tables, secret, alerting, journal, machines)
        for function in functions.values():
            grantor.grant(function)
        dead_letters = self._dead_letters()
        Schedules(self, functions=functions, dead_letters=dead_letters)
        alarms = Alarms(self, topic=alerting.topic)
        webhook.feed(functions[WEBHOOK_FUNCTION], alerting)
        _watch(alarms, functions, workflows)
        alarms.watch_dead_letters(dead_letters)
        _watch_metrics(alarms, namespace)
        Dashboard(
            self,
            namespace=namespace,
            functions=list(functions.values()),
            workflows=workflows,
            alarms=alarms.all,
        )
        self._say_where_things_are(
            {
                "AlpacaSecretArn": secret.secret_arn,
                "AlertsTopicArn": alerting.topic.topic_arn,
                "AgentControlTable": tables.by_name["agent_control"].table_name,
                "JournalBucket": journal.bucket.bucket_name,
                "AgentStateTable": tables.by_name["agent_state"].table_name,
                "PositionsTable": tables.by_name["positions"].table_name,
                "TradesTable": tables.by_name["trades"].table_name,
            }
        )
        if stage.trades_live:
            cdk.Annotations.of(self).add_warning(
                f"stage {stage.name} TRADES REAL MONEY: its settings say live_trading"
            )

    def _functions(self, *, starting: bool) -> dict[str, AgentFunction]:
        return {
            name: AgentFunction(
                self,
                name,
                functions_directory=self._functions_directory,
                layers=self._layers.all,
                values=self._values,
            )
            for name, model in ENVIRONMENTS.items()
            if issubclass(model, StartingEnvironment) is starting
        }

    def _secret(self) -> secretsmanager.Secret:
        return secretsmanager.Secret(
            self,
            "AlpacaKeys",
            description="JSON: key_id and secret_key of Alpaca, and optionally endpoint",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template=PLACEHOLDER, generate_string_key="secret_key"
            ),
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )

    def _dead_letters(self) -> sqs.Queue:
        return sqs.Queue(
            self,
            "DeadLetters",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=DEAD_LETTER_RETENTION,
        )

    def _say_where_things_are(self, places: dict[str, str]) -> None:
        for name, value in places.items():
            cdk.CfnOutput(self, name, value=value)


def _watch(
    alarms: Alarms, functions: Mapping[str, AgentFunction], workflows: Sequence[Workflow]
) -> None:
    for function in functions.values():
        # An alarm on what alarms call would call it again, for ever.
        if function.name != WEBHOOK_FUNCTION:
            alarms.watch_function(function)
        if function.is_scheduled:
            alarms.watch_scheduled(function)
    for workflow in workflows:
        alarms.watch_workflow(workflow)


def _watch_metrics(alarms: Alarms, namespace: str) -> None:
    alarms.watch_unresolved(
        agent_metric(namespace, "monitor_positions", "UnresolvedIntents", ONE_MINUTE)
    )
    alarms.watch_differences(
        agent_metric(namespace, "monitor_positions", "BookDifferences", ONE_MINUTE)
    )
    alarms.watch_heartbeat(
        agent_metric(namespace, "watch_heartbeat", "Heartbeat", FIVE_MINUTES, "Minimum")
    )
