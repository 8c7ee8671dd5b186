"""The Lambda runtime of the local cloud: our handlers, called as the real one calls them.

Each call sees only its function's environment, plain JSON in and out, and its errors as the error
document that Retry and Catch match by class name. The function's timeout is not enforced, and
modules stay imported from one function to the next.
"""

import json
import os
import sys
import traceback
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from io import TextIOBase
from types import TracebackType
from typing import Any, Protocol

Handler = Callable[[Any, Any], Any]
Handlers = Callable[[str], Handler]

# What a process needs to work at all; the owner's other variables must not reach a handler.
HOST_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "SYSTEMROOT")


class LocalCloudError(Exception):
    """Raised where the local cloud is asked for what it does not have, or was told wrongly."""


class SimulatedClock(Protocol):
    """The one time of a run: an aware UTC instant that only moves when advanced."""

    @property
    def now(self) -> datetime: ...

    def advance(self, seconds: float) -> None: ...


@dataclass(frozen=True)
class Function:
    """Describe a deployed function."""

    name: str
    """The folder in functions/."""
    function_name: str
    arn: str
    environment: Mapping[str, str]
    memory_megabytes: int
    timeout_seconds: int


@dataclass(frozen=True)
class InvocationResult:
    """Hold what an invocation gave; `payload` is None where it failed."""

    payload: Any
    error_type: str | None
    error_message: str | None
    logs: tuple[str, ...]
    stack_trace: tuple[str, ...] = ()


@dataclass(frozen=True)
class LambdaContext:
    """Give a handler what the real context gives; the names are AWS's."""

    function_name: str
    function_version: str
    invoked_function_arn: str
    memory_limit_in_mb: int
    aws_request_id: str
    log_group_name: str
    log_stream_name: str
    clock: SimulatedClock
    deadline: datetime

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.deadline - self.clock.now) / timedelta(milliseconds=1)))


def handler_in_functions(name: str) -> Handler:
    """Import the handler of a folder in functions/."""
    handler: Handler = import_module(f"functions.{name}.handler").handler
    return handler


class LambdaRuntime:
    """Invoke functions one at a time and keep what each printed."""

    def __init__(
        self,
        functions: Mapping[str, Function],
        handlers: Handlers,
        clock: SimulatedClock,
        credentials: Mapping[str, str],
    ) -> None:
        self._functions = functions
        self._handlers = handlers
        self._clock = clock
        self._credentials = credentials
        self._logs: dict[str, list[str]] = {name: [] for name in functions}
        self._invocations = 0

    def function(self, name: str) -> Function:
        """Find a function by its folder; raise LocalCloudError naming those there are."""
        if name not in self._functions:
            known = ", ".join(sorted(self._functions))
            raise LocalCloudError(f"the template has no function {name!r}; it has: {known}")
        return self._functions[name]

    def function_at(self, arn: str) -> Function:
        """Find a function by its ARN, which may carry a version or alias."""
        for function in self._functions.values():
            if arn == function.arn or arn.startswith(f"{function.arn}:"):
                return function
        raise LocalCloudError(f"the template has no function {arn}")

    def logs(self, name: str) -> tuple[str, ...]:
        """Give the lines that a function printed or logged, oldest first."""
        return tuple(self._logs[self.function(name).name])

    def invoke(self, name: str, event: Any) -> InvocationResult:
        """Call a handler with a JSON event; its errors come back as a result."""
        function = self.function(name)
        self._invocations += 1
        failure = _Failure()
        payload: Any = None
        with _environment(self._variables(function)), _OUTPUT.captured() as output, failure:
            handler = self._load(function.name)
            answer = handler(json.loads(json.dumps(event)), self._context(function))
            payload = _marshalled(answer)
        trace: tuple[str, ...] = ()
        if failure.error is not None:
            trace = tuple(traceback.format_tb(failure.error.__traceback__))
            output.append(_log_text(failure.error, trace))
        lines = tuple("".join(output).splitlines())
        self._logs[name].extend(lines)
        if failure.error is None:
            return InvocationResult(payload, None, None, lines)
        return InvocationResult(
            payload=None,
            error_type=_error_type(failure.error),
            error_message=str(failure.error),
            logs=lines,
            stack_trace=trace,
        )

    def _load(self, name: str) -> Handler:
        try:
            return self._handlers(name)
        except ImportError as error:
            raise _ImportModuleError(f"Unable to import module {name!r}: {error}") from error

    def _context(self, function: Function) -> LambdaContext:
        return LambdaContext(
            function_name=function.function_name,
            function_version="$LATEST",
            invoked_function_arn=function.arn,
            memory_limit_in_mb=function.memory_megabytes,
            aws_request_id=str(uuid.UUID(int=self._invocations, version=4)),
            log_group_name=f"/aws/lambda/{function.function_name}",
            log_stream_name="local",
            clock=self._clock,
            deadline=self._clock.now + timedelta(seconds=function.timeout_seconds),
        )

    def _variables(self, function: Function) -> dict[str, str]:
        return {
            **{name: os.environ[name] for name in HOST_VARIABLES if name in os.environ},
            **self._credentials,
            "TZ": ":UTC",
            "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_megabytes),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.function_name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "local",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            **function.environment,
        }


def error_document(result: InvocationResult) -> dict[str, Any]:
    """Give the payload that the real runtime sends for a failed invocation."""
    return {
        "errorMessage": result.error_message,
        "errorType": result.error_type,
        "stackTrace": list(result.stack_trace),
    }


class _ImportModuleError(Exception):
    """Stands for Runtime.ImportModuleError."""


class _MarshalError(Exception):
    """Stands for Runtime.MarshalError."""


_RUNTIME_ERRORS = {
    _ImportModuleError: "Runtime.ImportModuleError",
    _MarshalError: "Runtime.MarshalError",
}


def _error_type(error: Exception) -> str:
    return _RUNTIME_ERRORS.get(type(error), type(error).__name__)


def _log_text(error: Exception, trace: tuple[str, ...]) -> str:
    return f"[ERROR] {_error_type(error)}: {error}\nTraceback (most recent call last):\n" + "".join(
        trace
    )


def _marshalled(answer: Any) -> Any:
    try:
        return json.loads(json.dumps(answer, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise _MarshalError(f"Unable to marshal response: {error}") from error


class _Failure(AbstractContextManager[None]):
    """Keep what a handler raised, as the real runtime does: whatever it is, it is the result."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if isinstance(error, Exception):
            self.error = error
        return error is None or isinstance(error, Exception)


class _Output(TextIOBase):
    """Take what handlers print; outside an invocation, pass it on.

    There is one of these a process: a logger keeps the stream it was made with, so a stream made
    for each invocation would lose what a handler's module-level logger writes later.
    """

    def __init__(self) -> None:
        self._taken: list[str] | None = None

    @contextmanager
    def captured(self) -> Iterator[list[str]]:
        before, self._taken = self._taken, []
        try:
            with redirect_stdout(self), redirect_stderr(self):
                yield self._taken
        finally:
            self._taken = before

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self._taken is not None:
            self._taken.append(text)
        elif sys.__stdout__ is not None:
            sys.__stdout__.write(text)
        return len(text)


_OUTPUT = _Output()


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    _replace_environment(variables)
    try:
        yield
    finally:
        _replace_environment(before)


def _replace_environment(variables: Mapping[str, str]) -> None:
    # Only the differences: each assignment is a call to the C library.
    for name in os.environ.keys() - variables.keys():
        del os.environ[name]
    for name, value in variables.items():
        if os.environ.get(name) != value:
            os.environ[name] = value
