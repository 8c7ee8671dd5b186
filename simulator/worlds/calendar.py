"""The sessions of the New York Stock Exchange, and the weekly expirations that follow from them."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from functools import lru_cache

from simulator.worlds.world import TradingSession

NEW_YORK_STOCK_EXCHANGE = "XNYS"
THIRD_FRIDAY_DAYS = range(15, 22)


@dataclass(frozen=True, slots=True)
class Expiration:
    """A day on which options end, with the session they end in."""

    session: TradingSession
    monthly: bool


@lru_cache(maxsize=64)
def trading_sessions(first: date, last: date) -> tuple[TradingSession, ...]:
    """List the sessions from `first` to `last`, both inclusive, holidays and early closes known.

    Raises ValueError where `last` lies before `first`.
    """
    if last < first:
        raise ValueError(f"a calendar cannot end ({last}) before it starts ({first})")
    # Pandas comes with it and costs a second: only who asks for sessions pays.
    import exchange_calendars  # noqa: PLC0415 - see above

    # The library refuses a range without any session, so it gets some days more on each side.
    with warnings.catch_warnings():
        # The library reads its own table in a way that newer pandas announces the end of.
        warnings.simplefilter("ignore", DeprecationWarning)
        calendar = exchange_calendars.get_calendar(
            NEW_YORK_STOCK_EXCHANGE,
            start=(first - timedelta(days=14)).isoformat(),
            end=(last + timedelta(days=14)).isoformat(),
        )
    rows = zip(calendar.schedule.index, calendar.opens, calendar.closes, strict=True)
    return tuple(
        TradingSession(
            session=label.date(),
            opens_at=opening.to_pydatetime().astimezone(UTC),
            closes_at=closing.to_pydatetime().astimezone(UTC),
        )
        for label, opening, closing in rows
        if first <= label.date() <= last
    )


def weekly_expirations(sessions: Sequence[TradingSession]) -> tuple[Expiration, ...]:
    """Take the last session of every week that `sessions` holds to its Friday, oldest first.

    A Friday on which the market is shut moves the expiration to the session before it.
    """
    last_of_week: dict[date, TradingSession] = {}
    for session in sessions:
        last_of_week[_friday_of(session.session)] = session
    covered_until = sessions[-1].session if sessions else date.min
    return tuple(
        Expiration(session=session, monthly=friday.day in THIRD_FRIDAY_DAYS)
        for friday, session in last_of_week.items()
        # A last week cut off before its Friday may still hold a later session.
        if friday <= covered_until or friday != _friday_of(covered_until)
    )


def _friday_of(day: date) -> date:
    return day + timedelta(days=4 - day.weekday())
