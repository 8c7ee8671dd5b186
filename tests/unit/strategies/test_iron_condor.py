"""What the iron condor enters."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal

from agent.config.settings import Settings
from agent.config.strategy_settings import IronCondorSettings
from agent.options.contracts import OptionType
from agent.options.structures import LegSide
from agent.risk.sizing import signal_exposure
from agent.strategies.iron_condor import IronCondor
from tests.builders import SESSION
from tests.unit.strategies.market import NEAR, a_view, call, put, quotes_of

CONDOR = IronCondor(IronCondorSettings())


def test_it_sells_a_put_and_a_call_and_owns_the_next_ones_out() -> None:
    outcome = CONDOR.generate_signals(a_view())
    assert outcome.signals
    for signal in outcome.signals:
        short_put, long_put, short_call, long_call = (
            leg.contract.strike for leg in signal.structure.legs
        )
        assert long_put + 5 == short_put < Decimal(200) < short_call == long_call - 5
        assert len({leg.contract.expiration for leg in signal.structure.legs}) == 1
        assert [leg.side for leg in signal.structure.legs] == [LegSide.SHORT, LegSide.LONG] * 2
        assert -0.20 <= signal.leg_deltas[0] <= -0.15
        assert 0.15 <= signal.leg_deltas[2] <= 0.20


def test_the_most_at_stake_is_one_side_less_the_credit_of_both() -> None:
    signal = CONDOR.generate_signals(a_view()).signals[0]
    assert signal.max_loss == Decimal(5) - signal.credit_mid
    exposure = signal_exposure(signal, Settings())
    assert exposure.capital == (Decimal(5) - signal.credit_min) * 100


def test_its_credit_is_that_of_both_sides_together() -> None:
    rich = IronCondor(IronCondorSettings(credit_min=Decimal("3.00")))
    outcome = rich.generate_signals(a_view())
    assert outcome.signals == ()
    assert outcome.rejections["credit_below_minimum"] == len(
        CONDOR.generate_signals(a_view()).signals
    )


def test_a_side_without_a_counterpart_is_dropped_for_it() -> None:
    puts_only = [quote for quote in quotes_of() if quote.contract.option_type is OptionType.PUT]
    outcome = CONDOR.generate_signals(a_view(puts_only))
    assert outcome.signals == ()
    assert outcome.rejections["other_side_missing"] > 0
    calls_only = [quote for quote in quotes_of() if quote.contract.option_type is OptionType.CALL]
    assert CONDOR.generate_signals(a_view(calls_only)).rejections["other_side_missing"] > 0


def test_sides_that_are_both_missing_are_counted_by_their_own_reasons() -> None:
    itm = [quote for quote in quotes_of() if quote.contract.strike in {Decimal(195), Decimal(200)}]
    outcome = CONDOR.generate_signals(a_view(itm))
    assert set(outcome.rejections) == {"short_delta_out_of_range"}
    assert outcome.rejections.total() == len(itm)


def test_an_expiration_that_quotes_one_leg_too_few_makes_no_condor() -> None:
    later = NEAR + timedelta(days=2)
    quotes = quotes_of(expirations=[NEAR, later])
    clean = CONDOR.generate_signals(a_view(quotes))
    spoilt = {call(strike, NEAR): {"bid": None} for strike in range(200, 265, 5)}
    outcome = CONDOR.generate_signals(a_view(quotes, changes=spoilt))
    assert {signal.structure.expiration for signal in clean.signals} == {NEAR, later}
    assert {signal.structure.expiration for signal in outcome.signals} == {later}


def test_a_stop_that_the_width_puts_out_of_reach_is_said() -> None:
    view = a_view(quotes_of(expirations=[NEAR]))
    patient = IronCondor(IronCondorSettings(stop_loss=Decimal(9)))
    assert not any(signal.warnings for signal in CONDOR.generate_signals(view).signals)
    for signal in patient.generate_signals(view).signals:
        (warning,) = signal.warnings
        assert warning.endswith("a spread 5 wide never costs more than that to close.")


def test_an_empty_chain_and_a_failed_symbol_say_so() -> None:
    empty = CONDOR.generate_signals(a_view(quotes_of(expirations=[SESSION])))
    assert empty.rejections == Counter({"chain_empty": 1})
    failed = CONDOR.generate_signals(a_view(iv30=None))
    assert failed.rejections == Counter({"implied_volatility_unknown": 1})


def test_it_asks_for_both_sides_of_the_chain() -> None:
    bounds = CONDOR.chain_bounds(Decimal(200), SESSION)
    assert bounds.option_type is None
    assert (bounds.strike_min, bounds.strike_max) == (Decimal(125), Decimal(285))
    assert bounds.contains(put(125))
    assert bounds.contains(call(285))
    assert not bounds.contains(call(290))


def test_it_is_closed_when_either_side_is_breached() -> None:
    assert CONDOR.exit_rules.exit_on_breach
    assert not CONDOR.exit_rules.rolls
