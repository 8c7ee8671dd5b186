"""The strategies there are: a new one is a file of its own and a line here."""

from collections.abc import Callable, Mapping

from agent.config.settings import Settings
from agent.strategies.bull_put_spread import BullPutSpread
from agent.strategies.strategy import Strategy

STRATEGIES: Mapping[str, Callable[[Settings], Strategy]] = {
    BullPutSpread.name: lambda settings: BullPutSpread(settings.bull_put_spread),
}


def strategies_for(settings: Settings) -> Mapping[str, Strategy]:
    """Build every registered strategy with its settings, by name."""
    return {name: build(settings) for name, build in STRATEGIES.items()}
