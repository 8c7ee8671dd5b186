"""Every rule has a place and a test, and both exist."""

import re

from tests.unit.docs.documents import ROOT

ROW = re.compile(r"\| ([^|]+) \| `([\w/]+\.py)` \| `(tests/[\w/]+\.py)::(test_\w+)` \|")
HEADS = ("| rule | where | test |", "| --- | --- | --- |")
PLACES = (ROOT / "layers/agent/python/agent", ROOT)
RULES_MIN = 40


def test_every_rule_has_a_place_and_a_test_that_exist() -> None:
    lines = (ROOT / "docs" / "RULES.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.startswith("|") and line not in HEADS]
    found = [ROW.fullmatch(row) for row in rows]
    assert len(rows) >= RULES_MIN
    for row, match in zip(rows, found, strict=True):
        assert match is not None, row
        assert any((place / match[2]).is_file() for place in PLACES), match[2]
        text = (ROOT / match[3]).read_text(encoding="utf-8")
        assert f"def {match[4]}(" in text, row
