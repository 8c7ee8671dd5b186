"""What the handlers of a rehearsal answered, summed up."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agent.book.intents import Intent
from agent.book.records import Trade
from agent.book.states import TradeStatus

REFUSED = "refused: "


@dataclass(frozen=True)
class Failure:
    """Keep an invocation that failed while the broker was out of reach."""

    at: datetime
    function: str
    error_type: str
    message: str


@dataclass
class Tally:
    """Sum what the handlers answered."""

    scans: int = 0
    monitor_passes: int = 0
    candidates: int = 0
    signals: int = 0
    entries: int = 0
    exits_begun: int = 0
    days_analyzed: int = 0
    weeks_reviewed: int = 0
    rejections: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)

    def add(self, function: str, answer: Mapping[str, Any]) -> None:
        """Add the answer of a scheduled function."""
        if function == "scan_market":
            self._add_scan(answer)
        elif function == "monitor_positions":
            self.monitor_passes += answer["status"] == "watched"
            self.exits_begun += sum(answer["exits_begun"].values())
        elif function == "analyze_day":
            self.days_analyzed += answer["status"] == "analysed"
        elif function == "learn_weekly":
            self.weeks_reviewed += answer["status"] == "reviewed"

    def failures_by_function(self) -> dict[str, dict[str, int]]:
        """Count the failures by function and type of error."""
        counts: dict[str, Counter[str]] = {}
        for failure in self.failures:
            counts.setdefault(failure.function, Counter())[failure.error_type] += 1
        return {name: dict(sorted(kinds.items())) for name, kinds in sorted(counts.items())}

    def all_rejections(self, trades: Sequence[Trade], intents: Sequence[Intent]) -> dict[str, int]:
        """Add to the scans' reasons what was refused after them, by the same kind of names."""
        reasons = Counter(self.rejections)
        for intent in intents:
            outcome = intent.outcome or ""
            if outcome.startswith(REFUSED):
                names = outcome.removeprefix(REFUSED).split(",")
                reasons.update(f"entry_refused_{name}" for name in names)
        for trade in trades:
            if trade.status in {TradeStatus.REJECTED, TradeStatus.CANCELLED}:
                reasons[f"entry_{trade.status}"] += 1
        return dict(sorted(reasons.items()))

    def _add_scan(self, answer: Mapping[str, Any]) -> None:
        self.scans += answer["status"] == "scanned"
        self.candidates += answer["candidates"]
        self.signals += answer["signals"]
        self.entries += answer["entries"]
        self.rejections.update(answer["rejections"])
        if answer["status"] != "scanned":
            self.rejections[f"scan_{answer['status']}"] += 1
