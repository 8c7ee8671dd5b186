"""Render what the owner wants to see at a glance: status, positions, performance."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from pydantic import ConfigDict

from agent.book.analysis_records import PerformanceMetric, PeriodType
from agent.book.records import Position, Trade
from agent.book.transitions import describe
from agent.market.calendar import NEW_YORK, new_york_date
from agent.ports import Beats, Book, Control, Metrics
from agent.use_cases.steps import Message

BEATING = ("scan_market", "monitor_positions")
TRADES_SHOWN_MAX = 50
LOOK_BACK = timedelta(days=45)
"""Far enough for the day, week and month that were measured last."""
UNKNOWN = "unknown"
DESCRIPTION = "Status, positions and performance of the agent. It takes no parameters."


class WidgetRequest(Message):
    """Read what a dashboard calls its widget with; what it says of itself is left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    describe: bool = False


class Widget(Message):
    """Give what the dashboard shows."""

    markdown: str


class ViewingDesk(Protocol):
    """What a view needs of a desk: the store, and neither keys nor broker."""

    @property
    def book(self) -> Book: ...
    @property
    def control(self) -> Control: ...
    @property
    def beats(self) -> Beats: ...
    @property
    def metrics(self) -> Metrics: ...


def render_dashboard(desk: ViewingDesk, event: WidgetRequest) -> Widget:
    """Render markdown from what the store holds; nothing is asked of the broker."""
    if event.describe:
        return Widget(markdown=DESCRIPTION)
    beats = {function: desk.beats.last_beat(function) for function in BEATING}
    trades = desk.book.active_trades()
    shown = trades[:TRADES_SHOWN_MAX]
    positions = desk.book.positions_by_trade([trade.trade_id for trade in shown])
    lines = [
        "### Status",
        *_table(
            ("Trading", "Last scan", "Last monitor pass", "Trades not ended"),
            [
                (
                    str(desk.control.trading_state()),
                    *(_at(beats[function]) for function in BEATING),
                    str(len(trades)),
                )
            ],
        ),
        "### Positions",
        *_positions([(trade, positions.get(trade.trade_id, ())) for trade in shown]),
        "### Performance",
        *_performance(desk, max((at for at in beats.values() if at), default=None)),
    ]
    if len(trades) > len(shown):
        lines.append(f"{len(trades) - len(shown)} trades more are not shown.")
    return Widget(markdown="\n".join(lines))


def _positions(held: Sequence[tuple[Trade, Sequence[Position]]]) -> Iterator[str]:
    if not held:
        yield "No trade is open."
        return
    yield from _table(
        ("Trade", "Strategy", "Status", "Contracts", "Credit", "P&L at mid, USD"),
        [
            (
                describe(trade),
                trade.strategy,
                str(trade.status),
                str(trade.contracts_held),
                UNKNOWN if trade.execution.credit is None else f"{trade.execution.credit:.2f}",
                _dollars(_unrealized(positions)),
            )
            for trade, positions in held
        ],
    )


def _unrealized(positions: Sequence[Position]) -> Decimal | None:
    """Sum the legs' P&L; None where one of them is unknown."""
    marks = [position.unrealized_pnl for position in positions]
    known = [mark for mark in marks if mark is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(marks) else None


def _performance(desk: ViewingDesk, newest_beat: datetime | None) -> Iterator[str]:
    """Show the newest metric of each kind of period, by the last sign of life."""
    found: list[PerformanceMetric] = []
    if newest_beat is not None:
        today = new_york_date(newest_beat)
        for kind in (PeriodType.DAY, PeriodType.WEEK, PeriodType.MONTH):
            found += _newest(desk, kind, today)
    everything = desk.metrics.metric(str(PeriodType.ALL))
    found += [] if everything is None else [everything]
    if not found:
        yield "Nothing was measured yet."
        return
    yield from _table(
        ("Period", "P&L, USD", "Win rate", "Profit factor", "Deepest fall, USD", "Closed", "Open"),
        [
            (
                f"{metric.period_type} from {metric.period_start}",
                _dollars(metric.total_pnl),
                UNKNOWN if metric.win_rate is None else f"{metric.win_rate:.0%}",
                UNKNOWN if metric.profit_factor is None else f"{metric.profit_factor:.2f}",
                UNKNOWN if metric.max_drawdown is None else f"{metric.max_drawdown:,.2f}",
                str(metric.trades_closed),
                str(metric.trades_open),
            )
            for metric in found
        ],
    )


def _newest(desk: ViewingDesk, kind: PeriodType, today: date) -> Sequence[PerformanceMetric]:
    return desk.metrics.metrics(kind, today - LOOK_BACK, today)[-1:]


def _at(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment.astimezone(NEW_YORK):%Y-%m-%d %H:%M} New York"


def _dollars(amount: Decimal | None) -> str:
    return UNKNOWN if amount is None else f"{amount:+,.2f}"


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(names)} |"
    yield f"|{' --- |' * len(names)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '/') for cell in row)} |"
    yield ""
