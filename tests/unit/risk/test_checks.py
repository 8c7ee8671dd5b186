"""The checks before an entry."""

from dataclasses import replace
from decimal import Decimal

import pytest

from agent.book.changes import LedgerEntry
from agent.book.records import TradeRisk
from agent.config.settings import RiskSettings
from agent.risk.checks import (
    Check,
    Finding,
    RiskContext,
    check_entry,
    is_approved,
    pace,
    refusal,
)
from agent.risk.exposure import NO_EXPOSURE, Exposure
from tests.builders import SESSION, a_risk

PROPOSED = a_risk(heat_cents=90_000, capital_cents=85_000)
CONTEXT = RiskContext(
    equity=Decimal(100_000),
    last_equity=Decimal(100_000),
    session=SESSION,
    symbol="AAPL",
    portfolio_entry=LedgerEntry("portfolio"),
    day_entry=LedgerEntry("day#2026-06-09"),
    symbol_entry=LedgerEntry("symbol#AAPL"),
    settings=RiskSettings(),
    exposure=NO_EXPOSURE,
)


def finding_of(check: Check, context: RiskContext, proposed: TradeRisk = PROPOSED) -> Finding:
    return next(found for found in check_entry(context, proposed) if found.check is check)


def test_an_entry_within_every_limit_is_approved_and_every_finding_is_kept() -> None:
    findings = check_entry(CONTEXT, PROPOSED)
    assert [finding.check for finding in findings] == list(Check)
    assert is_approved(findings)
    assert refusal(findings) is None


def test_every_check_speaks_even_where_all_fail() -> None:
    context = replace(
        CONTEXT,
        equity=Decimal(90_000),
        portfolio_entry=LedgerEntry("portfolio", heat_cents=2_700_000),
        day_entry=LedgerEntry("day", entries=10),
        symbol_entry=LedgerEntry("symbol", capital_cents=2_700_000, positions=2),
        streak_entry=LedgerEntry("streak", losses=9, losses_forgiven=4),
        exposure=None,
    )
    findings = check_entry(context, a_risk(heat_cents=1, capital_cents=1_800_001))
    assert [finding.check for finding in findings] == list(Check)
    assert not any(finding.passed for finding in findings)
    sentences = refusal(findings)
    assert sentences is not None
    assert sentences.count(".") >= len(findings)


def test_the_eleventh_trade_of_the_day_is_refused_and_the_tenth_is_not() -> None:
    nine = replace(CONTEXT, day_entry=LedgerEntry("day", entries=9))
    ten = replace(CONTEXT, day_entry=LedgerEntry("day", entries=10))
    assert finding_of(Check.TRADES_PER_DAY, nine).passed
    refused = finding_of(Check.TRADES_PER_DAY, ten)
    assert not refused.passed
    assert (refused.actual, refused.limit) == (Decimal(11), Decimal(10))
    assert refused.sentence == "Entries on 2026-06-09 would be 11, above the limit of 10."


def test_a_loss_at_the_daily_limit_refuses() -> None:
    below = replace(CONTEXT, equity=Decimal("95000.01"))
    at_limit = replace(CONTEXT, equity=Decimal(95_000))
    assert finding_of(Check.DAILY_LOSS, below).passed
    refused = finding_of(Check.DAILY_LOSS, at_limit)
    assert not refused.passed
    assert refused.sentence == (
        "The day's loss is 5.00 % of prior close equity, at or above the limit of 5.00 %."
    )


def test_a_deposit_does_not_hide_a_loss() -> None:
    context = replace(CONTEXT, equity=Decimal(100_000), cash_flows=Decimal(5_000))
    assert not finding_of(Check.DAILY_LOSS, context).passed


@pytest.mark.parametrize(
    "context", [replace(CONTEXT, equity=None), replace(CONTEXT, last_equity=None)]
)
def test_an_unknown_account_figure_refuses(context: RiskContext) -> None:
    findings = check_entry(context, PROPOSED)
    unknown = next(found for found in findings if found.check is Check.DAILY_LOSS)
    assert not unknown.passed
    assert unknown.actual is None
    assert not is_approved(findings)


def test_without_equity_no_money_limit_passes() -> None:
    context = replace(CONTEXT, equity=None)
    for check in (Check.TRADE_CAPITAL, Check.PORTFOLIO_HEAT, Check.SYMBOL_CAPITAL):
        found = finding_of(check, context)
        assert not found.passed
        assert found.limit is None
        assert "unknown" in found.sentence


def test_the_capital_of_the_trade_may_reach_its_limit_and_not_pass_it() -> None:
    assert finding_of(Check.TRADE_CAPITAL, CONTEXT, a_risk(capital_cents=2_000_000)).passed
    refused = finding_of(Check.TRADE_CAPITAL, CONTEXT, a_risk(capital_cents=2_000_001))
    assert not refused.passed
    assert refused.sentence == (
        "Capital of the trade would be 20000.01 USD, above the limit of 20000.00 USD."
    )


def test_a_third_trade_in_a_symbol_is_refused() -> None:
    one = replace(CONTEXT, symbol_entry=LedgerEntry("symbol", positions=1))
    two = replace(CONTEXT, symbol_entry=LedgerEntry("symbol", positions=2))
    assert finding_of(Check.SYMBOL_POSITIONS, one).passed
    assert not finding_of(Check.SYMBOL_POSITIONS, two).passed


def test_heat_counts_what_is_open_and_working_already() -> None:
    warm = replace(CONTEXT, portfolio_entry=LedgerEntry("portfolio", heat_cents=2_910_000))
    hot = replace(CONTEXT, portfolio_entry=LedgerEntry("portfolio", heat_cents=2_910_001))
    assert finding_of(Check.PORTFOLIO_HEAT, warm).passed
    assert not finding_of(Check.PORTFOLIO_HEAT, hot).passed


def test_heat_beyond_its_limit_through_falling_equity_refuses_entries() -> None:
    fallen = replace(
        CONTEXT,
        equity=Decimal(99_000),
        portfolio_entry=LedgerEntry("portfolio", heat_cents=3_000_000),
    )
    assert not finding_of(Check.PORTFOLIO_HEAT, fallen, a_risk(heat_cents=0)).passed


def test_the_capital_in_a_symbol_counts_what_it_holds_already() -> None:
    room = replace(CONTEXT, symbol_entry=LedgerEntry("symbol", capital_cents=2_915_000))
    full = replace(CONTEXT, symbol_entry=LedgerEntry("symbol", capital_cents=2_915_001))
    assert finding_of(Check.SYMBOL_CAPITAL, room).passed
    assert not finding_of(Check.SYMBOL_CAPITAL, full).passed


def test_stress_beyond_what_is_reserved_counts_as_heat() -> None:
    stressed = replace(
        CONTEXT,
        portfolio_entry=LedgerEntry("portfolio", heat_cents=2_000_000),
        exposure=Exposure(Decimal(0), Decimal(0), 2_910_001),
    )
    assert not finding_of(Check.PORTFOLIO_HEAT, stressed).passed


@pytest.mark.parametrize(
    ("held", "added", "passed"),
    [("400", "100", True), ("400", "100.01", False), ("-500.01", "0", False), ("-500", "0", True)],
)
def test_beta_weighted_delta_is_capped_either_way(held: str, added: str, passed: bool) -> None:
    context = replace(
        CONTEXT,
        exposure=Exposure(Decimal(held), Decimal(0)),
        entry_exposure=Exposure(Decimal(added), Decimal(0)),
    )
    found = finding_of(Check.BETA_DELTA, context)
    assert found.passed is passed
    assert found.limit == Decimal("500.00")


def test_vega_is_capped_by_the_point() -> None:
    context = replace(CONTEXT, entry_exposure=Exposure(Decimal(0), Decimal("-250.01")))
    found = finding_of(Check.VEGA, context)
    assert not found.passed
    assert found.sentence == (
        "The book would move by -250.01 USD by a point of implied volatility, beyond the limit of "
        "250.00 USD."
    )


def test_a_book_that_cannot_be_measured_refuses() -> None:
    blind = replace(CONTEXT, exposure=None)
    for check in (Check.BETA_DELTA, Check.VEGA):
        found = finding_of(check, blind)
        assert not found.passed
        assert found.actual is None


def test_no_findings_are_no_approval() -> None:
    assert not is_approved(())


@pytest.mark.parametrize(("made", "left"), [(0, 3), (2, 1), (3, 0), (7, 0)])
def test_a_session_is_paced(made: int, left: int) -> None:
    assert pace(made, RiskSettings()).entries_left == left


def test_a_scan_acts_on_no_more_signals_than_it_may() -> None:
    pacing = pace(0, RiskSettings(max_entries_per_session=5, max_signals_per_scan=2))
    assert pacing.entries_left == 2
    assert pacing.sentence == ("0 of 5 entries of this session are made; a scan makes at most 2.")


def test_a_losing_streak_at_its_limit_refuses() -> None:
    four = replace(CONTEXT, streak_entry=LedgerEntry("streak", losses=9, losses_forgiven=5))
    five = replace(CONTEXT, streak_entry=LedgerEntry("streak", losses=9, losses_forgiven=4))
    assert finding_of(Check.LOSING_STREAK, four).passed
    refused = finding_of(Check.LOSING_STREAK, five)
    assert not refused.passed
    assert refused.sentence == "5 trades closed at a loss in a row; 5 pause entries."


def test_a_streak_limit_of_nothing_never_refuses() -> None:
    endless = replace(
        CONTEXT,
        streak_entry=LedgerEntry("streak", losses=99),
        settings=RiskSettings(losing_streak_max=0),
    )
    found = finding_of(Check.LOSING_STREAK, endless)
    assert found.passed
    assert found.limit is None
