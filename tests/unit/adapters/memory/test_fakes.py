"""The fakes that have no counterpart in DynamoDB."""

from datetime import UTC, date, datetime, timedelta

import pytest

from agent.adapters.memory.alerts import MemoryAlerts
from agent.adapters.memory.clock import MemoryCalendar, MemoryClock
from agent.adapters.memory.workflows import MemoryWorkflows
from agent.book.intents import Intent
from agent.market.calendar import TradingSession
from agent.ports import AlertUnavailable, ExecutionState
from tests.builders import a_close_intent, an_alert, an_intent


def a_session(day: int) -> TradingSession:
    return TradingSession(
        date(2026, 6, day),
        datetime(2026, 6, day, 13, 30, tzinfo=UTC),
        datetime(2026, 6, day, 20, tzinfo=UTC),
    )


SESSIONS = (a_session(9), a_session(10), a_session(11))


def test_an_execution_starts_once_and_runs_until_it_is_ended() -> None:
    workflows = MemoryWorkflows()
    assert workflows.state(an_intent()) is ExecutionState.ABSENT

    workflows.start(an_intent())
    workflows.start(a_close_intent())
    workflows.start(an_intent())
    assert workflows.started == (an_intent(), a_close_intent())
    assert workflows.state(an_intent()) is ExecutionState.RUNNING

    workflows.end(an_intent().intent_id)
    workflows.start(an_intent())
    assert workflows.state(an_intent()) is ExecutionState.ENDED
    assert workflows.state(a_close_intent()) is ExecutionState.RUNNING
    assert workflows.started == (an_intent(), a_close_intent())


def test_an_execution_that_is_not_running_cannot_be_ended() -> None:
    with pytest.raises(KeyError):
        MemoryWorkflows().end("nobody")


def test_what_an_execution_does_may_be_given() -> None:
    seen: list[ExecutionState] = []
    workflows = MemoryWorkflows(lambda intent: seen.append(workflows.state(intent)))

    workflows.start(an_intent())

    assert seen == [ExecutionState.RUNNING]
    assert workflows.state(an_intent()) is ExecutionState.ENDED


def test_an_execution_that_fails_has_ended() -> None:
    def fail(intent: Intent) -> None:
        raise RuntimeError(intent.intent_id)

    workflows = MemoryWorkflows(fail)

    with pytest.raises(RuntimeError):
        workflows.start(an_intent())
    assert workflows.state(an_intent()) is ExecutionState.ENDED


def test_alerts_are_recorded_while_somebody_listens() -> None:
    alerts = MemoryAlerts()
    alerts.publish(an_alert("a"))
    alerts.available = False
    with pytest.raises(AlertUnavailable):
        alerts.publish(an_alert("b"))

    assert alerts.published == [an_alert("a")]


def test_a_calendar_gives_both_ends() -> None:
    calendar = MemoryCalendar(reversed(SESSIONS))

    assert calendar.sessions(date(2026, 6, 9), date(2026, 6, 10)) == SESSIONS[:2]
    assert calendar.sessions(date(2026, 6, 12), date(2026, 6, 30)) == ()


@pytest.mark.parametrize(
    ("now", "is_open", "next_open", "next_close"),
    [
        (SESSIONS[0].opens_at - timedelta(hours=1), False, 9, 9),
        (SESSIONS[0].opens_at, True, 10, 9),
        (SESSIONS[0].closes_at, False, 10, 10),
        (SESSIONS[1].opens_at + timedelta(hours=1), True, 11, 10),
    ],
)
def test_the_clock_knows_the_hours_around_the_time_it_was_set_to(
    now: datetime, is_open: bool, next_open: int, next_close: int
) -> None:
    clock = MemoryClock(SESSIONS[2].opens_at - timedelta(days=30), SESSIONS)
    clock.set(now)

    read = clock.market_clock()

    assert (read.now, read.is_open) == (now, is_open)
    assert read.next_open == a_session(next_open).opens_at
    assert read.next_close == a_session(next_close).closes_at


def test_a_clock_beyond_its_sessions_knows_no_hours() -> None:
    clock = MemoryClock(SESSIONS[2].closes_at, SESSIONS)

    with pytest.raises(ValueError, match="no session opens after"):
        clock.market_clock()


def test_a_clock_needs_a_zone() -> None:
    with pytest.raises(ValueError, match="a clock needs a time zone"):
        MemoryClock(SESSIONS[0].opens_at.replace(tzinfo=None), SESSIONS)
