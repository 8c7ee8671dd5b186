"""The functions as the storm invokes them: a sandbox, a use case, and what came of it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agent.use_cases.analyze_day import analyze_day
from agent.use_cases.cancel_order import cancel_order
from agent.use_cases.check_risk import check_risk
from agent.use_cases.desk import AssembledDesk, Desk
from agent.use_cases.learn_weekly import learn_weekly
from agent.use_cases.monitor_positions import monitor_positions
from agent.use_cases.place_order import place_order
from agent.use_cases.poll_fill import poll_fill
from agent.use_cases.reconcile_order import reconcile_order
from agent.use_cases.record_fill import record_fill
from agent.use_cases.scan_market import scan_market
from agent.use_cases.schedule import ScheduledEvent
from agent.use_cases.size_position import size_position
from agent.use_cases.steps import Message, StepInput
from agent.use_cases.watch_heartbeat import watch_heartbeat
from simulator.storm.faults import INVOCATION, FaultKind, FaultPlan
from simulator.storm.sandbox import Sandbox
from simulator.storm.scheduler import Fiber, ProcessDied, SandboxTimedOut, Scheduler

STEPS: Mapping[str, Callable[[Desk, StepInput], Message]] = {
    "check_risk": check_risk,
    "size_position": size_position,
    "place_order": place_order,
    "poll_fill": poll_fill,
    "cancel_order": cancel_order,
    "record_fill": record_fill,
    "reconcile_order": reconcile_order,
}
SCHEDULED: Mapping[str, Callable[[Desk, ScheduledEvent], Message]] = {
    "scan_market": scan_market,
    "monitor_positions": monitor_positions,
    "analyze_day": analyze_day,
    "learn_weekly": learn_weekly,
    "watch_heartbeat": watch_heartbeat,
}
DOUBLE_SECONDS_MAX = 20.0


@dataclass(frozen=True)
class Outcome:
    """What an invocation came to; `error` is None where it returned."""

    key: str
    payload: Any
    error: str | None = None
    cause: str = ""
    faults: int = 0
    """How many faults struck anything while it ran; a lagging index harms nobody who is right."""


Receive = Callable[[Outcome], None]


@dataclass
class _Warm:
    sandbox: Sandbox
    desk: AssembledDesk


class Functions:
    """Invoke functions; sandboxes stay warm until their process dies."""

    def __init__(
        self,
        scheduler: Scheduler,
        plan: FaultPlan,
        furnish: Callable[[Sandbox], AssembledDesk],
    ) -> None:
        self._scheduler = scheduler
        self._plan = plan
        self._furnish = furnish
        self._idle: list[_Warm] = []
        self.invoked = 0
        self.log: list[str] = []
        """Every line that the functions would have logged."""
        self.timeline: list[tuple[datetime, str]] = []

    def invoke(self, function: str, event: Any, *, key: str, state: str, receive: Receive) -> None:
        """Invoke now; `receive` gets what came of it, which may be a failure of the service."""
        fault = self._plan.draw(f"{key}|invoke", INVOCATION, state)
        kind = None if fault is None else fault.kind
        if kind is FaultKind.INVOCATION_REFUSED:
            refused = Outcome(key, None, "Lambda.TooManyRequestsException", "Rate exceeded", 1)
            self._scheduler.after(0.1, key, lambda: receive(refused))
            return
        if kind is FaultKind.INVOCATION_DOUBLED:
            is_soon = self._plan.dice.chance(f"{key}/soon", 0.5)
            most = 1.0 if is_soon else DOUBLE_SECONDS_MAX
            seconds = self._plan.dice.between(f"{key}/double", 0.0, most)
            ghost = f"{key}+ghost"
            self._scheduler.after(
                seconds,
                ghost,
                lambda: self._run(function, event, ghost, state, _nobody, is_doubled=True),
            )
        if kind is FaultKind.INVOCATION_LOST:
            self._run(function, event, key, state, lambda outcome: receive(_lost(outcome)))
            return
        is_doubled = kind is FaultKind.INVOCATION_DOUBLED
        self._run(function, event, key, state, receive, is_doubled=is_doubled)

    def _run(
        self,
        function: str,
        event: Any,
        key: str,
        state: str,
        receive: Receive,
        *,
        is_doubled: bool = False,
    ) -> None:
        self.invoked += 1
        warm = self._idle.pop() if self._idle else self._cold()
        results: list[Outcome] = []

        def work(fiber: Fiber) -> None:
            struck = len(self._plan.struck)
            warm.sandbox.begin(key, state, fiber, is_doubled=is_doubled)
            payload, error, cause = None, None, ""
            try:
                payload = self._call(warm.desk, function, event)
                self._idle.append(warm)
            except ProcessDied:
                error, cause = "Runtime.ExitError", "the process ended"
            except SandboxTimedOut:
                error, cause = "Sandbox.Timedout", "Task timed out after 30 seconds"
            except Exception as failure:  # noqa: BLE001 - as the runtime does: it has a name
                error, cause = type(failure).__name__, str(failure)
                self._idle.append(warm)
            harm = sum(f.kind is not FaultKind.INDEX_LAG for f in self._plan.struck[struck:])
            outcome = Outcome(key, payload, error, cause, harm)
            results.append(outcome)
            line = f"{key} {error or 'done'} {cause} {json.dumps(payload)}"
            self.log.append(line)
            self.timeline.append((self._scheduler.now, line))
            receive(outcome)

        self._scheduler.start(key, work)

    def _cold(self) -> _Warm:
        sandbox = Sandbox(self._scheduler, self._plan)
        return _Warm(sandbox, self._furnish(sandbox))

    @staticmethod
    def _call(desk: AssembledDesk, function: str, event: Any) -> Any:
        if function in STEPS:
            step = STEPS[function](desk, StepInput.model_validate(event))
            return step.model_dump(mode="json")
        scheduled = SCHEDULED[function](desk, ScheduledEvent.model_validate(event))
        return scheduled.model_dump(mode="json")


def _nobody(_: Outcome) -> None:
    """Hear nothing: the answer of a doubled invocation reaches nobody."""


def _lost(outcome: Outcome) -> Outcome:
    return Outcome(
        outcome.key, None, "Lambda.ServiceException", "the answer was lost", outcome.faults + 1
    )
