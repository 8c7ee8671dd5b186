"""The log of a run: what happened, as it happened, so that a killed run can go on.

One file, one line a happening, each written by one call before whoever caused it hears that it
was done. What the file holds is therefore at any moment a true past of the run. A process that is
killed may leave its last line torn: that line never happened. Losing the machine is not provided
for: nothing waits for the disk.
"""

import fcntl
import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

RUN, EXCHANGE, SLOT, OWNER = "run", "exchange", "slot", "owner"
"""Kinds of records that the run writes itself; the cloud names its own."""
Record = tuple[str, Any]


class ResumeRefused(ValueError):
    """Raised where a run cannot go on; the sentence says why."""


class RunLog:
    """Hold the log of one run, for as long as the run lasts; use as a context manager."""

    def __init__(self, path: Path, *, resume: bool) -> None:
        self._path = path
        self._resume = resume
        self._file: BinaryIO | None = None
        self.before: tuple[Record, ...] = ()
        """What an earlier process wrote, its header left out; empty in a new run."""
        self.header: Mapping[str, Any] | None = None
        """What the earlier process was asked for; None in a new run."""

    def __enter__(self) -> Self:
        """Take the log of the run to resume; that of a new run is taken when it starts.

        Raises ResumeRefused where there is nothing to resume, or it is in use.
        """
        if self._resume:
            if not self._path.exists():
                raise ResumeRefused(f"there is no unfinished run to resume: no {self._path}")
            self._take()
        return self

    def _take(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            file = stack.enter_context(self._path.open("a+b", buffering=0))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ResumeRefused(
                    f"another run is under way here: it holds {self._path}"
                ) from error
            if self._resume:
                self._read(file)
            stack.pop_all()
        self._file = file

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def start(self, header: Mapping[str, Any]) -> None:
        """Begin the log of a new run, or see that the run that goes on is the same one.

        Raises ResumeRefused naming what differs, or where another run is under way.
        """
        told = json.loads(json.dumps(header))
        if self.header is not None:
            difference = _difference(self.header, told)
            if difference:
                raise ResumeRefused(f"this is not the run that was interrupted: {difference}")
            return
        self._take()
        self._taken.truncate(0)
        self.note(RUN, told)

    def note(self, kind: str, body: Any) -> None:
        """Write one record."""
        line = json.dumps([kind, body], separators=(",", ":")) + "\n"
        self._taken.write(line.encode())

    def discard(self) -> None:
        """Remove the log: the run has ended, and its book is written."""
        self._path.unlink(missing_ok=True)

    @property
    def _taken(self) -> BinaryIO:
        if self._file is None:
            raise ValueError("a run's log is written only within its `with` block")
        return self._file

    def _read(self, file: BinaryIO) -> None:
        file.seek(0)
        content = file.read()
        whole = content.rfind(b"\n") + 1
        records: list[Record] = []
        for number, line in enumerate(content[:whole].splitlines(), start=1):
            try:
                kind, body = json.loads(line)
            except ValueError as error:
                raise ResumeRefused(f"{self._path} is damaged at line {number}") from error
            records.append((kind, body))
        if not records or records[0][0] != RUN:
            raise ResumeRefused(f"there is no unfinished run to resume: {self._path} holds none")
        file.truncate(whole)
        self.header, self.before = records[0][1], tuple(records[1:])

    def bodies(self, kind: str) -> list[Any]:
        """Give the bodies of the earlier records of a kind, oldest first."""
        return [body for each, body in self.before if each == kind]


def _difference(before: Any, now: Any, path: str = "") -> str | None:
    """Say where two trees of JSON first differ, or None."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for name in sorted({*before, *now}):
            found = _difference(before.get(name), now.get(name), f"{path}.{name}" if path else name)
            if found:
                return found
        return None
    return None if before == now else f"{path} was {json.dumps(before)} and is {json.dumps(now)}"
