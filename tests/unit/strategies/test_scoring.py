"""How signals are compared."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from agent.book.intents import Signal
from agent.config.settings import Settings
from agent.config.strategy_settings import BullPutSpreadSettings
from agent.strategies.bull_put_spread import BullPutSpread
from agent.strategies.scoring import assumed_credit, expected_payoff_per_share
from agent.strategies.screening import Rejection
from agent.strategies.signals import ranked
from tests.builders import a_put_spread, a_signal
from tests.unit.strategies.market import a_view, model_mid, put

SPREAD = BullPutSpread(BullPutSpreadSettings())


def best(**settings: object) -> Signal:
    view = a_view(settings=Settings.model_validate(settings))
    return SPREAD.generate_signals(view).signals[0]


def test_a_certain_price_pays_what_the_structure_pays_there() -> None:
    spread = a_put_spread(short_strike="190", long_strike="185")
    for spot in (150.0, 187.0, 210.0):
        found = expected_payoff_per_share(spread, forward=spot, volatility=0.0, time_years=0.1)
        assert found == pytest.approx(float(spread.payoff_per_share(Decimal(spot))))


def test_the_mean_payoff_agrees_with_the_sum_over_the_distribution() -> None:
    spread = a_put_spread()
    deviation = 0.25 * 0.1**0.5
    draws = np.linspace(-8.0, 8.0, 400_001)
    weights = np.exp(-0.5 * draws**2)
    prices = 195.0 * np.exp(deviation * draws - 0.5 * deviation**2)
    payoff = np.maximum(185.0 - prices, 0.0) - np.maximum(190.0 - prices, 0.0)
    by_sum = float((payoff * weights).sum() / weights.sum())
    found = expected_payoff_per_share(spread, forward=195.0, volatility=0.25, time_years=0.1)
    assert found == pytest.approx(by_sum, abs=1e-6)


def test_the_fill_is_assumed_on_the_way_from_mid_to_natural() -> None:
    assert assumed_credit(Decimal("1.20"), Decimal("1.00"), Settings()) == Decimal("1.14")


def test_a_market_that_moves_as_implied_earns_less_than_its_costs() -> None:
    fair = best(ranking={"realised_volatility_ratio": "1.0"})
    assert -0.02 < fair.score < 0.0


def test_premium_is_worth_more_the_less_the_stock_is_forecast_to_move() -> None:
    calm = best(ranking={"realised_volatility_ratio": "0.8"})
    wild = best(ranking={"realised_volatility_ratio": "1.1"})
    assert calm.score > wild.score


def test_fees_lower_the_score() -> None:
    assert best(fees={"commission_per_contract": "5"}).score < best().score


def test_a_wider_quote_lowers_the_score_of_its_spreads() -> None:
    def score(width: str) -> float:
        mid = model_mid(put(190))
        half = Decimal(width) / 2
        view = a_view(changes={put(190): {"bid": mid - half, "ask": mid + half}})
        return next(
            signal.score
            for signal in SPREAD.generate_signals(view).signals
            if signal.dte == 31 and signal.structure.width == 5
        )

    assert score("0.20") < score("0.04")


def test_without_a_forward_no_value_can_be_expected() -> None:
    view = a_view()
    bare = replace(view, analytics=replace(view.analytics, forwards={}))
    outcome = SPREAD.generate_signals(bare)
    assert not outcome.signals
    assert outcome.rejections[Rejection.EXPECTED_VALUE_UNKNOWN] > 0


def test_equal_scores_are_ordered_by_expiration_short_strike_and_width() -> None:
    spreads = [
        a_signal(structure=a_put_spread(short_strike=short, long_strike=long), score=1.0)
        for short, long in (("190", "180"), ("195", "190"), ("190", "185"), ("185", "180"))
    ]
    best_of_all = a_signal(score=2.0)
    found = ranked([*spreads, best_of_all])
    assert found[0] is best_of_all
    assert [signal.structure.short_strikes[0] for signal in found[1:]] == [185, 190, 190, 195]
    assert [signal.structure.width for signal in found[2:4]] == [5, 10]
    assert ranked(list(reversed(spreads))) == ranked(spreads)
