"""Things happen in their turns, and what pauses lets others go on."""

from datetime import UTC, datetime, timedelta

import pytest

from simulator.exchange import SimulatedClock
from simulator.storm.dice import Dice
from simulator.storm.scheduler import Fiber, ProcessDied, Scheduler

START = datetime(2026, 6, 15, 14, 0, tzinfo=UTC)


class Log:
    """Keep what happened, with the seconds since the start."""

    def __init__(self, seed: int = 1) -> None:
        self.clock = SimulatedClock(START)
        self.scheduler = Scheduler(self.clock, Dice(seed), lambda: None)
        self.lines: list[tuple[float, str]] = []

    def say(self, text: str) -> None:
        self.lines.append(((self.clock.now - START).total_seconds(), text))

    def run(self, seconds: float) -> None:
        self.scheduler.run(START + timedelta(seconds=seconds))


def test_what_is_due_first_happens_first() -> None:
    log = Log()
    log.scheduler.after(5, "late", lambda: log.say("late"))
    log.scheduler.after(1, "early", lambda: log.say("early"))
    log.run(10)
    assert log.lines == [(1.0, "early"), (5.0, "late")]
    assert log.clock.now == START + timedelta(seconds=10)


def test_turns_that_tie_are_the_seeds_to_decide() -> None:
    def order(seed: int) -> str:
        log = Log(seed)
        for name in "abcdef":
            log.scheduler.after(1, name, lambda name=name: log.say(name))  # type: ignore[misc]
        log.run(2)
        return "".join(text for _, text in log.lines)

    orders = {order(seed) for seed in range(8)}
    assert len(orders) > 4
    assert order(3) == order(3)


def test_a_pause_lets_others_go_on_in_the_middle() -> None:
    log = Log()

    def work(fiber: Fiber) -> None:
        log.say("begins")
        log.scheduler.pause(fiber, 3)
        log.say("ends")

    log.scheduler.after(1, "work", lambda: log.scheduler.start("work", work))
    log.scheduler.after(2, "other", lambda: log.say("other"))
    log.run(10)
    assert log.lines == [(1.0, "begins"), (2.0, "other"), (4.0, "ends")]


def test_a_pause_in_which_nothing_is_due_just_lets_time_pass() -> None:
    log = Log()

    def work(fiber: Fiber) -> None:
        log.scheduler.pause(fiber, 3)
        log.say("ends")

    log.scheduler.start("work", work)
    assert log.lines == [(3.0, "ends")]


def test_a_fibers_error_is_raised_where_it_was_resumed() -> None:
    log = Log()

    def work(fiber: Fiber) -> None:
        log.scheduler.pause(fiber, 1)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        log.scheduler.start("work", work)


def test_what_still_waits_can_be_ended() -> None:
    log = Log()

    def work(fiber: Fiber) -> None:
        try:
            fiber.pause(100)
        except ProcessDied:
            log.say("died")

    log.scheduler.start("work", work)
    log.run(10)
    log.scheduler.end_paused()
    assert log.lines == [(10.0, "died")]


def test_chance_belongs_to_its_name() -> None:
    dice = Dice(7)
    first = dice.fraction("a")
    dice.fraction("b")
    assert dice.fraction("a") == first == Dice(7).fraction("a")
    assert Dice(8).fraction("a") != first
    assert all(0 <= dice.fraction(str(number)) < 1 for number in range(1000))
