"""The two stores that must behave alike."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import pytest

from agent.adapters.dynamodb.book import DynamoBook
from agent.adapters.dynamodb.control import DynamoControl
from agent.adapters.dynamodb.outbox import DynamoAlertOutbox
from agent.adapters.dynamodb.volatility import DynamoVolatilityHistory
from agent.adapters.memory.book import MemoryBook
from agent.adapters.memory.control import MemoryControl
from agent.adapters.memory.volatility import MemoryVolatilityHistory
from agent.book.records import JournalEvent
from agent.ports import AlertOutbox, Book, Control, VolatilityHistory
from tests.dynamodb import dynamodb_in_process, fresh_tables


class JournaledBook(Book, Protocol):
    def journal(self, day: date) -> tuple[JournalEvent, ...]: ...


@dataclass(frozen=True)
class Stores:
    """Everything one stage stores."""

    book: JournaledBook
    outbox: AlertOutbox
    volatility: VolatilityHistory
    control: Control


def memory_stores() -> Stores:
    book = MemoryBook()
    return Stores(book, book.outbox, MemoryVolatilityHistory(), MemoryControl())


def dynamodb_stores() -> Stores:
    tables = fresh_tables()
    return Stores(
        DynamoBook(tables),
        DynamoAlertOutbox(tables),
        DynamoVolatilityHistory(tables),
        DynamoControl(tables),
    )


@pytest.fixture(scope="module", params=["memory", "dynamodb"])
def store_kind(request: pytest.FixtureRequest) -> Iterator[str]:
    kind: str = request.param
    if kind == "memory":
        yield kind
        return
    with dynamodb_in_process():
        yield kind


@pytest.fixture
def stores(store_kind: str) -> Stores:
    """Give empty stores."""
    return memory_stores() if store_kind == "memory" else dynamodb_stores()


@pytest.fixture(scope="module")
def used_stores(store_kind: str) -> Stores:
    """Give stores that keep what earlier examples wrote: for properties, under fresh ids."""
    return memory_stores() if store_kind == "memory" else dynamodb_stores()
