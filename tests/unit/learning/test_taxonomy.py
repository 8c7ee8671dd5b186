"""Each tag of the error taxonomy, by what earns it and what does not."""

from decimal import Decimal
from typing import Any

import pytest

from agent.book.records import Trade
from agent.book.states import ExitReason, TradeStatus
from agent.config.settings import LearningSettings
from agent.learning.attribution import Attribution
from agent.learning.taxonomy import error_tags
from tests.builders import a_snapshot, a_trade, an_execution

IV_RANK_MIN = 25.0


def a_loss(**changes: Any) -> Trade:
    """Lose 150 of a sizing loss of 480, held 13 days, from a good entry that filled at mid."""
    execution = {
        "contracts_closed": 2,
        "entry_slippage": Decimal(0),
        "exit_slippage": Decimal(0),
        **changes.pop("execution", {}),
    }
    parts: dict[str, Any] = {
        "pnl": Decimal(-150),
        "exit_reason": ExitReason.STOP_LOSS,
        "execution": an_execution(**execution),
        "params": {"credit_min": "0.30"},
        "market_snapshot": a_snapshot(iv_rank=60.0),
    }
    return a_trade(TradeStatus.CLOSED, **parts | changes)


def tags(trade: Trade, attribution: Attribution | None = None, **learning: Any) -> tuple[str, ...]:
    return error_tags(
        trade,
        attribution,
        iv_rank_min=IV_RANK_MIN,
        learning=LearningSettings(**learning),
    )


def test_a_profit_without_fault_has_no_error() -> None:
    assert tags(a_loss(pnl=Decimal(100))) == ("no_error",)
    assert tags(a_loss(pnl=Decimal(0))) == ("no_error",)


def test_a_loss_that_no_rule_explains_says_so() -> None:
    assert tags(a_loss()) == ("unexplained_loss",)


@pytest.mark.parametrize("pnl", [Decimal(100), Decimal(-150)])
def test_fills_that_gave_up_a_fifth_of_the_credit_are_an_error_of_any_trade(pnl: Decimal) -> None:
    # The credit is 1.20: more than 0.24 a share must be given up.
    worse = {"entry_slippage": Decimal("0.10"), "exit_slippage": Decimal("0.15")}
    enough = {"entry_slippage": Decimal("0.10"), "exit_slippage": Decimal("0.14")}
    assert tags(a_loss(pnl=pnl, execution=worse)) == ("liquidity_execution",)
    assert "liquidity_execution" not in tags(a_loss(pnl=pnl, execution=enough))


def test_unknown_slippage_is_not_held_against_a_trade() -> None:
    unknown = {"entry_slippage": None, "exit_slippage": None}
    assert tags(a_loss(pnl=Decimal(9), execution=unknown)) == ("no_error",)


def test_an_exit_that_took_a_second_attempt_executed_poorly() -> None:
    assert tags(a_loss(pnl=Decimal(9), close_attempts=2)) == ("liquidity_execution",)
    assert tags(a_loss(pnl=Decimal(9), close_attempts=1)) == ("no_error",)


def test_a_loss_above_what_the_size_was_chosen_for_is_one_of_risk_policy() -> None:
    assert tags(a_loss(pnl=Decimal("-480.01"))) == ("risk_policy",)
    assert "risk_policy" not in tags(a_loss(pnl=Decimal(-480)))


def test_a_loss_from_an_iv_rank_that_barely_passed_is_one_of_entry_quality() -> None:
    def at_rank(rank: float) -> tuple[str, ...]:
        return tags(a_loss(market_snapshot=a_snapshot(iv_rank=rank)))

    assert at_rank(29.9) == ("entry_quality",)
    assert "entry_quality" not in at_rank(30.0)


def test_a_loss_from_a_credit_that_barely_passed_is_one_of_entry_quality() -> None:
    assert tags(a_loss(params={"credit_min": "1.10"})) == ("entry_quality",)  # 1.20 < 1.21
    assert tags(a_loss(params={"credit_min": "1.05"})) == ("unexplained_loss",)


@pytest.mark.parametrize("params", [{}, {"credit_min": None}, {"credit_min": "a lot"}])
def test_an_unknown_least_credit_is_not_held_against_a_trade(params: dict[str, Any]) -> None:
    assert tags(a_loss(params=params)) == ("unexplained_loss",)


def test_a_loss_at_once_or_for_want_of_time_is_one_of_timing() -> None:
    assert tags(a_loss(days_held=2)) == ("timing",)
    assert tags(a_loss(days_held=3)) == ("unexplained_loss",)
    assert tags(a_loss(exit_reason=ExitReason.EXPIRATION_NEAR)) == ("timing",)


def test_the_cause_that_made_half_of_what_went_against_a_loss_is_named() -> None:
    by_volatility = Attribution(volatility=-160, time=50, underlying=-39, fees=-1, residual=0.0)
    by_underlying = Attribution(volatility=-39, time=50, underlying=-160, fees=-1, residual=0.0)
    by_both = Attribution(volatility=-100, time=50, underlying=-100, fees=0, residual=0.0)
    by_neither = Attribution(volatility=-10, time=-130, underlying=-9, fees=-1, residual=0.0)
    assert tags(a_loss(), by_volatility) == ("volatility",)
    assert tags(a_loss(), by_underlying) == ("greek_risk",)
    assert tags(a_loss(), by_both) == ("volatility", "greek_risk")
    assert tags(a_loss(), by_neither) == ("unexplained_loss",)


def test_what_favoured_a_loss_is_not_blamed_for_it() -> None:
    favoured = Attribution(volatility=20, time=10, underlying=-179, fees=-1, residual=0.0)
    assert tags(a_loss(), favoured) == ("greek_risk",)


def test_the_causes_of_a_profit_are_no_errors() -> None:
    split = Attribution(volatility=-50, time=160, underlying=-9, fees=-1, residual=0.0)
    assert tags(a_loss(pnl=Decimal(100)), split) == ("no_error",)


def test_a_loss_may_have_several_errors_in_the_order_of_the_taxonomy() -> None:
    loss = a_loss(
        pnl=Decimal(-600),
        days_held=0,
        close_attempts=3,
        market_snapshot=a_snapshot(iv_rank=26.0),
    )
    split = Attribution(volatility=-500, time=0, underlying=-100, fees=0, residual=0.0)
    assert tags(loss, split) == (
        "entry_quality",
        "liquidity_execution",
        "volatility",
        "risk_policy",
        "timing",
    )


def test_the_bounds_are_settings() -> None:
    assert tags(a_loss(days_held=5), early_loss_days_max=5) == ("timing",)
    assert tags(a_loss(), iv_rank_margin_points=36) == ("entry_quality",)


def test_a_trade_without_a_pnl_cannot_be_explained() -> None:
    with pytest.raises(ValueError, match="has no P&L"):
        tags(a_loss(pnl=None))
