"""What the schedules send, the sign of life it leaves, and when a slot is too old to act on."""

from contextlib import suppress
from datetime import datetime

from pydantic import AwareDatetime

from agent.book.changes import BookBusy
from agent.use_cases.desk import Desk
from agent.use_cases.steps import Message


class ScheduledEvent(Message):
    """Carry the time for which the schedule fired, as the scheduler fills it in."""

    slot: AwareDatetime


def is_stale(slot: datetime, now: datetime, age_max_seconds: int) -> bool:
    """Say whether a slot is older than one period of its schedule, by the broker's clock."""
    return (now - slot).total_seconds() > age_max_seconds


def leave_beat(desk: Desk, function: str, slot: datetime) -> None:
    """Say that a function came as far as seeing the broker's clock."""
    # No stop waits for a sign of life: where it cannot be stored, its absence is what is noticed.
    with suppress(BookBusy):
        desk.beats.beat(function, slot)
