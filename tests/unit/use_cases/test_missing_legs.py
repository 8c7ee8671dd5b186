"""What protects the owner while the broker lacks a leg of a trade and nothing says why."""

from decimal import Decimal

from agent.book.intents import Urgency
from agent.book.records import Trade
from agent.book.states import ExitReason, TradeStatus
from agent.options.contracts import parse_occ_symbol
from agent.use_cases.book_lifecycle import Befallen
from agent.use_cases.broken_trades import protect_broken
from agent.use_cases.monitor_positions import MonitorReport
from agent.use_cases.troubles import Troubles
from tests.unit.use_cases.conftest import LONG_PUT, SHORT_PUT, TestDesk
from tests.unit.use_cases.test_book_lifecycle import at_the_broker, carry_all, stored, watch
from tests.unit.use_cases.test_compare_book import told
from tests.unit.use_cases.test_four_legs_and_one import (
    LONG_CALL,
    SHORT_CALL,
    a_pass,
    open_condor,
)
from tests.unit.use_cases.wheel_desk import assigned_put, call_of

DIFFERS = "Book and broker differ: {}".format
UNCOVERED = "ACME: a short leg has lost its cover"


def vanish(desk: TestDesk, symbol: str, contracts: int) -> None:
    """Take contracts from the account so that no order and no activity says why."""
    held = at_the_broker(desk)[symbol]
    sign = 1 if held > 0 else -1
    desk.exchange.book.trade(symbol, parse_occ_symbol(symbol), -sign * contracts, Decimal(0))


def cheapen(desk: TestDesk) -> None:
    """Bring the spread below half of its credit: the profit target."""
    desk.world.with_option(SHORT_PUT, "0.60", "0.62", since=desk.exchange.now)
    desk.world.with_option(LONG_PUT, "0.25", "0.27", since=desk.exchange.now)


def stop_out(desk: TestDesk) -> None:
    """Bring the spread to four times its credit, and the stock through the short strike."""
    desk.world.with_stock("95.95", "96.05", since=desk.exchange.now)
    desk.world.with_option(SHORT_PUT, "6.95", "7.05", since=desk.exchange.now)
    desk.world.with_option(LONG_PUT, "2.35", "2.45", since=desk.exchange.now)


def test_a_short_that_lost_its_cover_is_bought_back_within_a_pass(desk: TestDesk) -> None:
    trade = desk.open_trade()
    vanish(desk, LONG_PUT, trade.contracts_held)

    report = watch(desk)

    assert report.exits_begun == {"cover_lost": 1}
    (intent,) = desk.close_intents()
    assert (intent.leg, intent.contracts) == (SHORT_PUT, trade.contracts_held)
    assert (intent.urgency, intent.exit_reason) == (Urgency.URGENT, ExitReason.COVER_LOST)
    assert told(desk) == [DIFFERS(LONG_PUT), UNCOVERED]
    carry_all(desk)
    assert at_the_broker(desk) == {}


def test_the_missing_leg_stays_in_the_book_and_is_neither_booked_nor_sold(desk: TestDesk) -> None:
    trade = desk.open_trade()
    vanish(desk, LONG_PUT, trade.contracts_held)
    watch(desk)
    carry_all(desk)

    report: MonitorReport = a_pass(desk)

    assert (report.exits_begun, report.lifecycle_events, report.differences) == ({}, 0, 1)
    after = stored(desk, trade)
    assert after.status is TradeStatus.OPEN
    assert after.leg_quantities == {SHORT_PUT: 0, LONG_PUT: trade.contracts_held}
    assert len(desk.close_intents()) == 1


def test_only_as_many_shorts_go_as_have_lost_their_cover(desk: TestDesk) -> None:
    trade = desk.open_trade()
    contracts = trade.contracts_held
    assert contracts > 1
    vanish(desk, LONG_PUT, 1)

    watch(desk)
    carry_all(desk)

    assert at_the_broker(desk) == {SHORT_PUT: 1 - contracts, LONG_PUT: contracts - 1}
    assert a_pass(desk).exits_begun == {}


def test_the_whole_rest_is_stopped_out_for_what_is_there(desk: TestDesk) -> None:
    trade = desk.open_trade()
    vanish(desk, LONG_PUT, 1)
    watch(desk)
    carry_all(desk)
    stop_out(desk)

    assert a_pass(desk).exits_begun == {"stop_loss": 1}
    carry_all(desk)

    assert at_the_broker(desk) == {}
    after = stored(desk, trade)
    assert after.leg_quantities == {SHORT_PUT: 0, LONG_PUT: 1}
    assert "ACME: an urgent exit is not filled" not in told(desk)


def test_a_missing_short_leaves_no_danger_and_the_stop_of_the_rest_acts(desk: TestDesk) -> None:
    trade = desk.open_trade()
    contracts = trade.contracts_held
    vanish(desk, SHORT_PUT, 1)
    assert watch(desk).exits_begun == {}
    assert told(desk) == [DIFFERS(SHORT_PUT)]
    stop_out(desk)

    assert a_pass(desk).exits_begun == {"stop_loss": 1}
    assert desk.close_intents()[-1].contracts == contracts - 1
    carry_all(desk)

    assert at_the_broker(desk) == {LONG_PUT: 1}
    assert stored(desk, trade).contracts_held == 1
    assert a_pass(desk).exits_begun == {}


def test_the_target_of_the_whole_rest_acts_too(desk: TestDesk) -> None:
    trade = desk.open_trade()
    vanish(desk, SHORT_PUT, 1)
    cheapen(desk)

    assert a_pass(desk).exits_begun == {"profit_target": 1}
    assert told(desk) == [DIFFERS(SHORT_PUT)]
    carry_all(desk)

    assert stored(desk, trade).contracts_held == 1


def test_a_rest_that_is_refused_as_one_order_goes_leg_by_leg_and_no_further(
    desk: TestDesk,
) -> None:
    trade = desk.open_trade()
    vanish(desk, SHORT_PUT, 1)
    stop_out(desk)
    a_pass(desk)
    desk.exchange.faults.multileg_closes_refused = 9

    carry_all(desk)

    assert at_the_broker(desk) == {LONG_PUT: 1}
    assert stored(desk, trade).leg_quantities == {SHORT_PUT: -1, LONG_PUT: 1}


def test_a_condor_loses_the_side_that_is_uncovered_and_keeps_nothing_dangerous(
    desk: TestDesk,
) -> None:
    trade = open_condor(desk)
    vanish(desk, LONG_CALL, trade.contracts_held)

    assert watch(desk).exits_begun == {"cover_lost": 1}
    (intent,) = desk.close_intents()
    assert intent.leg == SHORT_CALL
    carry_all(desk)

    assert at_the_broker(desk)[SHORT_PUT] == -trade.contracts_held
    for _ in range(3):
        a_pass(desk)
        carry_all(desk)
    assert at_the_broker(desk) == {}
    held = stored(desk, trade).leg_quantities
    assert {symbol: count for symbol, count in held.items() if count} == {
        LONG_CALL: trade.contracts_held
    }


def test_what_the_broker_shows_again_on_a_second_look_is_left_alone(desk: TestDesk) -> None:
    trade = desk.open_trade()
    befallen = Befallen(0, frozenset({trade.trade_id}), {LONG_PUT: trade.contracts_held})

    protected = protect_broken(desk.desk, [trade], befallen, Troubles(), desk.exchange.now)

    assert (dict(protected.begun), dict(protected.judged)) == ({}, {})
    assert told(desk) == []


def test_a_trade_that_another_pass_moved_is_left_to_it(desk: TestDesk) -> None:
    trade = desk.open_trade()
    vanish(desk, LONG_PUT, trade.contracts_held)
    befallen = Befallen(0, frozenset({trade.trade_id}), {LONG_PUT: trade.contracts_held})
    seen_before: Trade = trade.model_copy(update={"version": trade.version - 1})

    protected = protect_broken(desk.desk, [seen_before], befallen, Troubles(), desk.exchange.now)

    assert dict(protected.begun) == {}
    assert desk.close_intents() == []


def test_calls_whose_shares_are_gone_are_bought_back_within_a_pass(desk: TestDesk) -> None:
    trade = assigned_put(desk)
    a_pass(desk)
    a_pass(desk)
    carry_all(desk)
    call = call_of(stored(desk, trade))
    contracts = -at_the_broker(desk)[call]
    desk.exchange.book.trade("ACME", None, -100 * contracts, Decimal(0))

    assert a_pass(desk).exits_begun == {"cover_lost": 1}

    assert UNCOVERED in told(desk)
    carry_all(desk)
    assert at_the_broker(desk) == {}
    assert stored(desk, trade).shares_held == 100 * contracts
    assert a_pass(desk).exits_begun == {}


def test_kept_shares_are_not_sold_because_their_call_is_missing(desk: TestDesk) -> None:
    trade = assigned_put(desk)
    a_pass(desk)
    a_pass(desk)
    carry_all(desk)
    vanish(desk, call_of(stored(desk, trade)), 1)

    assert a_pass(desk).exits_begun == {}

    assert at_the_broker(desk)["ACME"] == stored(desk, trade).shares_held
