"""A deployed stage as the command line finds it: its stack, its tables, its region."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.problems import ReportedProblem

if TYPE_CHECKING:
    from botocore.client import BaseClient

    from agent.adapters.dynamodb.tables import Tables

CONNECT_SECONDS, READ_SECONDS, ATTEMPTS_MAX = 3, 10, 3
StageOption = Annotated[str, typer.Option(help="The stage to speak to.")]
RegionOption = Annotated[
    str | None, typer.Option(help="Its region, where the AWS profile names another.")
]
DEFAULT_STAGE = "paper"


@dataclass(frozen=True)
class Deployment:
    """Name a stack and what it says of itself."""

    stack: str
    region: str | None
    outputs: Mapping[str, str]

    def output(self, name: str) -> str:
        """Give an output of the stack; raise ReportedProblem where it has none of that name."""
        if name not in self.outputs:
            raise ReportedProblem(f"the stack {self.stack} has no output {name}: deploy it anew")
        return self.outputs[name]

    def tables(self) -> "Tables":
        """Bind the tables that hold trades and what the agent remembers; nothing is read yet."""
        from agent.adapters.dynamodb.tables import Tables  # noqa: PLC0415 - --help needs none of it

        return Tables.named(
            trades=self.output("TradesTable"),
            positions=self.output("PositionsTable"),
            agent_state=self.output("AgentStateTable"),
            agent_control=self.output("AgentControlTable"),
            region=self.region,
        )


def stack_of(stage: str) -> str:
    """Name the stack of a stage; raise ReportedProblem where no stage can be called so."""
    from infra.stage import Stage, StageInvalid  # noqa: PLC0415 - --help does not wait for it

    try:
        return Stage.read(name=stage).stack_name
    except StageInvalid as problem:
        raise ReportedProblem(str(problem)) from problem


def find_deployment(stage: str, region: str | None) -> Deployment:
    """Ask CloudFormation where a stage keeps what; within `aws_answers` problems are sentences."""
    stack = stack_of(stage)
    cloudformation: Any = aws_client("cloudformation", region)
    (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    outputs = {each["OutputKey"]: str(each["OutputValue"]) for each in found.get("Outputs", [])}
    return Deployment(stack, region, outputs)


def aws_client(service: str, region: str | None) -> "BaseClient":
    """Make a client that gives up after seconds."""
    import boto3  # noqa: PLC0415 - it takes a while, and --help needs none of it
    from botocore.config import Config  # noqa: PLC0415

    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"total_max_attempts": ATTEMPTS_MAX},
    )
    session: Any = boto3.Session(region_name=region)
    try:
        client: BaseClient = session.client(service, config=config)
    except ValueError as problem:
        # An address of the environment that is none.
        raise ReportedProblem(f"AWS: {problem}") from problem
    return client


@contextmanager
def aws_answers() -> Iterator[None]:
    """Raise ReportedProblem where AWS, or the store in it, does not do what it is asked."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above
    from pynamodb.exceptions import PynamoDBException  # noqa: PLC0415

    from agent.book.changes import BookBusy  # noqa: PLC0415

    try:
        yield
    except (BotoCoreError, ClientError, PynamoDBException, BookBusy) as problem:
        # No stack, no table, no credentials, no right, no network: each says which.
        raise ReportedProblem(f"AWS: {problem}") from problem
