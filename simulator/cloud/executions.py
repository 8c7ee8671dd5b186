"""State-machine executions, one at a time, in the order in which they were started."""

import json
import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.cloud.lambda_runtime import (
    LambdaRuntime,
    LocalCloudError,
    SimulatedClock,
    error_document,
)
from simulator.cloud.moto_patches import QueuedExecution, TaskOutcome

EXECUTIONS_PER_DRAIN_MAX = 10_000


@dataclass(frozen=True)
class ExecutionRecord:
    """Describe an execution as it stands."""

    machine: str
    name: str
    input: Any
    status: str
    """RUNNING (also while queued), SUCCEEDED, FAILED, TIMED_OUT or ABORTED."""
    output: Any
    error: str | None
    cause: str | None
    history_event_count: int
    tasks_invoked: tuple[str, ...]
    """Function folders in the order of their calls, retries included."""


@dataclass
class _Run:
    execution: QueuedExecution
    machine: str
    tasks_invoked: list[str] = field(default_factory=list)


class Executions:
    """Queue what is started; run it in order, waiting on the simulated clock."""

    def __init__(
        self,
        runtime: LambdaRuntime,
        clock: SimulatedClock,
        machine_names: Mapping[str, str],
        seed: int,
        note: Callable[[QueuedExecution], None] | None = None,
    ) -> None:
        """Make an empty queue; `note` hears of each execution that was started."""
        self.jitter = random.Random(seed)  # noqa: S311 - a reproducible run, not a secret
        self._runtime = runtime
        self._clock = clock
        self._machine_names = machine_names
        self._runs: list[_Run] = []
        self._queue: deque[_Run] = deque()
        self._running: _Run | None = None
        self._time_left_seconds: float | None = None
        self._note = note

    def enqueue(self, execution: QueuedExecution) -> None:
        """Take a started execution; it runs in the next drain."""
        execution.stamp_start(self._clock.now)
        run = _Run(execution, self._machine_names[execution.machine_arn])
        self._runs.append(run)
        self._queue.append(run)
        if self._note is not None:
            self._note(execution)

    def forget(self) -> None:
        """Leave what was started so far behind: it is neither run nor listed."""
        self._runs.clear()
        self._queue.clear()

    def drain(self) -> None:
        """Run queued executions, and those they start, to their ends."""
        if self._running is not None:
            raise LocalCloudError("drain was called from within an execution")
        for _ in range(EXECUTIONS_PER_DRAIN_MAX):
            if not self._queue:
                return
            self._run(self._queue.popleft())
        raise LocalCloudError(
            f"{EXECUTIONS_PER_DRAIN_MAX} executions ran and more are queued: they start each other"
        )

    def sleep(self, seconds: float) -> None:
        """Advance the clock for a Wait or a retry, at most to the machine's own timeout."""
        if self._running is None:
            raise LocalCloudError("only a running execution sleeps")
        left = self._time_left_seconds
        if left is not None and seconds >= left:
            self._advance(left)
            self._running.execution.time_out()
        else:
            self._advance(seconds)

    def invoke_task(self, function_arn: str, payload: str) -> TaskOutcome:
        """Call the function behind a Lambda task of the running execution."""
        function = self._runtime.function_at(function_arn)
        if self._running is not None:
            self._running.tasks_invoked.append(function.name)
        result = self._runtime.invoke(function.name, json.loads(payload))
        if result.error_type is None:
            return TaskOutcome(result.payload, failed=False)
        return TaskOutcome(error_document(result), failed=True)

    def records(self) -> list[ExecutionRecord]:
        """Describe every execution in order of start."""
        return [
            ExecutionRecord(
                machine=run.machine,
                name=run.execution.name,
                input=run.execution.input,
                status=run.execution.status,
                output=run.execution.output,
                error=run.execution.error,
                cause=run.execution.cause,
                history_event_count=run.execution.history_event_count,
                tasks_invoked=tuple(run.tasks_invoked),
            )
            for run in self._runs
        ]

    def _run(self, run: _Run) -> None:
        self._running = run
        self._time_left_seconds = run.execution.timeout_seconds
        try:
            run.execution.run(lambda: self._clock.now)
        finally:
            self._running = None

    def _advance(self, seconds: float) -> None:
        self._clock.advance(seconds)
        if self._time_left_seconds is not None:
            self._time_left_seconds -= seconds
