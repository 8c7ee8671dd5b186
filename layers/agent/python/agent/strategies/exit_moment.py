"""When a monitor pass looks at a trade, and what it knows to be ahead."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from agent.market.calendar import TradingSession
from agent.market.dividends import ExDividend

LEAVE_BEFORE_CLOSE = timedelta(hours=1)
"""How long before the close of expiration day nothing may be held any more, 15:00 New York on a
whole day: the broker liquidates legs."""


@dataclass(frozen=True)
class ExitMoment:
    """Place a monitor pass in time."""

    slot: datetime
    """The schedule slot of the pass (aware UTC): one slot counts once."""
    session: TradingSession
    following_session: date | None
    """The next trading date; None where the calendar does not reach that far."""
    dividends: Mapping[str, tuple[ExDividend, ...]] | None = field(default_factory=dict)
    """Those known to go ex after this session, by symbol; None where nobody could say."""
    rate: float = 0.0
    """Annual, continuously compounded."""

    @property
    def leave_by(self) -> datetime:
        """Give the time on expiration day by which nothing may be held: an hour before the end."""
        return self.session.closes_at - LEAVE_BEFORE_CLOSE
