"""Signs of life, in memory."""

from datetime import UTC, datetime
from threading import Lock


class MemoryBeats:
    """Start without any."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._newest: dict[str, datetime] = {}

    def beat(self, function: str, slot: datetime) -> None:
        """Remember a slot; raise ValueError for one without a time zone."""
        if slot.tzinfo is None:
            raise ValueError(f"a slot needs a time zone: {slot.isoformat()}")
        with self._lock:
            known = self._newest.get(function)
            if known is None or known < slot:
                self._newest[function] = slot.astimezone(UTC)

    def last_beat(self, function: str) -> datetime | None:
        with self._lock:
            return self._newest.get(function)
