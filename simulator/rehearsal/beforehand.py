"""What an agent that has run for long would know by the first session of a rehearsal."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Protocol, runtime_checkable

from agent.market.events import SOURCE_QUOTES_STRIPPED
from agent.market.volatility import SOURCE_QUOTES, ImpliedVolatilitySample
from agent.ports import ReportDates, VolatilityHistory
from simulator.worlds.world import World

REPORTS_BEFORE_DAYS = 200
REPORTS_AHEAD_DAYS = 200
"""Two quarters each way: the last reports, and those announced for a run of many weeks."""


def record_volatilities(world: World, symbols: Sequence[str], history: VolatilityHistory) -> None:
    """Record the world's volatility history, as it was and clear of reports, where it has any."""
    for symbol in symbols:
        history.record(symbol, list(_samples(world, symbol)))


def _samples(world: World, symbol: str) -> Iterator[ImpliedVolatilitySample]:
    for sample in world.implied_volatility_history(symbol):
        levels = {
            SOURCE_QUOTES: sample.implied_volatility,
            SOURCE_QUOTES_STRIPPED: sample.without_reports,
        }
        for source, level in levels.items():
            if level is not None:
                yield ImpliedVolatilitySample(sample.session, level, None, None, source)


@runtime_checkable
class ReportingWorld(Protocol):
    """A world whose companies report; one that knows no reports lacks the method."""

    def earnings_dates(self, symbol: str, start: date, end: date) -> Sequence[date]:
        """List the sessions in start..end after whose close a report comes out, oldest first."""
        ...


def record_reports(world: World, symbols: Sequence[str], first: date, reports: ReportDates) -> None:
    """Put the report dates the world knows on record, as an owner would."""
    if not isinstance(world, ReportingWorld):
        return
    start = first - timedelta(days=REPORTS_BEFORE_DAYS)
    end = first + timedelta(days=REPORTS_AHEAD_DAYS)
    for symbol in symbols:
        known = world.earnings_dates(symbol, start, end)
        if known:
            reports.replace_reports(symbol, known)
