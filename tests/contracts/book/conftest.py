"""The two stores that must behave alike."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import pytest

from agent.adapters.dynamodb.beats import DynamoBeats
from agent.adapters.dynamodb.book import DynamoBook
from agent.adapters.dynamodb.control import DynamoControl
from agent.adapters.dynamodb.outbox import DynamoAlertOutbox
from agent.adapters.dynamodb.reports import DynamoReportDates
from agent.adapters.dynamodb.tables import Tables
from agent.adapters.dynamodb.volatility import DynamoVolatilityHistory
from agent.adapters.memory.beats import MemoryBeats
from agent.adapters.memory.book import MemoryBook
from agent.adapters.memory.control import MemoryControl
from agent.adapters.memory.reports import MemoryReportDates
from agent.adapters.memory.volatility import MemoryVolatilityHistory
from agent.book.records import JournalEvent
from agent.ports import AlertOutbox, Beats, Book, Control, ReportDates, VolatilityHistory
from tests.dynamodb import create, dynamodb_in_process, new_tables


class JournaledBook(Book, Protocol):
    def journal(self, day: date) -> tuple[JournalEvent, ...]: ...


@dataclass(frozen=True)
class Stores:
    """Everything one stage stores."""

    book: JournaledBook
    outbox: AlertOutbox
    volatility: VolatilityHistory
    control: Control
    beats: Beats
    reports: ReportDates


def memory_stores() -> Stores:
    book = MemoryBook()
    return Stores(
        book,
        book.outbox,
        MemoryVolatilityHistory(),
        MemoryControl(),
        MemoryBeats(),
        MemoryReportDates(),
    )


def dynamodb_stores(tables: Tables) -> Stores:
    return Stores(
        DynamoBook(tables),
        DynamoAlertOutbox(tables),
        DynamoVolatilityHistory(tables),
        DynamoControl(tables),
        DynamoBeats(tables),
        DynamoReportDates(tables),
    )


@pytest.fixture(scope="module", params=["memory", "dynamodb"])
def tables(request: pytest.FixtureRequest) -> Iterator[Tables | None]:
    """Give tables for a module's tests, made for each; None where memory is the store."""
    if request.param == "memory":
        yield None
        return
    with dynamodb_in_process():
        yield new_tables()


@pytest.fixture
def stores(tables: Tables | None) -> Stores:
    """Give empty stores."""
    if tables is None:
        return memory_stores()
    create(tables)
    return dynamodb_stores(tables)


@pytest.fixture(scope="module")
def used_stores(tables: Tables | None) -> Stores:
    """Give stores that keep what earlier examples wrote: for properties, under fresh ids."""
    if tables is None:
        return memory_stores()
    create(tables)
    return dynamodb_stores(tables)
