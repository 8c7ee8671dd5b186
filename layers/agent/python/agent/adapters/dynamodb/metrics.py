"""Metrics of periods in their table."""

from datetime import date

from agent.adapters.dynamodb.codec import from_attributes, to_actions, to_attributes
from agent.adapters.dynamodb.failures import store_answers
from agent.adapters.dynamodb.reads import get_item
from agent.adapters.dynamodb.tables import Tables
from agent.book.analysis_records import PerformanceMetric, PeriodType

INDEX = "by_period_type"


class DynamoMetrics:
    """Keep one metric a period; the last one stands. Needs tables with that of the metrics."""

    def __init__(self, tables: Tables) -> None:
        if tables.performance_metrics is None:
            raise ValueError("these tables do not name that of the metrics")
        self._item = tables.performance_metrics

    def store(self, metric: PerformanceMetric) -> None:
        values = to_attributes(self._item, metric)
        with store_answers():
            self._item(metric.metric_id).update(to_actions(self._item, values))

    def metric(self, metric_id: str) -> PerformanceMetric | None:
        item = get_item(self._item, metric_id)
        return None if item is None else from_attributes(PerformanceMetric, item)

    def metrics(
        self, period_type: PeriodType, start: date, end: date
    ) -> tuple[PerformanceMetric, ...]:
        """List the periods that start from `start` to `end`, oldest first, by the index."""
        starts = self._item.get_attributes()["period_start"]
        with store_answers():
            items = tuple(
                getattr(self._item, INDEX).query(period_type.value, starts.between(start, end))
            )
        return tuple(from_attributes(PerformanceMetric, item) for item in items)
