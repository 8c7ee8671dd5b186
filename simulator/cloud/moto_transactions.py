"""DynamoDB transactions whose cost does not grow with the tables.

Before each transaction moto copies every table it names, item by item, once for every operation,
in case it must be undone. Only the items that the transaction names can change: copying those is
enough, and a run with a book of some thousand items takes seconds instead of minutes.
"""

import copy
from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from moto.dynamodb import models
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table

_original = DynamoDBBackend.transact_write_items

ItemKey = tuple[str, str | None]


def transact_write_items(
    backend: DynamoDBBackend, transact_items: Sequence[Mapping[str, Any]]
) -> None:
    """Write as moto does, with a backup of nothing but what may change."""
    touched: dict[str, set[ItemKey]] = defaultdict(set)
    for operation in transact_items:
        (request,) = operation.values()
        table = backend.tables.get(request.get("TableName", ""))
        if table is not None:
            touched[table.name].add(_key(table, request.get("Key") or request.get("Item") or {}))

    backups: dict[str, Table] = {}

    def deepcopy(value: Any, memo: dict[int, Any] | None = None) -> Any:
        if not isinstance(value, Table):
            return copy.deepcopy(value, memo)
        if value.name not in backups:
            backups[value.name] = _backup(value, touched[value.name])
        return backups[value.name]

    with patch.object(models, "copy", SimpleNamespace(deepcopy=deepcopy)):
        _original(backend, transact_items)


def _backup(table: Table, touched: set[ItemKey]) -> Table:
    """Copy a table's shape, and of its items only those in `touched`."""
    backup = copy.copy(table)
    backup.items = defaultdict(dict)
    for hash_key, stored in table.items.items():
        if not table.has_range_key:
            is_touched = (hash_key.value, None) in touched
            backup.items[hash_key] = copy.deepcopy(stored) if is_touched else stored
            continue
        backup.items[hash_key] = {
            range_key: copy.deepcopy(item) if (hash_key.value, range_key.value) in touched else item
            for range_key, item in stored.items()
        }
    return backup


def _key(table: Table, attributes: Mapping[str, Mapping[str, str]]) -> ItemKey:
    def value(name: str | None) -> str | None:
        return None if name is None else next(iter(attributes.get(name, {}).values()), None)

    return str(value(table.hash_key_attr)), value(table.range_key_attr)
