"""Alerts that were written with the book and wait to be told."""

from pynamodb.exceptions import UpdateError

from agent.adapters.dynamodb import keys
from agent.adapters.dynamodb.failures import is_condition_failed, store_answers
from agent.adapters.dynamodb.reads import query_partition
from agent.adapters.dynamodb.tables import Tables
from agent.book.records import Alert


class DynamoAlertOutbox:
    """Read and tick off what DynamoBook wrote; an alert that was sent expires some days later."""

    def __init__(self, tables: Tables) -> None:
        self._item = tables.agent_state

    def unsent(self) -> tuple[Alert, ...]:
        """Give what was not told yet, oldest first."""
        unsent = self._item.sent.does_not_exist()
        items = query_partition(self._item, keys.OUTBOX, unsent)
        waiting = (Alert.model_validate(item.record) for item in items)
        return tuple(sorted(waiting, key=lambda alert: (alert.at, alert.alert_id)))

    def mark_sent(self, alert_id: str) -> None:
        """Tick an alert off; one that is not there (any more) is no error."""
        item = self._item
        with store_answers():
            try:
                item(*keys.alert_key(alert_id)).update(
                    [item.sent.set(True), item.expires_at.set(item.retain_until)],
                    condition=item.pk.exists(),
                )
            except UpdateError as error:
                if not is_condition_failed(error):
                    raise
