"""Implied volatility samples by symbol, source and session, in memory."""

from collections.abc import Sequence
from datetime import date
from threading import Lock

from agent.market.volatility import ImpliedVolatilitySample


class MemoryVolatilityHistory:
    """Keep one sample a session; the first one stands."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._samples: dict[tuple[str, str], dict[date, ImpliedVolatilitySample]] = {}

    def samples(
        self, symbol: str, sessions_max: int, *, source: str
    ) -> tuple[ImpliedVolatilitySample, ...]:
        """Give a source's newest samples, oldest first; raise ValueError for a bound below 1."""
        if sessions_max < 1:
            raise ValueError(f"sessions_max must be at least 1, not {sessions_max}")
        with self._lock:
            stored = self._samples.get((symbol, source), {})
            return tuple(stored[session] for session in sorted(stored)[-sessions_max:])

    def record(self, symbol: str, samples: Sequence[ImpliedVolatilitySample]) -> int:
        """Store the samples of sessions that have none of their source yet, and count them."""
        added = 0
        with self._lock:
            for sample in samples:
                stored = self._samples.setdefault((symbol, sample.source), {})
                added += sample.session not in stored
                stored.setdefault(sample.session, sample)
        return added
