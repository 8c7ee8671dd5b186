"""What trades came to: of a day, a week, a month, and of all time.

Every trade counts at what it is worth: a closed one at its P&L, an open one at its last mark.
The P&L of a day is what all trades are worth after it less what every day before it came to. So
the days add up to what the trades earned, whatever was closed when; where the analysis of a day
was missed or a value was unknown, the next day bears its P&L.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from agent.book.analysis_records import NO_ERROR, Measures, PerformanceMetric, PeriodType
from agent.book.ratios import SESSIONS_PER_YEAR, max_drawdown, sharpe_ratio, sortino_ratio
from agent.book.records import Position, PositionStatus, Trade
from agent.book.states import TradeStatus
from agent.market.calendar import new_york_date

ZERO = Decimal(0)
DAYS_PER_YEAR = 365
DAYS_PER_WEEK = 7


@dataclass(frozen=True)
class MarkedTrade:
    """Value a trade of which something filled; `pnl` in dollars since entry, None if unknown."""

    trade_id: str
    strategy: str
    entered_on: date
    closed_on: date | None
    pnl: Decimal | None
    reason_tags: tuple[str, ...] = ()


def mark_from_book(trade: Trade, positions: Sequence[Position]) -> MarkedTrade | None:
    """Value a trade as the book has it; None where nothing of it ever filled."""
    if not trade.execution.contracts:
        return None
    is_closed = trade.status is TradeStatus.CLOSED
    ended_at = trade.timestamp_exit if is_closed else None
    return MarkedTrade(
        trade_id=trade.trade_id,
        strategy=trade.strategy,
        entered_on=new_york_date(trade.timestamp_enter),
        closed_on=None if ended_at is None else new_york_date(ended_at),
        pnl=trade.pnl if is_closed else _open_pnl(trade, positions),
        reason_tags=trade.reason_tags,
    )


def _open_pnl(trade: Trade, positions: Sequence[Position]) -> Decimal | None:
    """Sum what the legs came to, less fees; before the first mark, at the mid of the entry."""
    execution = trade.execution
    total = trade.holdings.shares_realized - execution.fees
    shares = trade.holdings.shares
    if shares is not None:
        if shares.mark is None:
            return None
        total += shares.quantity * (shares.mark - shares.basis)
    for position in positions:
        total += position.realized_pnl or ZERO
        if position.status is PositionStatus.OPEN:
            if position.unrealized_pnl is None:
                return _pnl_at_entry(trade)
            total += position.unrealized_pnl
    return total if positions else _pnl_at_entry(trade)


def _pnl_at_entry(trade: Trade) -> Decimal | None:
    execution = trade.execution
    if execution.entry_slippage is None or execution.contracts_closed or trade.campaign.parts:
        return None
    shares = execution.contracts * trade.structure.multiplier
    return -execution.entry_slippage * shares - execution.fees


@dataclass(frozen=True)
class DayPnl:
    """Keep what each strategy earned on one session, in dollars; None where that is unknown."""

    session: date
    by_strategy: Mapping[str, Decimal | None]

    @property
    def known(self) -> Decimal:
        """Sum what is known; what is not is part of a later day."""
        return sum((pnl for pnl in self.by_strategy.values() if pnl is not None), ZERO)


def day_pnl_of(metric: PerformanceMetric) -> DayPnl:
    """Read the P&L of a day back from its metric; raise ValueError for another kind of period."""
    if metric.period_type is not PeriodType.DAY:
        raise ValueError(f"{metric.metric_id} is not of a day")
    return DayPnl(
        metric.period_start,
        {name: measures.total_pnl for name, measures in metric.strategy_performance.items()},
    )


def day_pnl(session: date, trades: Iterable[MarkedTrade], days: Iterable[DayPnl]) -> DayPnl:
    """Give what a session earned: all that the trades came to, less the `days` before it."""
    worth: defaultdict[str, Decimal] = defaultdict(Decimal)
    unknown: set[str] = set()
    for trade in _ordered(trades):
        if trade.pnl is None:
            unknown.add(trade.strategy)
        else:
            worth[trade.strategy] += trade.pnl
    for day in sorted(days, key=lambda day: day.session):
        for strategy, pnl in day.by_strategy.items():
            if day.session < session and pnl is not None:
                worth[strategy] -= pnl
    return DayPnl(
        session,
        {name: None if name in unknown else worth[name] for name in sorted(worth.keys() | unknown)},
    )


@dataclass(frozen=True)
class Period:
    """Bound a period by New York dates, both inclusive."""

    period_type: PeriodType
    start: date
    end: date

    @property
    def metric_id(self) -> str:
        if self.period_type is PeriodType.ALL:
            return "all"
        return f"{self.period_type}-{self.start.isoformat()}"

    def contains(self, day: date) -> bool:
        return self.start <= day <= self.end


def periods_of(session: date, first: date) -> tuple[Period, ...]:
    """Give the periods a session is part of; `first` is where all time begins.

    Weeks begin on Mondays. Week and month extend to their ends, though they may not be over.
    """
    monday = session - timedelta(days=session.weekday())
    month = session.replace(day=1)
    next_month = (month + timedelta(days=31)).replace(day=1)
    return (
        Period(PeriodType.DAY, session, session),
        Period(PeriodType.WEEK, monday, monday + timedelta(days=DAYS_PER_WEEK - 1)),
        Period(PeriodType.MONTH, month, next_month - timedelta(days=1)),
        Period(PeriodType.ALL, min(first, session), session),
    )


def measure_period(
    period: Period, trades: Iterable[MarkedTrade], days: Iterable[DayPnl]
) -> PerformanceMetric:
    """Measure a period by the trades as they stand now and the days up to now."""
    trades, days = tuple(trades), tuple(days)
    together = measure(trades, days, start=period.start, end=period.end)
    strategies = {trade.strategy for trade in _within(trades, period.start, period.end)}
    for day in days:
        if period.contains(day.session):
            strategies.update(day.by_strategy)
    return PerformanceMetric(
        **dict(together),
        metric_id=period.metric_id,
        period_type=period.period_type,
        period_start=period.start,
        period_end=period.end,
        strategy_performance={
            name: measure_strategy(name, trades, days, start=period.start, end=period.end)
            for name in sorted(strategies)
        },
    )


def measure_strategy(
    strategy: str,
    trades: Iterable[MarkedTrade],
    days: Iterable[DayPnl],
    *,
    start: date,
    end: date,
) -> Measures:
    """Measure one strategy alone."""
    return measure(
        [trade for trade in trades if trade.strategy == strategy],
        [
            DayPnl(day.session, {strategy: day.by_strategy[strategy]})
            for day in days
            if strategy in day.by_strategy
        ],
        start=start,
        end=end,
    )


def measure(
    trades: Iterable[MarkedTrade], days: Iterable[DayPnl], *, start: date, end: date
) -> Measures:
    """Measure the trades that closed from `start` to `end` or are open, and the days between.

    A trade of unknown P&L is counted and enters no ratio.
    """
    within = _within(trades, start, end)
    series = sorted(
        (day for day in days if start <= day.session <= end), key=lambda day: day.session
    )
    closed = [trade for trade in within if trade.closed_on is not None]
    known = [trade.pnl for trade in within if trade.pnl is not None]
    wins = [pnl for pnl in known if pnl > 0]
    losses = [-pnl for pnl in known if pnl < 0]
    daily = [
        day.known
        for day in series
        if not day.by_strategy or any(pnl is not None for pnl in day.by_strategy.values())
    ]
    sharpe = sharpe_ratio(daily, overlap_sessions=_sessions_held(within, end))
    tags = Counter(tag for trade in closed for tag in trade.reason_tags if tag != NO_ERROR)
    return Measures(
        trades_closed=len(closed),
        trades_open=len(within) - len(closed),
        total_pnl=_total(series),
        win_rate=len(wins) / len(known) if known else None,
        profit_factor=float(sum(wins, ZERO) / sum(losses, ZERO)) if losses else None,
        average_win=sum(wins, ZERO) / len(wins) if wins else None,
        average_loss=sum(losses, ZERO) / len(losses) if losses else None,
        periods=sharpe.periods,
        effective_periods=sharpe.effective_periods,
        sharpe_ratio=sharpe.ratio,
        sharpe_standard_error=sharpe.standard_error,
        sortino_ratio=sortino_ratio(daily),
        max_drawdown=max_drawdown(daily),
        error_counts=dict(sorted(tags.items())),
    )


def _total(series: Sequence[DayPnl]) -> Decimal | None:
    """Sum the days; unknown where there are none, or where the last one is not wholly known.

    What was unknown on an earlier day is known on a later one.
    """
    if not series or None in series[-1].by_strategy.values():
        return None
    return sum((day.known for day in series), ZERO)


def _within(trades: Iterable[MarkedTrade], start: date, end: date) -> list[MarkedTrade]:
    return [
        trade
        for trade in _ordered(trades)
        if trade.entered_on <= end and (trade.closed_on is None or start <= trade.closed_on <= end)
    ]


def _ordered(trades: Iterable[MarkedTrade]) -> list[MarkedTrade]:
    # Sums of floats and of long decimals depend on their order.
    return sorted(trades, key=lambda trade: trade.trade_id)


def _sessions_held(trades: Sequence[MarkedTrade], end: date) -> int:
    """Average how long trades are held, in sessions."""
    if not trades:
        return 0
    held = sum(((trade.closed_on or end) - trade.entered_on).days for trade in trades)
    return round(held / len(trades) * SESSIONS_PER_YEAR / DAYS_PER_YEAR)
