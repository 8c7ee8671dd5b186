"""`options-agent storm`: break the world between every two effects, and watch the rules hold."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cli.problems import ReportedProblem, ResultWrong

if TYPE_CHECKING:
    from simulator.storm.campaign import StormReport
    from simulator.storm.day import DayResult

SEEDS_DEFAULT = "1:11"
SEEDS_PATTERN = re.compile(r"^(\d+):(\d+)$")


def storm(
    *,
    seeds: Annotated[
        str | None,
        typer.Option(
            help="First and end seed, A:B; B is not run. One day a seed; 1:11 if not given."
        ),
    ] = None,
    profile: Annotated[str, typer.Option(help="The weather: calm, rough or hell.")] = "rough",
    sabotage: Annotated[
        str | None,
        typer.Option(help="Break this rule of the agent first; `list` names them all."),
    ] = None,
    processes: Annotated[int, typer.Option(help="Processes to run in.", min=1, max=64)] = 1,
    json_path: Annotated[
        Path | None, typer.Option("--json", help="Also write the report to this file, as JSON.")
    ] = None,
) -> None:
    """Run the use cases and state machines through days of faults, and check every rule."""
    # Imported here: the command line answers --help without the market and the broker's SDK.
    from simulator.storm.campaign import run_storm  # noqa: PLC0415
    from simulator.storm.faults import PROFILES  # noqa: PLC0415

    console = Console()
    if profile not in PROFILES:
        raise ReportedProblem(f"--profile {profile}: there are {', '.join(PROFILES)}")
    if sabotage is not None:
        _sabotage(console, sabotage, profile, None if seeds is None else _seeds(seeds))
        return
    days = _seeds(seeds or SEEDS_DEFAULT)
    if json_path is not None and not json_path.absolute().parent.is_dir():
        raise ReportedProblem(f"--json {json_path}: there is no directory {json_path.parent}")
    columns = (TextColumn("Days"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("Days", total=len(days))

        def told(result: "DayResult") -> None:
            progress.advance(task)
            if result.violation is not None:
                progress.console.print(f"seed {result.seed}: {result.violation.message}")

        report = run_storm(days, PROFILES[profile], processes=processes, told=told)
    if json_path is not None:
        json_path.write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
    _print(console, report)
    if not report.is_good:
        raise ResultWrong(_failure(report))


def _seeds(text: str) -> range:
    match = SEEDS_PATTERN.match(text)
    if match is None or int(match[1]) >= int(match[2]):
        raise ReportedProblem(f"--seeds {text}: this is not A:B with A below B")
    return range(int(match[1]), int(match[2]))


def _sabotage(console: Console, name: str, profile: str, seeds: range | None) -> None:
    from simulator.storm.campaign import catch  # noqa: PLC0415
    from simulator.storm.faults import PROFILES  # noqa: PLC0415
    from simulator.storm.sabotage import SABOTAGES  # noqa: PLC0415

    if name == "list":
        for known in SABOTAGES:
            typer.echo(known)
        return
    if name not in SABOTAGES:
        raise ReportedProblem(f"--sabotage {name}: `--sabotage list` names what there is")
    with console.status(f"Sabotage: {SABOTAGES[name].says}..."):
        caught = catch(SABOTAGES[name], PROFILES[profile], seeds)
    if caught is None or caught.violation is None:
        days = len(SABOTAGES[name].seeds if seeds is None else seeds)
        raise ResultWrong(f"nobody noticed in {days} days that {SABOTAGES[name].says}")
    found = caught.violation
    console.print(
        f"Caught on day {found.seed}, step {found.step}, by {found.checker}: {found.message}",
        highlight=False,
    )


def _print(console: Console, report: "StormReport") -> None:
    for violation in report.violations:
        console.rule(f"seed {violation.seed}: {violation.rule}")
        for line in violation.story:
            console.print(line, highlight=False, markup=False)
    faults = sum(report.faults_by_kind.values())
    counts = report.counts
    console.print(
        f"{report.days} {report.profile} days: {faults} faults of {len(report.faults_by_kind)} "
        f"kinds, {counts.get('orders', 0)} orders, {counts.get('fills', 0)} leg fills, "
        f"{report.partials} orders in parts, {sum(report.exits.values())} exits, "
        f"{len(report.violations)} violations; {report.days_per_core_hour:,.0f} days a core-hour.",
        highlight=False,
    )
    for lacking in report.not_met:
        console.print(f"not covered: {lacking}", highlight=False)


def _failure(report: "StormReport") -> str:
    if report.violations:
        seeds = ", ".join(str(violation.seed) for violation in report.violations)
        return f"a rule was broken on the days of seeds {seeds}"
    return f"too little happened to mean anything: {report.not_met[0]}"
