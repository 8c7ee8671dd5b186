"""The dates on which companies report, in memory."""

from collections.abc import Sequence
from datetime import date
from threading import Lock


class MemoryReportDates:
    """Keep what was put on record last."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._reports: dict[str, tuple[date, ...]] = {}

    def reports(self, symbol: str) -> tuple[date, ...]:
        with self._lock:
            return self._reports.get(symbol, ())

    def replace_reports(self, symbol: str, reports: Sequence[date]) -> None:
        with self._lock:
            self._reports[symbol] = tuple(sorted(set(reports)))
