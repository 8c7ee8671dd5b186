"""What the bear call spread enters: the strategy that was added by one file and one line."""

from decimal import Decimal

from agent.config.settings import Settings
from agent.options.contracts import OptionType
from agent.options.structures import LegSide
from agent.strategies.bear_call_spread import BearCallSpread
from tests.builders import SESSION
from tests.unit.strategies.market import a_view, call, put

CALLS = BearCallSpread.of(Settings())


def test_it_sells_a_call_and_owns_a_higher_one() -> None:
    outcome = CALLS.generate_signals(a_view())
    assert outcome.signals
    for signal in outcome.signals:
        short, long = signal.structure.legs
        assert (short.side, long.side) == (LegSide.SHORT, LegSide.LONG)
        assert short.contract.option_type is long.contract.option_type is OptionType.CALL
        assert Decimal(5) <= long.contract.strike - short.contract.strike <= Decimal(10)
        assert 0.20 <= signal.leg_deltas[0] <= 0.30
        assert signal.strategy == "bear_call_spread"


def test_it_asks_for_the_calls_it_may_need() -> None:
    bounds = CALLS.chain_bounds(Decimal(200), SESSION)
    assert (bounds.strike_min, bounds.strike_max) == (Decimal(180), Decimal(290))
    assert bounds.contains(call(290))
    assert not bounds.contains(put(200))


def test_it_obeys_the_parameters_that_settings_give_it() -> None:
    settings = Settings.model_validate(
        {"added_strategies": {"bear_call_spread": {"width_min": "10"}}}
    )
    outcome = BearCallSpread.of(settings).generate_signals(a_view())
    assert outcome.signals
    assert {signal.structure.width for signal in outcome.signals} == {Decimal(10)}


def test_it_does_not_enter_unless_settings_name_it() -> None:
    assert CALLS.name not in Settings().strategies
