"""Signs of life in `agent_state`: one item a function, whose slot only moves forward."""

from datetime import datetime

from pynamodb.exceptions import UpdateError

from agent.adapters.dynamodb import keys
from agent.adapters.dynamodb.failures import is_condition_failed, store_answers
from agent.adapters.dynamodb.reads import get_item
from agent.adapters.dynamodb.tables import Tables


class DynamoBeats:
    """Write with one update, read consistently."""

    def __init__(self, tables: Tables) -> None:
        self._state = tables.agent_state

    def beat(self, function: str, slot: datetime) -> None:
        """Remember a slot; raise ValueError for one without a time zone."""
        if slot.tzinfo is None:
            raise ValueError(f"a slot needs a time zone: {slot.isoformat()}")
        newest = self._state.beat_at
        item = self._state(*keys.beat_key(function))
        with store_answers():
            try:
                item.update([newest.set(slot)], condition=newest.does_not_exist() | (newest < slot))
            except UpdateError as error:
                if not is_condition_failed(error):
                    raise

    def last_beat(self, function: str) -> datetime | None:
        item = get_item(self._state, *keys.beat_key(function))
        return None if item is None else item.beat_at
