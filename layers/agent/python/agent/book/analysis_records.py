"""What analysis of the book comes to: metrics of periods, errors of trades, learning entries."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import Field, JsonValue

from agent.book.record import Record


class ErrorTag(StrEnum):
    """Name what went wrong with a trade."""

    ENTRY_QUALITY = "entry_quality"
    LIQUIDITY_EXECUTION = "liquidity_execution"
    VOLATILITY = "volatility"
    RISK_POLICY = "risk_policy"
    TIMING = "timing"
    GREEK_RISK = "greek_risk"
    UNEXPLAINED_LOSS = "unexplained_loss"
    """A loss that none of the others explains."""


NO_ERROR = "no_error"
"""The tag of a trade that was analysed and had none of the errors: untagged means not analysed."""


class PeriodType(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    ALL = "all"


class Measures(Record):
    """Measure trades and the daily P&L of one period; None is unknown.

    Money is in dollars, net of the fees paid so far. Trades are those that closed in the period
    and those still open, at their marks and since their entries; the rest is of the daily P&L
    within the period.
    """

    trades_closed: int
    trades_open: int
    total_pnl: Decimal | None = None
    """What the period earned: the change of the value of all trades within it."""
    win_rate: float | None = None
    """Trades with a profit over all of them, 0 to 1."""
    profit_factor: float | None = None
    """Profits over losses; None where nothing was lost, since there is no such number."""
    average_win: Decimal | None = None
    average_loss: Decimal | None = None
    """Positive."""
    periods: int
    """Sessions with a known P&L."""
    effective_periods: float | None = None
    """What `periods` are worth to a standard error, given how they depend on one another."""
    sharpe_ratio: float | None = None
    """Annualised."""
    sharpe_standard_error: float | None = None
    sortino_ratio: float | None = None
    """Annualised."""
    max_drawdown: Decimal | None = None
    """Deepest fall of the cumulated P&L below its highest point, positive."""
    error_counts: dict[str, int]
    """Error tags to the trades closed in the period that bear them."""


class PerformanceMetric(Measures):
    """Keep the measures of one period, of all strategies together and of each."""

    metric_id: str
    period_type: PeriodType
    period_start: date
    period_end: date
    """The last New York date of the period, inclusive."""
    strategy_performance: dict[str, Measures]


class UpdateType(StrEnum):
    WEEKLY_REVIEW = "weekly_review"


class LearningStatus(StrEnum):
    REFUSED = "refused"
    """Too little evidence to say anything."""
    NO_CHANGE = "no_change"
    """Enough evidence, and parameters stay as they are."""


class LearningLogEntry(Record):
    """Keep what the learner did about one strategy, and why."""

    log_id: str
    timestamp: datetime
    update_type: UpdateType
    strategy: str
    old_params: dict[str, JsonValue]
    new_params: dict[str, JsonValue]
    """The same as `old_params` where nothing is to change."""
    reason: str
    confidence: float | None = None
    """0 to 1; None where nothing was proposed."""
    trades_analyzed: int
    """Closed trades in the window."""
    expected_improvement: float | None = None
    status: LearningStatus
    findings: dict[str, JsonValue] = Field(default_factory=dict)
