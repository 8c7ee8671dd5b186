"""`options-agent exchange`: the exchange alone, for any client of Alpaca's API."""

import math
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from cli.options import SCENARIO_NAMES
from cli.problems import ReportedProblem

if TYPE_CHECKING:
    from simulator.exchange import ExchangeServer
    from simulator.rehearsal.markets import Market

SPEED_MAX = 1_000_000.0
Behaviour = Literal["paper", "live"]


def exchange(
    *,
    port: Annotated[
        int, typer.Option(help="Port on 127.0.0.1; 0 takes any free one.", min=0, max=65535)
    ] = 8000,
    data: Annotated[
        Path | None, typer.Option(help="Play the recorded chains in this directory.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the market and of partial fills.", min=0)] = 1,
    scenario: Annotated[
        str | None, typer.Option(help=f"Play a named market: {SCENARIO_NAMES}.")
    ] = None,
    sessions: Annotated[
        int | None,
        typer.Option(help="Sessions of a made-up market; 30 where not said.", min=1, max=250),
    ] = None,
    speed: Annotated[float, typer.Option(help="Simulated seconds for each real one.")] = 1.0,
    skip_closed: Annotated[
        bool, typer.Option(help="Let nights and weekends pass in one step.")
    ] = True,
    behaves_like: Annotated[
        Behaviour, typer.Option(help="What happens around expirations, as docs/EXCHANGE.md says.")
    ] = "paper",
) -> None:
    """Serve the exchange alone, to any client of Alpaca's API, until Ctrl-C."""
    if not (math.isfinite(speed) and 0 < speed <= SPEED_MAX):
        raise ReportedProblem(f"--speed {speed:g}: must be above 0 and at most {SPEED_MAX:,.0f}")
    with _told_to_stop() as told:
        # Imported here: the command line answers --help without the market.
        from simulator.exchange import Exchange, Pace, serve  # noqa: PLC0415
        from simulator.rehearsal.markets import open_market  # noqa: PLC0415

        console = Console()
        try:
            market = open_market(
                data_directory=data, scenario=scenario, seed=seed, sessions=sessions
            )
            simulated = Exchange(
                market.world,
                seed=seed,
                behaves_like=behaves_like,
                early_assignment=market.early_assignment,
                open_interest_on_first_day=True,
                shows_greeks=True,
            )
            server = serve(simulated, port)
        except (ValueError, OSError) as problem:
            # MarketRefused and WorldDataError are ValueErrors, a port that is taken an OSError.
            raise ReportedProblem(str(problem)) from problem
        with server, Pace(simulated, speed, skips_closed_hours=skip_closed):
            _introduce(console, server, market, speed)
            told.wait()
        console.print(f"Stopped at {_new_york(server)} New York time.", highlight=False)


@contextmanager
def _told_to_stop() -> Iterator[Event]:
    """Give an event that Ctrl-C and SIGTERM set; afterwards both mean what they meant before."""
    told = Event()

    def tell(_number: int, _frame: FrameType | None) -> None:
        told.set()

    before = {number: signal.signal(number, tell) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _introduce(console: Console, server: "ExchangeServer", market: "Market", speed: float) -> None:
    simulated = server.exchange
    keys = f'"{simulated.key_id}", "{simulated.secret_key}"'
    for name, text in (
        ("URL", f"{server.url} (trading and market data)"),
        ("keys", f"{simulated.key_id} / {simulated.secret_key}"),
        ("playing", market.description),
        ("time", f"{_new_york(server)} New York; {speed:g} simulated seconds a second"),
        ("alpaca-py", f'TradingClient({keys}, url_override="{server.url}")'),
        ("stop", "Ctrl-C"),
    ):
        console.print(f"{name:<10}{text}", highlight=False, markup=False, soft_wrap=True)


def _new_york(server: "ExchangeServer") -> str:
    from agent.market.calendar import NEW_YORK  # noqa: PLC0415

    return f"{server.exchange.now.astimezone(NEW_YORK):%a %Y-%m-%d %H:%M}"
