"""Fees and cash of the account, booked and compared each evening over the exchange."""

from datetime import timedelta
from decimal import Decimal

from agent.book.account_cash import AccountEntryKind
from agent.book.records import AlertKind
from agent.market.calendar import new_york_date
from agent.use_cases.account_cash import UNBOOKED, AccountDay, reconcile_account
from agent.use_cases.analyze_day import analyze_day
from agent.use_cases.schedule import ScheduledEvent
from simulator.exchange import HttpFaultKind
from tests.simulation.exchange.builders import put_spread
from tests.unit.use_cases.conftest import LONG_PUT, SHORT_PUT, TestDesk
from tests.unit.use_cases.test_book_lifecycle import OVERNIGHT, carry_all, watch
from tests.unit.use_cases.test_compare_book import told
from tests.unit.use_cases.test_missing_legs import stop_out

BASELINE = ("Cash is compared from today on.",)


def an_evening(desk: TestDesk) -> AccountDay:
    now = desk.exchange.now
    return reconcile_account(desk.desk, desk.book.all_trades(), new_york_date(now), now)


def a_night(desk: TestDesk) -> None:
    desk.exchange.clock.advance(OVERNIGHT.total_seconds())


def move_cash(desk: TestDesk, dollars: int) -> None:
    """Let cash come or go so that nothing says why."""
    desk.exchange.book.cash += dollars


def deposit(desk: TestDesk, dollars: int, kind: str = "CSD") -> None:
    desk.exchange.book.cash += dollars
    desk.exchange.book.record_event(
        kind,
        desk.exchange.now,
        visible_at=desk.exchange.now,
        cash_change=Decimal(dollars),
        description="Deposit",
    )


def test_the_first_evening_takes_what_stands_and_compares_nothing(desk: TestDesk) -> None:
    desk.open_trade()
    assert an_evening(desk).sentences == BASELINE
    baseline = desk.book.cash_baseline()
    assert baseline is not None
    assert baseline.cash == desk.desk.broker.account().cash


def test_fees_of_the_account_are_booked_once_and_held_against_the_trades(desk: TestDesk) -> None:
    an_evening(desk)
    trade = desk.open_trade()
    a_night(desk)

    day = an_evening(desk)

    fees = desk.book.account_entries()
    assert fees
    assert {entry.kind for entry in fees} == {AccountEntryKind.FEE}
    assert day.entries_booked == len(fees)
    comparison = day.comparison
    assert comparison is not None
    assert comparison.fees_charged == -sum(entry.amount for entry in fees)
    assert comparison.fees_attributed == trade.execution.fees
    assert (comparison.difference, comparison.traded) == (Decimal(0), trade.execution.entry_cash)
    assert told(desk) == []
    events = desk.book.journal(desk.exchange.now.date())
    assert len([event for event in events if event.kind == "account_fee"]) == len(fees)
    assert an_evening(desk) == day
    assert desk.book.account_entries() == fees


def test_a_trade_that_was_opened_and_closed_leaves_no_difference(desk: TestDesk) -> None:
    an_evening(desk)
    desk.open_trade()
    stop_out(desk)
    desk.exchange.clock.advance(60)
    assert watch(desk).exits_begun == {"stop_loss": 1}
    carry_all(desk)
    a_night(desk)
    comparison = an_evening(desk).comparison
    assert comparison is not None
    assert comparison.difference == 0


def test_cash_that_nothing_explains_is_told_once_a_day(desk: TestDesk) -> None:
    an_evening(desk)
    a_night(desk)
    move_cash(desk, -75)

    for _ in range(2):
        comparison = an_evening(desk).comparison
        assert comparison is not None
        assert comparison.difference == -75

    (alert,) = desk.desk.outbox.unsent()
    assert alert.kind is AlertKind.SYSTEM_ERROR
    assert alert.subject == "Book and broker differ: -75.00 USD of cash"
    assert "unexplained -75.00" in alert.message


def test_deposits_and_dividends_are_known_flows(desk: TestDesk) -> None:
    an_evening(desk)
    a_night(desk)
    deposit(desk, 5_000)
    deposit(desk, 12, "DIV")
    deposit(desk, 3, "INT")

    comparison = an_evening(desk).comparison

    assert comparison is not None
    assert (comparison.transfers, comparison.income, comparison.difference) == (
        Decimal(5_000),
        Decimal(15),
        Decimal(0),
    )


def test_what_others_trade_in_the_account_is_told_apart_and_no_difference(desk: TestDesk) -> None:
    an_evening(desk)
    a_night(desk)
    body = put_spread("-1.10")
    body["legs"][0]["symbol"], body["legs"][1]["symbol"] = SHORT_PUT, LONG_PUT
    desk.exchange.place_order(body)
    desk.exchange.clock.advance(60)

    comparison = an_evening(desk).comparison

    assert comparison is not None
    assert (comparison.traded, comparison.difference) == (Decimal(0), Decimal(0))
    assert comparison.foreign == desk.desk.broker.account().cash - 100_000


def test_an_order_under_way_is_no_moment_to_compare(desk: TestDesk) -> None:
    desk.reserve()
    assert an_evening(desk).sentences == ("Cash was not compared: an order is under way.",)
    assert desk.book.cash_baseline() is None


def test_what_is_delivered_after_the_last_pass_is_compared_once_it_is_booked(
    desk: TestDesk,
) -> None:
    an_evening(desk)
    desk.open_trade()
    a_night(desk)
    desk.exchange.assign(SHORT_PUT)

    unbooked = an_evening(desk)

    assert unbooked.comparison is None
    assert unbooked.sentences == (f"Cash was not compared: {UNBOOKED}.",)
    desk.exchange.clock.advance(60)
    watch(desk)
    carry_all(desk)
    comparison = an_evening(desk).comparison
    assert comparison is not None
    assert comparison.difference == 0
    assert not [alert for alert in desk.desk.outbox.unsent() if "of cash" in alert.subject]


def test_contracts_of_others_that_are_delivered_begin_the_comparison_anew(desk: TestDesk) -> None:
    body = put_spread("-1.10")
    body["legs"][0]["symbol"], body["legs"][1]["symbol"] = SHORT_PUT, LONG_PUT
    desk.exchange.place_order(body)
    desk.exchange.clock.advance(60)
    an_evening(desk)
    desk.exchange.assign(SHORT_PUT)
    a_night(desk)

    day = an_evening(desk)

    assert day.comparison is None
    assert day.sentences == (f"Contracts of others were delivered: {SHORT_PUT}. {BASELINE[0]}",)


def test_a_broker_that_does_not_answer_keeps_nobody_from_the_daily_report(desk: TestDesk) -> None:
    desk.exchange.clock.advance(timedelta(hours=5).total_seconds())
    desk.exchange.faults.on_http(
        HttpFaultKind.SERVER_ERROR, path_prefix="/v2/account/activities", times=9
    )
    day = an_evening(desk)
    assert day.sentences == ("Fees and cash were not compared: BrokerUnavailable.",)


def test_the_daily_report_tells_fees_and_cash(desk: TestDesk) -> None:
    an_evening(desk)
    desk.exchange.clock.advance(timedelta(days=1, hours=5).total_seconds())
    report = analyze_day(desk.desk, ScheduledEvent(slot=desk.exchange.now))
    assert report.status == "analysed"
    assert report.cash_difference == 0
    (daily,) = [a for a in desk.alerts.published if a.kind is AlertKind.DAILY_REPORT]
    assert "Fees since " in daily.message
    assert "unexplained +0.00" in daily.message
