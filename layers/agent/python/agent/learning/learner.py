"""The weekly review: what each strategy's trades of the window say, and whether it is enough.

No rule that adjusts a parameter is enabled: the review records findings and changes nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import fsum, sqrt

from pydantic import JsonValue

from agent.book.analysis_records import (
    LearningLogEntry,
    LearningStatus,
    Measures,
    UpdateType,
)
from agent.book.performance import DayPnl, MarkedTrade, measure_strategy

BLOCKS_MIN = 2


@dataclass(frozen=True)
class Window:
    """Bound the trades that a review looks at by New York dates, both inclusive."""

    start: date
    end: date

    @classmethod
    def before(cls, end: date, days: int) -> "Window":
        """Take `days` calendar days that end with `end`."""
        return cls(end - timedelta(days=days - 1), end)

    def contains(self, trade: MarkedTrade) -> bool:
        """Say whether a trade closed in the window, or entered by its end and is open."""
        if trade.closed_on is None:
            return trade.entered_on <= self.end
        return self.start <= trade.closed_on <= self.end


@dataclass(frozen=True)
class MeanPnl:
    """Hold the mean P&L of a trade in dollars, and what the trades say about it."""

    mean: float | None
    standard_error: float | None
    """None with fewer than two blocks."""
    effective_trades: float | None
    """How many independent trades would leave the same standard error."""


def mean_pnl(trades: Iterable[MarkedTrade]) -> MeanPnl:
    """Average the P&L of trades at their marks; trades that lived together count together.

    Trades are put in blocks by entry, each as long as a trade is held on average, and the standard
    error is the one clustered by block.
    """
    known = [
        (trade, float(trade.pnl))
        for trade in sorted(trades, key=lambda trade: trade.trade_id)
        if trade.pnl is not None
    ]
    if not known:
        return MeanPnl(None, None, None)
    mean = fsum(pnl for _, pnl in known) / len(known)
    held = [(trade.closed_on - trade.entered_on).days for trade, _ in known if trade.closed_on]
    block_days = max(1, round(sum(held) / len(held))) if held else 1
    first = min(trade.entered_on for trade, _ in known)
    blocks: defaultdict[int, list[float]] = defaultdict(list)
    for trade, pnl in known:
        blocks[(trade.entered_on - first).days // block_days].append(pnl - mean)
    if len(blocks) < BLOCKS_MIN:
        return MeanPnl(mean, None, None)
    between = fsum(fsum(block) ** 2 for block in blocks.values())
    error = sqrt(between * len(blocks) / (len(blocks) - 1)) / len(known)
    variance = fsum((pnl - mean) ** 2 for _, pnl in known) / (len(known) - 1)
    effective = min(float(len(known)), variance / error**2) if error and variance else None
    return MeanPnl(mean, error, effective)


def review_strategy(
    strategy: str,
    trades: Sequence[MarkedTrade],
    days: Sequence[DayPnl],
    *,
    window: Window,
    trades_min: int,
    params: Mapping[str, JsonValue],
    at: datetime,
) -> LearningLogEntry:
    """Review one strategy; refuse where fewer than `trades_min` of its trades closed.

    Either way no parameter changes: `new_params` are `old_params`, and nothing is proposed that
    could have a confidence or an expected improvement.
    """
    seen = [trade for trade in trades if trade.strategy == strategy and window.contains(trade)]
    measures = measure_strategy(strategy, seen, days, start=window.start, end=window.end)
    closed = measures.trades_closed
    refuses = closed < trades_min
    return LearningLogEntry(
        log_id=f"weekly-{window.end.isoformat()}-{strategy}",
        timestamp=at,
        update_type=UpdateType.WEEKLY_REVIEW,
        strategy=strategy,
        old_params=dict(params),
        new_params=dict(params),
        reason=_refusal(closed, trades_min, window) if refuses else _no_change(measures, window),
        confidence=None,
        trades_analyzed=closed,
        expected_improvement=None,
        status=LearningStatus.REFUSED if refuses else LearningStatus.NO_CHANGE,
        findings=_findings(measures, mean_pnl(seen), window),
    )


def _refusal(closed: int, trades_min: int, window: Window) -> str:
    return (
        f"{closed} trades closed from {window.start} to {window.end}, {trades_min} are the least "
        "to learn from: nothing is proposed."
    )


def _no_change(measures: Measures, window: Window) -> str:
    return (
        f"{measures.trades_closed} trades closed from {window.start} to {window.end} and "
        f"{measures.trades_open} are open: P&L {_dollars(measures.total_pnl)}, "
        f"win rate {_fraction(measures.win_rate)}. "
        "No rule that adjusts a parameter is enabled: nothing is proposed."
    )


def _findings(measures: Measures, mean: MeanPnl, window: Window) -> dict[str, JsonValue]:
    return {
        "window_start": window.start.isoformat(),
        "window_end": window.end.isoformat(),
        **measures.model_dump(mode="json"),
        "mean_pnl_per_trade": mean.mean,
        "mean_pnl_standard_error": mean.standard_error,
        "effective_trades": mean.effective_trades,
    }


def _dollars(amount: Decimal | None) -> str:
    return "unknown" if amount is None else f"{amount:.2f} USD"


def _fraction(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.0%}"
