"""`options-agent demo`: the deployed agent trades a market on this machine."""

import gc
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from cli.options import (
    SCENARIO_NAMES,
    ConfigOption,
    EnvFileOption,
    SetOption,
    parse_assignments,
)
from cli.problems import Interrupted, ReportedProblem, ResultWrong
from simulator.garbage import rare_collections
from simulator.rehearsal.plain_numbers import plain_json

if TYPE_CHECKING:
    from simulator.rehearsal.rehearsal import Rehearsal
    from simulator.rehearsal.report import RehearsalReport

BOOK_DIRECTORY = Path("build/demo")
RUN_LOG = Path("build/demo-unfinished.jsonl")
"""What a run that was interrupted left, for `--resume`."""
FLAGS: Mapping[str, str] = MappingProxyType(
    {
        "data": "--data",
        "seed": "--seed",
        "sessions": "--sessions",
        "scenario": "--scenario",
        "config": "--config",
        "env_file": "--env-file",
        "settings": "--set",
    }
)


def demo(
    context: typer.Context,
    *,
    seed: Annotated[
        int, typer.Option(help="Seed of the synthetic market and of partial fills.", min=0)
    ] = 1,
    sessions: Annotated[
        int | None,
        typer.Option(
            help="Trading sessions to play; 30 synthetic ones or all recorded ones where not said.",
            min=1,
            max=120,
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Replay the recorded chains in this directory instead.")
    ] = None,
    scenario: Annotated[
        str | None, typer.Option(help=f"Play a named market instead: {SCENARIO_NAMES}.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run that was interrupted here.")
    ] = False,
    story: Annotated[
        bool, typer.Option("--story", help="Tell what the desk did and why; scenarios always do.")
    ] = False,
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    settings: SetOption = None,
    json_path: Annotated[
        Path | None, typer.Option("--json", help="Also write the report to this file, as JSON.")
    ] = None,
) -> None:
    """Trade a market with the real handlers, state machines and template; no account needed."""
    console = Console()
    options: dict[str, Any] = {
        "data": _absolute(data),
        "seed": seed,
        "sessions": sessions,
        "scenario": scenario,
        "config": _absolute(config),
        "env_file": _absolute(env_file),
        "settings": list(settings or ()),
    }
    _check_first(options, json_path)
    with console.status("Loading the market and synthesising the template..."):
        # Imported here: the command line answers --help without the CDK and the market.
        from simulator.rehearsal.synthesis import begin_synthesis  # noqa: PLC0415

        begin_synthesis()  # Node works at it while the cloud is imported.
        from simulator.rehearsal.preparation import PROBLEMS, prepare  # noqa: PLC0415
        from simulator.rehearsal.report import what_is_wrong  # noqa: PLC0415
        from simulator.rehearsal.run_log import RunLog  # noqa: PLC0415
    try:
        with rare_collections(), RunLog(RUN_LOG, resume=resume) as log:
            asked = _as_before(context, options, log.header) if log.header else options
            with prepare(**_spelled(asked), log=log, options=asked) as rehearsal:
                # What is loaded by now stays: looking through it again and again costs 5 %.
                gc.freeze()
                report = _play(console, rehearsal)
                text = _keep_book(rehearsal, report)
            log.discard()
        if json_path is not None:
            _write_whole(json_path, text)
    except PROBLEMS as problem:
        raise ReportedProblem(str(problem)) from problem
    _show(console, report, tells_story=story)
    if (wrong := what_is_wrong(report)) is not None:
        raise ResultWrong(wrong)


def _show(console: Console, report: "RehearsalReport", *, tells_story: bool) -> None:
    # Its tables speak of the market, which `--help` does without.
    from cli.report_tables import print_report  # noqa: PLC0415

    print_report(console, report, tells_story=tells_story or report.scenario is not None)
    console.print(f"The book is in {BOOK_DIRECTORY}.", highlight=False)


def _check_first(options: Mapping[str, Any], json_path: Path | None) -> None:
    """Tell what cannot work before anything is loaded."""
    _spelled(options)
    if json_path is not None:
        _require_directory_of(json_path)
    _require_place_for(BOOK_DIRECTORY)


def _absolute(path: Path | None) -> str | None:
    return None if path is None else str(path.absolute())


def _keep_book(rehearsal: "Rehearsal", report: "RehearsalReport") -> str:
    """Write the book and its report where they belong; give the report's text."""
    text = json.dumps(plain_json(report), ensure_ascii=False, indent=2) + "\n"
    with _whole_directory(BOOK_DIRECTORY) as directory:
        rehearsal.write_book(directory)
        (directory / "report.json").write_text(text, encoding="utf-8")
    return text


def _as_before(
    context: typer.Context, asked: Mapping[str, Any], header: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Give the options of the interrupted run; what is said anew must be what was said then."""
    before: Mapping[str, Any] = header["options"]
    for name, value in asked.items():
        source = context.get_parameter_source(name)
        said = source is not None and source.name == "COMMANDLINE"
        if said and value != before[name]:
            raise ReportedProblem(
                f"the run that was interrupted had {FLAGS[name]} {before[name]}, not {value}:"
                " leave it out to resume, or start anew without --resume"
            )
    return before


def _spelled(options: Mapping[str, Any]) -> dict[str, Any]:
    """Turn options, as JSON, into the arguments of `prepare`."""
    paths = {name: options[name] and Path(options[name]) for name in ("data", "config", "env_file")}
    return {
        "data_directory": paths["data"],
        "config": paths["config"],
        "dotenv": paths["env_file"],
        "command_line": parse_assignments(options["settings"]),
        **{name: options[name] for name in ("seed", "sessions", "scenario")},
    }


def _play(console: Console, rehearsal: "Rehearsal") -> "RehearsalReport":
    with _progress(console) as progress:
        task = progress.add_task("Trading", total=rehearsal.sessions, state="")
        try:
            for step in rehearsal.play():
                progress.update(
                    task,
                    completed=step.number,
                    description=f"{step.session.session:%Y-%m-%d}",
                    state=f"equity {step.equity:,.2f} USD",
                )
        except KeyboardInterrupt as stop:
            raise Interrupted("stopped by Ctrl-C; options-agent demo --resume goes on") from stop
    return rehearsal.report()


def _progress(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[state]}"),
        console=console,
    )


def _require_directory_of(path: Path) -> None:
    if path.is_dir():
        raise ReportedProblem(f"--json {path}: this is a directory, not a file")
    if not path.absolute().parent.is_dir():
        raise ReportedProblem(f"--json {path}: there is no directory {path.parent}")
    _require_writable(path.absolute().parent, f"--json {path}")


def _require_place_for(directory: Path) -> None:
    """Refuse before the run what would stop its book from being written after it."""
    for place in (directory, *directory.parents):
        if place.exists() and not place.is_dir():
            raise ReportedProblem(f"the book goes to {directory}, but {place} is a file")
    there = next(place for place in directory.absolute().parents if place.is_dir())
    _require_writable(there, f"the book goes to {directory}")


def _require_writable(directory: Path, what: str) -> None:
    try:
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise ReportedProblem(
            f"{what}: nothing can be written to {directory} ({error.strerror})"
        ) from error


def _write_whole(path: Path, text: str) -> None:
    """Write a file so that nobody ever sees half of it."""
    handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def _whole_directory(path: Path) -> Iterator[Path]:
    """Fill a directory aside and put it in the place of `path` once it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        yield aside
        if path.exists():
            shutil.rmtree(path)
        aside.replace(path)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
