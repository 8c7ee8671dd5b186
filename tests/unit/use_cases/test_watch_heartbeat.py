"""Listening for the heartbeat: when silence is loud, and when it is only the night."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from agent.adapters.memory.beats import MemoryBeats
from agent.adapters.memory.clock import MemoryCalendar
from agent.book.changes import BookBusy
from agent.ports import BrokerMisunderstood, BrokerUnavailable, CredentialsRefused, MarketClock
from agent.use_cases.desk import AssembledDesk
from agent.use_cases.monitor_positions import monitor_positions
from agent.use_cases.scan_market import scan_market
from agent.use_cases.schedule import ScheduledEvent, leave_beat
from agent.use_cases.watch_heartbeat import PERIODS, HeartbeatReport, watch_heartbeat
from tests.builders import SESSION
from tests.unit.use_cases.analysis_desk import HOLIDAY, AnalysisDesk, new_york
from tests.unit.use_cases.conftest import TestDesk

MINUTE = timedelta(minutes=1)
NOON = new_york(SESSION, 12)


@dataclass
class Listening:
    """Hold a desk at a time of the market, with beats that a test leaves."""

    office: AnalysisDesk = field(default_factory=AnalysisDesk)

    def beat(self, scan: datetime | None, monitor: datetime | None) -> None:
        for function, slot in (("scan_market", scan), ("monitor_positions", monitor)):
            if slot is not None:
                self.office.desk.beats.beat(function, slot)

    def listen(self, slot: datetime = NOON, desk: AssembledDesk | None = None) -> HeartbeatReport:
        self.office.clock.set(slot + timedelta(seconds=3))
        return watch_heartbeat(desk or self.office.desk, ScheduledEvent(slot=slot))


@dataclass
class BrokenClock:
    error: Exception

    def market_clock(self) -> MarketClock:
        raise self.error


class BusyBeats(MemoryBeats):
    """Answer nothing, as a store that is throttled."""

    def beat(self, function: str, slot: datetime) -> None:
        raise BookBusy(f"no beat of {function} for {slot}")

    def last_beat(self, function: str) -> datetime | None:
        raise BookBusy(f"no beat of {function}")


def test_beats_within_two_periods_are_well() -> None:
    room = Listening()
    room.beat(scan=NOON - 10 * MINUTE, monitor=NOON - 2 * MINUTE)
    report = room.listen()
    assert (report.well, report.market_open, report.reasons) == (True, True, ())
    assert report.counts() == {"Heartbeat": 1}


@pytest.mark.parametrize(
    ("scan_minutes", "monitor_minutes", "silent"),
    [(11, 0, "scan_market"), (0, 3, "monitor_positions")],
)
def test_a_beat_older_than_two_periods_is_silence(
    scan_minutes: int, monitor_minutes: int, silent: str
) -> None:
    room = Listening()
    room.beat(scan=NOON - scan_minutes * MINUTE, monitor=NOON - monitor_minutes * MINUTE)
    report = room.listen()
    assert report.counts() == {"Heartbeat": 0}
    (reason,) = report.reasons
    assert reason.startswith(f"{silent} last ran for ")


def test_what_never_ran_is_silent() -> None:
    report = Listening().listen()
    assert report.reasons == (
        "scan_market has never run",
        "monitor_positions has never run",
    )


@pytest.mark.parametrize(
    "slot",
    [
        new_york(SESSION, 9, 25),
        new_york(SESSION, 16),
        new_york(SESSION, 23, 55),
        new_york(HOLIDAY, 12),
    ],
)
def test_a_closed_market_needs_no_beat(slot: datetime) -> None:
    report = Listening().listen(slot)
    assert (report.well, report.market_open) == (True, False)


def test_after_the_open_each_has_two_periods_to_be_heard() -> None:
    room = Listening()
    opens_at = new_york(SESSION, 9, 30)
    assert room.listen(opens_at).well
    assert room.listen(opens_at + 5 * MINUTE).reasons == ("monitor_positions has never run",)
    assert len(room.listen(opens_at + 10 * MINUTE).reasons) == 2


def test_yesterdays_beats_do_not_speak_for_today() -> None:
    room = Listening()
    room.beat(scan=NOON - timedelta(days=1), monitor=NOON - timedelta(days=1))
    assert len(room.listen().reasons) == 2


@pytest.mark.parametrize("error", [BrokerUnavailable("hangs"), BrokerMisunderstood("garbage")])
def test_a_broker_that_does_not_answer_is_not_well_and_nothing_is_raised(error: Exception) -> None:
    room = Listening()
    room.beat(scan=NOON, monitor=NOON)
    report = room.listen(desk=replace(room.office.desk, clock=BrokenClock(error)))
    assert report.counts() == {"Heartbeat": 0}
    assert report.market_open is None
    assert report.reasons == (f"the broker does not tell its hours: {error}",)


def test_a_store_that_does_not_answer_is_not_well() -> None:
    room = Listening()
    report = room.listen(desk=replace(room.office.desk, beats=BusyBeats()))
    assert not report.well
    assert report.reasons[0].startswith("the store does not tell the beats")


def test_a_calendar_without_the_session_that_is_open_is_not_well() -> None:
    room = Listening()
    room.beat(scan=NOON, monitor=NOON)
    report = room.listen(desk=replace(room.office.desk, calendar=MemoryCalendar([])))
    assert report.reasons == ("the market is open, but the broker's calendar has no session today",)


def test_refused_keys_are_raised_so_that_the_next_look_reads_them_anew() -> None:
    room = Listening()
    with pytest.raises(CredentialsRefused):
        room.listen(desk=replace(room.office.desk, clock=BrokenClock(CredentialsRefused("no"))))


def test_scans_and_passes_beat_whether_the_market_is_open_or_not(desk: TestDesk) -> None:
    for seconds in (0, 5 * 3600):
        desk.exchange.clock.advance(seconds)
        event = ScheduledEvent(slot=desk.exchange.now)
        scan_market(desk.desk, event)
        monitor_positions(desk.desk, event)
        for function in PERIODS:
            assert desk.desk.beats.last_beat(function) == event.slot


def test_a_stale_slot_beats_for_its_own_time_and_not_for_now(desk: TestDesk) -> None:
    slot = desk.exchange.now - timedelta(hours=1)
    assert monitor_positions(desk.desk, ScheduledEvent(slot=slot)).status == "stale_slot"
    assert desk.desk.beats.last_beat("monitor_positions") == slot
    event = ScheduledEvent(slot=desk.exchange.now)
    assert not watch_heartbeat(desk.desk, event).well


def test_no_pass_fails_for_want_of_a_beat() -> None:
    office = AnalysisDesk()
    leave_beat(replace(office.desk, beats=BusyBeats()), "monitor_positions", NOON)
    assert office.desk.beats.last_beat("monitor_positions") is None
