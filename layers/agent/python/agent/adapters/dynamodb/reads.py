"""Consistent reads with a bound on every loop."""

from collections.abc import Iterable
from typing import Any, TypeVar

from pynamodb.connection import Connection
from pynamodb.expressions.condition import Condition

from agent.adapters.dynamodb.failures import Backoff, store_answers
from agent.adapters.dynamodb.items import Item
from agent.book.changes import BookBusy

BATCH_GET_KEYS_MAX = 100

ReadItem = TypeVar("ReadItem", bound=Item)


def get_item(item: type[ReadItem], hash_key: str, range_key: str | None = None) -> ReadItem | None:
    """Read one item; None where there is none."""
    with store_answers():
        try:
            return item.get(hash_key, range_key, consistent_read=True)
        except item.DoesNotExist:
            return None


def query_partition(
    item: type[ReadItem], hash_key: str, only: Condition | None = None
) -> tuple[ReadItem, ...]:
    """Read the items of a partition that meet `only`, in the order of their range keys."""
    with store_answers():
        return tuple(item.query(hash_key, filter_condition=only, consistent_read=True))


def get_items(
    item: type[ReadItem],
    connection: Connection,
    keys: Iterable[dict[str, str]],
    backoff: Backoff,
) -> tuple[ReadItem, ...]:
    """Read distinct keys in batches, in no order; an absent item is left out.

    Raises BookBusy where the store keeps answering only in part. (The batch read of pynamodb asks
    again for ever, and without a pause.)
    """
    wanted = list(keys)
    found: list[ReadItem] = []
    for start in range(0, len(wanted), BATCH_GET_KEYS_MAX):
        left: list[Any] = list(wanted[start : start + BATCH_GET_KEYS_MAX])
        for attempt in range(backoff.attempts_max):
            page, left = _get_page(item, connection, left)
            found.extend(page)
            if not left:
                break
            backoff.wait(attempt)
        else:
            raise BookBusy(f"{len(left)} items of {item.Meta.table_name} were never answered")
    return tuple(found)


def _get_page(
    item: type[ReadItem], connection: Connection, keys: list[Any]
) -> tuple[list[ReadItem], list[Any]]:
    table = item.Meta.table_name
    with store_answers():
        answer = connection.batch_get_item(table, keys, consistent_read=True)
    page = [item.from_raw_data(raw) for raw in answer["Responses"].get(table, [])]
    return page, answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
