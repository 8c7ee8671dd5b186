"""Alpaca's rate limit: so many requests a minute of simulated time, told in every reply."""

from simulator.exchange.clock import SimulatedClock
from simulator.exchange.errors import TOO_MANY_REQUESTS, RefusalError

REQUESTS_PER_MINUTE = 200
WINDOW_SECONDS = 60


class RateLimit:
    """Count requests in windows of one simulated minute.

    Unless the exchange is told to enforce it, the count is shown and nobody is refused:
    simulated time stands still while a client works, which no real minute does.
    """

    def __init__(self, clock: SimulatedClock, enforced_per_minute: int | None) -> None:
        self._clock = clock
        self._per_minute = enforced_per_minute or REQUESTS_PER_MINUTE
        self._is_enforced = enforced_per_minute is not None
        self._window = 0
        self._count = 0

    def count_request(self) -> dict[str, str]:
        """Count a request and give the headers that tell of it."""
        window = int(self._clock.now.timestamp()) // WINDOW_SECONDS
        if window != self._window:
            self._window, self._count = window, 0
        self._count += 1
        return {
            "X-RateLimit-Limit": str(self._per_minute),
            "X-RateLimit-Remaining": str(max(self._per_minute - self._count, 0)),
            "X-RateLimit-Reset": str((window + 1) * WINDOW_SECONDS),
        }

    def check(self) -> None:
        """Refuse the request just counted (429) where it is one too many, and that matters."""
        if self._is_enforced and self._count > self._per_minute:
            raise RefusalError(429, TOO_MANY_REQUESTS, "rate limit exceeded")
