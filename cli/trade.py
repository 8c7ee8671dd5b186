"""`options-agent trade`: the owner's word on a single trade of a deployed stage.

What is said is written into the book; the next monitor pass acts on it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated

import typer

from agent.book.changes import BookConflict
from agent.book.overrides import OverrideRefused
from agent.use_cases.override_trade import Override, OverrideRequest, override_trade
from cli.deployed import DEFAULT_STAGE, RegionOption, StageOption, aws_answers, find_deployment
from cli.problems import ReportedProblem

if TYPE_CHECKING:
    from agent.book.records import Trade
    from agent.ports import Book

trade = typer.Typer(
    help="List the open trades of a deployed agent, or override what its rules do to one."
)
TradeId = Annotated[str, typer.Argument(metavar="TRADE_ID", help="As `trade list` prints it.")]


@trade.command("list")
def list_trades(*, stage: StageOption = DEFAULT_STAGE, region: RegionOption = None) -> None:
    """List the trades that have not ended, with what the owner said of each."""
    with _book(stage, region) as book:
        active = book.active_trades()
    for each in active:
        _show(each)
    if not active:
        typer.echo("no trade is open")


@trade.command()
def close(
    trade_id: TradeId, *, stage: StageOption = DEFAULT_STAGE, region: RegionOption = None
) -> None:
    """Have the next monitor pass close an open trade, whatever its rules say."""
    _override(stage, region, trade_id, Override.CLOSE)


@trade.command()
def suspend(
    trade_id: TradeId, *, stage: StageOption = DEFAULT_STAGE, region: RegionOption = None
) -> None:
    """Leave an open trade to its owner; its stop, a breach and expiration protect it still."""
    _override(stage, region, trade_id, Override.SUSPEND)


@trade.command()
def resume(
    trade_id: TradeId, *, stage: StageOption = DEFAULT_STAGE, region: RegionOption = None
) -> None:
    """Apply every rule to an open trade again."""
    _override(stage, region, trade_id, Override.RESUME)


@trade.command("move-stop")
def move_stop(
    trade_id: TradeId,
    debit: Annotated[
        str | None, typer.Argument(help="Stop where closing costs so many dollars a share.")
    ] = None,
    *,
    by_rule: Annotated[
        bool, typer.Option("--by-rule", help="Put the stop back to where the rules have it.")
    ] = False,
    stage: StageOption = DEFAULT_STAGE,
    region: RegionOption = None,
) -> None:
    """Move the stop of an open trade."""
    if by_rule == (debit is not None):
        raise ReportedProblem("say where the stop is to be: a DEBIT a share, or --by-rule")
    stop_debit = None if debit is None else _dollars(debit)
    _override(stage, region, trade_id, Override.MOVE_STOP, stop_debit=stop_debit)


@trade.command()
def note(
    trade_id: TradeId,
    text: Annotated[str, typer.Argument(help="What to remember of it.")],
    *,
    stage: StageOption = DEFAULT_STAGE,
    region: RegionOption = None,
) -> None:
    """Attach a line to the notes of a trade, open or ended."""
    _override(stage, region, trade_id, Override.NOTE, note=text)


def _override(
    stage: str,
    region: str | None,
    trade_id: str,
    override: Override,
    *,
    stop_debit: Decimal | None = None,
    note: str | None = None,
) -> None:
    if not trade_id.strip():
        raise ReportedProblem("name a trade: `trade list` prints their ids")
    request = OverrideRequest(
        trade_id=trade_id, override=override, stop_debit=stop_debit, note=note
    )
    with _book(stage, region) as book:
        try:
            # An owner's word bears the owner's time: no broker is asked for it.
            after = override_trade(book, request, datetime.now(UTC))
        except (OverrideRefused, BookConflict) as problem:
            raise ReportedProblem(str(problem)) from problem
    _show(after)


@contextmanager
def _book(stage: str, region: str | None) -> "Iterator[Book]":
    from agent.adapters.dynamodb.book import DynamoBook  # noqa: PLC0415 - --help needs no store

    with aws_answers():
        yield DynamoBook(find_deployment(stage, region).tables())


def _show(shown: "Trade") -> None:
    from agent.book.transitions import describe  # noqa: PLC0415 - as above

    typer.echo(shown.trade_id)
    contracts = shown.contracts_held or shown.execution.contracts or shown.risk.contracts_reserved
    credit = shown.execution.credit
    facts = [str(shown.status), f"{contracts} x {describe(shown)}"]
    if credit is not None:
        facts.append(f"credit {credit:.2f}")
    if shown.manual_exit_requested:
        facts.append("to be closed by the next monitor pass")
    if shown.automation_suspended:
        facts.append("left to its owner")
    if shown.stop_debit is not None:
        facts.append(f"stop moved to a debit of {shown.stop_debit}")
    typer.echo(f"  {', '.join(facts)}")
    for line in shown.notes.splitlines():
        typer.echo(f"  {line}")


def _dollars(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation as error:
        raise ReportedProblem(f"{text!r} is no amount of dollars a share") from error
    if not amount.is_finite():
        raise ReportedProblem(f"{text!r} is no amount of dollars a share")
    return amount
