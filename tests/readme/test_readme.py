"""Every command that the README shows gives what the README says it gives.

A line of three dots stands for any lines, none included. Numbers are compared by their shape: the
last digits of a simulated market differ from one processor to another.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```console\n\$ (.+?)\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
LEFT_OUT = "..."
NUMBER = re.compile(r"[-+]?\d[\d,.]*")
TIMEOUT_SECONDS = 300


def run(command: str) -> str:
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "80",
        "TERM": "dumb",
        "NO_COLOR": "1",
    }
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr or done.stdout
    return done.stdout


def shape_of(line: str) -> str:
    """Reduce a line to its words, with each number as one sign."""
    return " ".join(NUMBER.sub("#", word) for word in line.split())


def chunks_of(shown: str) -> list[list[str]]:
    """Cut what is shown at the lines of three dots."""
    chunks: list[list[str]] = [[]]
    for line in shown.splitlines():
        if line.strip() == LEFT_OUT:
            chunks.append([])
        elif line.strip():
            chunks[-1].append(shape_of(line))
    return chunks


def missing_from(given: str, shown: str) -> list[str] | None:
    """Give the first chunk that does not come, in order, in what was given."""
    lines = [shape_of(line) for line in given.splitlines() if line.strip()]
    place = 0
    for chunk in chunks_of(shown):
        starts = range(place, len(lines) - len(chunk) + 1)
        found = next((at for at in starts if lines[at : at + len(chunk)] == chunk), None)
        if found is None:
            return chunk
        place = found + len(chunk)
    return None


def test_the_readme_shows_commands_with_their_output() -> None:
    assert [command for command, _ in BLOCKS][:1] == ["make demo"]
    assert all(shown.strip() for _, shown in BLOCKS)


@pytest.mark.parametrize(("command", "shown"), BLOCKS, ids=[command for command, _ in BLOCKS])
def test_a_command_gives_what_the_readme_shows(command: str, shown: str) -> None:
    given = run(command)
    assert missing_from(given, shown) is None, given
