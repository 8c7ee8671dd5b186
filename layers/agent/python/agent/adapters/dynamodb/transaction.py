"""One TransactWriteItems, and which of its operations a cancellation speaks of."""

from collections.abc import Callable
from uuid import uuid4

from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from agent.adapters.dynamodb.failures import Backoff, raise_verdict
from agent.adapters.dynamodb.items import Item
from agent.book.changes import BookBusy

OPERATIONS_MAX = 100

Operation = Callable[[TransactWrite], None]


class Transaction:
    """Gather operations on distinct items, then write all of them or none."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        # pynamodb sends checks, deletes, puts, updates, and the reasons come back in that order.
        self._checks: list[Operation] = []
        self._deletes: list[Operation] = []
        self._puts: list[Operation] = []
        self._updates: list[Operation] = []
        self._update_ledger_keys: list[str | None] = []

    def check(self, item: type[Item], key: tuple[str, str], condition: Condition) -> None:
        """Write nothing unless the item with this key meets the condition."""
        self._checks.append(lambda write: write.condition_check(item, *key, condition=condition))

    def delete(self, item: Item) -> None:
        self._deletes.append(lambda write: write.delete(item))

    def put(self, item: Item, condition: Condition | None = None) -> None:
        """Write a whole item; only for one that is new or a bare marker."""
        self._puts.append(lambda write: write.save(item, condition=condition))

    def update(
        self,
        item: Item,
        actions: list[Action],
        condition: Condition | None = None,
        *,
        ledger_key: str | None = None,
    ) -> None:
        """Change the item with these keys; with `ledger_key` its failed condition is a limit."""
        self._updates.append(lambda write: write.update(item, actions, condition=condition))
        self._update_ledger_keys.append(ledger_key)

    def commit(self, backoff: Backoff) -> None:
        """Write; raise BookConflict, LimitReached or BookBusy.

        Collisions are tried again. All attempts bear one token, so that one whose answer was lost
        is not done twice.
        """
        operations = (*self._checks, *self._deletes, *self._puts, *self._updates)
        if not operations:
            return
        if len(operations) > OPERATIONS_MAX:
            raise ValueError(f"a change of {len(operations)} items exceeds one transaction")
        unguarded: list[str | None] = [None] * (len(operations) - len(self._updates))
        ledger_keys = [*unguarded, *self._update_ledger_keys]
        token = str(uuid4())
        for attempt in range(backoff.attempts_max):
            try:
                self._write(operations, token)
            except TransactWriteError as error:
                raise_verdict(error, ledger_keys)
                backoff.wait(attempt)
            else:
                return
        raise BookBusy(f"{backoff.attempts_max} transactions collided: nothing was written")

    def _write(self, operations: tuple[Operation, ...], token: str) -> None:
        with TransactWrite(connection=self._connection, client_request_token=token) as write:
            for operation in operations:
                operation(write)
