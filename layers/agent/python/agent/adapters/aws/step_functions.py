"""Start the state machines, and see how their executions stand."""

from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import ClientError

from agent.adapters.aws.secrets import CLIENT_CONFIG
from agent.book.intents import Intent, IntentKind
from agent.ports import ExecutionState

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class StepFunctionsWorkflows:
    """Run one Standard execution an intent, named for it."""

    def __init__(
        self, open_position_arn: str, close_position_arn: str, roll_position_arn: str
    ) -> None:
        self._client: SFNClient = boto3.client("stepfunctions", config=CLIENT_CONFIG)
        self._machines = {
            IntentKind.ENTRY: open_position_arn,
            IntentKind.CLOSE: close_position_arn,
            IntentKind.ROLL: roll_position_arn,
        }

    def start(self, intent: Intent) -> None:
        """Start the intent's execution; one that is there already means started, not done."""
        try:
            self._client.start_execution(
                stateMachineArn=self._machines[intent.kind],
                name=intent.intent_id,
                input=f'{{"intent_id": "{intent.intent_id}"}}',
            )
        except self._client.exceptions.ExecutionAlreadyExists:
            return

    def state(self, intent: Intent) -> ExecutionState:
        """Say whether the intent's execution is absent, running or ended."""
        machine = self._machines[intent.kind]
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{intent.intent_id}"
        try:
            status = self._client.describe_execution(executionArn=arn)["status"]
        except self._client.exceptions.ExecutionDoesNotExist:
            return ExecutionState.ABSENT
        except ClientError as error:
            raise WorkflowsUnavailable(f"cannot see execution {arn}: {error}") from error
        return ExecutionState.RUNNING if status == "RUNNING" else ExecutionState.ENDED


class WorkflowsUnavailable(Exception):
    """Raised where Step Functions does not answer."""
