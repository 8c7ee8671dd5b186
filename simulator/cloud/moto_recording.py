"""What moto's back ends hold, written down as it changes, and put back into new ones.

Written down before the caller hears that it was done: items as they stand after each write,
messages and objects as they were given. A transaction is one record, so that no half of it is ever
found.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.s3.models import S3Backend, s3_backends
from moto.sns.models import Topic, sns_backends

Note = Callable[[str, Any], None]
"""Takes the kind of a record and its body, which is JSON."""
ITEMS, MESSAGE, OBJECT = "items", "message", "object"
RECORDED = (
    (DynamoDBBackend, "put_item"),
    (DynamoDBBackend, "update_item"),
    (DynamoDBBackend, "delete_item"),
    (DynamoDBBackend, "transact_write_items"),
    (Topic, "publish"),
    (S3Backend, "put_object"),
)
"""The methods that are followed; others that write are used by nobody here."""


class _Writes:
    """Follow one back end's writes; those within a transaction wait for its end."""

    def __init__(self, note: Note) -> None:
        self._note = note
        self._is_within = False

    def write(self, backend: DynamoDBBackend, touched: Sequence[tuple[str, Any]]) -> None:
        if not self._is_within:
            self._note(ITEMS, [_item(backend, table, key) for table, key in touched])

    @contextmanager
    def together(self) -> Iterator[None]:
        self._is_within = True
        try:
            yield
        finally:
            self._is_within = False


@contextmanager
def recorded(note: Note) -> Iterator[None]:
    """Tell `note` of every item, object and message written within the block."""
    originals = {(owner, name): getattr(owner, name) for owner, name in RECORDED}
    put, update, delete, transact, publish, put_body = originals.values()
    writes = _Writes(note)

    def put_item(backend: Any, table: str, item: Any, *rest: Any, **named: Any) -> Any:
        answer = put(backend, table, item, *rest, **named)
        writes.write(backend, [(table, item)])
        return answer

    def update_item(backend: Any, table: str, key: Any, *rest: Any, **named: Any) -> Any:
        answer = update(backend, table, key, *rest, **named)
        writes.write(backend, [(table, key)])
        return answer

    def delete_item(backend: Any, table: str, key: Any, *rest: Any, **named: Any) -> Any:
        answer = delete(backend, table, key, *rest, **named)
        writes.write(backend, [(table, key)])
        return answer

    def transact_write_items(backend: Any, transact_items: Sequence[Mapping[str, Any]]) -> None:
        with writes.together():
            transact(backend, transact_items)
        operations = [(kind, body) for item in transact_items for kind, body in item.items()]
        writes.write(
            backend,
            [
                (body["TableName"], body.get("Key") or body["Item"])
                for kind, body in operations
                if kind != "ConditionCheck"
            ],
        )

    def publish_message(topic: Any, *rest: Any, **named: Any) -> Any:
        answer = publish(topic, *rest, **named)
        note(MESSAGE, [topic.name, list(topic.sent_notifications[-1])])
        return answer

    def put_object(backend: Any, bucket: str, key: str, value: bytes, **named: Any) -> Any:
        answer = put_body(backend, bucket, key, value, **named)
        note(OBJECT, [bucket, key, value.decode()])
        return answer

    following = (
        put_item,
        update_item,
        delete_item,
        transact_write_items,
        publish_message,
        put_object,
    )
    with ExitStack() as stack:
        for (owner, name), replacement in zip(RECORDED, following, strict=True):
            stack.enter_context(patch.object(owner, name, replacement))
        yield


def put_back(records: Sequence[tuple[str, Any]], account: str, region: str) -> None:
    """Put what `records` say, oldest first, into new tables, topics and buckets."""
    backend = dynamodb_backends[account][region]
    latest: dict[str, tuple[str, Any, Any]] = {}
    for kind, body in records:
        if kind == ITEMS:
            for table, key, attributes in body:
                latest[f"{table}{key}"] = (table, key, attributes)
        elif kind == MESSAGE:
            name, sent = body
            topics = sns_backends[account][region].topics.values()
            topic = next(topic for topic in topics if topic.name == name)
            topic.sent_notifications.append(tuple(sent))
        elif kind == OBJECT:
            bucket, name, text = body
            s3_backends[account]["aws"].put_object(bucket, name, text.encode())
    for table, _, attributes in latest.values():
        if attributes is not None:
            backend.get_table(table).put_item(attributes)


def _item(backend: Any, table: str, attributes: Mapping[str, Any]) -> list[Any]:
    """Give the table, the key and what the item is now; None where there is none any more."""
    shape = backend.get_table(table)
    names = (shape.hash_key_attr, shape.range_key_attr)
    key = {name: attributes[name] for name in names if name is not None}
    found = backend.get_item(table, key)
    return [table, key, None if found is None else found.to_json()["Attributes"]]
