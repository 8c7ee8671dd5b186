"""The command line of the agent."""

import sys

import typer
from rich.console import Console

from cli.demo import demo
from cli.problems import ReportedProblem

app = typer.Typer(
    name="options-agent",
    help="An options-trading agent that runs in your own cloud account, or wholly on this machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(demo)


@app.callback()
def _root() -> None:
    """Keep `demo` a subcommand while it is the only one."""


def main() -> None:
    """Run the command line; a problem that has a name ends it with one sentence."""
    try:
        app()
    except ReportedProblem as problem:
        Console(stderr=True).print(f"[bold red]error:[/] {problem}", highlight=False)
        sys.exit(problem.exit_code)
