"""Transactions that collide are tried again; a failed condition is a verdict."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from moto.dynamodb.exceptions import DynamodbException, TransactionCanceledException
from moto.dynamodb.models import DynamoDBBackend
from pynamodb.exceptions import TransactWriteError

from agent.adapters.dynamodb.book import DynamoBook
from agent.adapters.dynamodb.control import DynamoControl
from agent.adapters.dynamodb.failures import Backoff
from agent.adapters.dynamodb.tables import Tables
from agent.book.changes import BookBusy, BookChange, BookConflict, LimitReached
from agent.book.states import TradeStatus
from tests.builders import (
    AS_OF,
    TRADE_ID,
    a_creation,
    a_move,
    a_statement,
    a_trade,
    an_event,
    an_intent,
)
from tests.dynamodb import create, dynamodb_in_process, new_tables

COLLIDED = "TransactionConflict"
FAILED = "ConditionalCheckFailed"
PENDING = a_trade(TradeStatus.PENDING)
CHANGE = a_creation(PENDING, ledger=(a_move("symbol#AAPL"), a_move("portfolio")))
"""Two puts, the trade and its marker, and then two updates, the ledger's."""


def cancelled(*codes: str | None) -> TransactionCanceledException:
    return TransactionCanceledException([(code, "as scripted", None) for code in codes])


def refused(code: str) -> DynamodbException:
    return DynamodbException(error_type=f"com.amazonaws.dynamodb#{code}", message="as scripted")


@dataclass
class TroubledStore:
    """Fail in the scripted way, once for each failure, and then work."""

    tables: Tables
    failures: list[Exception] = field(default_factory=list)
    waits_seconds: list[float] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    @property
    def book(self) -> DynamoBook:
        return DynamoBook(self.tables, Backoff(sleep=self.waits_seconds.append, random=lambda: 0.5))

    def note_token(self, params: dict[str, Any], **_: Any) -> None:
        self.tokens.append(json.loads(params["body"])["ClientRequestToken"])


@pytest.fixture(scope="module")
def tables() -> Iterator[Tables]:
    with dynamodb_in_process():
        yield new_tables()


@pytest.fixture
def store(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> Iterator[TroubledStore]:
    create(tables)
    troubled = TroubledStore(tables)
    for name in ("transact_write_items", "get_item", "put_item"):
        monkeypatch.setattr(DynamoDBBackend, name, failing_first(name, troubled.failures))
    # botocore waits between its own attempts.
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    events = tables.connection.client.meta.events
    events.register("before-call.dynamodb.TransactWriteItems", troubled.note_token)
    yield troubled
    events.unregister("before-call.dynamodb.TransactWriteItems", troubled.note_token)


def failing_first(name: str, failures: list[Exception]) -> Any:
    works = getattr(DynamoDBBackend, name)

    def call(*arguments: Any, **named: Any) -> Any:
        if failures:
            raise failures.pop(0)
        return works(*arguments, **named)

    return call


@pytest.mark.parametrize(
    "code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]
)
def test_a_collision_is_tried_again_after_a_growing_wait(store: TroubledStore, code: str) -> None:
    store.failures += [cancelled(None, None, code, None)] * 3

    store.book.commit(CHANGE)

    assert store.book.trade(TRADE_ID) == PENDING
    assert store.waits_seconds == [0.025, 0.05, 0.1]


def test_every_attempt_of_a_commit_bears_the_same_token_and_every_commit_its_own(
    store: TroubledStore,
) -> None:
    store.failures += [cancelled(COLLIDED, None, None, None)] * 2
    store.book.commit(CHANGE)
    store.book.commit(BookChange(events=(an_event(),)))

    first, again, last, other = store.tokens
    assert first == again == last != other


def test_a_transaction_that_keeps_colliding_leaves_the_book_busy(store: TroubledStore) -> None:
    store.failures += [cancelled(None, None, None, COLLIDED)] * 6

    with pytest.raises(BookBusy, match="nothing was written"):
        store.book.commit(CHANGE)

    assert len(store.waits_seconds) == 5
    assert sum(store.waits_seconds) < 1
    assert store.book.trade(TRADE_ID) is None


def test_a_failed_condition_of_the_trade_is_a_conflict_beside_a_collision(
    store: TroubledStore,
) -> None:
    store.failures.append(cancelled(FAILED, None, FAILED, COLLIDED))

    with pytest.raises(BookConflict):
        store.book.commit(CHANGE)

    assert store.waits_seconds == []


def test_a_failed_condition_of_the_ledger_names_its_entry_beside_a_collision(
    store: TroubledStore,
) -> None:
    store.failures.append(cancelled(COLLIDED, None, None, FAILED))

    with pytest.raises(LimitReached) as caught:
        store.book.commit(CHANGE)

    assert caught.value.keys == ("portfolio",)


def test_a_cancellation_for_a_defect_is_not_tried_again(store: TroubledStore) -> None:
    store.failures.append(cancelled("ValidationError", None, None, COLLIDED))

    with pytest.raises(TransactWriteError):
        store.book.commit(CHANGE)

    assert store.waits_seconds == []


@pytest.mark.parametrize(
    "failure",
    [
        ReadTimeoutError(endpoint_url="dynamodb"),
        refused("ThrottlingException"),
        refused("TransactionInProgressException"),
    ],
    ids=["timeout", "throttled", "in progress"],
)
def test_a_store_that_does_not_answer_leaves_the_book_busy_with_an_unknown_fate(
    store: TroubledStore, failure: Exception
) -> None:
    store.failures += [failure] * 3

    with pytest.raises(BookBusy, match="may be written"):
        store.book.commit(CHANGE)

    assert store.tokens == store.tokens[:1] * len(store.tokens)
    assert store.failures == []


def test_a_read_that_is_not_answered_leaves_the_book_busy(store: TroubledStore) -> None:
    store.failures += [ReadTimeoutError(endpoint_url="dynamodb")] * 3

    with pytest.raises(BookBusy, match="does not answer"):
        store.book.trade(TRADE_ID)


def test_a_claim_that_is_not_answered_leaves_the_book_busy(store: TroubledStore) -> None:
    store.failures += [ReadTimeoutError(endpoint_url="dynamodb")] * 3

    with pytest.raises(BookBusy, match="does not answer"):
        DynamoControl(store.tables).claim_slot("scan", AS_OF)


def test_a_slot_whose_claim_was_written_but_not_answered_is_ours(
    store: TroubledStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = DynamoDBBackend.put_item
    lost = [ReadTimeoutError(endpoint_url="dynamodb")]

    def write_then_lose_the_answer(*arguments: Any, **named: Any) -> Any:
        answer = writes(*arguments, **named)
        if lost:
            raise lost.pop()
        return answer

    monkeypatch.setattr(DynamoDBBackend, "put_item", write_then_lose_the_answer)
    control = DynamoControl(store.tables)

    assert control.claim_slot("scan", AS_OF)
    assert not control.claim_slot("scan", AS_OF)


def test_a_batch_that_is_answered_in_part_is_asked_for_the_rest(
    store: TroubledStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    trades = [PENDING.model_copy(update={"trade_id": f"paper-{number}"}) for number in range(5)]
    for trade in trades:
        store.book.commit(a_creation(trade))
    asks = store.tables.connection.batch_get_item

    def answer_two(table: str, keys: list[Any], **named: Any) -> dict[str, Any]:
        answer = asks(table, keys[:2], **named)
        if keys[2:]:
            answer["UnprocessedKeys"] = {table: {"Keys": keys[2:]}}
        return answer

    monkeypatch.setattr(store.tables.connection, "batch_get_item", answer_two)

    assert store.book.active_trades() == tuple(trades)
    assert store.waits_seconds == [0.025, 0.05]


def test_a_batch_that_is_never_answered_leaves_the_book_busy(
    store: TroubledStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.book.commit(a_statement(an_intent()))

    def answer_nothing(table: str, keys: list[Any], **_: Any) -> dict[str, Any]:
        return {"Responses": {}, "UnprocessedKeys": {table: {"Keys": keys}}}

    monkeypatch.setattr(store.tables.connection, "batch_get_item", answer_nothing)

    with pytest.raises(BookBusy, match="were never answered"):
        store.book.unfinished_intents()
    assert len(store.waits_seconds) == 5


def test_a_change_beyond_one_transaction_is_refused(store: TroubledStore) -> None:
    too_many = tuple(an_event(f"event-{number}") for number in range(101))

    with pytest.raises(ValueError, match="101 items exceeds one transaction"):
        store.book.commit(BookChange(events=too_many))
