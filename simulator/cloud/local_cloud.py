"""The whole AWS side of the agent in one process, from the template that deploys.

    with LocalCloud(template, clock=clock, secrets=..., settings_overrides=...) as cloud:
        cloud.fire("scan_market", slot)

Single-threaded; time is the given clock's and moves only by Wait states and retries; the same
template, seed and handlers give the same run.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from unittest.mock import patch

from agent.bootstrap import forget_desks
from simulator.cloud import moto_patches, moto_recording, resources
from simulator.cloud.executions import ExecutionRecord, Executions
from simulator.cloud.lambda_runtime import (
    Handlers,
    InvocationResult,
    LambdaRuntime,
    LocalCloudError,
    SimulatedClock,
    handler_in_functions,
)
from simulator.cloud.moto_patches import QueuedExecution
from simulator.cloud.moto_recording import Note
from simulator.cloud.template import ACCOUNT, REGION, Template

CREDENTIALS: Mapping[str, str] = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""All that boto3 may see of AWS; the owner's own profile and keys are out of reach."""
EXECUTION = "execution"
"""The kind of record that says which machine was started, under which name, with what."""


@dataclass(frozen=True)
class PublishedMessage:
    """Hold one message published to a topic."""

    topic: str
    subject: str
    message: str
    attributes: Mapping[str, Any]


class LocalCloud:
    """Run a template's tables, topics, secret, functions, schedules and state machines.

    `note` hears, before whoever caused it, of each change of what outlives a process: items,
    messages, the names of executions. `before` is what it heard in an earlier process: tables and
    topics hold that again, and the executions of then have ended, whatever they were at.
    """

    def __init__(
        self,
        template_path: Path,
        *,
        clock: SimulatedClock,
        secrets: Mapping[str, Mapping[str, Any]],
        settings_overrides: Mapping[str, Any] | None = None,
        handlers: Handlers = handler_in_functions,
        seed: int = 0,
        note: Note | None = None,
        before: Sequence[tuple[str, Any]] = (),
    ) -> None:
        self._template = Template.load(template_path)
        self._clock = clock
        self._secrets = secrets
        self._settings_overrides = settings_overrides or {}
        self._handlers = handlers
        self._seed = seed
        self._note = note
        self._before = before
        self._open = ExitStack()
        self._runtime: LambdaRuntime | None = None
        self._executions: Executions | None = None
        self._schedules: tuple[resources.Schedule, ...] = ()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(_only_local_credentials())
            self._create(stack)
            self._open = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._runtime = self._executions = None
        self._open.__exit__(kind, error, trace)

    def invoke(self, function_name: str, event: Any) -> InvocationResult:
        """Call the function of a folder once; what it starts stays queued until `drain`."""
        return self._running_runtime.invoke(function_name, event)

    def fire(self, schedule_function: str, slot: datetime) -> InvocationResult:
        """Deliver a schedule slot to its function with the schedule's own input, then drain.

        Raise LocalCloudError where the template gives the function no one schedule for the slot.
        """
        schedule = self._schedule(schedule_function, slot)
        if schedule.input is None:
            raise LocalCloudError(f"the schedule {schedule.logical_id} has no Input")
        stamp = slot.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        text = schedule.input.replace("<aws.scheduler.scheduled-time>", stamp)
        result = self.invoke(schedule_function, json.loads(text))
        self.drain()
        return result

    def drain(self) -> None:
        """Run queued executions to their ends, in order of start."""
        self._running_executions.drain()

    def slots(
        self,
        session_date: date,
        opens_at: datetime | None = None,
        closes_at: datetime | None = None,
    ) -> dict[str, list[datetime]]:
        """Give each scheduled function's slots on a day of its schedule's zone, as aware UTC.

        With bounds, only slots from `opens_at` to `closes_at`, both included.
        """
        found: dict[str, set[datetime]] = {}
        for schedule in self._schedules:
            slots = found.setdefault(schedule.function, set())
            if schedule.enabled:
                slots.update(schedule.cron().slots(session_date, schedule.zone))
        return {
            function: sorted(
                slot
                for slot in slots
                if (opens_at is None or opens_at <= slot)
                and (closes_at is None or slot <= closes_at)
            )
            for function, slots in found.items()
        }

    @property
    def executions(self) -> list[ExecutionRecord]:
        """Describe every execution so far, in order of start."""
        return self._running_executions.records()

    @property
    def published(self) -> list[PublishedMessage]:
        """Give the messages published to the topics, in order per topic."""
        return [
            PublishedMessage(topic, subject, message, attributes)
            for topic, subject, message, attributes in moto_patches.sent_notifications(
                ACCOUNT, REGION
            )
        ]

    def environment(self, function_name: str) -> Mapping[str, str]:
        """Give the environment that a function is deployed with."""
        return self._running_runtime.function(function_name).environment

    def logs(self, function_name: str) -> tuple[str, ...]:
        """Give the lines that a function has printed or logged."""
        return self._running_runtime.logs(function_name)

    def _create(self, stack: ExitStack) -> None:
        # A new cloud starts cold: no function keeps clients or keys of the one before.
        forget_desks()
        stack.callback(forget_desks)
        stack.enter_context(moto_patches.simulated_aws(self._seed))
        template = self._template
        identifiers = resources.identify(template)
        resources.create_secrets(template, identifiers, self._secrets)
        resources.create_tables(template, identifiers)
        resources.create_buckets(template, identifiers)
        resources.create_topics(template, identifiers)
        machine_names = resources.create_state_machines(template, identifiers)
        functions = resources.functions(template, identifiers, self._settings_overrides)
        self._schedules = resources.schedules(template, identifiers, functions)
        self._runtime = LambdaRuntime(functions, self._handlers, self._clock, CREDENTIALS)
        self._executions = Executions(
            self._runtime, self._clock, machine_names, self._seed, self._note_execution
        )
        stack.enter_context(moto_patches.single_threaded(self._executions))
        self._put_back(self._executions)
        if self._note is not None:
            stack.enter_context(moto_recording.recorded(self._note))

    def _put_back(self, executions: Executions) -> None:
        moto_recording.put_back(self._before, ACCOUNT, REGION)
        started = [body for kind, body in self._before if kind == EXECUTION]
        if not started:
            return
        note, self._note = self._note, None
        resources.end_executions(started)
        executions.forget()
        self._note = note

    def _note_execution(self, execution: QueuedExecution) -> None:
        if self._note is not None:
            self._note(EXECUTION, [execution.machine_arn, execution.name, execution.input])

    @property
    def _running_runtime(self) -> LambdaRuntime:
        if self._runtime is None:
            raise LocalCloudError("the local cloud runs only within its `with` block")
        return self._runtime

    @property
    def _running_executions(self) -> Executions:
        if self._executions is None:
            raise LocalCloudError("the local cloud runs only within its `with` block")
        return self._executions

    def _schedule(self, function_name: str, slot: datetime) -> resources.Schedule:
        own = [schedule for schedule in self._schedules if schedule.function == function_name]
        if len(own) > 1:
            own = [
                schedule
                for schedule in own
                if slot
                in schedule.cron().slots(slot.astimezone(schedule.zone).date(), schedule.zone)
            ]
        if len(own) != 1:
            raise LocalCloudError(
                f"{len(own)} schedules of the template call {function_name} at {slot.isoformat()}"
            )
        return own[0]


@contextmanager
def _only_local_credentials() -> Iterator[None]:
    others = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with patch.dict(os.environ, others | dict(CREDENTIALS), clear=True):
        yield
