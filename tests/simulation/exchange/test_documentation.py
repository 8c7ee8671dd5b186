"""The commands of docs/EXCHANGE.md do what they say."""

import re
from pathlib import Path
from typing import Any

from simulator.exchange.faults import HttpFaultKind

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "EXCHANGE.md"


def test_the_code_of_the_document_runs_as_one_program() -> None:
    blocks = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile("\n".join(blocks), str(DOCUMENT), "exec"), names)
    exchange = names["exchange"]
    assert exchange.now > exchange.opened_at
    for client in (names["trading"], names["options"]):
        client._session.close()


def test_the_document_names_every_fault() -> None:
    text = DOCUMENT.read_text("utf-8")
    assert [kind.value for kind in HttpFaultKind if f"`{kind.value}`" not in text] == []
