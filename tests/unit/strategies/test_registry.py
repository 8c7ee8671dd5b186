"""The strategies there are."""

from decimal import Decimal

from agent.config.settings import Settings
from agent.strategies.registry import strategies_for


def test_every_strategy_is_built_with_its_own_settings() -> None:
    settings = Settings.model_validate({"bull_put_spread": {"profit_target": "0.4"}})
    strategies = strategies_for(settings)
    assert strategies["bull_put_spread"].exit_rules.profit_target == Decimal("0.4")


def test_a_strategy_bears_the_name_it_is_registered_under() -> None:
    strategies = strategies_for(Settings())
    assert all(strategy.name == name for name, strategy in strategies.items())
    assert len({strategy.code for strategy in strategies.values()}) == len(strategies)
