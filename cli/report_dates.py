"""`options-agent report-dates`: when companies report earnings, as the owner puts it on record."""

import csv
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.config.section import SettingsInvalid
from agent.config.settings import Settings
from agent.config.sources import load_settings
from agent.market.calendar import NEW_YORK
from cli.deployed import DEFAULT_STAGE, RegionOption, StageOption, aws_answers, find_deployment
from cli.options import ConfigOption
from cli.problems import ReportedProblem

if TYPE_CHECKING:
    from agent.ports import ReportDates

SYMBOL = re.compile(r"[A-Z]{1,6}(\.[A-Z])?")
DISTANCE_MAX = timedelta(days=3 * 366)
"""A date further from today is a slip of the pen."""
COLUMNS = ["symbol", "date"]


def report_dates(
    symbol: Annotated[
        str | None, typer.Argument(help="One symbol; without it, the watchlist is shown.")
    ] = None,
    dates: Annotated[
        list[str] | None,
        typer.Argument(metavar="[YYYY-MM-DD]...", help="Its dates, past ones too: these replace."),
    ] = None,
    *,
    file: Annotated[
        Path | None,
        typer.Option(help="Dates of many symbols instead: CSV with the columns symbol,date."),
    ] = None,
    config: ConfigOption = None,
    stage: StageOption = DEFAULT_STAGE,
    region: RegionOption = None,
) -> None:
    """Show when companies report earnings, or put their dates on record."""
    if file is not None and symbol is not None:
        raise ReportedProblem("name one symbol, or give --file: not both")
    settings = _settings(config)
    today = datetime.now(NEW_YORK).date()
    given = _given(symbol, dates or (), file, today)
    shown = list(given) or ([_symbol(symbol)] if symbol else list(settings.watchlist))
    from agent.adapters.dynamodb.reports import DynamoReportDates  # noqa: PLC0415 - needs boto3

    with aws_answers():
        store = DynamoReportDates(find_deployment(stage, region).tables())
        for name in shown:
            _record_and_show(store, name, given.get(name), settings, today)


def _record_and_show(
    store: "ReportDates",
    symbol: str,
    wanted: Sequence[date] | None,
    settings: Settings,
    today: date,
) -> None:
    before = store.reports(symbol)
    if wanted is not None and tuple(wanted) != before:
        store.replace_reports(symbol, wanted)
        typer.echo(f"{symbol:<6} was {_spelled(before)}")
    known = store.reports(symbol)
    typer.echo(f"{symbol:<6} {_spelled(known)}: {_meaning(symbol, known, settings, today)}")


def _meaning(symbol: str, known: Sequence[date], settings: Settings, today: date) -> str:
    """Say what a scan of today makes of the dates."""
    from agent.market.events import next_report  # noqa: PLC0415 - it brings numpy

    if symbol in settings.market.symbols_without_reports:
        return "never reports, by market.symbols_without_reports"
    window = next_report(known, today)
    if window is None:
        blocked = settings.market.earnings_unknown == "block"
        told = "nothing is entered" if blocked else "market.earnings_unknown allows entries"
        return f"the next report is unknown, {told}"
    if window.earliest == window.latest:
        return f"next on {window.earliest}"
    return f"next expected from {window.earliest} to {window.latest}"


def _given(
    symbol: str | None, dates: Sequence[str], file: Path | None, today: date
) -> Mapping[str, tuple[date, ...]]:
    rows = [("", symbol, text) for text in dates] if symbol else []
    if file is not None:
        rows = _rows(file)
    found: dict[str, set[date]] = {}
    for place, name, text in rows:
        try:
            found.setdefault(_symbol(name), set()).add(_day(text, today))
        except ReportedProblem as problem:
            raise ReportedProblem(f"{place}{problem}") from problem
    return {name: tuple(sorted(days)) for name, days in found.items()}


def _rows(file: Path) -> list[tuple[str, str, str]]:
    """Read (where it stands, symbol, date) of each row."""
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            reader = csv.DictReader(lines)
            if reader.fieldnames != COLUMNS:
                raise ReportedProblem(f"{file}: its first line must be {','.join(COLUMNS)}")
            rows = [
                (f"{file} line {reader.line_num}: ", row["symbol"] or "", row["date"] or "")
                for row in reader
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise ReportedProblem(f"cannot read {file}") from problem
    if not rows:
        raise ReportedProblem(f"{file} has no dates")
    return rows


def _symbol(text: str) -> str:
    if not SYMBOL.fullmatch(text.strip()):
        raise ReportedProblem(f"{text!r} is no symbol of a stock")
    return text.strip()


def _day(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text.strip())
    except ValueError as error:
        raise ReportedProblem(f"{text!r} is no date: say YYYY-MM-DD") from error
    if abs(day - today) > DISTANCE_MAX:
        raise ReportedProblem(f"{day} is years from today: is it a slip?")
    return day


def _settings(config: Path | None) -> Settings:
    try:
        return load_settings(config)
    except SettingsInvalid as problem:
        raise ReportedProblem(str(problem)) from problem


def _spelled(days: Sequence[date]) -> str:
    return ", ".join(map(str, days)) or "no dates on record"
