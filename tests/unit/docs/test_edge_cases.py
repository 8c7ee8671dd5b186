"""Every edge case of the register has a number of its own and a test that exists."""

import ast
import re
from functools import lru_cache
from pathlib import Path

from tests.unit.docs.documents import ROOT

REGISTER = ROOT / "docs" / "EDGE_CASES.md"
HEAD = ["| id | case | what happens | test |", "| --- | --- | --- | --- |"]
ROW = re.compile(r"\| (\d+) \| ([^|]+) \| ([^|]+) \| `(tests/[\w/]+\.py)::(test_\w+)` \|")
CASES_MIN = 80


def rows() -> list[str]:
    lines = REGISTER.read_text(encoding="utf-8").splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert table[:2] == HEAD
    return table[2:]


@lru_cache
def _functions_of(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_every_row_has_a_number_a_case_an_outcome_and_a_test() -> None:
    assert [row for row in rows() if ROW.fullmatch(row) is None] == []
    assert len(rows()) >= CASES_MIN


def test_no_number_and_no_case_is_there_twice() -> None:
    found = [match for row in rows() if (match := ROW.fullmatch(row))]
    numbers = [int(match[1]) for match in found]
    assert numbers == sorted(set(numbers))
    assert len({match[2] for match in found}) == len(found)


def test_every_test_that_is_named_exists() -> None:
    named = [(match[4], match[5]) for row in rows() if (match := ROW.fullmatch(row))]
    files = {path for path, _ in named if not (ROOT / path).is_file()}
    assert files == set()
    assert [
        f"{path}::{name}" for path, name in named if name not in _functions_of(ROOT / path)
    ] == []
