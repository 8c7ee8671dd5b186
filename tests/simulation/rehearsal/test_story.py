"""What the desk did and why, told from the journal, the broker and what failed."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from agent.book.intents import Urgency
from agent.book.lifecycle import Booking, LegEvent, LegEventKind, book_leg_event
from agent.book.records import JournalEvent
from agent.book.states import ExitReason, TradeStatus
from agent.book.transitions import begin_close, refuse_entry
from simulator.exchange import Exchange
from simulator.exchange.records import Activity
from simulator.rehearsal.story import Sources, StoryEvent, tell_story
from simulator.rehearsal.tally import Failure
from tests.builders import (
    AS_OF,
    TRADE_ID,
    a_close_intent,
    a_trade,
    an_event,
    an_intent,
    an_order_attempt,
    positions_of,
)
from tests.simulation.exchange.builders import PUT_95, PUT_100, exchange_at_noon, filled, put_spread

LATER = AS_OF + timedelta(minutes=30)


def told(
    *journal: JournalEvent,
    failures: Sequence[Failure] = (),
    activities: Sequence[Activity] = (),
    closed: bool = False,
) -> tuple[StoryEvent, ...]:
    """Tell a story of the builders' trade, open or closed by its first attempt."""
    outcome = "closed" if closed else "unfilled"
    return tell_story(
        Sources(
            trades=[a_trade(TradeStatus.CLOSED if closed else TradeStatus.OPEN)],
            intents=[an_intent(), a_close_intent(outcome=outcome)],
            journal=journal,
            failures=failures,
            activities=activities,
        )
    )


def test_an_opening_says_what_was_sold_for_how_much_and_in_which_market() -> None:
    assert told(an_event()) == (
        StoryEvent(
            at="2026-06-09 15:45",
            symbol="AAPL",
            event="opened",
            why="2 x -190P/+185P 2026-07-17 for 1.20: IV rank 42, spot 201.35",
        ),
    )


def test_a_close_gives_the_sentence_of_the_rule_and_the_profit() -> None:
    change, intent = begin_close(
        a_trade(), ExitReason.PROFIT_TARGET, Urgency.PATIENT, "Closing costs 0.58.", AS_OF
    )
    settled = JournalEvent(
        event_id=f"{intent.intent_id}-close_settled",
        at=LATER,
        kind="close_settled",
        trade_id=TRADE_ID,
    )
    begun, ended = told(*change.events, settled, closed=True)
    assert (begun.event, begun.why) == ("closing: profit target", "Closing costs 0.58.")
    assert (ended.event, ended.why) == (
        "closed",
        "-190P/+185P 2026-07-17 for 0.60: P&L +119.66 USD",
    )


@pytest.mark.parametrize(
    ("kind", "details", "event", "why"),
    [
        ("manual_exit_requested", {}, "asked to close", "its owner said so"),
        ("automation_suspended", {}, "suspended", "its owner said so"),
        ("automation_resumed", {}, "resumed", "its owner said so"),
        (
            "stop_moved",
            {"stop_debit": "2.40"},
            "stop moved",
            "its owner said so: to a debit of 2.40",
        ),
        (
            "stop_moved",
            {"stop_debit": None},
            "stop moved",
            "its owner said so: to where the rules have it",
        ),
        ("note_attached", {"note": "mind it"}, "noted", "its owner: mind it"),
    ],
)
def test_what_its_owner_said_of_a_trade_is_told_as_said(
    kind: str, details: dict[str, Any], event: str, why: str
) -> None:
    (one,) = told(an_event(f"{TRADE_ID}-{kind}-1", kind=kind, details=details))
    assert (one.event, one.why) == (event, why)


@pytest.mark.parametrize(
    ("kind", "details", "event", "why"),
    [
        ("roll_begun", {"why": "Threatened."}, "rolling", "Threatened."),
        ("roll_refused", {"reason": "no_net_credit 3"}, "no roll", "no_net_credit 3"),
        (
            "roll_settled",
            {"outcome": "partly rolled", "closed": 2, "opened": 1},
            "partly rolled",
            "2 closed, 1 opened",
        ),
        ("residue_settled", {"contracts": 1}, "closed what a roll left", "1 contracts"),
    ],
)
def test_what_became_of_a_roll_is_told_in_its_order(
    kind: str, details: dict[str, Any], event: str, why: str
) -> None:
    (one,) = told(an_event(f"{TRADE_ID}-{kind}-1", kind=kind, details=details))
    assert (one.event, one.why) == (event, why)


def test_a_refused_entry_gives_the_sentences_of_the_checks_that_refused_it() -> None:
    findings = {
        "heat": "Heat would be 31 %, the limit is 30 %.",
        "symbol": "1 position of 2.",
        "sizing": "No contract fits.",
    }
    (event,) = refuse_entry(an_intent(), "heat,sizing", AS_OF, findings).events
    (refusal,) = told(event)
    assert (refusal.symbol, refusal.event) == ("AAPL", "refused")
    assert refusal.why == "Heat would be 31 %, the limit is 30 %. No contract fits."


def test_what_happens_again_on_a_day_is_counted_and_on_another_day_told_anew() -> None:
    events = [
        begin_close(
            a_trade(close_attempts=number),
            ExitReason.STOP_LOSS,
            Urgency.URGENT,
            f"Pass {number}.",
            AS_OF + timedelta(days=number // 2, minutes=number % 2),
        )[0].events[0]
        for number in range(4)
    ]
    assert [(each.at[:10], each.why, each.times) for each in told(*events)] == [
        ("2026-06-09", "Pass 0.", 2),
        ("2026-06-10", "Pass 2.", 2),
    ]


def test_a_failure_is_told_in_the_order_of_time() -> None:
    failure = Failure(LATER, "scan_market", "BrokerUnavailable", "GET http://127.0.0.1:1 ...")
    first, second = told(an_event(), failures=[failure])
    assert first.event == "opened"
    assert (second.event, second.why) == (
        "scan_market failed",
        "BrokerUnavailable: the broker was out of reach",
    )


def assigned_exchange() -> Exchange:
    exchange = exchange_at_noon()
    filled(exchange, put_spread("-0.50"))
    exchange.assign(PUT_100)
    return exchange


def test_an_assignment_is_told_with_its_shares() -> None:
    (assigned,) = told(activities=assigned_exchange().book.activities)
    assert (assigned.event, assigned.symbol) == ("assigned", PUT_95[:-15])
    assert assigned.why == f"the broker: 1 x {PUT_100}, 100 shares at 100"


def test_no_address_of_an_exchange_gets_into_a_story() -> None:
    change, intent = begin_close(a_trade(), ExitReason.STOP_LOSS, Urgency.URGENT, "Stop.", AS_OF)
    settled = JournalEvent(
        event_id=f"{intent.intent_id}-close_settled",
        at=datetime(2026, 6, 9, 20, tzinfo=UTC),
        kind="close_settled",
        trade_id=TRADE_ID,
    )
    message = "POST http://127.0.0.1:4711/v2/orders answered 422: no"
    refused = a_close_intent(outcome="unfilled", orders=(an_order_attempt(message=message),))
    story = tell_story(Sources([a_trade()], [refused], [*change.events, settled], [], []))
    assert story[1].why == "the broker refused: 422: no"


def test_what_was_booked_to_a_leg_is_told_in_the_words_of_its_journal() -> None:
    trade = a_trade()
    assigned = LegEvent("asn-1", LegEventKind.ASSIGNED, trade.structure.symbols[0], 2, LATER)
    booking = Booking(fees=Decimal(0), max_loss=Decimal(760), risk=trade.risk)
    change = book_leg_event(trade, positions_of(trade), assigned, booking, LATER)
    (event,) = told(*change.events)
    assert (event.symbol, event.event) == ("AAPL", "booked: leg assigned")
    assert event.why.endswith("assigned at 190; the trade holds 200 shares")
