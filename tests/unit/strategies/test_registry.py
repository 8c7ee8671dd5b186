"""The strategies there are."""

from decimal import Decimal

import pytest
from pydantic import ValidationError

from agent.config.section import SettingsInvalid
from agent.config.settings import Settings
from agent.strategies.registry import entering, strategies_for


def test_every_strategy_is_built_with_its_own_settings() -> None:
    settings = Settings.model_validate(
        {
            "bull_put_spread": {"profit_target": "0.4"},
            "cash_secured_put": {"stop_loss": "3"},
            "iron_condor": {"exit_below_dte": 10},
            "added_strategies": {"bear_call_spread": {"profit_target": "0.7"}},
        }
    )
    strategies = strategies_for(settings)
    assert strategies["bull_put_spread"].exit_rules.profit_target == Decimal("0.4")
    assert strategies["cash_secured_put"].exit_rules.stop_loss == Decimal(3)
    assert strategies["iron_condor"].exit_rules.exit_below_dte == 10
    assert strategies["bear_call_spread"].exit_rules.profit_target == Decimal("0.7")


def test_a_strategy_bears_the_name_it_is_registered_under() -> None:
    strategies = strategies_for(Settings())
    assert all(strategy.name == name for name, strategy in strategies.items())
    assert len({strategy.code for strategy in strategies.values()}) == len(strategies)


def test_only_the_strategies_that_settings_name_may_enter() -> None:
    settings = Settings(strategies=("iron_condor", "bull_put_spread"))
    strategies = strategies_for(settings)
    found = [strategy.name for strategy in entering(strategies, settings)]
    assert found == ["iron_condor", "bull_put_spread"]
    assert "cash_secured_put" in strategies


def test_a_strategy_that_does_not_exist_is_named() -> None:
    with pytest.raises(SettingsInvalid, match="no strategy 'bull_put'; there are bear_call_spread"):
        strategies_for(Settings(strategies=("bull_put",)))
    with pytest.raises(SettingsInvalid, match="no strategy 'wheel'"):
        strategies_for(Settings(added_strategies={"wheel": {}}))


@pytest.mark.parametrize(
    "parameters", [{"short_delta_min": 0.4}, {"width_min": 20}, {"dte_min": 60}, {"delta": 0.2}]
)
def test_wrong_parameters_of_an_added_strategy_are_refused(parameters: dict[str, float]) -> None:
    settings = Settings.model_validate({"added_strategies": {"bear_call_spread": parameters}})
    with pytest.raises(SettingsInvalid, match=r"added_strategies\.bear_call_spread\."):
        strategies_for(settings)


@pytest.mark.parametrize(
    "section",
    [
        {"bull_put_spread": {"short_delta_min": -0.1}},
        {"bull_put_spread": {"width_max": 1}},
        {"cash_secured_put": {"short_delta_max": -0.5}},
        {"cash_secured_put": {"accept_assignment": ["MRK"]}},
        {"iron_condor": {"put_delta_min": -0.1}},
        {"iron_condor": {"call_delta_max": 0.1}},
        {"iron_condor": {"dte_max": 20}},
        {"strategies": []},
        {"watchlist": ["aapl"]},
        {"watchlist": ["AAPL, MSFT"]},
        {"market": {"price_min": 600}},
        {"market": {"iv_history_sessions_min": 300}},
    ],
)
def test_settings_that_contradict_themselves_are_refused(section: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(section)
