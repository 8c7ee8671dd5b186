"""What a monitor pass makes of a stock that split: the trade restated, or left to its owner."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from agent.book.overrides import move_stop, request_manual_exit
from agent.book.records import Trade
from agent.book.states import TradeStatus
from agent.options.contracts import parse_occ_symbol
from agent.use_cases.compare_book import own_differences
from agent.use_cases.monitor_positions import MonitorReport, monitor_positions
from agent.use_cases.schedule import ScheduledEvent
from simulator.worlds.events import Split
from tests.simulation.exchange.builders import filled, single_order
from tests.simulation.exchange.small_world import WEEK, contract_symbol
from tests.unit.use_cases.conftest import EXPIRATION, LONG_PUT, SHORT_PUT, TestDesk, a_desk
from tests.unit.use_cases.test_four_legs_and_one import CHEAP_PUT, open_put

TUESDAY, THURSDAY = WEEK[1], WEEK[3]
PUT_50 = contract_symbol("P", 50, EXPIRATION)
PUT_47_50 = replace(parse_occ_symbol(PUT_50), strike=Decimal("47.5")).symbol


@pytest.fixture
def desk() -> Iterator[TestDesk]:
    """Give a desk whose stock splits two for one on Tuesday, and whose spread then costs half."""
    with a_desk(Decimal(0)) as made:
        splits(made)
        yield made


def splits(desk: TestDesk, new_rate: str = "2", old_rate: str = "1") -> None:
    world, opens_at = desk.world, TUESDAY.opens_at
    world.actions[:] = [Split("ACME", TUESDAY.session, Decimal(new_rate), Decimal(old_rate))]
    if world.symbols and PUT_50 not in world.options:
        world.with_stock("52.45", "52.55", since=opens_at)
        world.with_option(PUT_50, "1.15", "1.25", since=opens_at)
        world.with_option(PUT_47_50, "0.55", "0.65", since=opens_at)


def watch(desk: TestDesk) -> MonitorReport:
    return monitor_positions(desk.desk, ScheduledEvent(slot=desk.exchange.now))


def on_tuesday(desk: TestDesk) -> MonitorReport:
    desk.exchange.clock.advance_to(TUESDAY.opens_at + timedelta(minutes=20))
    return watch(desk)


def stored(desk: TestDesk, trade: Trade) -> Trade:
    found = desk.book.trade(trade.trade_id)
    assert found is not None
    return found


def held(desk: TestDesk) -> dict[str, int]:
    return {each.symbol: each.quantity for each in desk.desk.broker.holdings()}


def told(desk: TestDesk, words: str) -> list[str]:
    return [a.message for a in desk.alerts.published if words in a.subject]


def test_a_spread_becomes_twice_as_many_at_half_the_strikes_and_no_money_moves(
    desk: TestDesk,
) -> None:
    before = desk.open_trade()
    ledger = desk.book.ledger("portfolio")

    report = on_tuesday(desk)

    after = stored(desk, before)
    assert (report.lifecycle_events, report.differences, report.trades_watched) == (1, 0, 1)
    assert after.leg_quantities == held(desk)
    assert set(after.leg_quantities) == {PUT_50, PUT_47_50}
    assert after.contracts_held == 2 * before.contracts_held
    was, now = before.execution, after.execution
    assert was.credit is not None
    assert now.credit == was.credit / 2
    assert (now.entry_cash, now.exit_cash, now.fees) == (was.entry_cash, was.exit_cash, was.fees)
    assert after.risk.heat_cents == before.risk.heat_cents
    assert desk.book.ledger("portfolio") == ledger
    assert after.status is TradeStatus.OPEN


def test_the_legs_are_restated_with_the_trade(desk: TestDesk) -> None:
    trade = desk.open_trade()
    before = desk.book.positions(trade.trade_id)
    on_tuesday(desk)
    after = desk.book.positions(trade.trade_id)
    assert [(each.option_symbol, each.strike) for each in after] == [
        (PUT_50, Decimal(50)),
        (PUT_47_50, Decimal("47.5")),
    ]
    for was, now in zip(before, after, strict=True):
        assert was.entry_price is not None
        assert (now.quantity, now.entry_price) == (2 * was.quantity, was.entry_price / 2)


def test_a_split_is_booked_and_told_once(desk: TestDesk) -> None:
    trade = desk.open_trade()
    on_tuesday(desk)
    after = stored(desk, trade)
    desk.exchange.clock.advance(60)
    assert watch(desk).lifecycle_events == 0
    assert stored(desk, trade).structure == after.structure
    (message,) = told(desk, "split 2 for 1 booked")
    assert "No money moved" in message
    assert not told(desk, "Adjusted")


def test_a_trade_is_closed_by_its_new_legs_and_earns_what_cash_says(desk: TestDesk) -> None:
    trade = desk.open_trade()
    on_tuesday(desk)
    desk.book.commit(request_manual_exit(stored(desk, trade), desk.exchange.now))
    watch(desk)
    (intent,) = desk.close_intents()
    assert desk.carry(intent).outcome == "closed"
    ended = stored(desk, trade)
    flows = ended.execution.entry_cash + ended.execution.exit_cash
    assert ended.pnl == flows - ended.execution.fees
    assert held(desk) == {}
    legs = desk.book.positions(trade.trade_id)
    assert sum(each.realized_pnl or Decimal(0) for each in legs) == flows


def test_the_owners_stop_stays_the_same_money(desk: TestDesk) -> None:
    trade = desk.open_trade()
    desk.book.commit(move_stop(trade, Decimal("2.40"), desk.exchange.now))
    on_tuesday(desk)
    assert stored(desk, trade).stop_debit == Decimal("1.20")


def test_without_an_announcement_nothing_is_booked(desk: TestDesk) -> None:
    trade = desk.open_trade()
    desk.exchange.clock.advance_to(TUESDAY.opens_at + timedelta(minutes=20))
    desk.world.actions.clear()

    report = watch(desk)

    assert (report.lifecycle_events, report.exits_begun) == (0, {})
    assert report.differences == 2
    assert stored(desk, trade) == trade


def test_another_number_than_the_split_makes_is_told_and_left_alone(desk: TestDesk) -> None:
    trade = desk.open_trade()
    desk.exchange.clock.advance_to(TUESDAY.opens_at + timedelta(minutes=20))
    filled(desk.exchange, single_order(PUT_47_50, "buy", "0.65", qty=1))

    for _ in range(2):
        report = watch(desk)
        desk.exchange.clock.advance(60)

    assert (report.lifecycle_events, report.exits_begun) == (0, {})
    assert stored(desk, trade) == trade
    (message,) = told(desk, "Adjusted contracts: ACME")
    assert "ACME split 2 for 1 on 2026-06-16" in message
    assert own_differences(desk.desk, desk.book.active_trades()) > 0


def test_contracts_under_another_root_are_told_with_what_to_do(desk: TestDesk) -> None:
    trade = desk.open_trade()
    desk.world.actions[:] = [Split("ACME", TUESDAY.session, Decimal(3), Decimal(2))]
    desk.exchange.clock.advance_to(TUESDAY.opens_at + timedelta(minutes=20))
    odd = contract_symbol("P", 100, EXPIRATION, stock="ACME1")
    contract = parse_occ_symbol(SHORT_PUT)
    count = trade.contracts_held
    desk.exchange.book.trade(SHORT_PUT, contract, count, Decimal(0))
    desk.exchange.book.trade(odd, parse_occ_symbol(odd), -count, Decimal(0))

    report = watch(desk)

    assert (report.lifecycle_events, report.exits_begun) == (0, {})
    assert stored(desk, trade) == trade
    (message,) = told(desk, "Adjusted contracts: ACME")
    assert "ACME split 3 for 2 on 2026-06-16" in message
    assert f"-{count} {odd}" in message
    assert "the short contracts first" in message


def test_a_trade_of_after_the_split_is_not_restated(desk: TestDesk) -> None:
    desk.world.actions[:] = [Split("ACME", date(2026, 6, 15), Decimal(2), Decimal(1))]
    trade = desk.open_trade()
    assert on_tuesday(desk).lifecycle_events == 0
    assert set(stored(desk, trade).leg_quantities) == {SHORT_PUT, LONG_PUT}


def test_an_assignment_after_the_split_is_booked_though_it_was_reported_adjusted(
    desk: TestDesk,
) -> None:
    trade = desk.open_trade()
    on_tuesday(desk)
    desk.exchange.clock.advance_to(WEEK[2].opens_at + timedelta(minutes=20))
    assert desk.desk.broker.option_events(TUESDAY.session)
    desk.exchange.assign(PUT_50)

    assert watch(desk).lifecycle_events == 1

    after = stored(desk, trade)
    assert after.shares_held == 100 * after.contracts_held
    assert not told(desk, "Adjusted")


def test_an_assignment_of_before_the_split_is_booked_first_then_the_split(desk: TestDesk) -> None:
    trade = desk.open_trade()
    desk.exchange.assign(SHORT_PUT)
    count = trade.contracts_held

    on_tuesday(desk)
    desk.exchange.clock.advance(60)
    watch(desk)

    after = stored(desk, trade)
    assert after.leg_quantities[PUT_47_50] == 2 * count
    assert after.shares_held == 200 * count
    shares = after.holdings.shares
    assert shares is not None
    assert (shares.basis, held(desk)["ACME"]) == (Decimal(50), 200 * count)


def test_an_assignment_of_the_night_before_the_split_is_told_by_its_shares(desk: TestDesk) -> None:
    trade = desk.open_trade()
    count = trade.contracts_held
    desk.exchange.clock.advance_to(TUESDAY.opens_at - timedelta(minutes=5))
    desk.exchange.assign(SHORT_PUT, 1)

    report = on_tuesday(desk)

    after = stored(desk, trade)
    assert (report.lifecycle_events, report.differences) == (2, 0)
    assert after.leg_quantities == {PUT_50: -2 * (count - 1), PUT_47_50: 2 * count}
    assert after.shares_held == held(desk)["ACME"] == 200
    assert not told(desk, "Adjusted")
    booked = after.holdings.booked
    desk.exchange.clock.advance_to(WEEK[2].opens_at + timedelta(minutes=20))
    assert desk.desk.broker.option_events(TUESDAY.session)
    watch(desk)
    assert stored(desk, trade).holdings.booked == booked


def test_shares_of_somebody_else_leave_an_assignment_before_the_split_to_the_activities(
    desk: TestDesk,
) -> None:
    trade = desk.open_trade()
    filled(desk.exchange, single_order("ACME", "buy", "106", qty=7))
    desk.exchange.clock.advance_to(TUESDAY.opens_at - timedelta(minutes=5))
    desk.exchange.assign(SHORT_PUT, 1)

    report = on_tuesday(desk)
    assert (report.lifecycle_events, report.exits_begun) == (0, {})
    assert len(told(desk, "Adjusted contracts: ACME")) == 1

    desk.exchange.clock.advance_to(WEEK[2].opens_at + timedelta(minutes=20))
    assert watch(desk).lifecycle_events == 2
    after = stored(desk, trade)
    assert after.shares_held == 200
    assert {s: n for s, n in held(desk).items() if s != "ACME"} == after.leg_quantities


def test_a_put_sold_alone_that_was_assigned_before_its_split_is_told_by_twice_its_shares(
    desk: TestDesk,
) -> None:
    trade = open_put(desk)
    desk.exchange.clock.advance_to(TUESDAY.opens_at - timedelta(minutes=5))
    desk.exchange.assign(CHEAP_PUT)

    report = on_tuesday(desk)

    shares = stored(desk, trade).holdings.shares
    assert shares is not None
    assert (report.lifecycle_events, report.differences) == (2, 0)
    assert shares.quantity == held(desk)["ACME"] == 200 * trade.contracts_held
    assert shares.basis == parse_occ_symbol(CHEAP_PUT).strike / 2


def test_shares_of_an_assignment_that_split_among_others_are_not_sold(desk: TestDesk) -> None:
    trade = open_put(desk)
    exits = desk.desk.settings.exits.model_copy(update={"sell_assigned_shares": ("ACME",)})
    desk.desk = replace(desk.desk, settings=desk.desk.settings.model_copy(update={"exits": exits}))
    filled(desk.exchange, single_order("ACME", "buy", "106", qty=7))
    desk.exchange.clock.advance_to(TUESDAY.opens_at - timedelta(minutes=5))
    desk.exchange.assign(CHEAP_PUT)
    on_tuesday(desk)
    desk.exchange.clock.advance_to(WEEK[2].opens_at + timedelta(minutes=20))

    report = watch(desk)

    assert (report.lifecycle_events, report.exits_begun) == (1, {})
    assert stored(desk, trade).shares_held == 100 * trade.contracts_held
    assert len(told(desk, "Adjusted contracts: ACME")) == 1


def kept_shares(desk: TestDesk) -> Trade:
    """Give the trade of an assigned put whose shares are kept, 100 for each contract."""
    trade = open_put(desk)
    desk.exchange.assign(CHEAP_PUT)
    watch(desk)
    after = stored(desk, trade)
    assert (after.contracts_held, after.status) == (0, TradeStatus.OPEN)
    return after


def test_shares_alone_are_restated_where_nothing_else_can_be_among_them(desk: TestDesk) -> None:
    before = kept_shares(desk)

    report = on_tuesday(desk)

    was, shares = before.holdings.shares, stored(desk, before).holdings.shares
    assert was is not None
    assert shares is not None
    assert (report.lifecycle_events, report.differences) == (1, 0)
    assert (shares.quantity, shares.basis) == (2 * was.quantity, was.basis / 2)
    assert shares.quantity == held(desk)["ACME"]


def test_shares_among_which_somebody_has_his_own_are_left_to_their_owner(desk: TestDesk) -> None:
    before = kept_shares(desk)
    filled(desk.exchange, single_order("ACME", "buy", "106", qty=before.shares_held))

    report = on_tuesday(desk)

    assert (report.lifecycle_events, report.exits_begun) == (0, {})
    assert stored(desk, before).shares_held == before.shares_held
    assert len(told(desk, "Adjusted contracts: ACME")) == 1


def test_nothing_is_asked_where_shares_are_what_the_book_says(desk: TestDesk) -> None:
    before = kept_shares(desk)
    desk.world.actions[:] = [Split("ACME", THURSDAY.session, Decimal(2), Decimal(1))]
    assert on_tuesday(desk).lifecycle_events == 0
    assert stored(desk, before).shares_held == before.shares_held


def test_a_trade_under_way_waits_for_its_end_and_is_restated_then(desk: TestDesk) -> None:
    trade = desk.open_trade()
    desk.book.commit(request_manual_exit(trade, desk.exchange.now))
    watch(desk)
    desk.exchange.clock.advance_to(TUESDAY.opens_at + timedelta(minutes=20))

    assert watch(desk).lifecycle_events == 0
    (intent,) = desk.close_intents()
    desk.carry(intent)
    desk.workflows.end(intent.intent_id)
    report = watch(desk)

    assert report.lifecycle_events == 1
    assert stored(desk, trade).leg_quantities == held(desk)
    assert not told(desk, "Adjusted")
