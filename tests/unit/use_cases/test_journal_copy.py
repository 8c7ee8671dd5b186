"""The journal leaves the tables each evening: what the daily analysis copies, and what it tells."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from agent.adapters.memory.archive import MemoryJournalArchive
from agent.book.changes import BookChange
from agent.book.records import JournalEvent
from agent.ports import ArchiveUnavailable
from agent.use_cases.analyze_day import DayReport, analyze_day
from agent.use_cases.journal_copy import (
    COPY,
    DAYS_AT_FIRST,
    DAYS_MAX,
    JournalCopy,
    copy_journal,
)
from tests.builders import SESSION
from tests.unit.use_cases.analysis_desk import AnalysisDesk, new_york

WEDNESDAY = SESSION + timedelta(days=1)


@pytest.fixture
def office() -> AnalysisDesk:
    return AnalysisDesk()


def happen(office: AnalysisDesk, day: date, hour: int, name: str) -> None:
    event = JournalEvent(event_id=name, at=new_york(day, hour), kind="told", trade_id=None)
    office.book.commit(BookChange(events=(event,)))


def names(office: AnalysisDesk) -> dict[date, list[str]]:
    return {day: [event.event_id for event in kept] for day, kept in office.archive.kept().items()}


def analyse(office: AnalysisDesk, day: date) -> DayReport:
    return analyze_day(office.desk, office.at(day, 17))


def test_the_day_of_the_session_is_copied(office: AnalysisDesk) -> None:
    happen(office, SESSION, 10, "morning")
    happen(office, SESSION, 15, "afternoon")
    report = analyse(office, SESSION)
    assert names(office) == {SESSION: ["morning", "afternoon"]}
    assert (report.events_copied, report.journal_failure) == (2, None)
    assert report.counts()["JournalCopyFailures"] == 0


def test_what_happens_after_an_analysis_is_copied_by_the_next(office: AnalysisDesk) -> None:
    happen(office, SESSION, 10, "in session")
    analyse(office, SESSION)
    happen(office, SESSION, 18, "in the evening")
    # Nine in the evening of New York is the next day of UTC.
    happen(office, SESSION, 21, "at night")
    analyse(office, WEDNESDAY)
    assert names(office) == {
        SESSION: ["in session", "in the evening"],
        WEDNESDAY: ["at night"],
    }


def test_days_that_no_analysis_came_to_are_caught_up_with(office: AnalysisDesk) -> None:
    analyse(office, SESSION)
    happen(office, WEDNESDAY, 12, "unanalysed")
    analyse(office, SESSION + timedelta(days=9))
    assert names(office) == {WEDNESDAY: ["unanalysed"]}


@pytest.mark.parametrize(
    ("last", "days_back"), [(None, DAYS_AT_FIRST), (date(2020, 1, 2), DAYS_MAX)]
)
def test_a_copy_looks_back_so_far_and_no_farther(
    office: AnalysisDesk, last: date | None, days_back: int
) -> None:
    if last is not None:
        office.desk.beats.beat(COPY, new_york(last, 17))
    farthest = SESSION - timedelta(days=days_back)
    happen(office, farthest, 12, "just within")
    happen(office, farthest - timedelta(days=1), 12, "beyond")
    copied = copy_journal(office.desk, new_york(SESSION, 17))
    assert (copied, names(office)) == (JournalCopy(1, 1), {farthest: ["just within"]})


@dataclass
class FullArchive(MemoryJournalArchive):
    """Be an archive that takes nothing while it is full."""

    is_full: bool = True

    def __post_init__(self) -> None:
        super().__init__()

    def keep(self, day: date, events: Sequence[JournalEvent]) -> None:
        if self.is_full:
            raise ArchiveUnavailable("no room")
        super().keep(day, events)


def test_an_archive_that_takes_nothing_is_told_and_the_day_is_analysed_all_the_same() -> None:
    office = AnalysisDesk(archive=FullArchive())
    happen(office, SESSION, 10, "morning")
    report = analyse(office, SESSION)
    assert (report.status, report.events_copied) == ("analysed", 0)
    assert report.counts()["JournalCopyFailures"] == 1
    (told,) = office.alerts.published
    assert f"The journal of {SESSION} was not copied: no room." in told.message


def test_what_several_evenings_failed_to_copy_is_copied_once_it_can_be() -> None:
    archive = FullArchive()
    office = AnalysisDesk(archive=archive)
    for number in range(3):
        happen(office, SESSION + timedelta(days=number), 10, f"day {number}")
        analyse(office, SESSION + timedelta(days=number))
    archive.is_full = False
    analyse(office, SESSION + timedelta(days=3))
    assert sum(map(len, names(office).values())) == 3
