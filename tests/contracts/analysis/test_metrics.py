"""One metric a period: the last one stands, and periods are listed as they began."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.adapters.dynamodb.metrics import DynamoMetrics
from agent.adapters.dynamodb.tables import Tables
from agent.book.analysis_records import Measures, PerformanceMetric, PeriodType
from tests.analysis_builders import a_metric, some_measures
from tests.builders import SESSION
from tests.contracts.analysis.conftest import Findings

numbers = count(1)
money = st.decimals(
    min_value=Decimal("-1e12"), max_value=Decimal("1e12"), allow_nan=False, allow_infinity=False
).map(lambda value: +value)
ratios = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9).map(
    lambda value: value if abs(value) >= 1e-130 else 0.0
)
counts = st.integers(min_value=0, max_value=10**6)
names = st.text("abcdefgh_", min_size=1, max_size=8)
measures: dict[str, st.SearchStrategy[Any]] = {
    "trades_closed": counts,
    "trades_open": counts,
    "total_pnl": st.none() | money,
    "win_rate": st.none() | ratios,
    "profit_factor": st.none() | ratios,
    "average_win": st.none() | money,
    "average_loss": st.none() | money,
    "periods": counts,
    "effective_periods": st.none() | ratios,
    "sharpe_ratio": st.none() | ratios,
    "sharpe_standard_error": st.none() | ratios,
    "sortino_ratio": st.none() | ratios,
    "max_drawdown": st.none() | money,
    "error_counts": st.dictionaries(names, counts, max_size=3),
}


def built(record: Callable[..., Any], **parts: Any) -> st.SearchStrategy[Any]:
    return st.builds(record, **measures, **parts)


metrics = built(
    PerformanceMetric,
    metric_id=names,
    period_type=st.sampled_from(PeriodType),
    period_start=st.dates(),
    period_end=st.dates(),
    strategy_performance=st.dictionaries(names, built(Measures), max_size=2),
)


@settings(max_examples=30)
@given(before=metrics, after=metrics)
def test_a_metric_is_read_as_it_was_written_and_replaced_in_every_field(
    used_findings: Findings, before: PerformanceMetric, after: PerformanceMetric
) -> None:
    metric_id = f"metric-{next(numbers)}"
    for metric in (before, after):
        written = metric.model_copy(update={"metric_id": metric_id})
        used_findings.metrics.store(written)

        assert used_findings.metrics.metric(metric_id) == written


def test_a_period_that_was_never_measured_has_no_metric(findings: Findings) -> None:
    assert findings.metrics.metric("day-2026-06-09") is None
    assert findings.metrics.metrics(PeriodType.DAY, date.min, date.max) == ()


def test_periods_are_listed_from_the_oldest_within_bounds_that_count(findings: Findings) -> None:
    days = [a_metric(SESSION + timedelta(days=day)) for day in range(5)]
    for metric in (days[3], days[0], days[4], days[1], days[2]):
        findings.metrics.store(metric)

    listed = findings.metrics.metrics(
        PeriodType.DAY, SESSION + timedelta(days=1), SESSION + timedelta(days=3)
    )

    assert listed == tuple(days[1:4])


def test_periods_of_another_kind_are_not_listed(findings: Findings) -> None:
    week = a_metric(metric_id="week-2026-06-09", period_type=PeriodType.WEEK)
    findings.metrics.store(a_metric())
    findings.metrics.store(week)

    assert findings.metrics.metrics(PeriodType.WEEK, SESSION, SESSION) == (week,)


def test_storing_again_replaces_and_does_not_add(findings: Findings) -> None:
    findings.metrics.store(a_metric(sharpe_ratio=1.5, total_pnl=Decimal(7)))
    findings.metrics.store(a_metric(total_pnl=None, strategy_performance={}))

    (stored,) = findings.metrics.metrics(PeriodType.DAY, SESSION, SESSION)

    assert stored == a_metric(total_pnl=None, strategy_performance={})
    assert stored.sharpe_ratio is None


def test_unknown_measures_stay_unknown(findings: Findings) -> None:
    unknown = some_measures(total_pnl=None, win_rate=None, max_drawdown=None)
    findings.metrics.store(a_metric(strategy_performance={"iron_condor": unknown}))

    stored = findings.metrics.metric("day-2026-06-09")

    assert stored is not None
    assert stored.strategy_performance == {"iron_condor": unknown}


def test_tables_without_that_of_the_metrics_cannot_keep_any() -> None:
    tables = Tables.named(
        trades="trades", positions="positions", agent_state="state", agent_control="control"
    )
    with pytest.raises(ValueError, match="do not name that of the metrics"):
        DynamoMetrics(tables)
