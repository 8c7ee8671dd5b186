"""State machines that run where the test or the simulation says."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from agent.book.records import Intent, IntentKind
from agent.ports import ExecutionState


@dataclass(frozen=True)
class StartedExecution:
    kind: IntentKind
    intent_id: str


class MemoryWorkflows:
    """Record every start; `run`, where given, is the execution and returns when it has ended.

    Without `run` an execution stays running until `end` is called.
    """

    def __init__(self, run: Callable[[StartedExecution], None] | None = None) -> None:
        self._run = run
        self._lock = Lock()
        self._states: dict[str, ExecutionState] = {}
        self._started: list[StartedExecution] = []

    @property
    def started(self) -> tuple[StartedExecution, ...]:
        """Give the executions in the order of their starts."""
        with self._lock:
            return tuple(self._started)

    def start_open(self, intent_id: str) -> None:
        self._start(StartedExecution(IntentKind.ENTRY, intent_id))

    def start_close(self, intent_id: str) -> None:
        self._start(StartedExecution(IntentKind.CLOSE, intent_id))

    def state(self, intent: Intent) -> ExecutionState:
        with self._lock:
            return self._states.get(intent.intent_id, ExecutionState.ABSENT)

    def end(self, intent_id: str) -> None:
        """End a running execution; raise KeyError where there is none."""
        with self._lock:
            if self._states[intent_id] is not ExecutionState.RUNNING:
                raise KeyError(intent_id)
            self._states[intent_id] = ExecutionState.ENDED

    def _start(self, execution: StartedExecution) -> None:
        with self._lock:
            if execution.intent_id in self._states:
                return
            self._states[execution.intent_id] = ExecutionState.RUNNING
            self._started.append(execution)
        if self._run is None:
            return
        # Outside the lock: an execution may itself look at states. It has ended even if it failed.
        try:
            self._run(execution)
        finally:
            self.end(execution.intent_id)
