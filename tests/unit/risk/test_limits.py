"""What an account allows."""

from decimal import Decimal

import pytest

from agent.config.settings import RiskSettings
from agent.risk.limits import account_limits, daily_loss

RISK = RiskSettings()


def test_limits_are_shares_of_equity_in_cents_rounded_down() -> None:
    limits = account_limits(Decimal("100000.99"), RISK)
    assert limits.trade_risk_cents == 100_000
    assert limits.trade_capital_cents == 2_000_019
    assert limits.symbol_capital_cents == 3_000_029
    assert limits.heat_cents == 3_000_029
    assert (limits.symbol_positions, limits.trades_per_day) == (2, 10)


def test_an_account_below_zero_allows_nothing() -> None:
    limits = account_limits(Decimal(-5), RISK)
    assert (limits.trade_risk_cents, limits.heat_cents, limits.symbol_capital_cents) == (0, 0, 0)


def test_the_daily_loss_counts_from_the_prior_close_without_deposits() -> None:
    loss = daily_loss(Decimal(98_000), Decimal(100_000), RISK, cash_flows=Decimal(1_000))
    assert loss is not None
    assert loss.fraction == Decimal("0.03")
    assert loss.warns
    assert not loss.stops_entries


def test_the_daily_loss_stops_entries_at_its_limit_and_warns_at_half() -> None:
    at_limit = daily_loss(Decimal(95_000), Decimal(100_000), RISK)
    at_half = daily_loss(Decimal(97_500), Decimal(100_000), RISK)
    under_half = daily_loss(Decimal("97500.01"), Decimal(100_000), RISK)
    assert at_limit is not None
    assert at_limit.stops_entries
    assert at_half is not None
    assert at_half.warns
    assert not at_half.stops_entries
    assert under_half is not None
    assert not under_half.warns


@pytest.mark.parametrize(
    ("equity", "last_equity"),
    [(None, Decimal(1)), (Decimal(1), None), (Decimal(1), Decimal(0)), (Decimal(1), Decimal(-1))],
)
def test_the_daily_loss_is_unknown_without_both_figures(
    equity: Decimal | None, last_equity: Decimal | None
) -> None:
    assert daily_loss(equity, last_equity, RISK) is None
