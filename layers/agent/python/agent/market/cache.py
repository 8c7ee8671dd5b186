"""What was seen a moment ago, for whoever may still look at it."""

from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")


class MomentCache(Generic[KeyT, ValueT]):
    """Keep values for some seconds of market time; at most `entries_max`, the newest ones.

    Time comes in with each call (aware UTC); a value of a later time than asked for is not given.
    Not thread-safe.
    """

    def __init__(self, age_max_seconds: float, entries_max: int) -> None:
        if age_max_seconds < 0 or entries_max < 1:
            raise ValueError(f"no cache of {entries_max} entries for {age_max_seconds} s")
        self._age_max_seconds = age_max_seconds
        self._entries_max = entries_max
        self._entries: OrderedDict[KeyT, tuple[datetime, ValueT]] = OrderedDict()

    def get(self, key: KeyT, as_of: datetime) -> ValueT | None:
        """Give what was kept under `key`, unless it is too old at `as_of`."""
        found = self._entries.get(key)
        if found is None:
            return None
        kept_at, value = found
        return value if 0 <= (as_of - kept_at).total_seconds() <= self._age_max_seconds else None

    def keep(self, key: KeyT, value: ValueT, as_of: datetime) -> None:
        """Keep a value seen at `as_of`; the entry kept longest ago makes room."""
        self._entries.pop(key, None)
        self._entries[key] = (as_of, value)
        while len(self._entries) > self._entries_max:
            self._entries.popitem(last=False)
