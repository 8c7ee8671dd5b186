"""EventBridge cron expressions give the minutes that EventBridge Scheduler would."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.cloud.cron import CronError, CronExpression

NEW_YORK = ZoneInfo("America/New_York")
TUESDAY = date(2026, 6, 9)
SATURDAY = date(2026, 6, 13)
SUNDAY = date(2026, 6, 14)


def local_times(expression: str, day: date, zone: ZoneInfo = NEW_YORK) -> list[str]:
    slots = CronExpression.parse(expression).slots(day, zone)
    return [slot.astimezone(zone).strftime("%H:%M") for slot in slots]


@pytest.mark.parametrize(
    ("expression", "times"),
    [
        ("cron(0 17 ? * MON-FRI *)", ["17:00"]),
        ("cron(0,30 9-10 ? * 2-6 *)", ["09:00", "09:30", "10:00", "10:30"]),
        ("cron(0/20 9 * * ? *)", ["09:00", "09:20", "09:40"]),
        ("cron(*/20 9 * * ? *)", ["09:00", "09:20", "09:40"]),
        ("cron(10-40/15 9 9 6 ? 2026)", ["09:10", "09:25", "09:40"]),
        ("cron(45 15 ? JUN,SEP tue 2025-2027)", ["15:45"]),
        ("cron(0 20 ? * SUN *)", []),
        ("cron(0 20 10 * ? *)", []),
        ("cron(0 20 ? 7 * *)", []),
        ("cron(0 20 ? * * 2027)", []),
    ],
)
def test_the_fields_are_lists_of_values_ranges_and_steps(expression: str, times: list[str]) -> None:
    assert local_times(expression, TUESDAY) == times


def test_the_week_begins_with_sunday_as_one() -> None:
    expression = "cron(0 20 ? * 1 *)"
    assert local_times(expression, SUNDAY) == ["20:00"]
    assert local_times(expression, SATURDAY) == []


def test_the_scan_schedule_of_the_design_gives_96_slots_on_a_weekday() -> None:
    times = local_times("cron(*/5 9-16 ? * MON-FRI *)", TUESDAY)
    assert len(times) == 96
    assert (times[0], times[-1]) == ("09:00", "16:55")


@pytest.mark.parametrize(("month", "utc_hour"), [(1, 14), (7, 13)])
def test_a_local_hour_moves_in_utc_with_daylight_saving(month: int, utc_hour: int) -> None:
    day = date(2026, month, 6)
    slots = CronExpression.parse("cron(30 9 * * ? *)").slots(day, NEW_YORK)
    assert slots == (datetime(2026, month, 6, utc_hour, 30, tzinfo=UTC),)


def test_a_local_time_that_spring_skips_does_not_fire() -> None:
    assert local_times("cron(30 1-3 * * ? *)", date(2026, 3, 8)) == ["01:30", "03:30"]


def test_a_local_time_that_autumn_repeats_fires_once() -> None:
    slots = CronExpression.parse("cron(30 0-2 * * ? *)").slots(date(2026, 11, 1), NEW_YORK)
    assert slots == (
        datetime(2026, 11, 1, 4, 30, tzinfo=UTC),
        datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
        datetime(2026, 11, 1, 7, 30, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    "expression",
    [
        "rate(5 minutes)",
        "cron(* * * * *)",
        "cron(60 9 * * ? *)",
        "cron(0 9 * * * *)",
        "cron(0 9 ? * ? *)",
        "cron(0 9 L * ? *)",
        "cron(0 9 ? * 2#1 *)",
        "cron(0 9 ? * FRI-MON *)",
        "cron(0/0 9 * * ? *)",
        "cron(-1 9 * * ? *)",
        "cron(0 9 ? MONDAY * *)",
        "cron(0,,5 9 * * ? *)",
    ],
)
def test_what_is_not_understood_is_refused_with_the_expression(expression: str) -> None:
    with pytest.raises(CronError) as raised:
        CronExpression.parse(expression)
    assert expression in str(raised.value)


@given(
    day=st.dates(date(2024, 1, 1), date(2030, 12, 31)),
    step=st.integers(1, 59),
    zone=st.sampled_from([NEW_YORK, ZoneInfo("UTC"), ZoneInfo("Asia/Kolkata")]),
)
def test_slots_ascend_within_their_local_day_at_the_stated_minutes(
    day: date, step: int, zone: ZoneInfo
) -> None:
    slots = CronExpression.parse(f"cron(0/{step} * * * ? *)").slots(day, zone)
    assert list(slots) == sorted(set(slots))
    for slot in slots:
        local = slot.astimezone(zone)
        assert local.date() == day
        assert local.minute % step == 0
        assert slot.utcoffset() == timedelta(0)
