"""The state machines of a storm: the definition files, stepped in their turns."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from agent.book.intents import Intent, IntentKind
from agent.ports import ExecutionState
from simulator.interpreter import (
    Answer,
    Definition,
    Ended,
    Execution,
    Failure,
    Invoke,
    Pause,
    Reply,
    load_definition,
)
from simulator.storm.dice import Dice
from simulator.storm.functions import Functions, Outcome
from simulator.storm.scheduler import Scheduler

WORKFLOWS = Path(__file__).resolve().parents[2] / "infra" / "workflows"
MACHINES: Mapping[IntentKind, str] = {
    IntentKind.ENTRY: "open_position",
    IntentKind.CLOSE: "close_position",
    IntentKind.ROLL: "roll_position",
}
TRANSITION_SECONDS_MAX = 0.3
RUNNING = "RUNNING"


@dataclass
class Run:
    """One execution as it stands."""

    name: str
    machine: str
    execution: Execution
    started_at: datetime
    status: str = RUNNING
    ended_at: datetime | None = None
    history: list[str] = field(default_factory=list)
    steps: int = 0


class Executions:
    """Start and step executions; one name runs once, for ever."""

    def __init__(self, scheduler: Scheduler, dice: Dice, functions: Functions) -> None:
        self._scheduler = scheduler
        self._dice = dice
        self._functions = functions
        self._definitions: dict[str, Definition] = {
            machine: load_definition(WORKFLOWS / f"{machine}.asl.json")
            for machine in MACHINES.values()
        }
        self.runs: dict[str, Run] = {}

    @property
    def running(self) -> int:
        return sum(run.status == RUNNING for run in self.runs.values())

    def start(self, intent: Intent) -> None:
        """Start the intent's execution; one started before is no error: it means started."""
        if intent.intent_id in self.runs:
            return
        machine = MACHINES[intent.kind]
        definition = self._definitions[machine]
        execution = Execution(
            definition,
            {"intent_id": intent.intent_id},
            jitter=lambda key: self._dice.fraction(f"jitter/{intent.intent_id}/{key}"),
        )
        run = Run(intent.intent_id, machine, execution, self._scheduler.now)
        self.runs[intent.intent_id] = run
        self._go_on(run, None)
        if definition.timeout_seconds is not None:
            self._scheduler.after(
                definition.timeout_seconds, f"{run.name}/timeout", lambda: self._time_out(run)
            )

    def state(self, intent: Intent) -> ExecutionState:
        """Say whether the intent's execution is absent, running or ended."""
        run = self.runs.get(intent.intent_id)
        if run is None:
            return ExecutionState.ABSENT
        return ExecutionState.RUNNING if run.status == RUNNING else ExecutionState.ENDED

    def _go_on(self, run: Run, reply: Reply, seconds: float = 0.0) -> None:
        run.steps += 1
        name = f"{run.name}/{run.steps}"
        transition = self._dice.between(f"transition/{name}", 0.0, TRANSITION_SECONDS_MAX)
        self._scheduler.after(seconds + transition, name, lambda: self._step(run, reply))

    def _step(self, run: Run, reply: Reply) -> None:
        if run.status != RUNNING:
            return
        step = run.execution.resume(reply)
        run.history.append(repr(step))
        if isinstance(step, Ended):
            run.status, run.ended_at = step.status, self._scheduler.now
        elif isinstance(step, Pause):
            self._go_on(run, None, step.seconds)
        else:
            self._invoke(run, step)

    def _invoke(self, run: Run, step: Invoke) -> None:
        def receive(outcome: Outcome) -> None:
            run.history.append(repr(outcome))
            if outcome.error is None:
                self._go_on(run, Answer(outcome.payload))
            else:
                cause = json.dumps({"errorType": outcome.error, "errorMessage": outcome.cause})
                self._go_on(run, Failure(outcome.error, cause))

        self._functions.invoke(
            step.function,
            step.payload,
            key=f"{run.name}/{run.steps}:{step.state}",
            state=f"{run.machine}.{step.state}",
            receive=receive,
        )

    def _time_out(self, run: Run) -> None:
        if run.status == RUNNING:
            run.status, run.ended_at = "TIMED_OUT", self._scheduler.now
