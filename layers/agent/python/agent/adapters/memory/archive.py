"""What was kept of the journal, in memory."""

from collections.abc import Sequence
from datetime import date
from threading import Lock

from agent.book.records import JournalEvent


class MemoryJournalArchive:
    """Keep each day as it was last given."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._days: dict[date, tuple[JournalEvent, ...]] = {}

    def keep(self, day: date, events: Sequence[JournalEvent]) -> None:
        with self._lock:
            self._days[day] = tuple(events)

    def kept(self) -> dict[date, tuple[JournalEvent, ...]]:
        """Give every day that was kept."""
        with self._lock:
            return dict(self._days)
