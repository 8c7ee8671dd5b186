"""DynamoDB in this process: tables made from the agent's own models, and a serial store."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from threading import Lock
from typing import Any

import pytest
from moto import mock_aws
from moto.dynamodb.models import DynamoDBBackend

from agent.adapters.dynamodb.tables import Tables

_numbers = count(1)


@contextmanager
def dynamodb_in_process() -> Iterator[None]:
    """Stand in for DynamoDB, with transactions one after another, as it isolates them.

    moto itself lets concurrent transactions overwrite one another.
    """
    transact = DynamoDBBackend.transact_write_items
    lock = Lock()

    def one_at_a_time(backend: Any, transact_items: list[dict[str, Any]]) -> None:
        with lock:
            transact(backend, transact_items)

    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setattr(DynamoDBBackend, "transact_write_items", one_at_a_time)
        yield


def fresh_tables() -> Tables:
    """Make six empty tables of names that were never used before."""
    number = next(_numbers)
    tables = Tables.named(
        trades=f"trades-{number}",
        positions=f"positions-{number}",
        agent_state=f"agent-state-{number}",
        agent_control=f"agent-control-{number}",
        performance_metrics=f"performance-metrics-{number}",
        learning_logs=f"learning-logs-{number}",
    )
    for item in (
        tables.trades,
        tables.positions,
        tables.agent_state,
        tables.agent_control,
        tables.performance_metrics,
        tables.learning_logs,
    ):
        assert item is not None
        item.create_table(billing_mode="PAY_PER_REQUEST")
    return tables
