"""Record the implied volatility of past sessions, as last trades tell it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from agent.config.settings import Settings
from agent.market.calendar import new_york_date
from agent.market.last_trades import (
    DTE_MAX,
    LAST_TRADES_OF,
    OVERLAP_SESSIONS_MIN,
    PastCloses,
    contracts_around,
    samples_of,
)
from agent.market.rates import risk_free_rate
from agent.market.volatility import DTE_MIN, SOURCE_QUOTES
from agent.ports import PastSessions, ReportDates, VolatilityHistory

CALENDAR_DAYS_PER_SESSION = 365 / 252


class BackfillDesk(Protocol):
    """What a backfill needs of a desk."""

    @property
    def settings(self) -> Settings: ...
    @property
    def past(self) -> PastSessions: ...
    @property
    def volatility(self) -> VolatilityHistory: ...
    @property
    def reports(self) -> ReportDates: ...


@dataclass(frozen=True)
class Backfilled:
    """Say what a backfill of one symbol came to; counts are of sessions."""

    symbol: str
    recorded: int
    """New sessions with a volatility of last trades."""
    known: int
    overlap: int
    """Sessions of which quotes tell, too."""

    @property
    def is_calibrated(self) -> bool:
        """Say whether ranks may use the past: enough sessions are told by both sources."""
        return self.overlap >= OVERLAP_SESSIONS_MIN


def backfill_volatility(desk: BackfillDesk, symbol: str, now: datetime) -> Backfilled:
    """Record the sessions before today that have no sample of last trades yet.

    As far back as the rank looks. Raises what the ports raise.
    """
    market = desk.settings.market
    last = new_york_date(now) - timedelta(days=1)
    first = last - timedelta(days=_calendar_days(market.iv_history_sessions_max))
    stock = desk.past.stock_closes(symbol, first, last)
    listed = desk.past.contracts(
        symbol, first + timedelta(days=DTE_MIN), last + timedelta(days=DTE_MAX)
    )
    wanted = contracts_around(stock, listed)
    samples = samples_of(
        PastCloses(stock, desk.past.option_closes(wanted, first, last)),
        rate=risk_free_rate(market, last),
        reports=desk.reports.reports(symbol),
        never_reports=symbol in market.symbols_without_reports,
    )
    ours = LAST_TRADES_OF[SOURCE_QUOTES]
    recorded = desk.volatility.record(symbol, [s for s in samples if s.source == ours])
    desk.volatility.record(symbol, [s for s in samples if s.source != ours])
    known = _sessions(desk, symbol, ours)
    return Backfilled(
        symbol=symbol,
        recorded=recorded,
        known=len(known),
        overlap=len(known & _sessions(desk, symbol, SOURCE_QUOTES)),
    )


def _sessions(desk: BackfillDesk, symbol: str, source: str) -> set[date]:
    sessions_max = desk.settings.market.iv_history_sessions_max
    return {s.session for s in desk.volatility.samples(symbol, sessions_max, source=source)}


def _calendar_days(sessions: int) -> int:
    return round(sessions * CALENDAR_DAYS_PER_SESSION)
