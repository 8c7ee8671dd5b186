"""The command line of the agent."""

import sys
from collections.abc import Sequence

import typer
from rich.console import Console
from rich.markup import escape

from cli.backfill_iv import backfill_iv
from cli.demo import demo
from cli.doctor import doctor
from cli.exchange import exchange
from cli.flatten import flatten
from cli.problems import Interrupted, ReportedProblem
from cli.rebuild import rebuild
from cli.report_dates import report_dates
from cli.show_config import show_config
from cli.state import state
from cli.storm import storm
from cli.trade import trade

app = typer.Typer(
    name="options-agent",
    help="An options-trading agent that runs in your own cloud account, or wholly on this machine.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(demo)
app.command()(exchange)
app.command()(storm)
app.command()(show_config)
app.command()(doctor)
app.command()(state)
app.add_typer(trade, name="trade")
app.command()(report_dates)
app.command("backfill-iv")(backfill_iv)
app.command()(flatten)
app.command()(rebuild)


def main() -> None:
    """Run the command line, and exit with its code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command and give its exit code; a problem that has a name is told in one sentence."""
    try:
        # Without an argument: what there is, and no complaint.
        code = app(list(arguments) or ["--help"], prog_name="options-agent", standalone_mode=False)
    except ReportedProblem as problem:
        _tell(str(problem))
        return problem.exit_code
    except typer.TyperException as problem:
        # What was typed is not what a command takes.
        place = getattr(problem, "ctx", None)
        said = problem.format_message()
        _tell(f"{place.command_path}: {said}" if place is not None else said)
        return problem.exit_code
    except typer.Abort:
        _tell("aborted")
        return 1
    if code == Interrupted.exit_code:
        _tell("stopped by Ctrl-C")
    return code if isinstance(code, int) else 0


def _tell(sentence: str) -> None:
    # Whole lines: a path that was broken in the middle cannot be copied.
    Console(stderr=True).print(
        f"[bold red]error:[/] {escape(sentence)}", highlight=False, soft_wrap=True
    )
