"""The weekly review: each strategy gets one entry a week, and no parameter moves."""

from datetime import timedelta
from decimal import Decimal

import pytest

from agent.book.analysis_records import LearningStatus
from agent.book.states import TradeStatus
from agent.config.settings import Settings
from agent.use_cases.learn_weekly import learn_weekly
from agent.use_cases.schedule import ScheduledEvent
from tests.analysis_builders import SUNDAY, a_metric, some_measures
from tests.builders import SESSION, STRATEGY, a_trade, positions_of
from tests.unit.use_cases.analysis_desk import AnalysisDesk, new_york


def an_office(**settings: object) -> AnalysisDesk:
    """Review one strategy, unless told otherwise."""
    return AnalysisDesk(settings=Settings.model_validate({"strategies": [STRATEGY]} | settings))


def close(office: AnalysisDesk, number: int, strategy: str = STRATEGY) -> None:
    for index in range(number):
        trade = a_trade(
            TradeStatus.CLOSED,
            trade_id=f"{strategy}-{index:03}",
            strategy=strategy,
            pnl=Decimal(10),
            timestamp_exit=new_york(SESSION, 12),
        )
        office.keep(trade)


def test_with_too_few_trades_it_refuses_and_leaves_a_trace() -> None:
    office = an_office()
    close(office, 4)
    report = learn_weekly(office.desk, office.at(SUNDAY, 20))
    assert report.status == "reviewed"
    assert report.reviews == {STRATEGY: "refused"}
    assert (report.window_end, report.entries_added) == (SUNDAY, 1)
    entry = office.learning_log.entry("weekly-2026-06-14-bull_put_spread")
    assert entry is not None
    assert entry.status is LearningStatus.REFUSED
    assert entry.trades_analyzed == 4
    assert entry.timestamp == new_york(SUNDAY, 20)


def test_with_enough_trades_it_records_findings_and_changes_nothing() -> None:
    office = an_office(bull_put_spread={"credit_min": "0.45"})
    close(office, 30)
    office.metrics.store(
        a_metric(strategy_performance={STRATEGY: some_measures(total_pnl=Decimal(300))})
    )
    assert learn_weekly(office.desk, office.at(SUNDAY, 20)).reviews == {STRATEGY: "no_change"}
    entry = office.learning_log.entry("weekly-2026-06-14-bull_put_spread")
    assert entry is not None
    assert entry.findings["total_pnl"] == "300"
    assert entry.findings["win_rate"] == 1.0
    assert entry.old_params == entry.new_params
    assert entry.old_params["credit_min"] == "0.45"


def test_strategies_that_may_enter_and_those_that_traded_are_reviewed() -> None:
    office = an_office(
        strategies=["cash_secured_put"],
        cash_secured_put={"willing_to_own": ["AAPL"]},
        added_strategies={"bear_call_spread": {"credit_min": "0.40"}},
    )
    close(office, 1, "bear_call_spread")
    report = learn_weekly(office.desk, office.at(SUNDAY, 20))
    assert report.reviews == {"bear_call_spread": "refused", "cash_secured_put": "refused"}
    added = office.learning_log.entry("weekly-2026-06-14-bear_call_spread")
    own = office.learning_log.entry("weekly-2026-06-14-cash_secured_put")
    assert added is not None
    assert own is not None
    assert added.old_params == {"credit_min": "0.40"}
    assert own.old_params["willing_to_own"] == ["AAPL"]


def test_reviewing_a_week_again_leaves_its_entries_as_they_are() -> None:
    office = an_office()
    first = learn_weekly(office.desk, office.at(SUNDAY, 20))
    kept = office.learning_log.entry("weekly-2026-06-14-bull_put_spread")
    close(office, 2)
    again = learn_weekly(office.desk, office.at(SUNDAY, 20))
    assert (first.entries_added, again.entries_added) == (1, 0)
    assert office.learning_log.entry("weekly-2026-06-14-bull_put_spread") == kept


@pytest.mark.parametrize("days", [7, 365])
def test_the_window_and_the_minimum_are_settings(days: int) -> None:
    office = an_office(learning={"window_days": days, "closed_trades_min": 2})
    close(office, 2)
    monday_week_later = SUNDAY + timedelta(days=7)
    report = learn_weekly(office.desk, office.at(monday_week_later, 20))
    assert report.reviews == {STRATEGY: "refused" if days == 7 else "no_change"}


def test_open_trades_are_seen_at_their_marks() -> None:
    office = an_office()
    trade = a_trade()
    legs = [leg.model_copy(update={"unrealized_pnl": Decimal(-20)}) for leg in positions_of(trade)]
    office.keep(trade, tuple(legs))
    learn_weekly(office.desk, office.at(SUNDAY, 20))
    entry = office.learning_log.entry("weekly-2026-06-14-bull_put_spread")
    assert entry is not None
    assert entry.findings["trades_open"] == 1
    assert entry.findings["mean_pnl_per_trade"] == pytest.approx(-40.17)


def test_a_slot_of_another_day_is_stale() -> None:
    office = an_office()
    office.at(SUNDAY + timedelta(days=1), 9)
    report = learn_weekly(office.desk, ScheduledEvent(slot=new_york(SUNDAY, 20)))
    assert (report.status, report.reviews) == ("stale_slot", {})
    assert report.counts() == {"WeeklyReviews": 0, "StrategiesReviewed": 0, "StaleSlots": 1}
