"""State machines that run where the test or the simulation says."""

from collections.abc import Callable
from threading import Lock

from agent.book.intents import Intent
from agent.ports import ExecutionState


class MemoryWorkflows:
    """Record every start; `run`, where given, is the execution and returns when it has ended.

    Without `run` an execution stays running until `end` is called.
    """

    def __init__(self, run: Callable[[Intent], None] | None = None) -> None:
        self._run = run
        self._lock = Lock()
        self._states: dict[str, ExecutionState] = {}
        self._started: list[Intent] = []

    @property
    def started(self) -> tuple[Intent, ...]:
        """Give the intents in the order in which their executions started."""
        with self._lock:
            return tuple(self._started)

    def start(self, intent: Intent) -> None:
        """Start an execution; one started before is no error: it means started."""
        with self._lock:
            if intent.intent_id in self._states:
                return
            self._states[intent.intent_id] = ExecutionState.RUNNING
            self._started.append(intent)
        if self._run is None:
            return
        # Outside the lock: an execution may itself look at states. It has ended even if it failed.
        try:
            self._run(intent)
        finally:
            self.end(intent.intent_id)

    def state(self, intent: Intent) -> ExecutionState:
        with self._lock:
            return self._states.get(intent.intent_id, ExecutionState.ABSENT)

    def end(self, intent_id: str) -> None:
        """End a running execution; raise KeyError where there is none."""
        with self._lock:
            if self._states.get(intent_id) is not ExecutionState.RUNNING:
                raise KeyError(intent_id)
            self._states[intent_id] = ExecutionState.ENDED
