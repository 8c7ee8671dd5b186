"""A stage that is deployed as far as the command line looks: a stack, and the tables it names."""

from collections.abc import Iterator

import pytest

from agent.adapters.dynamodb.tables import Tables
from tests.dynamodb import create, dynamodb_in_process, new_tables
from tests.unit.cli.cloudformation import Stacks, serve_cloudformation


@pytest.fixture
def stacks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stacks]:
    """Serve stacks, none to begin with."""
    stacks: Stacks = {}
    with serve_cloudformation(stacks) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", url)
        yield stacks


@pytest.fixture
def tables(stacks: Stacks) -> Iterator[Tables]:
    """Make the tables of a stage, and a stack `OptionsAgent-paper` that says which they are."""
    with dynamodb_in_process():
        tables = new_tables()
        create(tables)
        named = {
            "AgentControlTable": tables.agent_control,
            "AgentStateTable": tables.agent_state,
            "PositionsTable": tables.positions,
            "TradesTable": tables.trades,
        }
        outputs = {output: str(item.Meta.table_name) for output, item in named.items()}
        stacks["OptionsAgent-paper"] = {"Other": "x", **outputs}
        yield tables
