"""Run the command line as a newcomer does, in this process or in one of its own."""

import contextlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.main import run

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
END_SECONDS = 120


@dataclass(frozen=True)
class Outcome:
    """Hold how a command ended and what it said."""

    code: int
    output: str
    errors: str


def run_here(*arguments: str, directory: Path) -> Outcome:
    """Run a command in this process, as if started in `directory`."""
    output, errors = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(directory),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
    ):
        code = run(arguments)
    return Outcome(code, output.getvalue(), errors.getvalue())


def run_apart(arguments: Sequence[str], *, directory: Path, **environment: str) -> Outcome:
    """Run a program of this interpreter in a process of its own, and wait for its end."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=directory,
        env={**os.environ, "NO_PROXY": "127.0.0.1", **environment},
        capture_output=True,
        text=True,
        timeout=END_SECONDS,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


COMMAND = "import sys; from cli.main import main; main()"


@contextlib.contextmanager
def served_exchange(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `options-agent exchange` until the block ends; give the process and its URL."""
    with subprocess.Popen(
        [sys.executable, "-u", "-c", COMMAND, "exchange", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process, _url_of(process)
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(START_SECONDS)


def _url_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    said = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+", said)
    assert found is not None, said + process.stdout.read()
    return found[0]
