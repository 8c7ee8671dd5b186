"""Keep the journal in S3: one object of JSON lines a UTC day."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from agent.adapters.aws.secrets import CLIENT_CONFIG
from agent.book.records import JournalEvent
from agent.ports import ArchiveUnavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

JSON_LINES = "application/x-ndjson"


class S3JournalArchive:
    """Write to one bucket; a day that is written again takes the place of what was there."""

    def __init__(self, bucket: str) -> None:
        self._client: S3Client = boto3.client("s3", config=CLIENT_CONFIG)
        self._bucket = bucket

    def keep(self, day: date, events: Sequence[JournalEvent]) -> None:
        lines = "".join(f"{event.model_dump_json()}\n" for event in events)
        key = object_key(day)
        try:
            self._client.put_object(
                Bucket=self._bucket, Key=key, Body=lines.encode(), ContentType=JSON_LINES
            )
        except (BotoCoreError, ClientError) as error:
            raise ArchiveUnavailable(f"{key} was not written: {error}") from error


def object_key(day: date) -> str:
    """Name the object of a UTC day; sorted by name, days are in their order."""
    return f"journal/{day:%Y}/{day.isoformat()}.jsonl"
