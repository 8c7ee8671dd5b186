"""Alerts that were written with the book and wait to be told, in memory."""

from collections.abc import Iterable
from threading import Lock

from agent.book.records import Alert


class MemoryAlertOutbox:
    """Keep each alert once; the first telling of an id is the one that counts."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._alerts: dict[str, Alert] = {}
        self._sent: set[str] = set()

    def add(self, alerts: Iterable[Alert]) -> None:
        """Keep alerts that are not known yet."""
        with self._lock:
            for alert in alerts:
                self._alerts.setdefault(alert.alert_id, alert)

    def unsent(self) -> tuple[Alert, ...]:
        """Give what was not told yet, oldest first."""
        with self._lock:
            waiting = (alert for key, alert in self._alerts.items() if key not in self._sent)
            return tuple(sorted(waiting, key=lambda alert: (alert.at, alert.alert_id)))

    def mark_sent(self, alert_id: str) -> None:
        """Tick an alert off; one that is not there is no error."""
        with self._lock:
            if alert_id in self._alerts:
                self._sent.add(alert_id)
