"""`options-agent flatten --broker-only`: no option position left, with nothing but the keys."""

import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from agent.ports import BrokerMisunderstood, BrokerRefused, BrokerUnavailable
from cli.keys import KeyFileOption, LiveOption, keys_accepted, read_credentials
from cli.problems import ReportedProblem, ResultWrong

if TYPE_CHECKING:
    from cli.flattening import Flattening, Outcome


def flatten(
    *,
    broker_only: Annotated[
        bool,
        typer.Option(
            "--broker-only", help="At the broker alone; the agent's book does not hear of it."
        ),
    ] = False,
    key_file: KeyFileOption = None,
    live: LiveOption = False,
    concession: Annotated[
        float,
        typer.Option(help="Give at most so much of mid beyond mid, or 0.10.", min=0, max=1),
    ] = 0.25,
    yes: Annotated[
        bool, typer.Option("--yes", help="Act at once; without it, say what would be, and ask.")
    ] = False,
) -> None:
    """Cancel every option order, buy shorts back, sell longs. Shares are never touched."""
    if not broker_only:
        raise ReportedProblem(
            "say --broker-only to mean it: the agent's book will not know. To close what is in"
            " the book, ask for manual exits, as docs/RUNBOOK.md says"
        )
    # Imported here: --help does not wait for the broker's adapter.
    from agent.adapters.alpaca.connection import connect  # noqa: PLC0415
    from cli.flattening import Flattening  # noqa: PLC0415

    try:
        with (
            keys_accepted(),
            connect(read_credentials(key_file), live_trading=live) as connection,
        ):
            flattening = Flattening(connection, Decimal(str(concession)), typer.echo)
            if yes or (_rehearse(flattening) and _is_meant()):
                _conclude(flattening.act())
    except (BrokerUnavailable, BrokerMisunderstood, BrokerRefused) as problem:
        raise ResultWrong(f"what is left is not known: {problem}") from problem


def _rehearse(flattening: "Flattening") -> bool:
    """Say what would be done; tell whether there is anything to do."""
    from cli.flattening import due, spelled  # noqa: PLC0415 - as above

    account = flattening.connection.broker.account().account_number
    orders = flattening.open_orders()
    plans = flattening.plans(flattening.connection.broker.positions())
    typer.echo(f"account {account}: {len(orders)} open orders, {len(plans)} positions in options")
    for order in orders:
        typer.echo(f"cancel {order.client_order_id}: {', '.join(order.symbols)}")
    first = due(plans)
    for plan in plans:
        later = "" if plan in first else "; once its underlying owes nothing"
        typer.echo(f"{spelled(plan)}{later}")
    return bool(orders or plans)


def _is_meant() -> bool:
    """Ask the person at the keyboard; where there is none, nothing is done."""
    if not sys.stdin.isatty():
        typer.echo("Nothing was done. Say --yes to do it; orders of others are cancelled too.")
        return False
    return typer.confirm("Do it? Orders of others are cancelled too.")


def _conclude(outcome: "Outcome") -> None:
    if outcome.is_flat:
        typer.echo("Flat: no option position and no order of option contracts is left.")
        return
    left = [f"{position.quantity:+d} {position.symbol}" for position in outcome.left]
    left += [f"order {order.client_order_id}" for order in outcome.orders_open]
    reasons = f" ({'; '.join(outcome.troubles)})" if outcome.troubles else ""
    raise ResultWrong(f"not flat, left are: {', '.join(left)}{reasons}")
