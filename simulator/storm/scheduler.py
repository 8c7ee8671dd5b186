"""One virtual scheduler: whatever happens, happens in its turn, and the seed decides the turns."""

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from queue import SimpleQueue
from threading import Thread

from simulator.exchange.clock import SimulatedClock
from simulator.storm.dice import Dice

Action = Callable[[], None]


class ProcessDied(BaseException):
    """Raised inside an invocation whose process ends; no handler may catch it."""


class SandboxTimedOut(BaseException):
    """Raised inside an invocation that has used up its time; no handler may catch it."""


class _Worker:
    """Run one job at a time in a thread of its own; only ever one of all threads runs."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Action] = SimpleQueue()
        Thread(target=self._work, daemon=True).start()

    def take(self, job: Action) -> None:
        self._jobs.put(job)

    def _work(self) -> None:
        while True:
            self._jobs.get()()


_idle_workers: list[_Worker] = []


class Fiber:
    """Run a function that may pause in the middle; the scheduler resumes it."""

    def __init__(self, function: Callable[["Fiber"], None]) -> None:
        self._function = function
        self._to_fiber: SimpleQueue[BaseException | None] = SimpleQueue()
        self._to_driver: SimpleQueue[float | BaseException | None] = SimpleQueue()
        self._worker: _Worker | None = None

    def run(self, killed_by: BaseException | None = None) -> float | None:
        """Run to the next pause and give its seconds, or to the end and give None."""
        if self._worker is None:
            self._worker = _idle_workers.pop() if _idle_workers else _Worker()
            self._worker.take(self._job)
        else:
            self._to_fiber.put(killed_by)
        outcome = self._to_driver.get()
        if isinstance(outcome, float):
            return outcome
        _idle_workers.append(self._worker)
        if outcome is not None:
            raise outcome
        return None

    def pause(self, seconds: float) -> None:
        """Hand over to the scheduler; called from within the function."""
        self._to_driver.put(float(seconds))
        killed_by = self._to_fiber.get()
        if killed_by is not None:
            raise killed_by

    def _job(self) -> None:
        outcome: BaseException | None = None
        try:
            self._function(self)
        except BaseException as error:  # noqa: BLE001 - it is raised again where it belongs
            outcome = error
        self._to_driver.put(outcome)


class Scheduler:
    """Keep what is due; moments that tie are ordered by the seed."""

    def __init__(self, clock: SimulatedClock, dice: Dice, after_step: Action) -> None:
        self._clock = clock
        self._dice = dice
        self._after_step = after_step
        self._due: list[tuple[datetime, float, int, Action]] = []
        self._sequence = 0
        self._paused: dict[int, Fiber] = {}
        self.steps = 0

    @property
    def now(self) -> datetime:
        return self._clock.now

    def at(self, moment: datetime, name: str, action: Action) -> None:
        """Let `action` happen at `moment`, or now where that is past."""
        self._sequence += 1
        tie = self._dice.fraction(f"turn/{name}")
        heapq.heappush(self._due, (max(moment, self.now), tie, self._sequence, action))

    def after(self, seconds: float, name: str, action: Action) -> None:
        self.at(self.now + timedelta(seconds=seconds), name, action)

    def run(self, until: datetime, stops: Callable[[], bool] = lambda: False) -> None:
        """Let everything due before `until` happen, and move the clock there, unless it stops."""
        while self._due and self._due[0][0] <= until:
            if stops():
                return
            moment, _, _, action = heapq.heappop(self._due)
            self._clock.advance_to(moment)
            action()
            self._step()
        if until > self.now and not stops():
            self._clock.advance_to(until)
            self._step()

    def start(self, name: str, function: Callable[[Fiber], None]) -> None:
        """Run a function as a fiber, from now on."""
        self._continue(name, Fiber(function), None)

    def pause(self, fiber: Fiber, seconds: float) -> None:
        """Let time pass for a fiber; others run meanwhile. Called from within the fiber."""
        target = self.now + timedelta(seconds=seconds)
        if self._due and self._due[0][0] <= target:
            fiber.pause(seconds)
            return
        self._clock.advance_to(target)
        self._step()

    def end_paused(self) -> None:
        """End every fiber that still waits."""
        for fiber in list(self._paused.values()):
            fiber.run(ProcessDied())
        self._paused.clear()

    def _continue(self, name: str, fiber: Fiber, number: int | None) -> None:
        if number is not None:
            del self._paused[number]
        seconds = fiber.run()
        if seconds is None:
            return
        self.after(seconds, name, lambda: self._continue(name, fiber, key))
        key = self._sequence
        self._paused[key] = fiber

    def _step(self) -> None:
        self.steps += 1
        self._after_step()
