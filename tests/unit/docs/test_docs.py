"""The documents name only what is there."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from agent.book.records import AlertKind
from agent.strategies.exits import ExitAlarmKind
from cli.main import app
from infra.constructs.tables import TABLES
from infra.timetable import TIMETABLE
from tests.unit.docs.documents import (
    ROOT,
    Document,
    documents,
    dotted_name_exists,
    dotted_names_of,
    path_exists,
    paths_of,
)

TARGET = re.compile(r"^([a-z][a-z-]*):(?!=)", re.MULTILINE)
MAKE = re.compile(r"make ([a-z][a-z-]*)")
AGENT_COMMAND = re.compile(r"options-agent ([a-z][a-z-]*)(.*)")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
DECISION = re.compile(r"(\d{4})-[a-z0-9-]+\.md")

each_document = pytest.mark.parametrize("document", documents(), ids=lambda found: found.name)


def the(name: str) -> Document:
    return Document(ROOT / name)


def test_what_is_not_there_is_found_missing(tmp_path: Path) -> None:
    document = Document(tmp_path / "lost.md")
    document.path.write_text(
        "`risk/luck.py` `luck.py` `infra/luck` `checks.guess_entry` `market.luck_min` "
        "`risk/checks.py` `checks.py` `infra/app.py` `checks.check_entry` `market.price_min` "
        "`/v2/orders` `America/New_York` `numpy/f2py` `numpy.luck`",
        encoding="utf-8",
    )
    lost_paths = [path for path in paths_of(document) if not path_exists(document, path)]
    lost_names = [name for name in dotted_names_of(document) if not dotted_name_exists(name)]
    assert lost_paths == ["risk/luck.py", "luck.py", "infra/luck"]
    assert lost_names == ["checks.guess_entry", "market.luck_min"]


@each_document
def test_every_path_exists(document: Document) -> None:
    assert [path for path in paths_of(document) if not path_exists(document, path)] == []


@each_document
def test_every_link_leads_somewhere(document: Document) -> None:
    lost = []
    for link in document.links:
        target, _, anchor = link.partition("#")
        place = document.path if not target else document.path.parent / target
        if not place.exists() or (anchor and anchor not in Document(place).anchors):
            lost.append(link)
    assert lost == []


@each_document
def test_every_dotted_name_is_defined(document: Document) -> None:
    assert [name for name in dotted_names_of(document) if not dotted_name_exists(name)] == []


@each_document
def test_every_make_target_has_a_rule(document: Document) -> None:
    rules = set(TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    asked = {found[1] for line in document.commands if (found := MAKE.match(line))}
    assert asked - rules == set()


@each_document
def test_every_command_of_the_agent_exists_with_its_options(document: Document) -> None:
    group = get_command(app)
    known = {
        name: {"--help", *(option for parameter in command.params for option in parameter.opts)}
        for name, command in getattr(group, "commands", {group.name: group}).items()
    }
    wrong = [
        line
        for line in document.commands
        if (found := AGENT_COMMAND.match(line))
        and (found[1] not in known or not set(OPTION.findall(found[2])) <= known[found[1]])
    ]
    assert wrong == []


def test_the_decisions_have_numbers_of_their_own() -> None:
    names = [path.name for path in (ROOT / "docs" / "decisions").iterdir()]
    numbers = [found[1] for name in names if (found := DECISION.fullmatch(name))]
    assert len(numbers) == len(names) == len(set(numbers))


def test_the_decisions_say_why_what_and_at_what_cost() -> None:
    for document in documents():
        if document.path.parent.name == "decisions":
            assert document.anchors >= {"context", "decision", "consequences"}, document.name


def test_the_architecture_names_every_function_and_every_table() -> None:
    text = the("docs/ARCHITECTURE.md").text
    functions = {path.parent.name for path in (ROOT / "functions").glob("*/handler.py")}
    scheduled = {entry.function for entry in TIMETABLE}
    assert {name for name in functions | scheduled | set(TABLES) if name not in text} == set()


def test_the_runbook_explains_every_kind_of_alert() -> None:
    text = the("docs/RUNBOOK.md").text
    alarms = {kind.replace("_", " ") for kind in ExitAlarmKind}
    assert {kind for kind in {*AlertKind, *alarms} if kind not in text} == set()
