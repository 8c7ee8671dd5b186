"""`options-agent backfill-iv`: a year of implied volatility for a stage that has none."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from agent.config.section import SettingsInvalid
from agent.config.settings import Settings
from agent.config.sources import load_settings
from agent.ports import BrokerMisunderstood, BrokerRefused, BrokerUnavailable
from cli.deployed import DEFAULT_STAGE, RegionOption, StageOption, aws_answers, find_deployment
from cli.keys import KeyFileOption, LiveOption, keys_accepted, read_credentials
from cli.options import ConfigOption
from cli.problems import ReportedProblem

if TYPE_CHECKING:
    from agent.ports import PastSessions, ReportDates, VolatilityHistory
    from agent.use_cases.backfill_volatility import Backfilled


@dataclass(frozen=True)
class _Desk:
    settings: Settings
    past: "PastSessions"
    volatility: "VolatilityHistory"
    reports: "ReportDates"


def backfill_iv(
    symbols: Annotated[
        list[str] | None, typer.Argument(metavar="[SYMBOL]...", help="Else the watchlist.")
    ] = None,
    *,
    config: ConfigOption = None,
    key_file: KeyFileOption = None,
    live: LiveOption = False,
    stage: StageOption = DEFAULT_STAGE,
    region: RegionOption = None,
) -> None:
    """Record implied volatilities of past sessions from the broker's daily option bars."""
    try:
        settings = load_settings(config)
    except SettingsInvalid as problem:
        raise ReportedProblem(str(problem)) from problem
    # Imported here: --help waits for none of it.
    from agent.adapters.alpaca.connection import connect  # noqa: PLC0415
    from agent.adapters.dynamodb.reports import DynamoReportDates  # noqa: PLC0415
    from agent.adapters.dynamodb.volatility import DynamoVolatilityHistory  # noqa: PLC0415
    from agent.use_cases.backfill_volatility import backfill_volatility  # noqa: PLC0415

    try:
        with (
            keys_accepted(),
            aws_answers(),
            connect(read_credentials(key_file), live_trading=live) as connection,
        ):
            tables = find_deployment(stage, region).tables()
            desk = _Desk(
                settings=settings,
                past=connection.past,
                volatility=DynamoVolatilityHistory(tables),
                reports=DynamoReportDates(tables),
            )
            now = connection.hours.market_clock().now
            for symbol in symbols or settings.watchlist:
                typer.echo(_spelled(backfill_volatility(desk, symbol, now)))
    except (BrokerUnavailable, BrokerMisunderstood, BrokerRefused) as problem:
        raise ReportedProblem(f"the broker: {problem}") from problem


def _spelled(done: "Backfilled") -> str:
    from agent.market.last_trades import OVERLAP_SESSIONS_MIN  # noqa: PLC0415 - as above

    meaning = (
        "ranks use them"
        if done.is_calibrated
        else f"ranks use them once quotes tell of {OVERLAP_SESSIONS_MIN} of these sessions"
    )
    return (
        f"{done.symbol:<6} {done.recorded} new sessions, {done.known} in all, "
        f"{done.overlap} of them known from quotes: {meaning}"
    )
