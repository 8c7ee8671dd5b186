"""`options-agent state`: how much the deployed agent may trade, and the owner's word on it."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.ports import TradingState
from cli.deployed import (
    DEFAULT_STAGE,
    RegionOption,
    StageOption,
    aws_answers,
    aws_client,
    find_deployment,
    stack_of,
)
from cli.problems import ReportedProblem

if TYPE_CHECKING:
    from botocore.client import BaseClient

CONTROL_OUTPUT = "AgentControlTable"
"""The output of the stack that names the table of the owner's switches."""
ACCOUNT = "account"
"""The block of entries that only its owner lifts; the others are named by their day."""
MEANINGS: Mapping[TradingState, str] = MappingProxyType(
    {
        TradingState.ACTIVE: "entries, exits and all",
        TradingState.REDUCING: "no entries, working entries are cancelled; all exits",
        TradingState.HALTED: "no entries, and of the exits only those that protect",
    }
)
"""From the loosest to the tightest."""


def state(
    wanted: Annotated[
        TradingState | None,
        typer.Argument(metavar="[active|reducing|halted]", help="Say so from now on."),
    ] = None,
    *,
    stage: StageOption = DEFAULT_STAGE,
    region: RegionOption = None,
    table: Annotated[
        str | None, typer.Option(help="Its control table, where the stack is not to be asked.")
    ] = None,
    lift_block: Annotated[
        bool, typer.Option("--lift-block", help="Let it enter again after a refusal of the broker.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Loosen, where that is what was said.")
    ] = False,
) -> None:
    """Show how much the deployed agent may trade, or say how much from now on."""
    stack_of(stage)
    with aws_answers():
        name = table or find_deployment(stage, region).output(CONTROL_OUTPUT)
        switch = _Switch(aws_client("dynamodb", region), name)
        stored = switch.read()
        if wanted is not None and wanted.value != stored:
            if _loosens(stored, wanted) and not yes:
                raise ReportedProblem(
                    f"this loosens trading of {name} from {_spelled(stored)} to {wanted}:"
                    " say --yes to mean it"
                )
            switch.write(wanted, instead_of=stored)
            typer.echo(f"was      {_spelled(stored)}")
            stored = switch.read()
        blocks = switch.blocks()
        if lift_block and ACCOUNT in blocks:
            if not yes:
                raise ReportedProblem(
                    f"this lets {name} enter trades again, though the broker said"
                    f" {blocks[ACCOUNT]!r}: say --yes to mean it"
                )
            switch.lift_block()
            typer.echo(f"lifted   {blocks.pop(ACCOUNT)}")
    _show(name, stored, blocks)


class _Switch:
    """The trading state as an item; None where it was never written, which means active."""

    def __init__(self, dynamodb: "BaseClient", table: str) -> None:
        from agent.adapters.dynamodb.keys import TRADING_STATE  # noqa: PLC0415 - as boto3

        self._dynamodb: Any = dynamodb
        self._table = table
        self._key = {"pk": {"S": TRADING_STATE.pk}, "sk": {"S": TRADING_STATE.sk}}

    def read(self) -> str | None:
        found = self._dynamodb.get_item(TableName=self._table, Key=self._key, ConsistentRead=True)
        item = found.get("Item")
        return None if item is None else str(item["value"]["S"])

    def blocks(self) -> dict[str, str]:
        """Give what blocks entries: `account` or a day, and why, oldest day first."""
        from agent.adapters.dynamodb.keys import BLOCK  # noqa: PLC0415 - as boto3

        found = self._dynamodb.query(
            TableName=self._table,
            KeyConditionExpression="pk = :block",
            ExpressionAttributeValues={":block": {"S": BLOCK}},
            ConsistentRead=True,
        )
        return {
            str(item["sk"]["S"]): f"{kept['reason']} ({kept['at']})"
            for item in found["Items"]
            for kept in [json.loads(item["value"]["S"])]
        }

    def lift_block(self) -> None:
        from agent.adapters.dynamodb.keys import ACCOUNT_BLOCK  # noqa: PLC0415 - as boto3

        key = {"pk": {"S": ACCOUNT_BLOCK.pk}, "sk": {"S": ACCOUNT_BLOCK.sk}}
        self._dynamodb.delete_item(TableName=self._table, Key=key)

    def write(self, wanted: TradingState, *, instead_of: str | None) -> None:
        """Write the state; raise ReportedProblem where it moved since it was read."""
        condition, values = "attribute_not_exists(#value)", {":new": {"S": wanted.value}}
        if instead_of is not None:
            condition, values[":old"] = "#value = :old", {"S": instead_of}
        refused = self._dynamodb.exceptions.ConditionalCheckFailedException
        try:
            self._dynamodb.update_item(
                TableName=self._table,
                Key=self._key,
                UpdateExpression="SET #value = :new",
                ConditionExpression=condition,
                ExpressionAttributeNames={"#value": "value"},
                ExpressionAttributeValues=values,
            )
        except refused as error:
            raise ReportedProblem(
                f"the trading state of {self._table} was moved by somebody else just now:"
                " look at it and say it again"
            ) from error


def _loosens(stored: str | None, wanted: TradingState) -> bool:
    order = list(MEANINGS)
    known = _known(stored)
    # What no function understands lets nothing trade: whatever is said instead may loosen it.
    return known is None or order.index(wanted) < order.index(known)


def _known(stored: str | None) -> TradingState | None:
    if stored is None:
        return TradingState.ACTIVE
    return TradingState(stored) if stored in set(TradingState) else None


def _spelled(stored: str | None) -> str:
    return TradingState.ACTIVE.value if stored is None else repr(stored).strip("'")


def _show(table: str, stored: str | None, blocks: Mapping[str, str]) -> None:
    known = _known(stored)
    if known is None:
        raise ReportedProblem(
            f"the trading state of {table} is {stored!r}, which no function understands:"
            f" they fail until it is one of {', '.join(TradingState)}"
        )
    typer.echo(f"trading  {known}: {MEANINGS[known]}")
    if ACCOUNT in blocks:
        typer.echo(f"blocked  no entries until it is lifted: {blocks[ACCOUNT]}")
    days = [sk for sk in blocks if sk != ACCOUNT]
    if days:
        day = max(days)
        typer.echo(f"blocked  no entries on {day.removeprefix('day#')}: {blocks[day]}")
    typer.echo(f"table    {table}")
