"""What the schedules send, and when a slot is too old to act on."""

from datetime import datetime

from pydantic import AwareDatetime

from agent.use_cases.steps import Message


class ScheduledEvent(Message):
    """Carry the time for which the schedule fired, as the scheduler fills it in."""

    slot: AwareDatetime


def is_stale(slot: datetime, now: datetime, age_max_seconds: int) -> bool:
    """Say whether a slot is older than one period of its schedule, by the broker's clock."""
    return (now - slot).total_seconds() > age_max_seconds
