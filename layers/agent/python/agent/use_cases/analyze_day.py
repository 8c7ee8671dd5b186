"""Explain the day once it is over: tag what closed, measure what was earned, tell the owner."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from pydantic import Field, JsonValue

from agent.book.analysis_records import PerformanceMetric, PeriodType
from agent.book.changes import BookChange, BookConflict
from agent.book.hand_flattening import flattening_steps
from agent.book.performance import MarkedTrade, day_pnl, measure_period, periods_of
from agent.book.records import Alert, AlertKind, Trade
from agent.book.states import TradeStatus
from agent.book.transitions import describe, tag_trade
from agent.learning.analyzer import TradeAnalysis, Unanalysed, analyze_trade, awaits_analysis
from agent.learning.attribution import Attribution
from agent.market.calendar import new_york_date
from agent.use_cases.account_cash import reconcile_account
from agent.use_cases.alerting import publish_alerts
from agent.use_cases.book_value import analysed_days, value_trades
from agent.use_cases.desk import Desk
from agent.use_cases.journal_copy import JournalCopy, copy_journal
from agent.use_cases.schedule import ScheduledEvent
from agent.use_cases.steps import Message


class DayReport(Message):
    """Say what an analysis came to; `status` says why there was none where there was none."""

    slot: datetime
    status: str
    session: date | None = None
    total_pnl: Decimal | None = None
    """Of the day, in dollars; None where unknown."""
    metrics: tuple[str, ...] = ()
    trades_analysed: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Trade to its tags: those that closed that day, and earlier ones analysed only now."""
    trades_unanalysed: dict[str, str] = Field(default_factory=dict)
    """Trade to why."""
    trades_unmarked: tuple[str, ...] = ()
    """Open trades whose worth is unknown."""
    account_entries: int = 0
    """Fees, transfers and the like that were booked."""
    cash_difference: Decimal | None = None
    """What of the broker's cash nothing explains, in dollars; None where it was not compared."""
    events_copied: int = 0
    """Events of the journal that are kept outside of the tables now."""
    journal_failure: str | None = None
    """Why the others are not."""
    alerts_told: int = 0

    def counts(self) -> dict[str, int]:
        counted = {
            "DailyAnalyses": int(self.status == "analysed"),
            "TradesAnalysed": len(self.trades_analysed),
            "TradesUnanalysed": len(self.trades_unanalysed),
            "UnmarkedTrades": len(self.trades_unmarked),
            "JournalCopyFailures": int(self.journal_failure is not None),
            "StaleSlots": int(self.status == "stale_slot"),
        }
        if self.total_pnl is not None:
            # An unknown day is a gap in the curve, not a day of nothing.
            counted["DayPnlCents"] = round(self.total_pnl * 100)
        return counted


def analyze_day(desk: Desk, event: ScheduledEvent) -> DayReport:
    """Analyse the session of the slot's New York date, after its close and on the same date.

    Closed trades that earlier analyses missed are taken too. Doing it again finds the same.
    """
    now = desk.clock.market_clock().now
    session = new_york_date(event.slot)
    refusal = _refusal(desk, session, now)
    if refusal is not None:
        return DayReport(slot=event.slot, status=refusal)
    before = desk.book.all_trades()
    trades, splits, unanalysed = _explain(desk, before, now)
    marked = value_trades(desk, trades)
    metrics = _measure(desk, marked, session)
    for metric in metrics.values():
        desk.metrics.store(metric)
    closed = [trade for trade in trades if _closed_on(trade) == session]
    missed = {trade.trade_id for trade in before if awaits_analysis(trade)}
    unmarked = tuple(trade.trade_id for trade in marked if trade.pnl is None)
    account = reconcile_account(desk, trades, session, now)
    copied = copy_journal(desk, now)
    story = _Story(
        session=session,
        metrics=metrics,
        closed=closed,
        splits=splits,
        unanalysed=unanalysed,
        unmarked=unmarked,
        account=account.sentences,
        copied=copied,
        flattening=flattening_steps(trades),
    )
    desk.book.commit(BookChange(alerts=(story.alert(now),)))
    return DayReport(
        slot=event.slot,
        status="analysed",
        session=session,
        total_pnl=metrics[PeriodType.DAY].total_pnl,
        metrics=tuple(metric.metric_id for metric in metrics.values()),
        trades_analysed={
            trade.trade_id: trade.reason_tags
            for trade in trades
            if trade.reason_tags and (trade in closed or trade.trade_id in missed)
        },
        trades_unanalysed={found.trade_id: found.reason for found in unanalysed},
        trades_unmarked=unmarked,
        account_entries=account.entries_booked,
        cash_difference=None if account.comparison is None else account.comparison.difference,
        events_copied=copied.events,
        journal_failure=copied.failure,
        alerts_told=publish_alerts(desk),
    )


def _refusal(desk: Desk, session: date, now: datetime) -> str | None:
    """Say why there is nothing to analyse: marks of another day would be another day's P&L."""
    if new_york_date(now) != session:
        return "stale_slot"
    sessions = desk.calendar.sessions(session, session)
    if not sessions:
        return "no_session"
    return "session_not_over" if now < sessions[0].closes_at else None


def _explain(
    desk: Desk, trades: Sequence[Trade], now: datetime
) -> tuple[tuple[Trade, ...], Mapping[str, Attribution], tuple[Unanalysed, ...]]:
    """Tag the closed trades that have no tags; give all trades as they then are.

    With them comes where the P&L of those just tagged came from, as far as that is known.
    """
    awaiting = [trade.trade_id for trade in trades if awaits_analysis(trade)]
    positions = desk.book.positions_by_trade(awaiting)
    after: list[Trade] = []
    splits: dict[str, Attribution] = {}
    unanalysed: list[Unanalysed] = []
    for trade in trades:
        if not awaits_analysis(trade):
            after.append(trade)
            continue
        found = analyze_trade(trade, positions.get(trade.trade_id, ()), desk.settings)
        if isinstance(found, TradeAnalysis):
            change = tag_trade(trade, found.tags, _details(found), now)
            try:
                desk.book.commit(change)
            except BookConflict:
                found = Unanalysed(trade.trade_id, "it changed while it was analysed")
            else:
                after.append(trade.model_copy(update={"reason_tags": found.tags}))
                if found.attribution is not None:
                    splits[trade.trade_id] = found.attribution
                continue
        after.append(trade)
        unanalysed.append(found)
    return tuple(after), splits, tuple(unanalysed)


def _details(found: TradeAnalysis) -> dict[str, JsonValue]:
    """Keep with the tags what they rest on."""
    split = found.attribution
    return {
        "unjudged": [tag.value for tag in found.unjudged],
        "attribution": None
        if split is None
        else {
            "volatility": round(split.volatility, 2),
            "time": round(split.time, 2),
            "underlying": round(split.underlying, 2),
            "fees": round(split.fees, 2),
            "residual": None if split.residual is None else round(split.residual, 2),
        },
    }


def _measure(
    desk: Desk, trades: Sequence[MarkedTrade], session: date
) -> dict[PeriodType, PerformanceMetric]:
    earlier = analysed_days(desk, trades, session - timedelta(days=1))
    days = (*earlier, day_pnl(session, trades, earlier))
    first = min((trade.entered_on for trade in trades), default=session)
    return {
        period.period_type: measure_period(period, trades, days)
        for period in periods_of(session, first)
    }


def _closed_on(trade: Trade) -> date | None:
    if trade.status is not TradeStatus.CLOSED or trade.timestamp_exit is None:
        return None
    return new_york_date(trade.timestamp_exit)


@dataclass(frozen=True)
class _Story:
    """Hold what the owner is told of a day."""

    session: date
    metrics: dict[PeriodType, PerformanceMetric]
    closed: Sequence[Trade]
    splits: Mapping[str, Attribution]
    unanalysed: Sequence[Unanalysed]
    unmarked: Sequence[str]
    account: Sequence[str]
    """What came of fees and cash."""
    copied: JournalCopy
    flattening: Sequence[str]

    def alert(self, at: datetime) -> Alert:
        """Tell the day once; the date is its id."""
        day = self.metrics[PeriodType.DAY]
        return Alert(
            alert_id=f"daily-report-{self.session:%Y%m%d}",
            kind=AlertKind.DAILY_REPORT,
            at=at,
            subject=f"Day {self.session}: P&L {_dollars(day.total_pnl)}",
            message="\n".join(
                [
                    *self._numbers(),
                    *self.account,
                    *self._trades(),
                    *([self.copied.failure] if self.copied.failure else []),
                    *self.flattening,
                ]
            ),
        )

    def _numbers(self) -> list[str]:
        day, week, month, ever = (self.metrics[period_type] for period_type in PeriodType)
        return [
            (
                f"P&L at the last marks, after fees: day {_dollars(day.total_pnl)}, "
                f"week {_dollars(week.total_pnl)}, month {_dollars(month.total_pnl)}, "
                f"since {ever.period_start} {_dollars(ever.total_pnl)}."
            ),
            (
                f"{day.trades_open} trades open, {day.trades_closed} closed today, "
                f"{ever.trades_closed} in all; won {_number(ever.win_rate, '.0%')}, "
                f"profit factor {_number(ever.profit_factor, '.2f')}, "
                f"deepest fall {_dollars(ever.max_drawdown)}."
            ),
            (
                f"Sharpe {_number(ever.sharpe_ratio, '.2f')} "
                f"with a standard error of {_number(ever.sharpe_standard_error, '.2f')} a year, "
                f"from {ever.periods} sessions worth {_number(ever.effective_periods, '.0f')}."
            ),
        ]

    def _trades(self) -> list[str]:
        return [
            *(
                f"Closed {describe(trade)} ({trade.exit_reason}): {_dollars(trade.pnl)}, "
                f"{', '.join(trade.reason_tags) or 'not analysed'}"
                f"{_split(self.splits.get(trade.trade_id))}."
                for trade in self.closed
            ),
            *(f"Not analysed: {found.trade_id}, {found.reason}." for found in self.unanalysed),
            *(f"Worth unknown: {trade_id}." for trade_id in self.unmarked),
        ]


def _split(split: Attribution | None) -> str:
    """Say where a P&L came from; nothing where nobody knows."""
    if split is None:
        return ""
    rest = "" if split.residual is None else f", unexplained {split.residual:+.2f}"
    return (
        f"; volatility {split.volatility:+.2f}, time {split.time:+.2f}, "
        f"stock {split.underlying:+.2f}, fees {split.fees:+.2f}{rest}"
    )


def _dollars(amount: Decimal | None) -> str:
    return "unknown" if amount is None else f"{amount:.2f} USD"


def _number(value: float | None, spelling: str) -> str:
    return "unknown" if value is None else format(value, spelling)
