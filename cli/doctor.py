"""`options-agent doctor`: whether a configuration can trade, and how large an account it needs."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from agent.config.section import SettingsInvalid
from agent.config.settings import Settings
from agent.config.sources import load_settings
from agent.options.contracts import OptionContract, OptionType
from agent.options.structures import Leg, LegSide, Structure
from agent.risk.sizing import ContractExposure, smallest_account, structure_exposure
from cli.options import ConfigOption, EnvFileOption, SetOption, parse_assignments
from cli.problems import ReportedProblem

if TYPE_CHECKING:
    from agent.strategies.strategy import Strategy

LINE_WIDTH = 80
SPOT = Decimal(100)
USUAL_CREDIT_FRACTION = Decimal("0.20")
"""Of the width, each side: about what a short delta of 0.25 brings."""
PUT_SPOTS = (Decimal(20), Decimal(50), Decimal(100))
OUT_OF_THE_MONEY_FRACTION = Decimal("0.05")
PUT_CREDIT_FRACTION = Decimal("0.015")
"""Of the strike: about what such a put brings a month before its end."""
THOUSAND = Decimal(1000)
ANY_DAY = date(2030, 1, 18)
"""No loss below depends on the expiration."""


@dataclass(frozen=True)
class Need:
    """Say what one contract of a structure takes of an account, in dollars."""

    strategy: str
    structure: str
    credit: Decimal
    exposure: ContractExposure
    account: Decimal | None


def doctor(
    *,
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    settings: SetOption = None,
    equity: Annotated[
        float | None, typer.Option(min=0, help="Say of each structure whether this account can.")
    ] = None,
) -> None:
    """Check the configuration, and say how large an account each structure needs."""
    try:
        found = load_settings(config, env_file, parse_assignments(settings or ()))
        needed = list(needs(found))
    except SettingsInvalid as problem:
        raise ReportedProblem(str(problem)) from problem
    console = Console(width=LINE_WIDTH, highlight=False)
    console.print(_table(needed, None if equity is None else Decimal(str(equity))))
    for sentence in remarks(found):
        typer.echo(textwrap.fill(f"- {sentence}", LINE_WIDTH, subsequent_indent="  "))


def needs(settings: Settings) -> Iterator[Need]:
    """Measure one contract of what each strategy that enters would sell."""
    for strategy in _entering(settings):
        for name, structure, credit, spot in _examples(strategy, settings):
            exposure = structure_exposure(
                structure,
                credit_min=credit,
                credit_max=credit,
                underlying_price=spot,
                settings=settings,
            )
            account = smallest_account(exposure, settings.risk)
            yield Need(strategy.name, name, credit, exposure, account)


def remarks(settings: Settings) -> Iterator[str]:
    """Name what a configuration that is valid may still not mean."""
    yield from _remarks_on_real_money(settings)
    if "cash_secured_put" in settings.strategies and not settings.cash_secured_put.willing_to_own:
        yield "It sells no puts alone: cash_secured_put.willing_to_own names no symbol."
    yield from _remarks_on_shares(settings)
    if settings.market.earnings_unknown == "block" and not settings.market.symbols_without_reports:
        yield (
            "Each symbol needs report dates on record before it is entered: earnings_unknown is"
            " block."
        )
    if not settings.market.rate_curve:
        yield f"Every rate is {settings.market.risk_free_rate}: market.rate_curve is empty."
    if not settings.risk.betas:
        yield "Every beta counts as 1.0: risk.betas names no symbol."
    if not settings.risk.losing_streak_max:
        yield "No losing streak pauses entries: risk.losing_streak_max is 0."
    for strategy in _entering(settings):
        for name, structure, credit, _ in _examples(strategy, settings):
            warning = _out_of_reach(strategy, structure, credit)
            if warning is not None:
                yield f"{strategy.name}, {name} for {credit:.2f}: {warning}"


def _remarks_on_real_money(settings: Settings) -> Iterator[str]:
    if settings.live_trading:
        yield "It trades real money: live_trading is set."
    if settings.live_trading and not settings.market.quotes_are_consolidated:
        yield (
            "It enters nothing: real money takes market.stock_feed sip and market.option_feed opra."
        )


def _remarks_on_shares(settings: Settings) -> Iterator[str]:
    """Say what becomes of assigned shares where settings contradict or loosen one another."""
    exits, calls = settings.exits, settings.covered_call
    puts = settings.cash_secured_put
    known = {"cash_secured_put", *puts.willing_to_own}
    for name in exits.cover_assigned_shares:
        if name not in known:
            yield (
                f"No call is written for {name}: exits.cover_assigned_shares names it, and it is"
                " neither cash_secured_put nor in cash_secured_put.willing_to_own."
            )
        elif name in exits.sell_assigned_shares:
            yield f"Shares of {name} are sold, no call is written: exits.sell_assigned_shares."
    for symbol in calls.below_basis if exits.cover_assigned_shares else ():
        yield f"Calls on {symbol} may be struck below the put's strike: covered_call.below_basis."


def _entering(settings: Settings) -> "Iterator[Strategy]":
    # They bring numpy and scipy, which --help starts faster without.
    from agent.strategies.registry import entering, strategies_for  # noqa: PLC0415

    yield from entering(strategies_for(settings), settings)


def _out_of_reach(strategy: "Strategy", structure: Structure, credit: Decimal) -> str | None:
    from agent.strategies.strikes import unreachable_stop  # noqa: PLC0415

    return unreachable_stop(structure, credit, strategy.exit_rules.stop_loss)


def _examples(
    strategy: "Strategy", settings: Settings
) -> Iterator[tuple[str, Structure, Decimal, Decimal]]:
    """Give what a strategy may sell: a name, the structure, its credit, the price of the stock."""
    from agent.strategies.cash_secured_put import CashSecuredPut  # noqa: PLC0415
    from agent.strategies.iron_condor import IronCondor  # noqa: PLC0415
    from agent.strategies.vertical_spread import VerticalSpread  # noqa: PLC0415

    if isinstance(strategy, VerticalSpread):
        rules = strategy.settings
        for width in sorted({rules.width_min, rules.width_max}):
            credit = max(rules.credit_min, USUAL_CREDIT_FRACTION * width)
            yield f"{width.normalize():f} wide", _vertical(width, OptionType.PUT), credit, SPOT
    elif isinstance(strategy, IronCondor):
        width = strategy.settings.width
        credit = max(strategy.settings.credit_min, 2 * USUAL_CREDIT_FRACTION * width)
        sides = (_vertical(width, OptionType.PUT), _vertical(width, OptionType.CALL))
        condor = Structure(tuple(leg for side in sides for leg in side.legs))
        yield f"{width.normalize():f} wide", condor, credit, SPOT
    elif isinstance(strategy, CashSecuredPut):
        for spot in (spot for spot in PUT_SPOTS if spot <= settings.market.price_max):
            strike = spot * (1 - OUT_OF_THE_MONEY_FRACTION)
            credit = max(strategy.settings.credit_min, PUT_CREDIT_FRACTION * strike)
            put = Structure((_leg(strike, OptionType.PUT, LegSide.SHORT),))
            yield f"stock at {spot:f}", put, credit, spot


def _vertical(width: Decimal, option_type: OptionType) -> Structure:
    away = -1 if option_type is OptionType.PUT else 1
    short = (SPOT * (1 + away * OUT_OF_THE_MONEY_FRACTION)).to_integral_value()
    return Structure(
        (
            _leg(short, option_type, LegSide.SHORT),
            _leg(short + away * width, option_type, LegSide.LONG),
        )
    )


def _leg(strike: Decimal, option_type: OptionType, side: LegSide) -> Leg:
    return Leg(OptionContract("ANY", ANY_DAY, option_type, strike), side)


def _table(found: list[Need], equity: Decimal | None) -> Table:
    table = Table(
        title="One contract, and the smallest account that can trade it (USD)",
        box=SIMPLE_HEAD,
        title_justify="left",
        padding=(0, 1, 0, 0),
    )
    for column in ("Strategy", "Structure"):
        table.add_column(column, no_wrap=True)
    for column in ("Credit", "Loss", "Capital", "Account"):
        table.add_column(column, justify="right", no_wrap=True)
    if equity is not None:
        table.add_column(f"At {equity:,.0f}", justify="right", no_wrap=True)
    for need in found:
        account = "none" if need.account is None else f"{_rounded_up(need.account):,}"
        row = [
            need.strategy.replace("_", " "),
            need.structure,
            f"{need.credit:.2f}",
            f"{need.exposure.sizing_loss:,.0f}",
            f"{need.exposure.capital:,.0f}",
            account,
        ]
        if equity is not None:
            row.append("yes" if need.account is not None and equity >= need.account else "no")
        table.add_row(*row)
    return table


def _rounded_up(account: Decimal) -> int:
    """Round up to whole thousands: more would be precision that no estimate has."""
    return int((account / THOUSAND).to_integral_value(ROUND_CEILING) * THOUSAND)
