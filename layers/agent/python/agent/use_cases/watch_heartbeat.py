"""Listen for the heartbeat: say around the clock whether what should have run has run."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from agent.book.changes import BookBusy
from agent.market.calendar import TradingSession, new_york_date
from agent.ports import BrokerMisunderstood, BrokerRefused, BrokerUnavailable
from agent.use_cases.desk import Desk
from agent.use_cases.schedule import ScheduledEvent
from agent.use_cases.steps import Message

PERIODS: Mapping[str, timedelta] = MappingProxyType(
    {"scan_market": timedelta(minutes=5), "monitor_positions": timedelta(minutes=1)}
)
"""Whose heartbeat is listened for, and the time between two of its slots."""
PERIODS_MISSED_MAX = 2


class HeartbeatReport(Message):
    """Say whether all is well; `reasons` says what is not."""

    slot: datetime
    well: bool
    market_open: bool | None
    """None where the broker did not say."""
    reasons: tuple[str, ...] = ()
    last_beats: dict[str, datetime | None]

    def counts(self) -> dict[str, int]:
        return {"Heartbeat": int(self.well)}


def watch_heartbeat(desk: Desk, event: ScheduledEvent) -> HeartbeatReport:
    """Compare the beats with the broker's hours; whatever keeps from it is itself not well.

    Ages are measured from slot to slot. Raises CredentialsRefused: no report is bad news too.
    """
    market_open: bool | None = None
    beats: dict[str, datetime | None] = {}
    try:
        clock = desk.clock.market_clock()
        market_open = clock.is_open
        reasons: list[str] = []
        if market_open:
            today = new_york_date(clock.now)
            sessions = desk.calendar.sessions(today, today)
            beats = {function: desk.beats.last_beat(function) for function in PERIODS}
            reasons = _silences(event.slot, sessions, beats)
    except (BrokerUnavailable, BrokerMisunderstood, BrokerRefused) as error:
        reasons = [f"the broker does not tell its hours: {error}"]
    except BookBusy as error:
        reasons = [f"the store does not tell the beats: {error}"]
    return HeartbeatReport(
        slot=event.slot,
        well=not reasons,
        market_open=market_open,
        reasons=tuple(reasons),
        last_beats=beats,
    )


def _silences(
    slot: datetime, sessions: tuple[TradingSession, ...], beats: Mapping[str, datetime | None]
) -> list[str]:
    """Name each function that has missed its periods while the market was open all that time."""
    if not sessions:
        return ["the market is open, but the broker's calendar has no session today"]
    silent: list[str] = []
    for function, period in PERIODS.items():
        patience = PERIODS_MISSED_MAX * period
        last = beats[function]
        if slot - sessions[0].opens_at < patience:
            continue
        if last is None:
            silent.append(f"{function} has never run")
        elif slot - last > patience:
            silent.append(f"{function} last ran for {last.isoformat()}")
    return silent
