"""`options-agent rebuild`: a lost book, from what the broker remembers, into an empty stage."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from agent.config.section import SettingsInvalid
from agent.config.sources import load_settings
from agent.ports import BrokerMisunderstood, BrokerRefused, BrokerUnavailable
from cli.deployed import DEFAULT_STAGE, RegionOption, StageOption, aws_answers, find_deployment
from cli.keys import KeyFileOption, LiveOption, keys_accepted, read_credentials
from cli.options import ConfigOption
from cli.problems import ReportedProblem, ResultWrong

if TYPE_CHECKING:
    from agent.book.records import Trade
    from agent.use_cases.rebuild_book import RebuildPlan


def rebuild(
    *,
    stage: StageOption = DEFAULT_STAGE,
    region: RegionOption = None,
    config: ConfigOption = None,
    key_file: KeyFileOption = None,
    live: LiveOption = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Write it; without it, say what would be.")
    ] = False,
) -> None:
    """Rebuild a lost book from the broker's orders and positions, into an empty stage."""
    # Imported here: --help does not wait for the broker's adapter, strategies and boto3.
    from agent.adapters.alpaca.connection import connect  # noqa: PLC0415
    from agent.adapters.alpaca.order_history import AlpacaOrderHistory  # noqa: PLC0415
    from agent.adapters.dynamodb.book import DynamoBook  # noqa: PLC0415
    from agent.adapters.dynamodb.control import DynamoControl  # noqa: PLC0415
    from agent.strategies.registry import strategies_for  # noqa: PLC0415
    from agent.use_cases.rebuild_book import (  # noqa: PLC0415
        RebuildRefused,
        Site,
        plan_rebuild,
        write_rebuild,
    )

    try:
        settings = load_settings(config, command_line={"stage": stage})
        with (
            keys_accepted(),
            connect(read_credentials(key_file), live_trading=live) as connection,
            aws_answers(),
        ):
            tables = find_deployment(stage, region).tables()
            site = Site(
                settings=settings,
                strategies={each.code: each.name for each in strategies_for(settings).values()},
                broker=connection.broker,
                history=AlpacaOrderHistory(connection.sessions[0]),
                book=DynamoBook(tables),
                control=DynamoControl(tables),
            )
            plan = plan_rebuild(site)
            _show(plan)
            if yes:
                write_rebuild(site, plan, datetime.now(UTC))
    except (RebuildRefused, SettingsInvalid) as problem:
        raise ReportedProblem(str(problem)) from problem
    except (BrokerUnavailable, BrokerMisunderstood, BrokerRefused) as problem:
        raise ReportedProblem(f"the broker: {problem}") from problem
    typer.echo("Written." if yes else "Nothing was written. Say --yes to write it.")
    if plan.doubts or plan.unexplained:
        raise ResultWrong("not all of it could be rebuilt: what is left, above, is yours to settle")


def _former(trade: "Trade") -> str:
    """Name what a trade moved on from, oldest first."""
    from agent.book.transitions import describe  # noqa: PLC0415 - as above

    parts = trade.campaign.parts
    return " and ".join(
        describe(trade.model_copy(update={"structure": p.structure})) for p in parts
    )


def _show(plan: "RebuildPlan") -> None:
    from agent.book.transitions import describe  # noqa: PLC0415 - as above

    typer.echo(f"account {plan.account_number}: {len(plan.trades)} trades")
    for each in plan.trades:
        trade = each.trade
        outcome = "" if trade.pnl is None else f", P&L {trade.pnl:.2f} USD"
        shares = f", {trade.shares_held} shares" if trade.shares_held else ""
        rolls = f", rolled from {_former(trade)}" if trade.campaign.parts else ""
        typer.echo(
            f"{trade.status:<7} {trade.execution.contracts} x {describe(trade)} for"
            f" {trade.execution.credit:.2f}{rolls}{shares}{outcome} ({trade.trade_id})"
        )
    for name, reason in plan.doubts.items():
        typer.echo(f"left out {name}: {reason}")
    for difference in plan.unexplained:
        typer.echo(
            f"{difference.symbol}: the broker holds {difference.held},"
            f" the book would hold {difference.booked}"
        )
