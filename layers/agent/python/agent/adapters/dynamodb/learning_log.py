"""What the learner did, in its table."""

from pynamodb.exceptions import PutError

from agent.adapters.dynamodb.codec import from_attributes, to_attributes
from agent.adapters.dynamodb.failures import is_condition_failed, store_answers
from agent.adapters.dynamodb.reads import get_item
from agent.adapters.dynamodb.tables import Tables
from agent.book.analysis_records import LearningLogEntry


class DynamoLearningLog:
    """Keep each entry once; the first one of an id stands. Needs tables with that of the log."""

    def __init__(self, tables: Tables) -> None:
        if tables.learning_logs is None:
            raise ValueError("these tables do not name that of the learning log")
        self._item = tables.learning_logs

    def append(self, entry: LearningLogEntry) -> bool:
        values = to_attributes(self._item, entry)
        known = {name: value for name, value in values.items() if value is not None}
        with store_answers():
            try:
                self._item(**known).save(condition=self._item.log_id.does_not_exist())
            except PutError as error:
                if is_condition_failed(error):
                    return False
                raise
        return True

    def entry(self, log_id: str) -> LearningLogEntry | None:
        item = get_item(self._item, log_id)
        return None if item is None else from_attributes(LearningLogEntry, item)
