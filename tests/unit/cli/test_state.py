"""The owner's word on how much the agent may trade, from the command line to the table."""

import boto3
import pytest

from agent.adapters.dynamodb.control import DynamoControl
from agent.adapters.dynamodb.tables import Tables
from agent.ports import BlockScope, EntryBlock, TradingState
from cli.main import run
from cli.state import CONTROL_OUTPUT
from tests.builders import AS_OF, SESSION
from tests.unit.cli.cloudformation import Stacks

ACTIVE, REDUCING, HALTED = TradingState


def table_of(tables: Tables) -> str:
    return str(tables.agent_control.Meta.table_name)


def state_of(tables: Tables) -> TradingState:
    return DynamoControl(tables).trading_state()


def test_what_was_never_said_is_shown_as_active(
    tables: Tables, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["state"]) == 0
    assert capsys.readouterr().out == (
        f"trading  active: entries, exits and all\ntable    {table_of(tables)}\n"
    )


@pytest.mark.parametrize("wanted", [REDUCING, HALTED])
def test_tightening_takes_one_word(
    tables: Tables, capsys: pytest.CaptureFixture[str], wanted: TradingState
) -> None:
    assert run(["state", wanted.value]) == 0
    assert state_of(tables) is wanted
    assert capsys.readouterr().out.startswith(f"was      active\ntrading  {wanted}: no entries")


@pytest.mark.parametrize(
    ("stored", "wanted"), [(HALTED, ACTIVE), (HALTED, REDUCING), (REDUCING, ACTIVE)]
)
def test_loosening_is_refused_until_it_is_meant(
    tables: Tables,
    capsys: pytest.CaptureFixture[str],
    stored: TradingState,
    wanted: TradingState,
) -> None:
    DynamoControl(tables).set_trading_state(stored)
    assert run(["state", wanted.value]) == 2
    assert state_of(tables) is stored
    assert f"from {stored} to {wanted}: say --yes" in capsys.readouterr().err

    assert run(["state", wanted.value, "--yes"]) == 0
    assert state_of(tables) is wanted


def test_a_block_is_shown_and_lifted_by_its_owner_alone(
    tables: Tables, capsys: pytest.CaptureFixture[str]
) -> None:
    control = DynamoControl(tables)
    control.block_entries(EntryBlock(BlockScope.DAY, "no money", AS_OF))
    control.block_entries(EntryBlock(BlockScope.ACCOUNT, "not eligible", AS_OF))
    assert run(["state"]) == 0
    shown = capsys.readouterr().out
    assert "blocked  no entries until it is lifted: not eligible (2026-06-09T19:45" in shown
    assert "blocked  no entries on 2026-06-09: no money (" in shown

    assert run(["state", "--lift-block"]) == 2
    assert "say --yes to mean it" in capsys.readouterr().err
    assert run(["state", "--lift-block", "--yes"]) == 0
    assert "lifted   not eligible" in capsys.readouterr().out
    block = control.entry_block(SESSION)
    assert block is not None
    assert block.scope is BlockScope.DAY


def test_saying_what_holds_already_asks_for_nothing(tables: Tables) -> None:
    for state in TradingState:
        DynamoControl(tables).set_trading_state(state)
        assert run(["state", state.value]) == 0
        assert state_of(tables) is state


def test_a_misspelt_state_in_the_table_is_told_and_can_be_replaced(
    tables: Tables, capsys: pytest.CaptureFixture[str]
) -> None:
    item = {"pk": {"S": "control"}, "sk": {"S": "trading_state"}, "value": {"S": "stop"}}
    boto3.client("dynamodb").put_item(TableName=table_of(tables), Item=item)
    assert run(["state"]) == 2
    assert "is 'stop', which no function understands" in capsys.readouterr().err
    assert run(["state", "halted"]) == 2
    assert run(["state", "halted", "--yes"]) == 0
    assert state_of(tables) is HALTED


def test_a_state_that_is_none_of_the_three_is_refused(tables: Tables) -> None:
    assert run(["state", "paused"]) == 2
    assert state_of(tables) is ACTIVE


def test_the_table_may_be_named_instead_of_the_stack(tables: Tables, stacks: Stacks) -> None:
    stacks.clear()
    assert run(["state", "halted", "--table", table_of(tables)]) == 0
    assert state_of(tables) is HALTED


def test_a_stage_that_is_not_deployed_is_one_sentence(
    tables: Tables, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["state", "halted", "--stage", "live"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: AWS: ")
    assert "OptionsAgent-live" in told
    assert state_of(tables) is ACTIVE


def test_a_stage_of_no_such_name_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["state", "--stage", "Not A Stage"]) == 2
    assert "the stage's name" in capsys.readouterr().err


def test_a_stack_without_the_output_says_what_to_do(
    tables: Tables, stacks: Stacks, capsys: pytest.CaptureFixture[str]
) -> None:
    stacks["OptionsAgent-second"] = {}
    assert run(["state", "--stage", "second"]) == 2
    assert f"no output {CONTROL_OUTPUT}" in capsys.readouterr().err
    assert state_of(tables) is ACTIVE


def test_a_missing_table_is_one_sentence(
    tables: Tables, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["state", "--table", "nowhere"]) == 2
    assert capsys.readouterr().err.startswith("error: AWS: ")
    assert state_of(tables) is ACTIVE
