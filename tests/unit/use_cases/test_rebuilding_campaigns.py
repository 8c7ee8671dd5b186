"""A trade that rolled, or wrote calls on its shares, comes back as it was lived."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from agent.adapters.memory.book import MemoryBook
from agent.book.intents import Intent
from agent.book.states import ExitReason, TradeStatus
from agent.use_cases.place_order import place_order
from agent.use_cases.record_fill import record_fill
from agent.use_cases.steps import StepInput
from tests.rebuilding import (
    is_counted_no_lower,
    ledger_of,
    rebuild_from,
    told_by_orders,
    told_of_legs,
)
from tests.unit.use_cases.conftest import TestDesk
from tests.unit.use_cases.test_covered_calls import bought_back, covered
from tests.unit.use_cases.test_rolls import (
    CHEAP,
    a_pass,
    begin,
    buy_the_short_back,
    close_first,
    fill_a_part,
    reach_target,
    requote,
    residue_to_close,
)
from tests.unit.use_cases.wheel_desk import carry_all, quote_chain

NEXT_DAY = timedelta(hours=22)


def assert_comes_back(desk: TestDesk) -> MemoryBook:
    """Compare the one trade of the desk with what its orders give, and both ledgers."""
    lost = desk.desk
    plan, book = rebuild_from(lost.broker, desk.history, lost.settings, desk.exchange.now)
    assert (plan.doubts, plan.unexplained) == ({}, ())
    (lived,), (told,) = desk.book.all_trades(), book.all_trades()
    assert told_by_orders(told) == told_by_orders(lived)
    assert is_counted_no_lower(told, lived)
    legs = desk.book.positions(lived.trade_id)
    assert told_of_legs(book.positions(told.trade_id)) == told_of_legs(legs)
    assert ledger_of(book, [told]) == ledger_of(desk.book, [lived])
    return book


def rolled_in_one(desk: TestDesk) -> None:
    intent = begin(desk, desk.open_trade())
    assert desk.carry(intent).outcome == "rolled"


def rolled_in_two(desk: TestDesk) -> None:
    intent = begin(desk, desk.open_trade())
    desk.exchange.faults.multileg_closes_refused = 1
    assert desk.carry(intent).outcome == "rolled"


def rolled_to_its_target(desk: TestDesk) -> Intent:
    """Roll a trade, and state the close of what it moved on to."""
    intent = begin(desk, desk.open_trade())
    desk.carry(intent)
    desk.workflows.end(intent.intent_id)
    reach_target(desk)
    a_pass(desk)
    return desk.close_intents()[0]


def rolled_and_closed(desk: TestDesk) -> None:
    assert desk.carry(rolled_to_its_target(desk)).outcome == "closed"


def rolled_and_closed_leg_by_leg(desk: TestDesk) -> None:
    closing = rolled_to_its_target(desk)
    desk.exchange.faults.multileg_closes_refused = 1
    assert desk.carry(closing).outcome == "closed"


def closed_and_not_reopened(desk: TestDesk) -> None:
    intent = begin(desk, desk.open_trade())
    close_first(desk, intent)
    requote(desk, *CHEAP)
    step = StepInput(intent_id=intent.intent_id)
    assert not place_order(desk.desk, step).placed
    assert record_fill(desk.desk, step).outcome == "closed"


@pytest.mark.parametrize(
    "play",
    [
        rolled_in_one,
        rolled_in_two,
        rolled_and_closed,
        rolled_and_closed_leg_by_leg,
        closed_and_not_reopened,
    ],
)
def test_a_rolled_trade_is_one_story_with_one_credit_one_budget_and_one_pnl(
    desk: TestDesk, play: Callable[[TestDesk], None]
) -> None:
    play(desk)
    assert_comes_back(desk)


def test_an_attempt_of_which_nothing_filled_counts_among_the_attempts(desk: TestDesk) -> None:
    intent = begin(desk, desk.open_trade())
    requote(desk, ("2.62", "2.82"), ("1.44", "1.56"))
    assert desk.carry(intent).outcome == "unfilled"
    book = assert_comes_back(desk)
    assert book.all_trades()[0].campaign.attempts == 1


def test_what_a_roll_left_behind_comes_back_as_its_residue(parting_desk: TestDesk) -> None:
    intent = begin(parting_desk, parting_desk.open_trade())
    assert fill_a_part(parting_desk, intent) > 0
    book = assert_comes_back(parting_desk)
    assert book.all_trades()[0].campaign.residue is not None


def test_a_residue_that_was_closed_is_gone(parting_desk: TestDesk) -> None:
    desk = parting_desk
    intent = begin(desk, desk.open_trade())
    fill_a_part(desk, intent)
    desk.workflows.end(intent.intent_id)
    a_pass(desk)
    assert desk.carry(desk.close_intents()[0]).outcome == "closed"
    book = assert_comes_back(desk)
    assert book.all_trades()[0].campaign.residue is None


@pytest.mark.parametrize("is_half_way", [False, True])
def test_a_residue_that_went_leg_by_leg_comes_back(
    parting_desk: TestDesk, is_half_way: bool
) -> None:
    closing = residue_to_close(parting_desk)
    if is_half_way:
        buy_the_short_back(parting_desk, closing)
        record_fill(parting_desk.desk, StepInput(intent_id=closing.intent_id))
    else:
        parting_desk.carry(closing)
    book = assert_comes_back(parting_desk)
    assert (book.all_trades()[0].campaign.residue is not None) is is_half_way


def test_calls_on_assigned_shares_go_on_in_the_trade_of_the_put(desk: TestDesk) -> None:
    covered(desk)
    tell_activities(desk)
    book = assert_comes_back(desk)
    (trade,) = book.all_trades()
    assert trade.shares_held == 100 * trade.contracts_held > 0


def test_a_call_that_was_bought_back_leaves_the_shares(desk: TestDesk) -> None:
    bought_back(desk)
    tell_activities(desk)
    assert_comes_back(desk)


def test_why_a_former_call_was_bought_back_stays_unknown(desk: TestDesk) -> None:
    bought_back(desk)
    desk.exchange.clock.advance(timedelta(minutes=15).total_seconds())
    quote_chain(desk)
    a_pass(desk)
    carry_all(desk)
    tell_activities(desk)
    book = assert_comes_back(desk)
    (trade,) = book.all_trades()
    assert [part.exit_reason for part in trade.campaign.parts] == [ExitReason.ASSIGNED, None]


def test_a_wheel_that_ended_with_an_assigned_call_has_one_pnl(desk: TestDesk) -> None:
    trade = covered(desk)
    quote_chain(desk, 36.0)
    desk.exchange.assign(trade.structure.symbols[0])
    a_pass(desk)
    tell_activities(desk)
    book = assert_comes_back(desk)
    (told,) = book.all_trades()
    assert (told.status, told.exit_reason) == (TradeStatus.CLOSED, ExitReason.ASSIGNED)
    assert told.pnl is not None
    assert told.pnl > Decimal(0)


def tell_activities(desk: TestDesk) -> None:
    """Let the day pass on which a paper account tells what was assigned."""
    desk.exchange.clock.advance(NEXT_DAY.total_seconds())
