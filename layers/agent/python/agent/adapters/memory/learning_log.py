"""What the learner did, in memory."""

from threading import Lock

from agent.book.analysis_records import LearningLogEntry


class MemoryLearningLog:
    """Keep each entry once; the first one of an id stands."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: dict[str, LearningLogEntry] = {}

    def append(self, entry: LearningLogEntry) -> bool:
        with self._lock:
            if entry.log_id in self._entries:
                return False
            self._entries[entry.log_id] = entry
            return True

    def entry(self, log_id: str) -> LearningLogEntry | None:
        with self._lock:
            return self._entries.get(log_id)
