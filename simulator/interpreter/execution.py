"""One execution of a definition, a step at a time: whoever drives it says when, and with what."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator.interpreter.definition import Definition, State
from simulator.interpreter.expressions import Evaluate, QueryFailed

ALL_ERRORS = "States.ALL"
TASK_FAILED = "States.TaskFailed"
TIMEOUT = "States.Timeout"
QUERY_ERROR = "States.QueryEvaluationError"
STEPS_MAX = 10_000
"""More steps than any execution may have events: a loop that nobody counted."""
Jitter = Callable[[str], float]
"""Give a fraction in [0, 1) for the wait that the key names."""


@dataclass(frozen=True)
class Invoke:
    """Call `function` with `payload`, then resume with its Answer or Failure."""

    state: str
    function: str
    payload: Any
    attempt: int
    """From 0; a repetition after a failure counts on."""


@dataclass(frozen=True)
class Pause:
    """Resume with None after so many seconds."""

    state: str
    seconds: float
    is_retry: bool


@dataclass(frozen=True)
class Ended:
    """Say that the execution is over."""

    state: str
    status: str
    """SUCCEEDED or FAILED."""
    output: Any
    error: str | None = None
    cause: str | None = None


@dataclass(frozen=True)
class Answer:
    payload: Any


@dataclass(frozen=True)
class Failure:
    error: str
    cause: str


Step = Invoke | Pause | Ended
Reply = Answer | Failure | None


class Execution:
    """Step one execution; every wait and every call is handed to the driver."""

    def __init__(
        self,
        definition: Definition,
        execution_input: Any,
        *,
        jitter: Jitter = lambda _: 1.0,
    ) -> None:
        self.definition = definition
        self._input = execution_input
        self._variables: dict[str, Any] = {}
        self._jitter = jitter
        self._steps = self._run()
        self._started = False

    def resume(self, reply: Reply = None) -> Step:
        """Go on to the next step; the first call takes no reply."""
        if not self._started:
            self._started = True
            return next(self._steps)
        return self._steps.send(reply)

    def _run(self) -> Generator[Step, Reply, None]:
        name, value = self.definition.starts_at, self._input
        for _ in range(STEPS_MAX):
            state = self.definition.states[name]
            try:
                if state.kind == "Task":
                    following, value = yield from self._task(state, value)
                else:
                    if state.kind == "Fail":
                        yield Ended(name, "FAILED", None, state.error, state.cause)
                        return
                    if state.kind == "Wait":
                        yield Pause(name, self._seconds(state, value), is_retry=False)
                    following, value = self._plain(state, value)
            except QueryFailed as failure:
                yield Ended(name, "FAILED", None, QUERY_ERROR, str(failure))
                return
            except _Uncaught as uncaught:
                yield Ended(name, "FAILED", None, uncaught.failure.error, uncaught.failure.cause)
                return
            if following is None:
                yield Ended(name, "SUCCEEDED", value)
                return
            name = following
        raise RuntimeError(f"{self.definition.name} took {STEPS_MAX} steps: a loop is not counted")

    def _plain(self, state: State, value: Any) -> tuple[str | None, Any]:
        """Pass through a state that calls nothing; give what follows and its input."""
        if state.kind == "Choice":
            scope = self._scope({"input": value})
            for branch in state.branches:
                chosen = branch.condition(scope)
                if not isinstance(chosen, bool):
                    raise QueryFailed(f"{state.name}: a condition is {chosen!r}")
                if chosen:
                    return branch.following, value
        return state.following, self._leave(state, {"input": value}, value)

    def _task(self, state: State, value: Any) -> Generator[Step, Reply, tuple[str | None, Any]]:
        used = [0] * len(state.retriers)
        attempt = 0
        while True:
            try:
                payload = _evaluated(state.arguments, self._scope({"input": value}), value)
                reply = yield Invoke(state.name, state.function, payload, attempt)
                if isinstance(reply, Answer):
                    context = {"input": value, "result": reply.payload}
                    return state.following, self._leave(state, context, reply.payload)
                if not isinstance(reply, Failure):
                    raise TypeError(f"{state.name} needs the answer to its call, not {reply!r}")
                failure = reply
            except QueryFailed as error:
                failure = Failure(QUERY_ERROR, str(error))
            number = _matching([retrier.errors for retrier in state.retriers], failure.error)
            if number is not None and used[number] < state.retriers[number].attempts_max:
                retrier = state.retriers[number]
                seconds = retrier.interval_seconds * retrier.backoff_rate ** used[number]
                used[number] += 1
                attempt += 1
                if retrier.is_jittered:
                    seconds *= self._jitter(f"{state.name}/{attempt}")
                yield Pause(state.name, seconds, is_retry=True)
                continue
            caught = _matching([catcher.errors for catcher in state.catchers], failure.error)
            if caught is None:
                raise _Uncaught(failure)
            described = {"Error": failure.error, "Cause": failure.cause}
            return state.catchers[caught].following, described

    def _leave(self, state: State, context: Mapping[str, Any], default: Any) -> Any:
        """Give the state's output; assignments take hold afterwards, all at once."""
        scope = self._scope(context)
        assigned = _evaluated(state.assign, scope, {})
        output = _evaluated(state.output, scope, default)
        self._variables.update(assigned)
        return output

    def _seconds(self, state: State, value: Any) -> float:
        seconds = _evaluated(state.seconds, self._scope({"input": value}), None)
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
            raise QueryFailed(f"{state.name} cannot wait for {seconds!r} seconds")
        return seconds

    def _scope(self, context: Mapping[str, Any]) -> dict[str, Any]:
        return {**self._variables, "states": context}


class _Uncaught(Exception):
    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.error)
        self.failure = failure


def _evaluated(expression: Evaluate | None, scope: Mapping[str, Any], default: Any) -> Any:
    return default if expression is None else expression(scope)


def _matching(handlers: Sequence[Sequence[str]], error: str) -> int | None:
    """Give the first handler whose error names include this error."""
    meant = {error, ALL_ERRORS} | ({TASK_FAILED} if error != TIMEOUT else set())
    return next((at for at, names in enumerate(handlers) if meant & set(names)), None)
