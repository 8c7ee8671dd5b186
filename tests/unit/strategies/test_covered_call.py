"""Which calls may be written on shares, and what ends one."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from agent.book.holdings import Holdings, SharesHeld
from agent.book.records import Trade
from agent.book.states import ExitReason
from agent.config.settings import ExitSettings, Settings
from agent.config.strategy_settings import CoveredCallSettings
from agent.market.outlook import ReportOutlook
from agent.options.contracts import OptionType
from agent.options.structures import Leg, LegSide, Structure
from agent.strategies.covered_call import CoveredCall, strategy_of
from agent.strategies.exit_moment import ExitMoment
from agent.strategies.exits import ExitVerdict
from agent.strategies.registry import STRATEGIES, strategies_for
from tests.builders import AS_OF, SESSION, a_trade, an_execution
from tests.unit.strategies.market import FAR, NEAR, a_stock, a_view, call, quotes_of
from tests.unit.strategies.moments import a_mark, a_moment

BASIS = Decimal(195)
SETTINGS = CoveredCallSettings()
CALLS = CoveredCall(SETTINGS, BASIS)


def changed(**changes: object) -> CoveredCall:
    return CoveredCall(SETTINGS.model_copy(update=changes), BASIS)


def covering(strike: int = 210, **changes: Any) -> Trade:
    """Hold 200 shares that came at 195, and two calls on them sold at 2.00."""
    shares = SharesHeld(quantity=200, basis=BASIS, tax_basis=BASIS - 2, since=AS_OF)
    return a_trade(
        strategy="cash_secured_put",
        structure=Structure((Leg(call(strike), LegSide.SHORT),)),
        execution=an_execution(credit=Decimal("2.00")),
        holdings=Holdings(shares=shares, reason=ExitReason.ASSIGNED),
        **changes,
    )


def judged(
    strategy: CoveredCall, trade: Trade, moment: ExitMoment | None = None, **mark: Any
) -> ExitVerdict:
    now = moment or a_moment()
    return strategy.should_exit(trade, a_mark(now, **mark), now, ExitSettings())


def test_it_sells_one_call_within_its_delta_at_or_above_the_basis() -> None:
    outcome = CALLS.generate_signals(a_view())
    assert outcome.signals
    for signal in outcome.signals:
        (leg,) = signal.structure.legs
        assert (leg.side, leg.contract.option_type) == (LegSide.SHORT, OptionType.CALL)
        assert leg.contract.strike >= BASIS
        assert 0.20 <= signal.leg_deltas[0] <= 0.35
        assert signal.credit_min == signal.credit_natural
        assert signal.strategy == "covered_call"


def test_every_call_in_bounds_is_a_signal_or_a_counted_rejection() -> None:
    view = a_view()
    bounds = CALLS.chain_bounds(Decimal(200), SESSION)
    within = [quote for quote in view.chain.quotes if bounds.contains(quote.contract)]
    assert CALLS.generate_signals(view).candidates == len(within)


def test_a_strike_below_the_basis_is_dropped_unless_the_owner_says_so() -> None:
    dear = CoveredCall(SETTINGS, Decimal(230))
    outcome = dear.generate_signals(a_view())
    assert outcome.signals == ()
    assert outcome.rejections["strike_below_basis"] > 0
    allowed = replace(dear, settings=SETTINGS.model_copy(update={"below_basis": ("AAPL",)}))
    assert allowed.generate_signals(a_view()).signals


def test_a_low_or_unknown_iv_rank_is_no_reason_against_a_call() -> None:
    assert CALLS.generate_signals(a_view(iv_rank=3.0)).signals
    (first, *_) = CALLS.generate_signals(a_view(iv_rank=None)).signals
    assert first.iv_rank is None


def test_what_is_unknown_of_the_stock_is_one_rejection() -> None:
    old = a_stock(quoted_at=AS_OF - timedelta(hours=1))
    nameless = a_stock(bid=None, ask=None, last=None)
    found = [
        CALLS.generate_signals(view).rejections
        for view in (a_view(stock=nameless), a_view(stock=old), a_view(iv30=None))
    ]
    assert found == [
        Counter({"quote_missing": 1}),
        Counter({"underlying_quote_stale": 1}),
        Counter({"implied_volatility_unknown": 1}),
    ]


def test_a_premium_below_the_minimum_is_dropped() -> None:
    outcome = changed(credit_min=Decimal(9)).generate_signals(a_view())
    assert outcome.signals == ()
    assert outcome.rejections["credit_below_minimum"] > 0


def test_a_premium_that_the_market_gives_away_is_doubted() -> None:
    (best, *_) = CALLS.generate_signals(a_view()).signals
    contract = best.structure.legs[0].contract
    # A delta within bounds, and far more than its neighbours say it is worth.
    dear = {contract: {"bid": Decimal("9.80"), "ask": Decimal("10.00")}}
    wide = changed(short_delta_max=0.99)
    outcome = wide.generate_signals(a_view(changes=dear))
    assert outcome.rejections["expected_value_implausible"] == 1


def test_days_are_bounded_and_an_empty_chain_is_counted() -> None:
    far = a_view(quotes_of(expirations=[SESSION + timedelta(days=46)]))
    assert CALLS.generate_signals(far).rejections == Counter({"chain_empty": 1})


def test_a_report_is_in_the_way_only_where_the_owner_says_so() -> None:
    report = ReportOutlook(known=NEAR - timedelta(days=3))
    assert CALLS.generate_signals(a_view(report=report)).signals
    strict = changed(earnings_in_life=False).generate_signals(a_view(report=report))
    assert strict.signals == ()
    assert strict.rejections["earnings_in_life"] > 0


def test_calls_are_ranked_by_what_they_are_expected_to_earn() -> None:
    scores = [signal.score for signal in CALLS.generate_signals(a_view()).signals]
    assert scores == sorted(scores, reverse=True)
    assert len({FAR, NEAR}) == 2


def test_no_setting_can_name_it_as_a_strategy_that_enters() -> None:
    assert CoveredCall.name not in STRATEGIES
    with pytest.raises(ValueError, match="no strategy 'covered_call'"):
        strategies_for(Settings(strategies=("covered_call",)))


def test_a_trade_follows_the_rules_of_its_call_as_long_as_it_has_one() -> None:
    settings = Settings()
    strategies = strategies_for(settings)
    assert strategy_of(covering(), strategies, settings) == CoveredCall(SETTINGS, BASIS)
    put = a_trade(strategy="cash_secured_put")
    assert strategy_of(put, strategies, settings) is strategies["cash_secured_put"]


def test_the_profit_target_is_that_of_the_call_alone() -> None:
    verdict = judged(CALLS, covering(), debit_natural=Decimal("1.00"), debit=Decimal("0.95"))
    assert verdict.decision is not None
    assert verdict.decision.reason is ExitReason.PROFIT_TARGET


def test_nothing_stops_a_call_but_a_level_that_the_owner_set() -> None:
    dear: dict[str, Any] = {
        "debit": Decimal(30),
        "debit_natural": Decimal(31),
        "underlying_price": Decimal(240),
    }
    assert judged(CALLS, covering(), **dear).decision is None
    moved = covering(stop_debit=Decimal(20))
    verdict = judged(CALLS, moved, **dear)
    assert verdict.decision is not None
    assert verdict.decision.reason is ExitReason.STOP_LOSS


def test_a_call_is_out_before_it_expires_unless_it_may_be_assigned() -> None:
    short_life = covering()
    late = a_moment(following=NEAR - timedelta(days=3))
    verdict = judged(CALLS, short_life, moment=late)
    assert verdict.decision is not None
    assert verdict.decision.reason is ExitReason.EXPIRATION_NEAR
    accepting = changed(accept_assignment=("AAPL",))
    assert judged(accepting, short_life, moment=late).decision is None


def test_ranges_that_are_upside_down_are_refused() -> None:
    with pytest.raises(ValidationError, match="short_delta"):
        CoveredCallSettings(short_delta_min=0.5, short_delta_max=0.3)
    with pytest.raises(ValidationError, match="dte"):
        CoveredCallSettings(dte_min=40, dte_max=30)
