"""What the cash-secured put enters."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest

from agent.config.settings import Settings
from agent.config.strategy_settings import CashSecuredPutSettings
from agent.options.contracts import OptionType
from agent.options.structures import LegSide
from agent.risk.sizing import is_short_put, signal_exposure
from agent.strategies.cash_secured_put import CashSecuredPut
from tests.builders import SESSION
from tests.unit.strategies.market import FAR, NEAR, a_view, put, quotes_of

OWNED = CashSecuredPutSettings(willing_to_own=("AAPL",))
PUTS = CashSecuredPut(OWNED)


def test_it_sells_one_put_within_its_delta() -> None:
    outcome = PUTS.generate_signals(a_view())
    found = {
        (signal.structure.expiration, signal.structure.short_strikes[0])
        for signal in outcome.signals
    }
    assert found == {(NEAR, Decimal(190)), (FAR, Decimal(190)), (FAR, Decimal(185))}
    for signal in outcome.signals:
        (leg,) = signal.structure.legs
        assert (leg.side, leg.contract.option_type) == (LegSide.SHORT, OptionType.PUT)
        assert is_short_put(signal.structure)
        assert -0.30 <= signal.leg_deltas[0] <= -0.20
        assert signal.strategy == "cash_secured_put"
        assert signal.credit_min == signal.credit_natural


def test_a_stock_one_would_not_own_is_one_counted_rejection() -> None:
    outcome = CashSecuredPut(CashSecuredPutSettings()).generate_signals(a_view())
    assert outcome.signals == ()
    assert outcome.rejections == Counter({"not_willing_to_own": 1})


def test_every_put_in_bounds_is_a_signal_or_a_counted_rejection() -> None:
    view = a_view()
    bounds = PUTS.chain_bounds(Decimal(200), SESSION)
    within = [quote for quote in view.chain.quotes if bounds.contains(quote.contract)]
    assert PUTS.generate_signals(view).candidates == len(within)


def test_a_premium_below_the_minimum_is_dropped() -> None:
    strict = CashSecuredPut(OWNED.model_copy(update={"credit_min": Decimal("3.50")}))
    outcome = strict.generate_signals(a_view())
    assert outcome.rejections["credit_below_minimum"] == 2
    assert len(outcome.signals) == 1


def test_a_thin_put_is_named_by_what_it_lacks() -> None:
    view = a_view(changes={put(190): {"open_interest": None}})
    assert PUTS.generate_signals(view).rejections["open_interest_unknown"] == 1


def test_a_symbol_that_fails_is_one_candidate() -> None:
    outcome = PUTS.generate_signals(a_view(iv_rank=10.0))
    assert outcome.rejections == Counter({"iv_rank_low": 1})


@pytest.mark.parametrize(("dte", "found"), [(29, False), (30, True), (45, True), (46, False)])
def test_the_days_to_expiration_are_bounded_inclusively(dte: int, *, found: bool) -> None:
    view = a_view(quotes_of(expirations=[SESSION + timedelta(days=dte)]))
    outcome = PUTS.generate_signals(view)
    assert bool(outcome.signals) is found
    assert outcome.rejections["chain_empty"] == int(not found)


def test_it_ranks_by_what_the_sizing_loss_earns() -> None:
    view = a_view()
    best, *others = PUTS.generate_signals(view).signals
    assert all(best.score >= other.score for other in others)
    assert signal_exposure(best, Settings()).sizing_loss > Decimal(2_000)


def test_assignment_is_accepted_only_where_it_is_named() -> None:
    rules = CashSecuredPut(OWNED.model_copy(update={"accept_assignment": ("AAPL",)}))
    assert rules.exit_rules_for("AAPL").may_be_assigned
    assert not rules.exit_rules_for("MSFT").may_be_assigned
    assert not PUTS.exit_rules_for("AAPL").may_be_assigned
