"""The account in every pass: the day's loss, and limits that falling equity broke."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from agent.book.identifiers import entry_intent_id, trade_id
from agent.book.records import AlertKind
from agent.book.transitions import write_entry_intent
from agent.config.settings import MarketSettings, RatePoint, RiskSettings, Settings
from agent.use_cases.check_risk import check_risk
from agent.use_cases.monitor_positions import MonitorReport, monitor_positions
from agent.use_cases.schedule import ScheduledEvent
from agent.use_cases.steps import StepInput
from tests.builders import a_put_spread, a_signal
from tests.unit.use_cases.conftest import LONG_PUT, SHORT_PUT, TestDesk


def with_risk(desk: TestDesk, **limits: str) -> None:
    """Set limits anew, as an owner may with trades open."""
    risk = RiskSettings(**{name: Decimal(value) for name, value in limits.items()})
    desk.desk = replace(desk.desk, settings=Settings(watchlist=("ACME",), risk=risk))


def lose(desk: TestDesk) -> None:
    """Let the spread cost 2.35 at mid: less than its stop, a loss of 236 on two contracts."""
    desk.world.with_option(SHORT_PUT, "4.30", "4.40", since=desk.exchange.now)
    desk.world.with_option(LONG_PUT, "1.95", "2.05", since=desk.exchange.now)


def a_pass(desk: TestDesk) -> MonitorReport:
    desk.exchange.clock.advance(60)
    return monitor_positions(desk.desk, ScheduledEvent(slot=desk.exchange.now))


def told(desk: TestDesk, kind: AlertKind) -> list[str]:
    return [alert.subject for alert in desk.alerts.published if alert.kind is kind]


def test_a_pass_measures_the_loss_of_the_day(desk: TestDesk) -> None:
    desk.open_trade()
    lose(desk)
    report = a_pass(desk)
    assert report.daily_loss_fraction is not None
    assert Decimal("0.0020") < report.daily_loss_fraction < Decimal("0.0030")
    assert report.counts()["DailyLossBasisPoints"] in {23, 24, 25}


def test_half_the_limit_and_the_limit_are_told_once_each(desk: TestDesk) -> None:
    desk.open_trade()
    lose(desk)
    with_risk(desk, daily_loss_max_fraction="0.0040")
    a_pass(desk)
    a_pass(desk)
    (warning,) = told(desk, AlertKind.DAILY_LOSS_LIMIT)
    assert warning.startswith("Daily loss warning")
    with_risk(desk, daily_loss_max_fraction="0.0020")
    a_pass(desk)
    a_pass(desk)
    assert [line.split(":")[0] for line in told(desk, AlertKind.DAILY_LOSS_LIMIT)] == [
        "Daily loss warning",
        "Daily loss limit",
    ]


def test_a_calm_account_tells_nothing(desk: TestDesk) -> None:
    desk.open_trade()
    report = a_pass(desk)
    assert report.limits_breached == 0
    assert len(desk.alerts.published) == 1  # the entry itself


def test_falling_equity_that_breaks_a_limit_is_told_once_and_blocks_entries(
    desk: TestDesk,
) -> None:
    desk.open_trade()
    with_risk(desk, heat_max_fraction="0.005")
    assert a_pass(desk).limits_breached == 1
    a_pass(desk)
    (subject,) = told(desk, AlertKind.SYSTEM_ERROR)
    assert subject == "A limit is exceeded: heat of the portfolio"
    trade = trade_id("paper", desk.exchange.now, "ACME", "bps")
    signal = a_signal(structure=a_put_spread("ACME"), as_of=desk.exchange.now)
    desk.book.commit(write_entry_intent(entry_intent_id(trade), trade, signal, desk.exchange.now))
    verdict = check_risk(desk.desk, StepInput(intent_id=entry_intent_id(trade)))
    assert not verdict.approved
    assert "portfolio_heat" in (verdict.reason or "")


def test_an_entry_that_is_checked_tells_of_the_loss_before_any_pass_does(desk: TestDesk) -> None:
    desk.open_trade()
    lose(desk)
    with_risk(desk, daily_loss_max_fraction="0.0020")
    trade = trade_id("paper", desk.exchange.now, "ACME", "icn")
    signal = a_signal(structure=a_put_spread("ACME"), as_of=desk.exchange.now)
    desk.book.commit(write_entry_intent(entry_intent_id(trade), trade, signal, desk.exchange.now))
    verdict = check_risk(desk.desk, StepInput(intent_id=entry_intent_id(trade)))
    assert "daily_loss" in (verdict.reason or "")
    (alert,) = desk.desk.outbox.unsent()
    assert alert.kind is AlertKind.DAILY_LOSS_LIMIT


def test_an_old_rate_curve_is_told_once_a_day(desk: TestDesk) -> None:
    old = RatePoint(date=date(2026, 1, 2), days=30, rate=0.04)
    market = MarketSettings(rate_curve=(old,))
    desk.desk = replace(desk.desk, settings=Settings(watchlist=("ACME",), market=market))
    a_pass(desk)
    a_pass(desk)
    assert told(desk, AlertKind.SYSTEM_ERROR) == ["The rate curve is old"]
