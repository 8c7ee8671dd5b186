"""The state machines, from their definition files."""

import re
from collections.abc import Mapping
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from infra.constructs.functions import LOG_RETENTION, AgentFunction
from infra.constructs.tables import pascal_case
from infra.stage import Stage

WORKFLOWS_DIRECTORY = Path(__file__).resolve().parents[1] / "workflows"
_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


class Workflow(Construct):
    """Run one definition file, with the right to call the functions it names and no others."""

    def __init__(
        self, scope: Construct, name: str, *, stage: Stage, functions: Mapping[str, AgentFunction]
    ) -> None:
        super().__init__(scope, pascal_case(name))
        self.name = name
        definition = (WORKFLOWS_DIRECTORY / f"{name}.asl.json").read_text(encoding="utf-8")
        called = {step: functions[step] for step in sorted(set(_PLACEHOLDER.findall(definition)))}
        arns = {step: function.function_arn for step, function in called.items()}
        log_group = logs.LogGroup(
            self,
            "Logs",
            # This prefix keeps the account's log resource policy from outgrowing its limit.
            log_group_name=f"/aws/vendedlogs/states/options-agent-{stage.name}-{name}",
            retention=LOG_RETENTION,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self.machine = stepfunctions.StateMachine(
            self,
            "Machine",
            state_machine_type=stepfunctions.StateMachineType.STANDARD,
            # In the template, not in a bucket: a diff and the tests see what is deployed.
            definition_body=stepfunctions.DefinitionBody.from_string(definition),
            definition_substitutions=arns,
            logs=stepfunctions.LogOptions(
                destination=log_group,
                level=stepfunctions.LogLevel.ERROR,
                include_execution_data=False,
            ),
            tracing_enabled=True,
        )
        # A definition given as text grants nothing by itself.
        self.machine.add_to_role_policy(
            iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=list(arns.values()))
        )
        resource = self.machine.node.default_child
        assert isinstance(resource, stepfunctions.CfnStateMachine)
        resource.add_metadata("agent:workflow", name)
