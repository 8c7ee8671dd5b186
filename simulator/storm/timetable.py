"""When schedules fire on a stormy day, and how their slots are named."""

from datetime import UTC, datetime, timedelta

from simulator.storm.dice import Dice
from simulator.storm.scenario import MORNING_MINUTES, Scenario

SESSION_MINUTES = 390
EVE_SCAN_MINUTES = (330, 360)
EVENING = timedelta(minutes=60)
"""When the day is explained, after its close."""
REVIEW = timedelta(minutes=70)
"""When the strategies are reviewed, as on the last evening of a week."""
BEFORE_EVENING, AFTER_EVENING = timedelta(minutes=55), timedelta(minutes=85)
PERIODS_MINUTES = {"monitor_positions": 5, "scan_market": 30, "watch_heartbeat": 30}
DELIVERY_SECONDS_MAX = 2.0


def slots_of(scenario: Scenario) -> tuple[tuple[str, datetime], ...]:
    """Give what schedules fire on a day, and the eve's scans, in order of time."""
    eve, opens_at = scenario.eve.opens_at, scenario.day.opens_at
    closes_at = scenario.day.closes_at
    slots = [("scan_market", eve + timedelta(minutes=minute)) for minute in EVE_SCAN_MINUTES]
    for function, minutes in PERIODS_MINUTES.items():
        slots += [
            (function, opens_at + timedelta(minutes=minute))
            for minute in range(0, SESSION_MINUTES, minutes)
        ]
    slots += [
        ("analyze_day", closes_at + EVENING),
        ("learn_weekly", closes_at + REVIEW),
        ("monitor_positions", closes_at + AFTER_EVENING),
    ]
    return tuple(sorted(slots, key=lambda slot: slot[1]))


def slot_key(function: str, slot: datetime) -> str:
    """Name a slot as chance knows it."""
    return f"{function}@{slot.astimezone(UTC):%d%H%M}"


def delivery_seconds(dice: Dice, function: str, slot: datetime) -> float:
    """Say how long after its time a slot arrives where nothing goes wrong."""
    return dice.between(slot_key(function, slot), 0.0, DELIVERY_SECONDS_MAX)


def morning_slots_of(scenario: Scenario) -> tuple[tuple[str, datetime], ...]:
    """Give what fires in the first hour of the next session; nothing where it is not played."""
    if scenario.morning is None:
        return ()
    function, opens_at = "monitor_positions", scenario.morning.opens_at
    return tuple(
        (function, opens_at + timedelta(minutes=minute))
        for minute in range(0, MORNING_MINUTES, PERIODS_MINUTES[function])
    )
