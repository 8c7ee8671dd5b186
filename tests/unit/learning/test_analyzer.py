"""Which closed trades are analysed, which are not, and why."""

from decimal import Decimal

import pytest

from agent.book.states import TradeStatus
from agent.config.settings import Settings
from agent.learning.analyzer import TradeAnalysis, Unanalysed, analyze_trade, awaits_analysis
from tests.builders import TRADE_ID, a_trade, positions_of
from tests.unit.learning.losses import a_closed_spread

SETTINGS = Settings()


def test_only_closed_trades_without_tags_await_analysis() -> None:
    assert awaits_analysis(a_trade(TradeStatus.CLOSED))
    assert not awaits_analysis(a_trade(TradeStatus.CLOSED, reason_tags=("no_error",)))
    for status in set(TradeStatus) - {TradeStatus.CLOSED}:
        assert not awaits_analysis(a_trade(status))


def test_a_fall_through_the_strikes_is_a_loss_of_greek_risk() -> None:
    trade, positions = a_closed_spread(spot_at_exit=180.0)
    found = analyze_trade(trade, positions, SETTINGS)
    assert isinstance(found, TradeAnalysis)
    assert "greek_risk" in found.tags
    assert "volatility" not in found.tags
    assert found.unjudged == ()


def test_a_jump_of_volatility_is_a_loss_of_volatility() -> None:
    trade, positions = a_closed_spread(volatility_at_exit=0.60)
    found = analyze_trade(trade, positions, SETTINGS)
    assert isinstance(found, TradeAnalysis)
    assert "volatility" in found.tags
    assert "greek_risk" not in found.tags


def test_a_loss_whose_causes_are_unknown_is_analysed_and_says_what_was_not_judged() -> None:
    trade, positions = a_closed_spread(spot_at_exit=180.0)
    blind = tuple(leg.model_copy(update={"implied_volatility": None}) for leg in positions)
    found = analyze_trade(trade, blind, SETTINGS)
    assert isinstance(found, TradeAnalysis)
    assert found.unjudged == ("volatility", "greek_risk")
    assert found.attribution is None


def test_a_profit_needs_no_cause() -> None:
    trade = a_trade(TradeStatus.CLOSED)
    found = analyze_trade(trade, positions_of(trade), SETTINGS)
    assert found == TradeAnalysis(TRADE_ID, ("no_error",), None, ())


@pytest.mark.parametrize(
    ("gap", "reason"),
    [
        ({"pnl": None}, "unknown: P&L"),
        ({"timestamp_exit": None}, "unknown: exit time"),
        ({"exit_reason": None, "pnl": None}, "unknown: P&L, exit reason"),
    ],
)
def test_a_trade_with_a_gap_is_not_analysed(gap: dict[str, None], reason: str) -> None:
    trade = a_trade(TradeStatus.CLOSED, **gap)
    assert analyze_trade(trade, positions_of(trade), SETTINGS) == Unanalysed(TRADE_ID, reason)


def test_a_trade_without_positions_is_not_analysed() -> None:
    trade = a_trade(TradeStatus.CLOSED, pnl=Decimal(-5))
    assert analyze_trade(trade, (), SETTINGS) == Unanalysed(TRADE_ID, "unknown: positions")
