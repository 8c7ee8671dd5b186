"""EventBridge cron expressions: the minutes of a day on which a schedule fires.

Six fields: minutes, hours, day of month, month, day of week (1 is Sunday), year; each a list of
values, ranges and steps. `L`, `W` and `#` are refused. As EventBridge Scheduler documents, a local
time that the clock skips in spring does not fire, and one that it repeats in autumn fires once.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Self
from zoneinfo import ZoneInfo

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_EXPRESSION = re.compile(r"cron\((.*)\)")


class CronError(Exception):
    """Raised where an expression is not an EventBridge cron expression known here."""


@dataclass(frozen=True)
class CronExpression:
    """Hold the values at which each field matches; None in a day field is `?`."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days_of_month: frozenset[int] | None
    months: frozenset[int]
    days_of_week: frozenset[int] | None
    years: frozenset[int]

    @classmethod
    def parse(cls, expression: str) -> Self:
        """Read `cron(...)`; raise CronError with the expression in it."""
        match = _EXPRESSION.fullmatch(expression.strip())
        fields = match[1].split() if match else []
        if len(fields) != 6:
            raise CronError(f"not a cron expression of six fields: {expression!r}")
        try:
            days_of_month = None if fields[2] == "?" else _values(fields[2], 1, 31)
            days_of_week = None if fields[4] == "?" else _values(fields[4], 1, 7, _WEEKDAYS)
            parsed = cls(
                minutes=_values(fields[0], 0, 59),
                hours=_values(fields[1], 0, 23),
                days_of_month=days_of_month,
                months=_values(fields[3], 1, 12, _MONTHS),
                days_of_week=days_of_week,
                years=_values(fields[5], 1970, 2199),
            )
        except ValueError as error:
            raise CronError(f"{expression!r}: {error}") from error
        if (days_of_month is None) == (days_of_week is None):
            raise CronError(f"{expression!r}: exactly one of the two day fields must be '?'")
        return parsed

    def matches_day(self, day: date) -> bool:
        """Tell whether the schedule fires on this day at all."""
        if day.year not in self.years or day.month not in self.months:
            return False
        if self.days_of_month is not None:
            return day.day in self.days_of_month
        return self.days_of_week is not None and day.isoweekday() % 7 + 1 in self.days_of_week

    def slots(self, day: date, zone: ZoneInfo) -> tuple[datetime, ...]:
        """Give the instants, aware UTC and ascending, at which it fires on a local day."""
        if not self.matches_day(day):
            return ()
        local_times = [time(hour, minute) for hour in self.hours for minute in self.minutes]
        local = (datetime.combine(day, moment, tzinfo=zone) for moment in local_times)
        return tuple(sorted(moment.astimezone(UTC) for moment in local if _exists(moment)))


def _exists(local: datetime) -> bool:
    """Tell whether the clocks of that zone ever showed this local time."""
    return local.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None) == local.replace(
        tzinfo=None
    )


def _values(text: str, low: int, high: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    values: set[int] = set()
    for part in text.split(","):
        span, _, step_text = part.partition("/")
        first_text, dash, last_text = span.partition("-")
        if span == "*":
            first, last = low, high
        else:
            first = _number(first_text, low, high, names)
            last = _number(last_text, low, high, names) if dash else first
            if step_text and not dash:
                last = high
        step = _number(step_text, 1, high, ()) if step_text else 1
        if last < first:
            raise ValueError(f"the range {part!r} runs backwards")
        values.update(range(first, last + 1, step))
    return frozenset(values)


def _number(text: str, low: int, high: int, names: tuple[str, ...]) -> int:
    upper = text.upper()
    if upper in names:
        return names.index(upper) + 1
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise ValueError(f"{text!r} is not between {low} and {high}")
    return int(text)
