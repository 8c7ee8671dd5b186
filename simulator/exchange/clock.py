"""The one clock of a simulation, and how moving it lets things happen on the way."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Protocol


class Timeline(Protocol):
    """What has to happen as time passes."""

    def next_event_after(self, after: datetime, until: datetime) -> datetime | None:
        """Give the earliest moment in (after, until] at which something happens by itself."""
        ...

    def happen(self, at: datetime) -> None:
        """Let everything due at `at` happen; the clock already shows `at`."""
        ...


class SimulatedClock:
    """Tell the time of a simulation; it moves only when told to, and never backwards.

    `lock` is held while the clock moves. Whoever reads or changes what depends on the time
    holds it too: it is the one lock of an exchange.
    """

    def __init__(self, starts_at: datetime) -> None:
        if starts_at.tzinfo is None:
            raise ValueError(f"a simulated clock needs an aware time, not {starts_at.isoformat()}")
        self.lock = RLock()
        self.moves = 0
        """How many times the clock was told to move; a move may pass several events."""
        self._now = starts_at.astimezone(UTC)
        self._timeline: Timeline | None = None
        self._watchers: list[Callable[[datetime], None]] = []

    @property
    def now(self) -> datetime:
        """Give the simulated time, aware and in UTC."""
        return self._now

    def follow(self, timeline: Timeline) -> None:
        """Let `timeline` happen whenever the clock moves."""
        self._timeline = timeline

    def when_moved(self, watcher: Callable[[datetime], None]) -> None:
        """Tell `watcher` after each move where the clock was moved to."""
        self._watchers.append(watcher)

    def advance_to(self, moment: datetime) -> None:
        """Move to `moment`, letting all that is due on the way happen in time order.

        Raises ValueError where `moment` is naive or lies in the past. Moving to the present
        moment does nothing.
        """
        if moment.tzinfo is None:
            raise ValueError(f"a simulated clock needs an aware time, not {moment.isoformat()}")
        with self.lock:
            target = moment.astimezone(UTC)
            if target < self._now:
                raise ValueError(f"time cannot go back from {self._now} to {target}")
            if target == self._now:
                return
            self.moves += 1
            while self._now < target:
                event = self._timeline and self._timeline.next_event_after(self._now, target)
                self._now = event or target
                if self._timeline is not None:
                    self._timeline.happen(self._now)
            for watcher in self._watchers:
                watcher(target)

    def advance(self, seconds: float) -> None:
        """Move forward by `seconds`."""
        self.advance_to(self._now + timedelta(seconds=seconds))
