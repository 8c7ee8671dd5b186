"""Value every trade the book has ever opened: what both analyses start from."""

from collections.abc import Sequence
from datetime import date

from agent.book.analysis_records import PeriodType
from agent.book.performance import DayPnl, MarkedTrade, day_pnl_of, mark_from_book
from agent.book.records import Trade
from agent.book.states import TradeStatus
from agent.use_cases.desk import Desk


def value_trades(desk: Desk, trades: Sequence[Trade]) -> tuple[MarkedTrade, ...]:
    """Value trades of which something filled, open ones at the marks of the last monitor pass."""
    held = [
        trade.trade_id
        for trade in trades
        if trade.execution.contracts and trade.status is not TradeStatus.CLOSED
    ]
    positions = desk.book.positions_by_trade(held)
    marked = (mark_from_book(trade, positions.get(trade.trade_id, ())) for trade in trades)
    return tuple(trade for trade in marked if trade is not None)


def analysed_days(desk: Desk, trades: Sequence[MarkedTrade], until: date) -> tuple[DayPnl, ...]:
    """Read what every analysed day up to `until` came to, oldest first."""
    if not trades:
        return ()
    first = min(trade.entered_on for trade in trades)
    return tuple(map(day_pnl_of, desk.metrics.metrics(PeriodType.DAY, first, until)))
