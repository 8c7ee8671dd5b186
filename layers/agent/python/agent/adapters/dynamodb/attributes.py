"""Attributes that store exactly what the book holds."""

import math
from datetime import UTC, date, datetime
from decimal import Decimal

from pynamodb.attributes import Attribute
from pynamodb.constants import NUMBER, STRING

NUMBER_DIGITS_MAX = 38
NUMBER_EXPONENT_MIN = -130
NUMBER_EXPONENT_MAX = 125


class DecimalAttribute(Attribute[Decimal]):
    """Store a Decimal as a Number, exactly; trailing zeros are not kept.

    Refuses what DynamoDB cannot hold exactly: more than 38 significant digits, or a magnitude
    outside 1E-130 to 9.9E+125. The default context computes 28 digits, so sums and quotients of
    money always fit.
    """

    attr_type = NUMBER

    def serialize(self, value: Decimal) -> str:
        """Write the number; raise ValueError where it cannot be held."""
        if not value.is_finite():
            raise ValueError(f"{self.attr_name} cannot hold {value}")
        if not value:
            return "0"
        significant = "".join(map(str, value.as_tuple().digits)).strip("0")
        exponent = value.adjusted()
        if len(significant) > NUMBER_DIGITS_MAX:
            raise ValueError(f"{self.attr_name} cannot hold {value}: over 38 digits")
        if not NUMBER_EXPONENT_MIN <= exponent <= NUMBER_EXPONENT_MAX:
            raise ValueError(f"{self.attr_name} cannot hold {value}: out of range")
        return str(value)

    def deserialize(self, value: str) -> Decimal:
        return Decimal(value)


class FloatAttribute(Attribute[float]):
    """Store a float as a Number, exactly, but for what is too small for one.

    A model's delta may be 1e-200, which DynamoDB refuses; it is stored as 0.
    """

    attr_type = NUMBER

    def serialize(self, value: float) -> str:
        """Write the number; raise ValueError for nan, the infinities and what is too large."""
        if not math.isfinite(value) or abs(value) >= 10.0 ** (NUMBER_EXPONENT_MAX + 1):
            raise ValueError(f"{self.attr_name} cannot hold {value}")
        return "0" if abs(value) < 10.0**NUMBER_EXPONENT_MIN else repr(float(value))

    def deserialize(self, value: str) -> float:
        return float(value)


class TimestampAttribute(Attribute[datetime]):
    """Store an aware time as ISO 8601 in UTC with microseconds: it sorts as it runs."""

    attr_type = STRING

    def serialize(self, value: datetime) -> str:
        """Write the time; raise ValueError where it has no zone."""
        if value.tzinfo is None:
            raise ValueError(f"{self.attr_name} needs a time zone: {value.isoformat()}")
        return timestamp(value)

    def deserialize(self, value: str) -> datetime:
        return datetime.fromisoformat(value)


class EpochAttribute(Attribute[datetime]):
    """Store an aware time as whole seconds since 1970, as expiry wants it."""

    attr_type = NUMBER

    def serialize(self, value: datetime) -> str:
        return str(int(value.timestamp()))

    def deserialize(self, value: str) -> datetime:
        return datetime.fromtimestamp(int(value), tz=UTC)


class DateAttribute(Attribute[date]):
    """Store a date as ISO 8601: it sorts as it runs."""

    attr_type = STRING

    def serialize(self, value: date) -> str:
        return value.isoformat()

    def deserialize(self, value: str) -> date:
        return date.fromisoformat(value)


def timestamp(value: datetime) -> str:
    """Spell an aware time as keys and attributes do: 2026-06-09T19:45:00.000000Z."""
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
