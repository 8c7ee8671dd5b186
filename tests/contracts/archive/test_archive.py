"""The archives of the journal, which must behave alike."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from unittest.mock import patch

import boto3
import pytest
from moto import mock_aws

from agent.adapters.aws.archive import S3JournalArchive, object_key
from agent.adapters.memory.archive import MemoryJournalArchive
from agent.book.records import JournalEvent
from agent.ports import ArchiveUnavailable, JournalArchive
from simulator.cloud.local_cloud import CREDENTIALS

BUCKET = "journal-of-tests"
DAY = date(2026, 6, 2)


@dataclass(frozen=True)
class Kept:
    """Hold an archive, and a way to read what it has of a day; None where it has nothing."""

    archive: JournalArchive
    read: Callable[[date], list[JournalEvent] | None]


def in_memory() -> Kept:
    archive = MemoryJournalArchive()

    def read(day: date) -> list[JournalEvent] | None:
        found = archive.kept().get(day)
        return None if found is None else list(found)

    return Kept(archive, read)


def in_s3() -> Kept:
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)

    def read(day: date) -> list[JournalEvent] | None:
        names = [row["Key"] for row in client.list_objects_v2(Bucket=BUCKET).get("Contents", [])]
        if object_key(day) not in names:
            return None
        text = client.get_object(Bucket=BUCKET, Key=object_key(day))["Body"].read().decode()
        return [JournalEvent.model_validate_json(line) for line in text.splitlines()]

    return Kept(S3JournalArchive(BUCKET), read)


@pytest.fixture
def aws() -> Iterator[None]:
    with patch.dict("os.environ", CREDENTIALS), mock_aws():
        yield


@pytest.fixture(params=[in_memory, in_s3], ids=["memory", "s3"])
def kept(request: pytest.FixtureRequest, aws: None) -> Kept:
    made: Kept = request.param()
    return made


def an_event(number: int, **details: str) -> JournalEvent:
    return JournalEvent(
        event_id=f"event-{number}",
        at=datetime(2026, 6, 2, 14, number, tzinfo=UTC),
        kind="opened",
        trade_id="one",
        details=dict(details),
    )


def test_a_day_is_read_as_it_was_kept(kept: Kept) -> None:
    events = [an_event(1), an_event(2, note="two\nlines, and \u20ac")]
    kept.archive.keep(DAY, events)
    assert kept.read(DAY) == events


def test_a_day_that_is_kept_again_takes_the_place_of_what_was_there(kept: Kept) -> None:
    kept.archive.keep(DAY, [an_event(1)])
    kept.archive.keep(DAY, [an_event(1), an_event(2)])
    assert kept.read(DAY) == [an_event(1), an_event(2)]


def test_days_are_kept_apart(kept: Kept) -> None:
    other = date(2026, 6, 3)
    kept.archive.keep(DAY, [an_event(1)])
    assert kept.read(other) is None
    kept.archive.keep(other, [an_event(3)])
    assert (kept.read(DAY), kept.read(other)) == ([an_event(1)], [an_event(3)])


def test_a_bucket_that_is_not_there_is_an_archive_that_takes_nothing(aws: None) -> None:
    with pytest.raises(ArchiveUnavailable, match=r"journal/2026/2026-06-02.jsonl was not written"):
        S3JournalArchive("of-nobody").keep(DAY, [an_event(1)])
