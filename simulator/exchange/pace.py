"""Let simulated time run by itself, for an exchange that is served to anybody's client."""

import time
from datetime import timedelta
from threading import Event, Thread
from types import TracebackType
from typing import Self

from simulator.exchange.exchange import Exchange

TICK_SECONDS = 0.1
STOP_TIMEOUT_SECONDS = 10.0
LEAD_BEFORE_OPEN = timedelta(minutes=1)
REST_AFTER_CLOSE = timedelta(hours=1)
"""Long enough for fees to be posted before the night is skipped."""
LIFE_AFTER_LAST_CLOSE = timedelta(days=1)


class Pace:
    """Move an exchange's clock `speed` simulated seconds for every real one.

    Where `skips_closed_hours` is set, nights and weekends pass in one step, up to a minute
    before the next opening. A day after the world's last close time stands still. Use it as a
    context manager, or call `step` with the real seconds that have passed.
    """

    def __init__(
        self, exchange: Exchange, speed: float, *, skips_closed_hours: bool = False
    ) -> None:
        if speed <= 0:
            raise ValueError(f"speed must be above 0, not {speed}")
        self._exchange = exchange
        self._speed = speed
        self._skips_closed_hours = skips_closed_hours
        self._last_moment = exchange.world.sessions[-1].closes_at + LIFE_AFTER_LAST_CLOSE
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="exchange-pace", daemon=True)

    def step(self, real_seconds: float) -> None:
        """Move the clock for real time that has passed."""
        clock, calendar = self._exchange.clock, self._exchange.calendar
        with self._exchange.lock:
            target = clock.now + timedelta(seconds=real_seconds * self._speed)
            if self._skips_closed_hours and calendar.session_at(clock.now) is None:
                completed = calendar.last_completed(clock.now)
                rested = completed is None or clock.now >= completed.closes_at + REST_AFTER_CLOSE
                if rested:
                    target = max(target, calendar.next_open(clock.now) - LEAD_BEFORE_OPEN)
            target = min(target, self._last_moment)
            if target > clock.now:
                clock.advance_to(target)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopping.set()
        self._thread.join(STOP_TIMEOUT_SECONDS)

    def _run(self) -> None:
        before = time.monotonic()
        while not self._stopping.wait(TICK_SECONDS):
            now = time.monotonic()
            self.step(now - before)
            before = now
