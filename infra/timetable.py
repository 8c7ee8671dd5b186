"""When what runs: every schedule of the agent, by New York time."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TimetableEntry:
    """Start a function at each minute that matches; fields as in an EventBridge cron."""

    function: str
    minute: str
    hour: str
    week_day: str | None
    """None is every day of the week."""
    description: str


# The schedules only know the weekday: the broker's clock decides whether the market is open, so
# that holidays and half days need no list here.
TIMETABLE = (
    TimetableEntry(
        function="scan_market",
        minute="*/5",
        hour="9-16",
        week_day="MON-FRI",
        description="Scan the watchlist every five minutes of the trading day",
    ),
    TimetableEntry(
        function="monitor_positions",
        minute="*",
        hour="9-16",
        week_day="MON-FRI",
        description="Watch open trades every minute of the trading day",
    ),
    TimetableEntry(
        function="analyze_day",
        minute="0",
        hour="17",
        week_day="MON-FRI",
        description="Explain the day after its close",
    ),
    TimetableEntry(
        function="learn_weekly",
        minute="0",
        hour="20",
        week_day="SUN",
        description="Review the trades of the window on Sunday evenings",
    ),
    # Day and night, every day: an alarm can only take silence for bad news where there is never
    # a good reason for it.
    TimetableEntry(
        function="watch_heartbeat",
        minute="*/5",
        hour="*",
        week_day=None,
        description="Listen for the heartbeat of scans and monitor passes, around the clock",
    ),
)
