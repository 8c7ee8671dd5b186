"""One Lambda function for each folder in functions/."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct
from pydantic import ValidationError

from agent.config.environment import ENVIRONMENTS
from infra.constructs.layers import ARCHITECTURE, NOT_SOURCE, RUNTIME
from infra.constructs.tables import pascal_case
from infra.stage import FunctionMissing, StageInvalid

HANDLER = "handler.handler"
LOG_RETENTION = logs.RetentionDays.THREE_MONTHS
"""As long as Step Functions knows an execution's name."""


@dataclass(frozen=True)
class FunctionSize:
    """Bound a function. Its CPU grows with its memory: 1,769 MB is one whole core."""

    timeout_seconds: int = 30
    memory_megabytes: int = 1024
    event_age_max_seconds: int | None = None
    """How long an asynchronous event may wait; None for what is only called synchronously."""


STEP_SIZE = FunctionSize()
SIZES: Mapping[str, FunctionSize] = MappingProxyType(
    {
        # Each ends before the next of its kind starts.
        "scan_market": FunctionSize(240, 1769, event_age_max_seconds=60),
        "monitor_positions": FunctionSize(50, 1769, event_age_max_seconds=60),
        "analyze_day": FunctionSize(240, event_age_max_seconds=60),
        "learn_weekly": FunctionSize(240, event_age_max_seconds=60),
        "watch_heartbeat": FunctionSize(60, event_age_max_seconds=60),
    }
)
"""The functions that are not sized as a step of a state machine is."""


class AgentFunction(lambda_.Function):
    """Deploy one folder; its environment is what the folder's model asks for, and no more."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        functions_directory: Path,
        layers: Sequence[lambda_.ILayerVersion],
        values: Mapping[str, str],
    ) -> None:
        folder = functions_directory / name
        if not (folder / "handler.py").is_file():
            raise FunctionMissing(f"there is no {folder / 'handler.py'} to deploy as {name}")
        size = SIZES.get(name, STEP_SIZE)
        logical_name = pascal_case(name)
        log_group = logs.LogGroup(
            scope,
            f"{logical_name}Logs",
            retention=LOG_RETENTION,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        # The role that CDK would make may write to every log group of the account.
        role = iam.Role(
            scope,
            f"{logical_name}Role",
            description=f"options-agent: what {name} may do",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        )
        log_group.grant_write(role)
        super().__init__(
            scope,
            logical_name,
            description=f"options-agent: {name}",
            code=lambda_.Code.from_asset(str(folder), exclude=NOT_SOURCE),
            handler=HANDLER,
            runtime=RUNTIME,
            architecture=ARCHITECTURE,
            layers=layers,
            timeout=cdk.Duration.seconds(size.timeout_seconds),
            memory_size=size.memory_megabytes,
            environment=environment_of(name, values),
            tracing=lambda_.Tracing.ACTIVE,
            log_group=log_group,
            role=role,
            # Left alone, Lambda runs a failed asynchronous event twice more, for up to six hours:
            # the slot it was for is over by then.
            retry_attempts=0,
            max_event_age=(
                cdk.Duration.seconds(size.event_age_max_seconds)
                if size.event_age_max_seconds
                else None
            ),
        )
        self.name = name
        self.is_scheduled = size.event_age_max_seconds is not None
        resource = self.node.default_child
        assert isinstance(resource, lambda_.CfnFunction)
        resource.add_metadata("agent:function", name)


def environment_of(name: str, values: Mapping[str, str]) -> dict[str, str]:
    """Pick a function's variables out of `values` and have its model read them.

    Raises StageInvalid where a setting is wrong, KeyError where the stack has no such value.
    """
    model = ENVIRONMENTS[name]
    known = {**values, "POWERTOOLS_SERVICE_NAME": name}
    aliases = [field.alias or key for key, field in model.model_fields.items()]
    variables = {alias: known[alias] for alias in aliases}
    try:
        model.parse(variables)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
        raise StageInvalid(f"the setting {place}: {first['msg']}") from error
    return variables
