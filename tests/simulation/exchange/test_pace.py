"""Time that runs by itself."""

from datetime import datetime, timedelta
from threading import Event

import pytest

from simulator.exchange import Exchange, Pace
from tests.simulation.exchange.builders import NOON, at_close, exchange_at_noon, put_spread
from tests.simulation.exchange.small_world import WEEK


def test_a_real_second_is_so_many_simulated_ones() -> None:
    exchange = exchange_at_noon()
    order = exchange.place_order(put_spread())
    Pace(exchange, speed=60).step(0.5)
    assert exchange.now == NOON + timedelta(seconds=30)
    assert order.status == "filled"


def test_nights_are_skipped_once_the_day_is_posted() -> None:
    exchange = exchange_at_noon(starts_at=at_close())
    pace = Pace(exchange, speed=1800, skips_closed_hours=True)
    pace.step(1)
    assert exchange.now == at_close() + timedelta(minutes=30)
    pace.step(1)
    pace.step(1)
    assert exchange.now == WEEK[1].opens_at - timedelta(minutes=1)
    pace.step(1)
    assert exchange.now == WEEK[1].opens_at + timedelta(minutes=29)


def test_time_stands_still_a_day_after_the_last_close() -> None:
    exchange = exchange_at_noon()
    pace = Pace(exchange, speed=1_000_000)
    pace.step(10)
    pace.step(10)
    assert exchange.now == at_close(4) + timedelta(days=1)


def test_the_clock_moves_while_the_pace_is_entered() -> None:
    exchange = exchange_at_noon()
    moved = Event()
    exchange.clock.follow(Ringing(exchange, moved))
    with Pace(exchange, speed=60):
        assert moved.wait(timeout=5)
    stopped_at = exchange.now
    assert stopped_at > NOON


class Ringing:
    """Ring whenever time passes, on top of what the exchange does."""

    def __init__(self, exchange: Exchange, moved: Event) -> None:
        self._exchange, self._moved = exchange, moved

    def next_event_after(self, after: datetime, until: datetime) -> datetime | None:
        return self._exchange.next_event_after(after, until)

    def happen(self, at: datetime) -> None:
        self._exchange.happen(at)
        self._moved.set()


def test_a_pace_needs_a_speed() -> None:
    with pytest.raises(ValueError, match="speed must be above 0"):
        Pace(exchange_at_noon(), speed=0)
