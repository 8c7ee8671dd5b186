"""What the owner is told of limits."""

from datetime import timedelta
from decimal import Decimal

import pytest

from agent.book.changes import LedgerEntry
from agent.book.records import AlertKind
from agent.config.settings import RiskSettings
from agent.risk.alarms import breach_alerts, daily_loss_alerts
from agent.risk.limits import account_limits, daily_loss
from tests.builders import AS_OF, SESSION

LIMITS = account_limits(Decimal(100_000), RiskSettings())
WARM = LedgerEntry("portfolio", heat_cents=3_000_000)
HOT = LedgerEntry("portfolio", heat_cents=3_000_001)
FULL = LedgerEntry("symbol#AAPL", capital_cents=3_000_000)
OVERFULL = LedgerEntry("symbol#AAPL", capital_cents=3_000_001)


def told_at(equity: str, cash_flows: str = "0") -> list[str]:
    loss = daily_loss(
        Decimal(equity), Decimal(100_000), RiskSettings(), cash_flows=Decimal(cash_flows)
    )
    return [alert.alert_id for alert in daily_loss_alerts(loss, SESSION, AS_OF)]


@pytest.mark.parametrize(
    ("equity", "told"),
    [
        ("97500.01", []),
        ("97500", ["daily-loss-warning-20260609"]),
        ("95000.01", ["daily-loss-warning-20260609"]),
        ("95000", ["daily-loss-limit-20260609"]),
        ("120000", []),
    ],
)
def test_half_the_limit_is_a_warning_and_the_limit_another_alert(
    equity: str, told: list[str]
) -> None:
    assert told_at(equity) == told


def test_a_deposit_hides_no_loss_and_a_withdrawal_is_none() -> None:
    assert told_at("105000", cash_flows="10000") == ["daily-loss-limit-20260609"]
    assert told_at("90000", cash_flows="-10000") == []


def test_what_cannot_be_measured_is_not_told() -> None:
    assert daily_loss_alerts(None, SESSION, AS_OF) == ()


def test_the_alert_says_how_much_of_what() -> None:
    loss = daily_loss(Decimal(94_000), Decimal(100_000), RiskSettings())
    (alert,) = daily_loss_alerts(loss, SESSION, AS_OF)
    assert alert.kind is AlertKind.DAILY_LOSS_LIMIT
    assert alert.subject == "Daily loss limit: 6.00 % of a limit of 5.00 %"


def test_a_limit_that_is_reached_is_not_exceeded() -> None:
    assert breach_alerts(LIMITS, WARM, {"AAPL": FULL}, SESSION, AS_OF) == ()


def test_each_limit_exceeded_is_told_once_a_day() -> None:
    def ids_on(days: int) -> list[str]:
        session, at = SESSION + timedelta(days=days), AS_OF + timedelta(days=days)
        alerts = breach_alerts(LIMITS, HOT, {"AAPL": OVERFULL, "MSFT": FULL}, session, at)
        return [alert.alert_id for alert in alerts]

    assert ids_on(0) == [
        "limit-breached-heat-20260609",
        "limit-breached-capital-AAPL-20260609",
    ]
    assert set(ids_on(0)).isdisjoint(ids_on(1))
