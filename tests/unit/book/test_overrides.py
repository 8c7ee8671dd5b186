"""What the owner may do to a single trade."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pytest

from agent.book.changes import BookChange
from agent.book.overrides import (
    NOTE_LENGTH_MAX,
    NOTES_LENGTH_MAX,
    OverrideRefused,
    attach_note,
    move_stop,
    request_manual_exit,
    resume_automation,
    suspend_automation,
)
from agent.book.records import StopWatch, Trade
from agent.book.states import TradeStatus
from agent.options.structures import Leg, LegSide, Structure
from tests.builders import AS_OF, a_contract, a_trade

OVERRIDES: list[Callable[[Trade, datetime], BookChange]] = [
    request_manual_exit,
    suspend_automation,
    resume_automation,
    lambda trade, at: move_stop(trade, Decimal("2.00"), at),
]


def after(change: BookChange) -> Trade:
    assert change.trade is not None
    return change.trade.trade


def test_a_manual_exit_is_asked_for_on_the_trade() -> None:
    assert after(request_manual_exit(a_trade(), AS_OF)).manual_exit_requested


def test_automation_is_suspended_and_resumed() -> None:
    suspended = after(suspend_automation(a_trade(), AS_OF))
    assert suspended.automation_suspended
    assert not after(resume_automation(suspended, AS_OF)).automation_suspended


def test_a_moved_stop_forgets_what_the_old_one_saw() -> None:
    watching = a_trade(stop_watch=StopWatch(passes=1, last_slot=AS_OF))
    moved = after(move_stop(watching, Decimal("2.40"), AS_OF))
    assert moved.stop_debit == Decimal("2.40")
    assert moved.stop_watch == StopWatch()
    assert after(move_stop(moved, None, AS_OF)).stop_debit is None


@pytest.mark.parametrize("debit", ["0", "-1", "5", "7.50"])
def test_a_stop_that_cannot_be_met_is_refused(debit: str) -> None:
    with pytest.raises(OverrideRefused, match="not between 0 and the 5"):
        move_stop(a_trade(), Decimal(debit), AS_OF)


def test_the_stop_of_a_single_put_may_be_anything_below_its_strike() -> None:
    put = Structure((Leg(a_contract(strike="190"), LegSide.SHORT),))
    trade = a_trade(structure=put)
    assert after(move_stop(trade, Decimal("189.99"), AS_OF)).stop_debit == Decimal("189.99")
    with pytest.raises(OverrideRefused):
        move_stop(trade, Decimal(190), AS_OF)


def test_notes_are_added_line_by_line_with_their_time() -> None:
    once = after(attach_note(a_trade(), "  watch the\nnews ", AS_OF))
    twice = after(attach_note(once, "leaving it", AS_OF))
    assert twice.notes == ("2026-06-09 19:45 UTC: watch the news\n2026-06-09 19:45 UTC: leaving it")


def test_a_closed_trade_can_be_noted_on() -> None:
    noted = attach_note(a_trade(TradeStatus.CLOSED), "should have rolled", AS_OF)
    assert after(noted).status is TradeStatus.CLOSED


@pytest.mark.parametrize("note", ["", " \n ", "x" * (NOTE_LENGTH_MAX + 1)])
def test_a_note_has_a_length(note: str) -> None:
    with pytest.raises(OverrideRefused, match="a note has 1 to 500 characters"):
        attach_note(a_trade(), note, AS_OF)


def test_notes_do_not_grow_for_ever() -> None:
    with pytest.raises(OverrideRefused, match="full"):
        attach_note(a_trade(notes="x" * NOTES_LENGTH_MAX), "more", AS_OF)


@pytest.mark.parametrize("override", OVERRIDES)
@pytest.mark.parametrize(
    "status",
    [TradeStatus.PENDING, TradeStatus.CLOSING, TradeStatus.ROLLING, TradeStatus.CLOSED],
)
def test_only_open_trades_are_overridden(
    override: Callable[[Trade, datetime], BookChange], status: TradeStatus
) -> None:
    with pytest.raises(OverrideRefused, match=f"is {status}, not open"):
        override(a_trade(status), AS_OF)


@pytest.mark.parametrize("status", [TradeStatus.PENDING, TradeStatus.CLOSING])
def test_a_trade_that_an_execution_moves_is_not_noted_on(status: TradeStatus) -> None:
    with pytest.raises(OverrideRefused):
        attach_note(a_trade(status), "now?", AS_OF)


@pytest.mark.parametrize("override", OVERRIDES)
def test_an_override_is_written_on_what_was_read_and_journaled(
    override: Callable[[Trade, datetime], BookChange],
) -> None:
    trade = a_trade(version=7)
    change = override(trade, AS_OF)
    assert change.trade is not None
    assert (change.trade.expected_status, change.trade.expected_version) == (TradeStatus.OPEN, 7)
    assert change.trade.trade.version == 8
    (event,) = change.events
    assert event.trade_id == trade.trade_id
    assert event.event_id.endswith("-7")
