"""The broker's JSON, read field by field: what does not fit is named, never guessed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from agent.ports import BrokerMisunderstood

NUMBER_DIGITS_MAX = 18
"""More digits before the point than any amount of money or volume has."""
NUMBER_TYPES = frozenset({str, int, float})
NUMBERS_KEPT_MAX = 4096
YEAR_MIN = 1970
YEAR_MAX = 2199


Place = str | tuple["Place", str | int]
"""A request, or a field or row within another place: told only where something is amiss."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold one JSON object of an answer.

    `place` is that of the object: the request, and the way through its answer. Every method raises
    BrokerMisunderstood where the field has another shape than its name says; the `optional_`
    methods give None where the field is absent or null, the others refuse that.
    """

    fields: Mapping[str, Any]
    place: Place

    @property
    def source(self) -> str:
        """Name the request and the place in its answer."""
        return _spelled(self.place)

    def has(self, name: str) -> bool:
        """Say whether a field is there and not null."""
        return self.fields.get(name) is not None

    def text(self, name: str) -> str:
        """Read a text that is not empty."""
        value = self._required(name)
        if not isinstance(value, str) or not value:
            raise self._misfit(name, "a text")
        return value

    def optional_text(self, name: str) -> str | None:
        """Read a text; an empty one counts as absent, since multi-leg parents have those."""
        value = self.fields.get(name)
        return None if value is None or value == "" else self.text(name)

    def flag(self, name: str) -> bool:
        """Read a boolean."""
        value = self._required(name)
        if not isinstance(value, bool):
            raise self._misfit(name, "true or false")
        return value

    def number(self, name: str) -> Decimal:
        """Read a finite number, spelled as a JSON number or as a text."""
        value = self._required(name)
        if type(value) is Decimal:
            number = value
        elif type(value) in NUMBER_TYPES:  # A boolean is an int, but no number.
            try:
                number = _decimal(str(value))
            except InvalidOperation as error:
                raise self._misfit(name, "a number") from error
        else:
            raise self._misfit(name, "a number")
        if not number.is_finite() or number.adjusted() >= NUMBER_DIGITS_MAX:
            raise self._misfit(name, "a number of a sensible size")
        return number

    def optional_number(self, name: str) -> Decimal | None:
        """Read a finite number where there is one."""
        value = self.fields.get(name)
        return None if value is None or value == "" else self.number(name)

    def whole(self, name: str) -> int:
        """Read a whole number: a fraction of a contract is nothing that can be held."""
        return self._whole(name, self.number(name))

    def optional_whole(self, name: str) -> int | None:
        """Read a whole number where there is one."""
        number = self.optional_number(name)
        return None if number is None else self._whole(name, number)

    def instant(self, name: str) -> datetime:
        """Read an RFC 3339 time as aware UTC; digits beyond microseconds are cut."""
        try:
            return _instant(self.text(name))
        except ValueError as error:
            raise self._misfit(name, "a time with its zone") from error

    def optional_instant(self, name: str) -> datetime | None:
        """Read an RFC 3339 time where there is one."""
        return self.instant(name) if self.has(name) else None

    def day(self, name: str) -> date:
        """Read a date, or the date that a time starts with."""
        try:
            return date.fromisoformat(self.text(name)[:10])
        except ValueError as error:
            raise self._misfit(name, "a date") from error

    def part(self, name: str) -> "Answer":
        """Read an object."""
        return as_object(self._required(name), (self.place, name))

    def optional_part(self, name: str) -> "Answer | None":
        """Read an object where there is one."""
        return self.part(name) if self.has(name) else None

    def parts(self, name: str) -> list["Answer"]:
        """Read a list of objects."""
        return as_objects(self._required(name), (self.place, name))

    def _whole(self, name: str, number: Decimal) -> int:
        if number != number.to_integral_value():
            raise self._misfit(name, "a whole number")
        return int(number)

    def _required(self, name: str) -> Any:
        value = self.fields.get(name)
        if value is None:
            raise BrokerMisunderstood(f"{self.source}: the answer lacks the field {name!r}")
        return value

    def _misfit(self, name: str, expected: str) -> BrokerMisunderstood:
        shown = repr(self.fields.get(name))[:60]
        return BrokerMisunderstood(
            f"{self.source}: the field {name!r} should be {expected} but is {shown}"
        )


def as_object(payload: Any, place: Place) -> Answer:
    """Take JSON as an object; raises BrokerMisunderstood where it is something else."""
    if not isinstance(payload, dict):
        raise BrokerMisunderstood(f"{_spelled(place)}: the answer should be a JSON object")
    return Answer(payload, place)


def as_objects(payload: Any, place: Place) -> list[Answer]:
    """Take JSON as a list of objects; raises BrokerMisunderstood where it is something else."""
    if not isinstance(payload, list):
        raise BrokerMisunderstood(f"{_spelled(place)}: the answer should be a JSON list")
    return [as_object(row, (place, number)) for number, row in enumerate(payload)]


def _spelled(place: Place) -> str:
    if isinstance(place, str):
        return place
    within, step = place
    return f"{_spelled(within)}, " + (f"row {step}" if isinstance(step, int) else repr(step))


@lru_cache(maxsize=NUMBERS_KEPT_MAX)
def _decimal(text: str) -> Decimal:
    """Read a number; every contract of a chain has the same size, and few have large volumes."""
    return Decimal(text)


@lru_cache(maxsize=4096)
def _instant(text: str) -> datetime:
    """Read a time; a chain repeats the same few hundreds of times."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None or not YEAR_MIN <= at.year <= YEAR_MAX:
        raise ValueError(f"no time with its zone: {text}")
    return at.astimezone(UTC)
