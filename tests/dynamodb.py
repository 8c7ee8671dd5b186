"""DynamoDB in this process: tables made from the agent's own models, and a serial store."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from itertools import count
from threading import RLock
from typing import Any

import pytest
from moto import mock_aws
from moto.dynamodb.models import DynamoDBBackend

from agent.adapters.dynamodb.items import Item
from agent.adapters.dynamodb.tables import Tables

_numbers = count(1)


@contextmanager
def dynamodb_in_process() -> Iterator[None]:
    """Stand in for DynamoDB, with writes one after another, as it isolates them.

    moto itself lets concurrent transactions overwrite one another.
    """
    lock = RLock()

    def serial(method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def locked(*arguments: Any, **named: Any) -> Any:
            with lock:
                return method(*arguments, **named)

        return locked

    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        for name in ("put_item", "update_item", "delete_item", "transact_write_items"):
            patch.setattr(DynamoDBBackend, name, serial(getattr(DynamoDBBackend, name)))
        yield


def new_tables() -> Tables:
    """Name six tables as none were before; `create` makes them."""
    number = next(_numbers)
    return Tables.named(
        trades=f"trades-{number}",
        positions=f"positions-{number}",
        agent_state=f"agent-state-{number}",
        agent_control=f"agent-control-{number}",
        performance_metrics=f"performance-metrics-{number}",
        learning_logs=f"learning-logs-{number}",
    )


def create(tables: Tables) -> None:
    """Make the tables, empty; what was in them is gone."""
    for item in items_of(tables):
        if item.exists():
            item.delete_table()
        item.create_table(billing_mode="PAY_PER_REQUEST")


def items_of(tables: Tables) -> tuple[type[Item], ...]:
    """List the item classes, one a table."""
    everyone = (
        tables.trades,
        tables.positions,
        tables.performance_metrics,
        tables.learning_logs,
        tables.agent_state,
        tables.agent_control,
    )
    return tuple(item for item in everyone if item is not None)
