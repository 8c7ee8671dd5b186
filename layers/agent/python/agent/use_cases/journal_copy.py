"""Copy the journal out of the tables: what happened is kept even where those are lost."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from agent.ports import ArchiveUnavailable
from agent.use_cases.desk import Desk

COPY = "journal_copy"
"""The sign that a copy leaves once it is whole."""
DAYS_AT_FIRST = 7
"""So far back the first copy looks."""
DAYS_MAX = 92
"""So far back any copy looks; what a longer pause left out stays in the table."""


@dataclass(frozen=True)
class JournalCopy:
    """Say what was copied; `failure` says why the rest was not."""

    days: int
    events: int
    failure: str | None = None


def copy_journal(desk: Desk, now: datetime) -> JournalCopy:
    """Copy the UTC days since the last whole copy, the day of that one again, up to `now`.

    The day under way is copied as it stands, and anew by the next copy. Days without events are
    left out. A failure ends the copy: the next begins where this one did.
    """
    last = desk.beats.last_beat(COPY)
    today = now.astimezone(UTC).date()
    first = today - timedelta(days=DAYS_AT_FIRST) if last is None else last.astimezone(UTC).date()
    first = max(first, today - timedelta(days=DAYS_MAX))
    days = events = 0
    for number in range((today - first).days + 1):
        day = first + timedelta(days=number)
        found = desk.book.journal(day)
        if not found:
            continue
        try:
            desk.archive.keep(day, found)
        except ArchiveUnavailable as error:
            return JournalCopy(days, events, f"The journal of {day} was not copied: {error}.")
        days += 1
        events += len(found)
    desk.beats.beat(COPY, now)
    return JournalCopy(days, events)
