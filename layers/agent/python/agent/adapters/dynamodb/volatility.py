"""Implied volatility samples by symbol and session; they never expire."""

from datetime import date

from pydantic import TypeAdapter
from pynamodb.exceptions import PutError

from agent.adapters.dynamodb import keys
from agent.adapters.dynamodb.failures import is_condition_failed, store_answers
from agent.adapters.dynamodb.reads import query_partition
from agent.adapters.dynamodb.tables import Tables
from agent.market.volatility import ImpliedVolatilitySample

_SAMPLE = TypeAdapter(ImpliedVolatilitySample)


class DynamoVolatilityHistory:
    """Keep one sample a session; the first one stands."""

    def __init__(self, tables: Tables) -> None:
        self._item = tables.agent_state

    def samples(self, symbol: str, sessions_max: int) -> tuple[ImpliedVolatilitySample, ...]:
        """Give the newest samples, oldest first; raise ValueError for a bound below 1."""
        if sessions_max < 1:
            raise ValueError(f"sessions_max must be at least 1, not {sessions_max}")
        items = query_partition(
            self._item, keys.volatility_partition(symbol), newest_first=True, limit=sessions_max
        )
        return tuple(_SAMPLE.validate_python(item.record) for item in reversed(items))

    def record(self, symbol: str, sample: ImpliedVolatilitySample) -> bool:
        session: date = sample.session
        item = self._item(
            keys.volatility_partition(symbol),
            session.isoformat(),
            record=_SAMPLE.dump_python(sample, mode="json"),
        )
        with store_answers():
            try:
                item.save(condition=self._item.pk.does_not_exist())
            except PutError as error:
                if is_condition_failed(error):
                    return False
                raise
        return True
