"""Every place where the local cloud reaches into moto, each with its reason.

moto's interpreter runs an execution in threads, waits in real time and knows no Lambda runtime
but Docker; its transactions copy whole tables. The local cloud needs one thread, simulated time,
our handlers and cheap requests. All that is in this module, in `moto_transactions` and in
`moto_shortcuts`, and what follows its writes in `moto_recording`; tests compare the code replaced
with what moto ships, so an upgrade cannot drift.
"""

import json
import logging
import random
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol

from jsonata import JException, Jsonata, Utils
from moto import mock_aws
from moto.core.models import responses_mock
from moto.dynamodb.models import DynamoDBBackend
from moto.moto_api._internal import mock_random
from moto.sns.models import sns_backends
from moto.stepfunctions.exceptions import InvalidName
from moto.stepfunctions.parser import api, utils
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import (
    StatesErrorName,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.common.retry import (
    jitter_strategy_decl,
    retrier_decl,
)
from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringJSONata
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.component.state.exec import execute_state
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import (
    WaitFunction,
)
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from simulator.cloud import moto_transactions
from simulator.cloud.moto_shortcuts import SHORTCUTS
from simulator.cloud.replacement import Replacement, replaced

EXECUTION_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
JSONATA_PROGRAMS_MAX = 1024


class Host(Protocol):
    """What the interpreter asks of the local cloud instead of threads, sleep and Docker."""

    jitter: random.Random

    def enqueue(self, execution: "QueuedExecution") -> None: ...

    def sleep(self, seconds: float) -> None: ...

    def invoke_task(self, function_arn: str, payload: str) -> "TaskOutcome": ...


@dataclass(frozen=True)
class TaskOutcome:
    """Hold what a Lambda function gave: its JSON payload, or its error document."""

    payload: Any
    failed: bool


class QueuedExecution:
    """Wrap one of moto's executions: read its input and outcome, run it to its end."""

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self._execution = worker._execution_communication.execution  # noqa: SLF001 - no public way
        self.name: str = self._execution.name
        self.machine_arn: str = self._execution.state_machine.arn
        self.input: Any = self._execution.input_data
        definition = json.loads(self._execution.state_machine.definition)
        self.timeout_seconds: float | None = definition.get("TimeoutSeconds")

    def run(self, clock_now: Callable[[], datetime]) -> None:
        """Run the execution in this thread, unless it was stopped before it began."""
        if self.status != "RUNNING":
            return
        self._worker._execution_logic()  # noqa: SLF001 - the body that start() gives a thread
        self._execution.stop_date = clock_now()

    def time_out(self) -> None:
        """End a running execution as its machine's TimeoutSeconds would."""
        self._worker.env.set_timed_out()

    def stamp_start(self, now: datetime) -> None:
        """Give the execution the simulated time of its start."""
        self._execution.start_date = now

    @property
    def status(self) -> str:
        """Give RUNNING (also while queued), SUCCEEDED, FAILED, TIMED_OUT or ABORTED."""
        return str(self._execution.exec_status.value)

    @property
    def output(self) -> Any:
        return self._execution.output

    @property
    def error(self) -> str | None:
        return None if self._execution.error is None else str(self._execution.error)

    @property
    def cause(self) -> str | None:
        return None if self._execution.cause is None else str(self._execution.cause)

    @property
    def history_event_count(self) -> int:
        if self._worker.env is None:
            return 0
        return len(self._worker.env.event_manager.get_event_history())


CHEAP_TRANSACTIONS = Replacement(
    DynamoDBBackend,
    "transact_write_items",
    moto_transactions.transact_write_items,
    DynamoDBBackend.transact_write_items,
)


_original_start_execution = StepFunctionsParserBackend.start_execution


STANDING = (CHEAP_TRANSACTIONS, *SHORTCUTS)
"""What is replaced as long as moto runs, whoever starts executions."""


class _InlineThread:
    """Run a thread's target in the thread that starts it."""

    def __init__(self, *, target: Callable[[], None], daemon: bool) -> None:
        self._target = target
        self.daemon = daemon

    def start(self) -> None:
        self._target()


class _SimulatedTime:
    """Stand for the time module where the interpreter only sleeps."""

    def __init__(self, host: Host) -> None:
        self.sleep = host.sleep


def replacements(host: Host) -> tuple[Replacement, ...]:
    """List what is replaced while a local cloud runs."""

    # Executions, programs and tasks each start a thread: their order would be the scheduler's.
    def start(worker: Any) -> None:
        host.enqueue(QueuedExecution(worker))

    def evaluate_program(program: Any, env: Any) -> None:
        env.next_state_name = program.start_at.start_at_name
        EvalComponent.eval(program, env)

    # A queued execution has no environment yet, which moto's stop() takes for granted.
    original_stop = ExecutionWorker.stop

    def stop(worker: Any, stop_date: datetime, error: str | None, cause: str | None) -> None:
        if worker.env is None:
            execution = worker._execution_communication.execution  # noqa: SLF001 - no public way
            execution.exec_status = api.ExecutionStatus.ABORTED
            execution.stop_date = stop_date
        else:
            original_stop(worker, stop_date=stop_date, error=error, cause=cause)

    # A Wait and the pause before a retry advance the simulated clock.
    def wait(_function: Any, env: Any, wait_seconds: float) -> None:
        if wait_seconds > 0 and env.is_running():
            host.sleep(wait_seconds)

    # A Lambda task runs our handler in this process instead of a container.
    def invoke(
        parameters: Mapping[str, Any], region: str, state_credentials: Any
    ) -> dict[str, Any]:
        del region, state_credentials
        payload = parameters["Payload"]
        text = payload.decode("utf-8") if isinstance(payload, bytes) else json.dumps(payload)
        outcome = host.invoke_task(parameters["FunctionName"], text)
        response = {"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": outcome.payload}
        return response | ({"FunctionError": "Unhandled"} if outcome.failed else {})

    # moto accepts names that AWS refuses.
    def start_execution(
        backend: Any, state_machine_arn: str, name: str | None = None, *rest: Any, **named: Any
    ) -> Any:
        if name is not None and not EXECUTION_NAME.fullmatch(name):
            raise InvalidName(f"Invalid Name: '{name}'")
        return _original_start_execution(backend, state_machine_arn, name, *rest, **named)

    return (
        Replacement(ExecutionWorker, "start", start, ExecutionWorker),
        Replacement(ExecutionWorker, "stop", stop, original_stop),
        Replacement(Program, "eval", evaluate_program, Program.eval),
        Replacement(execute_state, "Thread", _InlineThread, execute_state.ExecutionState),
        Replacement(WaitFunction, "_wait_interval", wait, WaitFunction),
        Replacement(retrier_decl, "time", _SimulatedTime(host), retrier_decl.RetrierDecl),
        # Jitter must come from the run's seed.
        Replacement(
            jitter_strategy_decl,
            "random",
            host.jitter,
            jitter_strategy_decl.JitterStrategyDecl,
        ),
        Replacement(lambda_eval_utils, "_invoke_lambda_function", invoke, lambda_eval_utils),
        # moto has no JSONata evaluator, and would paste values into the expression's text.
        Replacement(StringJSONata, "_eval_body", _evaluate_jsonata, StringJSONata),
        Replacement(
            StepFunctionsParserBackend,
            "start_execution",
            start_execution,
            _original_start_execution,
        ),
    )


@contextmanager
def simulated_aws(seed: int) -> Iterator[None]:
    """Run moto in this process; its random identifiers come from the seed."""
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        # Our clients reach moto through botocore's own events. The patch of `requests` beside it
        # only matches each request to the exchange against every AWS address first.
        responses_mock.stop()
        mock_random.seed(seed)
        with ExitStack() as stack:
            for replacement in STANDING:
                stack.enter_context(replaced(replacement))
            yield


@contextmanager
def single_threaded(host: Host) -> Iterator[None]:
    """Put `host` in charge of the interpreter's order, time and handlers."""
    with ExitStack() as stack:
        for replacement in replacements(host):
            stack.enter_context(replaced(replacement))
        # A failing task is the state machine's business, not an error of the interpreter.
        stack.enter_context(_quiet(logging.getLogger("moto.stepfunctions")))
        stack.callback(utils.TMP_THREADS.clear)
        yield


def sent_notifications(account: str, region: str) -> tuple[tuple[str, str, str, Any], ...]:
    """Give what was published: topic name, subject, message, attributes; in order per topic."""
    return tuple(
        (
            topic.name,
            subject or "",
            message,
            {name: attribute["Value"] for name, attribute in (attributes or {}).items()},
        )
        for topic in sns_backends[account][region].topics.values()
        for _message_id, message, subject, attributes, _group_id in topic.sent_notifications
    )


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


@lru_cache(maxsize=JSONATA_PROGRAMS_MAX)
def _jsonata(expression: str) -> Jsonata:
    program = Jsonata(expression)
    # Keeps null apart from undefined, which AWS makes an error.
    program.set_output_convert_nulls(False)
    return program


def _evaluate_jsonata(string: Any, env: Any) -> None:
    """Evaluate `{% ... %}` with $states and the assigned variables bound as values."""
    store = env.variable_store
    states = env.states._states_data  # noqa: SLF001 - the public readers copy one field at a time
    variables = store._outer_scope | store._inner_scope | {"states": states}  # noqa: SLF001
    bindings = {
        name: Utils.NULL_VALUE if value is None else value for name, value in variables.items()
    }
    try:
        result = _jsonata(string.expression).evaluate(None, bindings)
    except JException as error:
        raise _query_failure(env, f"'{string.expression}' failed: {error}") from error
    if result is None:
        raise _query_failure(env, f"'{string.expression}' returned nothing (undefined).")
    env.stack.append(_plain(result))


def _plain(value: Any) -> Any:
    """Copy a result into plain JSON types; the evaluator's own lists and nulls stay behind."""
    if value is Utils.NULL_VALUE:
        return None
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _query_failure(env: Any, cause: str) -> FailureEventException:
    name = StatesErrorName(typ=StatesErrorNameType.StatesQueryEvaluationError)
    details = EventDetails(
        evaluationFailedEventDetails=api.EvaluationFailedEventDetails(
            cause=f"The JSONata expression {cause}", error=name.error_name
        )
    )
    event_type = api.HistoryEventType.EvaluationFailed
    env.event_manager.add_event(
        context=env.event_history_context, event_type=event_type, event_details=details
    )
    return FailureEventException(
        failure_event=FailureEvent(
            env=env, error_name=name, event_type=event_type, event_details=details
        )
    )
