"""The dates on which companies report: one item a symbol in `agent_state`."""

from collections.abc import Sequence
from datetime import date

from pydantic import TypeAdapter

from agent.adapters.dynamodb import keys
from agent.adapters.dynamodb.failures import store_answers
from agent.adapters.dynamodb.items import AgentStateItem
from agent.adapters.dynamodb.reads import get_item
from agent.adapters.dynamodb.tables import Tables

_DATES = TypeAdapter(tuple[date, ...])


class DynamoReportDates:
    """Keep what was put on record last; the owner writes, a scan reads."""

    def __init__(self, tables: Tables) -> None:
        self._item: type[AgentStateItem] = tables.agent_state

    def reports(self, symbol: str) -> tuple[date, ...]:
        stored = get_item(self._item, *keys.reports_key(symbol))
        return () if stored is None else _DATES.validate_python(stored.record)

    def replace_reports(self, symbol: str, reports: Sequence[date]) -> None:
        record = _DATES.dump_python(tuple(sorted(set(reports))), mode="json")
        with store_answers():
            self._item(*keys.reports_key(symbol)).update([self._item.record.set(record)])
