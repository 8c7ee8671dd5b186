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


def pattern_of(shown: str) -> re.Pattern[str]:
    parts = [
        r"(?:.*\n)*?" if line.strip() == LEFT_OUT else pattern_of_line(line)
        for line in shown.splitlines()
    ]
    return re.compile("".join(parts) + r"\s*")


def pattern_of_line(line: str) -> str:
    words = [re.sub(r"[-+]?\d[\d,.]*", "#", word) for word in line.split()]
    numbered = [re.escape(word).replace(r"\#", r"[-+]?\d[\d,.]*") for word in words]
    return r"[ ]*" + r"[ ]+".join(numbered) + r"[ ]*\n"


def test_the_readme_shows_commands_with_their_output() -> None:
    assert [command for command, _ in BLOCKS][:1] == ["make demo"]
    assert all(shown.strip() for _, shown in BLOCKS)


@pytest.mark.parametrize(("command", "shown"), BLOCKS, ids=[command for command, _ in BLOCKS])
def test_a_command_gives_what_the_readme_shows(command: str, shown: str) -> None:
    given = run(command)
    assert pattern_of(shown).fullmatch(given), given
