"""Metrics of periods, in memory."""

from datetime import date
from threading import Lock

from agent.book.analysis_records import PerformanceMetric, PeriodType


class MemoryMetrics:
    """Keep one metric a period; the last one stands."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._metrics: dict[str, PerformanceMetric] = {}

    def store(self, metric: PerformanceMetric) -> None:
        with self._lock:
            self._metrics[metric.metric_id] = metric

    def metric(self, metric_id: str) -> PerformanceMetric | None:
        with self._lock:
            return self._metrics.get(metric_id)

    def metrics(
        self, period_type: PeriodType, start: date, end: date
    ) -> tuple[PerformanceMetric, ...]:
        """List the periods that start from `start` to `end`, oldest first."""
        with self._lock:
            found = (
                metric
                for metric in self._metrics.values()
                if metric.period_type is period_type and start <= metric.period_start <= end
            )
            return tuple(sorted(found, key=lambda metric: metric.period_start))
