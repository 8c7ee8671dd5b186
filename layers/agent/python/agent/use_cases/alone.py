"""Let passes of one kind act one at a time."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from agent.book.changes import BookBusy, Lease
from agent.use_cases.desk import Desk

SCAN = "scan"
MONITOR = "monitor"


@contextmanager
def alone(desk: Desk, name: str, now: datetime, seconds: int) -> Iterator[Lease | None]:
    """Hold the lease of a kind of pass meanwhile; give None where another pass holds it.

    A process that dies gives nothing back: its lease expires.
    """
    lease = desk.book.acquire_lease(name, now, seconds)
    try:
        yield lease
    except Exception:
        _give_back(desk, lease)
        raise
    _give_back(desk, lease)


def _give_back(desk: Desk, lease: Lease | None) -> None:
    if lease is not None:
        # What cannot be given back now expires: nothing else depends on it.
        with suppress(BookBusy):
            desk.book.release_lease(lease)
