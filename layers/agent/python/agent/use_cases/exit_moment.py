"""Place a monitor pass in time: its session, the one that follows, and the dividends ahead."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from agent.book.records import Trade
from agent.market.calendar import new_york_date, next_session
from agent.market.dividends import ExDividend
from agent.market.rates import risk_free_rate
from agent.ports import BrokerMisunderstood, BrokerRefused, BrokerUnavailable
from agent.strategies.assignment import owes_calls
from agent.strategies.exit_moment import ExitMoment
from agent.use_cases.desk import Desk

SESSIONS_AHEAD_DAYS = 14
"""Far enough that the next session is always among them."""


class CalendarContradicted(Exception):
    """Raised where the broker's clock and its calendar disagree."""


def exit_moment(desk: Desk, slot: datetime, now: datetime, held: Sequence[Trade]) -> ExitMoment:
    """Place a pass in its session, before the next one, and before the dividends ahead.

    `slot` and `now` are aware UTC. Raises CalendarContradicted where today is no session.
    """
    today = new_york_date(now)
    sessions = desk.calendar.sessions(today, today + timedelta(days=SESSIONS_AHEAD_DAYS))
    current = next((session for session in sessions if session.session == today), None)
    if current is None:
        raise CalendarContradicted(f"the market is open, but {today} is no session")
    following = next_session(sessions, today)
    return ExitMoment(
        slot,
        current,
        None if following is None else following.session,
        dividends=_dividends(desk, held, today),
        rate=risk_free_rate(desk.settings.market, today),
    )


def _dividends(
    desk: Desk, held: Sequence[Trade], today: date
) -> Mapping[str, tuple[ExDividend, ...]] | None:
    """Ask for the dividends of those whose calls are owed; None where nobody could say.

    The adapter asks once a session.
    """
    symbols = sorted({trade.symbol for trade in held if owes_calls(trade.structure)})
    if not symbols:
        return {}
    try:
        return desk.market.dividends(symbols, today)
    except (BrokerUnavailable, BrokerRefused, BrokerMisunderstood):
        return None
