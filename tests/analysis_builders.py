"""Metrics, learning entries and marked trades with sensible contents."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from agent.book.analysis_records import (
    LearningLogEntry,
    LearningStatus,
    Measures,
    PerformanceMetric,
    PeriodType,
    UpdateType,
)
from agent.book.performance import DayPnl, MarkedTrade
from tests.builders import SESSION, STRATEGY

SUNDAY = date(2026, 6, 14)
REVIEWED_AT = datetime(2026, 6, 15, 0, 0, tzinfo=UTC)
"""Sunday, 20:00 in New York."""


def some_measures(**changes: Any) -> Measures:
    return Measures(**_measures() | changes)


def _measures() -> dict[str, Any]:
    return {
        "trades_closed": 1,
        "trades_open": 2,
        "total_pnl": Decimal("12.34"),
        "win_rate": 0.5,
        "profit_factor": None,
        "average_win": Decimal("12.34"),
        "average_loss": None,
        "periods": 1,
        "effective_periods": None,
        "sharpe_ratio": None,
        "sharpe_standard_error": None,
        "sortino_ratio": None,
        "max_drawdown": Decimal(0),
        "error_counts": {"timing": 1},
    }


def a_metric(session: date = SESSION, **changes: Any) -> PerformanceMetric:
    """Measure one day of the one strategy."""
    return PerformanceMetric(
        **_measures()
        | {
            "metric_id": f"day-{session.isoformat()}",
            "period_type": PeriodType.DAY,
            "period_start": session,
            "period_end": session,
            "strategy_performance": {STRATEGY: some_measures()},
        }
        | changes
    )


def a_learning_entry(**changes: Any) -> LearningLogEntry:
    return LearningLogEntry(
        **{
            "log_id": f"weekly-{SUNDAY.isoformat()}-{STRATEGY}",
            "timestamp": REVIEWED_AT,
            "update_type": UpdateType.WEEKLY_REVIEW,
            "strategy": STRATEGY,
            "old_params": {"credit_min": "0.30"},
            "new_params": {"credit_min": "0.30"},
            "reason": "4 trades closed, 30 are the least to learn from: nothing is proposed.",
            "confidence": None,
            "trades_analyzed": 4,
            "expected_improvement": None,
            "status": LearningStatus.REFUSED,
            "findings": {"win_rate": 0.75},
        }
        | changes
    )


def a_marked_trade(
    trade_id: str = "trade-1",
    pnl: Decimal | str | None = "100",
    *,
    closed_on: date | None = None,
    **changes: Any,
) -> MarkedTrade:
    """Value a trade that entered on the story's session and is open unless it closed."""
    parts: dict[str, Any] = {
        "trade_id": trade_id,
        "strategy": STRATEGY,
        "entered_on": SESSION,
        "closed_on": closed_on,
        "pnl": None if pnl is None else Decimal(pnl),
    }
    return MarkedTrade(**parts | changes)


def a_day(session: date, pnl: Decimal | str | None, strategy: str = STRATEGY) -> DayPnl:
    return DayPnl(session, {strategy: None if pnl is None else Decimal(pnl)})
