"""Numbers and times are stored exactly, or refused."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.adapters.dynamodb.attributes import (
    DateAttribute,
    DecimalAttribute,
    EpochAttribute,
    FloatAttribute,
    TimestampAttribute,
)

aware_times = st.datetimes(timezones=st.just(UTC))


@pytest.mark.parametrize(
    ("value", "stored"),
    [("1.50", "1.50"), ("-0.01", "-0.01"), ("0E-20", "0"), ("-0", "0"), ("1E+30", "1E+30")],
)
def test_a_decimal_is_stored_as_its_number(value: str, stored: str) -> None:
    attribute = DecimalAttribute(attr_name="pnl")

    assert attribute.serialize(Decimal(value)) == stored
    assert attribute.deserialize(stored) == Decimal(value)


@pytest.mark.parametrize(
    "value",
    ["NaN", "Infinity", "1" * 39, f"1.{'1' * 38}", "1E+126", "1E-131"],
)
def test_a_decimal_that_a_number_cannot_hold_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="pnl cannot hold"):
        DecimalAttribute(attr_name="pnl").serialize(Decimal(value))


def test_zeros_that_carry_nothing_do_not_count_as_digits() -> None:
    attribute = DecimalAttribute(attr_name="pnl")

    assert Decimal(attribute.serialize(Decimal("1" * 38 + "000"))) == Decimal("1" * 38 + "000")


@given(value=st.floats(min_value=-1e120, max_value=1e120))
def test_a_float_is_read_as_it_was_written_unless_it_is_too_small(value: float) -> None:
    attribute = FloatAttribute(attr_name="current_delta")
    expected = value if abs(value) >= 1e-130 else 0.0

    assert attribute.deserialize(attribute.serialize(value)) == expected


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 1e126])
def test_a_float_that_a_number_cannot_hold_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="current_delta cannot hold"):
        FloatAttribute(attr_name="current_delta").serialize(value)


def test_a_time_is_spelt_in_utc_with_microseconds() -> None:
    attribute = TimestampAttribute(attr_name="timestamp_enter")
    new_york = datetime(2026, 6, 9, 15, 45, tzinfo=timezone(timedelta(hours=-4)))

    assert attribute.serialize(new_york) == "2026-06-09T19:45:00.000000Z"


@given(earlier=aware_times, later=aware_times)
def test_spelt_times_sort_as_they_run(earlier: datetime, later: datetime) -> None:
    attribute = TimestampAttribute(attr_name="timestamp_enter")

    spelt = attribute.serialize(earlier), attribute.serialize(later)

    assert (spelt[0] < spelt[1]) == (earlier < later)
    assert attribute.deserialize(spelt[0]) == earlier


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="timestamp_enter needs a time zone"):
        TimestampAttribute(attr_name="timestamp_enter").serialize(
            datetime(2026, 6, 9, tzinfo=UTC).replace(tzinfo=None)
        )


def test_a_date_is_spelt_so_that_it_sorts() -> None:
    attribute = DateAttribute(attr_name="expiration")
    day = datetime(2026, 7, 17, tzinfo=UTC).date()

    assert attribute.serialize(day) == "2026-07-17"
    assert attribute.deserialize("2026-07-17") == day


def test_an_expiry_is_whole_seconds_since_1970() -> None:
    attribute = EpochAttribute(attr_name="retain_until")
    time = datetime(2026, 6, 9, 19, 45, 0, 999_999, tzinfo=UTC)

    assert attribute.serialize(time) == "1781034300"
    assert attribute.deserialize("1781034300") == time.replace(microsecond=0)
