"""The commands of the runbook do what it says they do."""

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from agent.adapters.dynamodb.book import DynamoBook
from agent.adapters.dynamodb.control import DynamoControl
from agent.adapters.dynamodb.tables import Tables
from agent.book.changes import BookChange, TradeWrite
from agent.book.overrides import request_manual_exit
from agent.book.states import TradeStatus
from agent.book.transitions import write_entry_intent
from agent.ports import TradingState
from tests.builders import AS_OF, ENTRY_INTENT_ID, TRADE_ID, a_signal, a_trade
from tests.dynamodb import create, dynamodb_in_process, new_tables
from tests.unit.docs.documents import ROOT, Document

RUNBOOK = Document(ROOT / "docs" / "RUNBOOK.md")
OUTPUT = re.compile(r"\$\(out (\w+)\)")


@pytest.fixture
def tables() -> Iterator[Tables]:
    with dynamodb_in_process():
        tables = new_tables()
        create(tables)
        yield tables


def run(operation: str, tables: Tables) -> dict[str, Any]:
    """Run the runbook's command of that operation as the AWS CLI would."""
    (command,) = [line for line in RUNBOOK.commands if line.startswith(f"aws dynamodb {operation}")]
    words = [word for word in shlex.split(command)[3:] if word != "--consistent-read"]
    given = dict(zip(words[::2], words[1::2], strict=True))
    names = {
        "AgentControlTable": tables.agent_control,
        "AgentStateTable": tables.agent_state,
        "TradesTable": tables.trades,
    }
    (table,) = OUTPUT.findall(given.pop("--table-name"))
    arguments: dict[str, Any] = {"TableName": names[table].Meta.table_name}
    for option, text in given.items():
        name = "".join(part.title() for part in option.strip("-").split("-"))
        filled = text.replace("TRADE_ID", TRADE_ID)
        arguments[name] = json.loads(filled) if filled.startswith("{") else filled
    method = getattr(boto3.client("dynamodb"), operation.replace("-", "_"))
    answer: dict[str, Any] = method(**arguments)
    return answer


def test_the_stop_halts_the_desk(tables: Tables) -> None:
    control = DynamoControl(tables)
    assert control.trading_state() is TradingState.ACTIVE
    run("put-item", tables)
    assert control.trading_state() is TradingState.HALTED


def test_a_manual_exit_is_what_the_book_makes_of_one(tables: Tables) -> None:
    book = DynamoBook(tables)
    trade = a_trade(version=1)
    book.commit(BookChange(trade=TradeWrite(trade, None, None)))
    run("update-item", tables)
    asked = request_manual_exit(trade, AS_OF).trade
    assert asked is not None
    assert book.trade(TRADE_ID) == asked.trade


def test_a_manual_exit_is_refused_for_a_trade_that_is_not_open(tables: Tables) -> None:
    book = DynamoBook(tables)
    trade = a_trade(TradeStatus.CLOSED, version=1)
    book.commit(BookChange(trade=TradeWrite(trade, None, None)))
    with pytest.raises(boto3.client("dynamodb").exceptions.ConditionalCheckFailedException):
        run("update-item", tables)
    assert book.trade(TRADE_ID) == trade


def test_the_list_of_intents_names_what_is_unfinished(tables: Tables) -> None:
    DynamoBook(tables).commit(write_entry_intent(ENTRY_INTENT_ID, TRADE_ID, a_signal(), AS_OF))
    found = run("query", tables)["Items"]
    assert [item["sk"]["S"] for item in found] == [ENTRY_INTENT_ID]


def test_the_stack_says_every_output_that_the_runbook_asks_for() -> None:
    stack = (ROOT / "infra" / "stack.py").read_text(encoding="utf-8")
    asked = set(OUTPUT.findall(RUNBOOK.text))
    assert asked
    assert {name for name in asked if f'"{name}"' not in stack} == set()


def test_the_runbook_names_the_alarms_as_the_template_does() -> None:
    alarms = (ROOT / "infra" / "constructs" / "alarms.py").read_text(encoding="utf-8")
    suffixes = re.findall(r'f"\{pascal_case\([\w.]+\)\}(\w+)"', alarms)
    names = re.findall(r'_alarm\(\s*"(\w+)"', alarms)
    assert suffixes
    assert names
    assert {name for name in (*suffixes, *names) if name not in RUNBOOK.text} == set()
