"""`options-agent demo`: the deployed agent trades a market on this machine."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from cli.problems import ReportedProblem, ResultWrong
from cli.report_tables import print_report

BOOK_DIRECTORY = Path("build/demo")


def demo(
    *,
    seed: Annotated[
        int, typer.Option(help="Seed of the synthetic market and of partial fills.", min=0)
    ] = 1,
    sessions: Annotated[
        int, typer.Option(help="Trading sessions of the synthetic market.", min=1, max=120)
    ] = 30,
    data: Annotated[
        Path | None, typer.Option(help="Replay the recorded chains in this directory instead.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Settings to trade with, as YAML.")] = None,
    json_path: Annotated[
        Path | None, typer.Option("--json", help="Also write the report to this file, as JSON.")
    ] = None,
) -> None:
    """Trade a market with the real handlers, state machines and template; no account needed."""
    console = Console()
    if json_path is not None:
        _require_directory_of(json_path)
    with console.status("Loading the market and synthesising the template..."):
        # Imported here: the command line answers --help without the CDK and the market.
        from simulator.rehearsal.preparation import PROBLEMS, prepare  # noqa: PLC0415
    try:
        with console.status("Loading the market and synthesising the template..."):
            prepared = prepare(data_directory=data, seed=seed, sessions=sessions, config=config)
        with prepared as rehearsal:
            with _progress(console) as progress:
                task = progress.add_task("Trading", total=rehearsal.sessions, state="")
                for step in rehearsal.play():
                    progress.update(
                        task,
                        completed=step.number,
                        description=f"{step.session.session:%Y-%m-%d}",
                        state=f"equity {step.equity:,.2f} USD",
                    )
            report = rehearsal.report()
            text = report.model_dump_json(indent=2) + "\n"
            with _whole_directory(BOOK_DIRECTORY) as directory:
                rehearsal.write_book(directory)
                (directory / "report.json").write_text(text, encoding="utf-8")
        if json_path is not None:
            _write_whole(json_path, text)
    except PROBLEMS as problem:
        raise ReportedProblem(str(problem)) from problem
    print_report(console, report)
    console.print(f"The book is in {BOOK_DIRECTORY}.", highlight=False)
    if not report.cash_identity.holds:
        raise ResultWrong(
            "the cash identity does not hold: the book and the broker's cash differ by "
            f"{report.cash_identity.difference} USD"
        )


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
