"""The strategies there are: a new one is a file of its own and a line here."""

from collections.abc import Callable, Mapping

from pydantic import ValidationError

from agent.config.section import SettingsInvalid, describe_errors
from agent.config.settings import Settings
from agent.strategies.bear_call_spread import BearCallSpread
from agent.strategies.bull_put_spread import BullPutSpread
from agent.strategies.cash_secured_put import CashSecuredPut
from agent.strategies.iron_condor import IronCondor
from agent.strategies.strategy import Strategy

STRATEGIES: Mapping[str, Callable[[Settings], Strategy]] = {
    BullPutSpread.name: lambda settings: BullPutSpread(settings.bull_put_spread),
    CashSecuredPut.name: lambda settings: CashSecuredPut(settings.cash_secured_put),
    IronCondor.name: lambda settings: IronCondor(settings.iron_condor),
    BearCallSpread.name: BearCallSpread.of,
}


def strategies_for(settings: Settings) -> Mapping[str, Strategy]:
    """Build every strategy there is, by name: a trade is left by the one that entered it.

    Raises SettingsInvalid where settings name a strategy or parameters that do not exist.
    """
    named = (*settings.strategies, *settings.added_strategies)
    unknown = sorted(set(named) - STRATEGIES.keys())
    if unknown:
        raise SettingsInvalid(
            f"no strategy {unknown[0]!r}; there are {', '.join(sorted(STRATEGIES))}"
        )
    return {name: _built(name, settings) for name in STRATEGIES}


def _built(name: str, settings: Settings) -> Strategy:
    try:
        return STRATEGIES[name](settings)
    except ValidationError as error:
        raise SettingsInvalid(f"added_strategies.{name}.{describe_errors(error)}") from error


def entering(strategies: Mapping[str, Strategy], settings: Settings) -> tuple[Strategy, ...]:
    """Give the strategies that may enter, in the order that settings name them."""
    return tuple(strategies[name] for name in settings.strategies)
