"""A listener that can be made deaf."""

from agent.book.records import Alert
from agent.ports import AlertUnavailable


class MemoryAlerts:
    """Record what was told; while `available` is False nobody is told."""

    def __init__(self) -> None:
        self.available = True
        self.published: list[Alert] = []

    def publish(self, alert: Alert) -> None:
        """Record an alert; raise AlertUnavailable while deaf."""
        if not self.available:
            raise AlertUnavailable(f"nobody was told of {alert.alert_id}")
        self.published.append(alert)
