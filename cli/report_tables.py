"""A rehearsal's report as tables that fit 80 columns."""

from collections.abc import Mapping
from decimal import Decimal

from rich.box import SIMPLE, SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from agent.options.contracts import parse_occ_symbol
from simulator.rehearsal.owner import DeedReport
from simulator.rehearsal.report import RehearsalReport, RolledPartReport, TradeReport

STRATEGY_NAMES = {
    "bull_put_spread": "bull put",
    "cash_secured_put": "cash put",
    "iron_condor": "condor",
    "bear_call_spread": "bear call",
}
EXIT_NAMES = {
    "profit_target": "target",
    "stop_loss": "stop",
    "expiration_near": "near expiry",
    "strike_breached": "breach",
    "assignment_risk": "dividend",
    "broker_liquidated": "liquidated",
}


def print_report(console: Console, report: RehearsalReport, *, tells_story: bool) -> None:
    """Print the trades, the money, the identity and the counts; the story where asked."""
    console.print(f"Played {report.market}", highlight=False, markup=False)
    if tells_story:
        console.print(_story(report))
    console.print(_trades(report))
    console.print(_money(report))
    console.print(_identity(report))
    if report.differences:
        console.print(_differences(report))
    console.print(_counts(report))
    if report.rejections:
        console.print(_reasons("Why nothing was entered", report.rejections))
    for deed in report.owner:
        console.print(_deed(deed), highlight=False)
    for name, times in report.slots.times.items():
        when = f", at {', '.join(times)} New York time" if times else ""
        console.print(
            f"{name}: ran {report.slots.ran[name]} of {report.slots.in_timetable.get(name, 0)} "
            f"slots of the timetable{when}.",
            highlight=False,
        )
    console.print(
        f"Profile {report.profile['name']}: {report.profile['description']}", highlight=False
    )


def _deed(deed: DeedReport) -> str:
    of_trade = "" if deed.trade is None else f" {deed.trade}"
    refused = "" if deed.refusal is None else f", refused: {deed.refusal}"
    return escape(f"Its owner on {deed.at[5:]}: {deed.said}{of_trade}{refused}.")


def _story(report: RehearsalReport) -> Table:
    table = Table(
        title="What the desk did, New York time",
        title_justify="left",
        box=SIMPLE_HEAD,
        # Two columns more for the reasons: the strikes of a condor just fit.
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column("When", no_wrap=True)
    table.add_column("Symbol", no_wrap=True)
    table.add_column("Event")
    # Folded where a list of strikes is too long for the column: no number is cut off.
    table.add_column("Why", overflow="fold")
    for event in report.story:
        times = f" ({event.times} times)" if event.times > 1 else ""
        table.add_row(
            event.at[5:], escape(event.symbol), escape(event.event), escape(event.why) + times
        )
    return table


def _differences(report: RehearsalReport) -> Table:
    table = Table(
        title="Book and broker differ",
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column("Symbol")
    table.add_column("Book", justify="right")
    table.add_column("Broker", justify="right")
    for each in report.differences:
        table.add_row(each.symbol, f"{each.booked:,}", f"{each.held:,}")
    return table


def _trades(report: RehearsalReport) -> Table:
    table = Table(
        title=f"Trades, {report.first_session} to {report.last_session} "
        f"({report.sessions} sessions); P&L in USD, of open trades at mid in brackets",
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    # Only strikes may break, at the blank between puts and calls; a number cut off says nothing.
    table.add_column("Symbol", no_wrap=True)
    table.add_column("Strategy", no_wrap=True)
    table.add_column("Strikes")
    table.add_column("Expires", no_wrap=True)
    table.add_column("Qty", justify="right", no_wrap=True)
    table.add_column("Credit", justify="right", no_wrap=True)
    table.add_column("Exit", no_wrap=True)
    table.add_column("P&L", justify="right", no_wrap=True)
    for trade in report.trades:
        if not trade.execution["contracts"]:
            continue
        for part in trade.rolled:
            table.add_row(*_rolled_cells(trade, part))
        table.add_row(*_trade_cells(trade))
    return table


def _trade_cells(trade: TradeReport) -> tuple[str, ...]:
    pnl = f"{trade.pnl:,.2f}" if trade.pnl is not None else f"({_open_value(trade):,.2f})"
    return (
        trade.symbol,
        STRATEGY_NAMES.get(trade.strategy, trade.strategy),
        _strikes(trade),
        trade.expiration[5:],
        str(trade.execution["contracts"]),
        f"{Decimal(trade.execution['credit']):.2f}",
        _exit_name(trade),
        pnl,
    )


def _open_value(trade: TradeReport) -> Decimal:
    """Sum up legs at mid and what was rolled out of; where shares came of one, all it earned."""
    value = sum((leg.unrealized_pnl or Decimal(0) for leg in trade.legs), trade.rolled_pnl)
    shares = trade.holdings["shares"]
    if shares is None:
        return value
    value += sum((leg.realized_pnl or Decimal(0) for leg in trade.legs), Decimal(0))
    earned = Decimal(shares["mark"] or shares["basis"]) - Decimal(shares["basis"])
    value += earned * int(shares["quantity"])
    return value + Decimal(trade.holdings["shares_realized"])


def _rolled_cells(trade: TradeReport, part: RolledPartReport) -> tuple[str, ...]:
    """Show what a trade rolled out of; what that came to is in the trade's own P&L."""
    contracts = [parse_occ_symbol(symbol) for symbol in part.option_symbols]
    return (
        trade.symbol,
        STRATEGY_NAMES.get(trade.strategy, trade.strategy),
        "/".join(f"{contract.strike.normalize():f}" for contract in contracts),
        part.expiration[5:],
        str(part.contracts),
        f"{part.credit:.2f}",
        EXIT_NAMES.get(part.exit_reason or "", part.exit_reason or ""),
        "",
    )


def _strikes(trade: TradeReport) -> str:
    """Give short before long strikes, and the puts before the calls."""
    sides: dict[str, list[str]] = {}
    for leg in trade.legs:
        right = leg.option_symbol[-9]
        sides.setdefault(right, []).append(f"{leg.strike.normalize():f}")
    return " ".join("/".join(sides[right]) for right in sorted(sides, reverse=True))


def _exit_name(trade: TradeReport) -> str:
    shares = trade.holdings["shares"]
    if shares is not None and trade.exit_reason is None:
        return f"{shares['quantity']} shares"
    reason = trade.exit_reason or trade.status
    return EXIT_NAMES.get(reason, reason)


def _plain(title: str) -> Table:
    table = Table(title=title, title_justify="left", show_header=False, box=SIMPLE)
    table.add_column()
    table.add_column(justify="right")
    return table


def _money(report: RehearsalReport) -> Table:
    table = _plain("Equity (USD)")
    change = report.equity_end - report.equity_start
    table.add_row("at the start", f"{report.equity_start:,.2f}")
    table.add_row("at the end, open trades at mid", f"{report.equity_end:,.2f}")
    table.add_row("change", f"{change:+,.2f}")
    return table


def _identity(report: RehearsalReport) -> Table:
    identity = report.cash_identity
    table = _plain("Cash identity (USD)")
    table.add_row("change of cash at the broker", f"{identity.cash_change:+,.4f}")
    table.add_row("realised P&L of closed trades", f"{identity.realized_pnl:+,.4f}")
    table.add_row("cash flows of open trades", f"{identity.open_cash_flows:+,.4f}")
    table.add_row("account fees beyond the trades' own", f"{-identity.account_fees:+,.4f}")
    table.add_row("difference", f"{identity.difference:+,.4f}")
    table.add_row("holds to the cent", "[green]yes[/]" if identity.holds else "[red]no[/]")
    return table


def _counts(report: RehearsalReport) -> Table:
    table = _plain("Counts")
    for name, number in (
        ("scans", report.scans),
        ("monitor passes", report.monitor_passes),
        ("candidates", report.candidates),
        ("signals", report.signals),
        ("entries", report.entries),
        ("orders", report.orders),
        ("fills", report.fills),
        ("reprices", report.reprices),
        ("alerts", report.alerts),
        ("days analysed", report.days_analyzed),
        ("weeks reviewed", report.weeks_reviewed),
    ):
        table.add_row(name, f"{number:,}")
    for function, kinds in report.failures.items():
        for kind, number in kinds.items():
            table.add_row(f"failed: {function}, {kind}", f"{number:,}")
    if report.rolls:
        table.add_row("rolls", f"{report.rolls:,}")
    for reason, number in report.exits.items():
        table.add_row(f"exits: {reason.replace('_', ' ')}", f"{number:,}")
    return table


def _reasons(title: str, reasons: Mapping[str, int]) -> Table:
    table = _plain(title)
    for reason, number in sorted(reasons.items(), key=lambda item: (-item[1], item[0])):
        table.add_row(reason.replace("_", " "), f"{number:,}")
    return table
