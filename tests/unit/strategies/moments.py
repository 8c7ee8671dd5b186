"""Moments in the life of the story's trade, and marks of it."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from agent.market.calendar import NEW_YORK, TradingSession
from agent.strategies.exit_moment import ExitMoment
from agent.strategies.exits import ExitRules
from agent.strategies.marks import MarkSource, TradeMark

RULES = ExitRules(
    profit_target=Decimal("0.50"), stop_loss=Decimal(2), exit_below_dte=7, exit_on_breach=False
)
MIDWAY = date(2026, 6, 24)
"""A Wednesday, 23 days before the expiration of 17 July 2026."""


def new_york(day: date, at: time) -> datetime:
    return datetime.combine(day, at, tzinfo=NEW_YORK).astimezone(UTC)


def a_session(day: date = MIDWAY, closes: time = time(16)) -> TradingSession:
    return TradingSession(day, new_york(day, time(9, 30)), new_york(day, closes))


def a_moment(
    day: date = MIDWAY, at: time = time(12), following: date | None = date.max
) -> ExitMoment:
    """Place a pass at a New York time; the next session is tomorrow unless said otherwise."""
    return ExitMoment(
        slot=new_york(day, at),
        session=a_session(day),
        following_session=day + timedelta(days=1) if following == date.max else following,
    )


def a_mark(moment: ExitMoment | None = None, **changes: Any) -> TradeMark:
    """Mark the trade at a debit of 1.00, the stock far above its strikes."""
    mark = TradeMark(
        as_of=(moment or a_moment()).slot,
        underlying_price=Decimal(200),
        source=MarkSource.MID,
        debit=Decimal("1.00"),
        debit_natural=Decimal("1.10"),
        pnl=Decimal("39.83"),
        implied_volatility=0.28,
    )
    return replace(mark, **changes)
