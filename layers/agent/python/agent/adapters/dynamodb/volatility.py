"""Implied volatility samples: one item a symbol and source, since they are read together.

A year of samples is read by one request and parsed as one JSON text; as items of their own they
cost a scan more time than the chain does. They never expire; the oldest make room.
"""

from collections.abc import Sequence

from pydantic import TypeAdapter
from pynamodb.exceptions import PutError, UpdateError

from agent.adapters.dynamodb import keys
from agent.adapters.dynamodb.failures import is_condition_failed, store_answers
from agent.adapters.dynamodb.items import AgentStateItem
from agent.adapters.dynamodb.reads import get_item
from agent.adapters.dynamodb.tables import Tables
from agent.book.changes import BookBusy
from agent.market.volatility import ImpliedVolatilitySample

SESSIONS_KEPT_MAX = 1008
"""Four years: about 170 kB, less than half of what an item may hold."""
WRITE_ATTEMPTS_MAX = 5

_SAMPLES = TypeAdapter(tuple[ImpliedVolatilitySample, ...])


class DynamoVolatilityHistory:
    """Keep one sample a session; the first one stands."""

    def __init__(self, tables: Tables) -> None:
        self._item = tables.agent_state

    def samples(
        self, symbol: str, sessions_max: int, *, source: str
    ) -> tuple[ImpliedVolatilitySample, ...]:
        """Give a source's newest samples, oldest first; raise ValueError for a bound below 1."""
        if sessions_max < 1:
            raise ValueError(f"sessions_max must be at least 1, not {sessions_max}")
        return _samples_of(self._stored(symbol, source))[-sessions_max:]

    def record(self, symbol: str, samples: Sequence[ImpliedVolatilitySample]) -> int:
        """Store the samples of sessions that have none of their source yet, and count them.

        Raises BookBusy where other writers kept coming between.
        """
        by_source: dict[str, list[ImpliedVolatilitySample]] = {}
        for sample in samples:
            by_source.setdefault(sample.source, []).append(sample)
        return sum(self._record(symbol, name, of_it) for name, of_it in by_source.items())

    def _record(self, symbol: str, source: str, samples: Sequence[ImpliedVolatilitySample]) -> int:
        for _ in range(WRITE_ATTEMPTS_MAX):
            stored = self._stored(symbol, source)
            known = {sample.session: sample for sample in _samples_of(stored)}
            fresh = {s.session: s for s in reversed(samples) if s.session not in known}
            if not fresh:
                return 0
            merged = known | fresh
            newest = [merged[session] for session in sorted(merged)[-SESSIONS_KEPT_MAX:]]
            if self._write(keys.volatility_key(symbol, source), stored, newest):
                return len(fresh)
        raise BookBusy(f"the volatility samples of {symbol} kept changing under the write")

    def _stored(self, symbol: str, source: str) -> AgentStateItem | None:
        return get_item(self._item, *keys.volatility_key(symbol, source))

    def _write(
        self,
        key: keys.Key,
        stored: AgentStateItem | None,
        samples: Sequence[ImpliedVolatilitySample],
    ) -> bool:
        """Write unless somebody else did since `stored` was read."""
        record = _SAMPLES.dump_python(tuple(samples), mode="json")
        item = self._item(*key)
        with store_answers():
            try:
                if stored is None:
                    item.record, item.version = record, 1
                    item.save(condition=self._item.pk.does_not_exist())
                else:
                    item.update(
                        [
                            self._item.record.set(record),
                            self._item.version.set(stored.version + 1),
                        ],
                        condition=self._item.version == stored.version,
                    )
            except (PutError, UpdateError) as error:
                if is_condition_failed(error):
                    return False
                raise
        return True


def _samples_of(stored: AgentStateItem | None) -> tuple[ImpliedVolatilitySample, ...]:
    return () if stored is None else _SAMPLES.validate_python(stored.record)
