"""The two stores of what analyses find, which must behave alike."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from agent.adapters.dynamodb.learning_log import DynamoLearningLog
from agent.adapters.dynamodb.metrics import DynamoMetrics
from agent.adapters.dynamodb.tables import Tables
from agent.adapters.memory.learning_log import MemoryLearningLog
from agent.adapters.memory.metrics import MemoryMetrics
from agent.ports import LearningLog, Metrics
from tests.dynamodb import dynamodb_in_process, new_tables


@dataclass(frozen=True)
class Findings:
    """Everything the analyses of one stage store."""

    metrics: Metrics
    learning_log: LearningLog


@pytest.fixture(scope="module", params=["memory", "dynamodb"])
def tables(request: pytest.FixtureRequest) -> Iterator[Tables | None]:
    """Give tables for a module's tests; None where memory is the store."""
    if request.param == "memory":
        yield None
        return
    with dynamodb_in_process():
        yield new_tables()


def findings_in(tables: Tables | None) -> Findings:
    if tables is None:
        return Findings(MemoryMetrics(), MemoryLearningLog())
    for item in (tables.performance_metrics, tables.learning_logs):
        assert item is not None
        if item.exists():
            item.delete_table()
        item.create_table(billing_mode="PAY_PER_REQUEST")
    return Findings(DynamoMetrics(tables), DynamoLearningLog(tables))


@pytest.fixture
def findings(tables: Tables | None) -> Findings:
    """Give empty stores."""
    return findings_in(tables)


@pytest.fixture(scope="module")
def used_findings(tables: Tables | None) -> Findings:
    """Give stores that keep what earlier examples wrote: for properties, under fresh ids."""
    return findings_in(tables)
