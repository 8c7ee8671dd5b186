from typing import Any

import pytest

from agent.market.filters import UnderlyingLimits, UnderlyingRejection, underlying_rejections
from agent.market.quotes import UnderlyingSnapshot
from tests.unit.market.builders import a_snapshot

LIMITS = UnderlyingLimits()


def test_a_liquid_stock_of_middling_price_passes() -> None:
    assert underlying_rejections(a_snapshot(), LIMITS) == ()


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        ("19.99", (UnderlyingRejection.PRICE_TOO_LOW,)),
        ("20.00", ()),
        ("500.00", ()),
        ("500.01", (UnderlyingRejection.PRICE_TOO_HIGH,)),
    ],
)
def test_price_bounds_are_inclusive(price: str, expected: tuple[UnderlyingRejection, ...]) -> None:
    assert underlying_rejections(a_snapshot(price, price), LIMITS) == expected


@pytest.mark.parametrize(
    ("volume", "expected"),
    [
        (None, (UnderlyingRejection.VOLUME_UNKNOWN,)),
        (1_000_000, (UnderlyingRejection.VOLUME_TOO_LOW,)),
        (1_000_001, ()),
    ],
)
def test_the_average_volume_must_be_above_its_bound(
    volume: int | None, expected: tuple[UnderlyingRejection, ...]
) -> None:
    snapshot = a_snapshot(average_volume_shares=volume)
    assert underlying_rejections(snapshot, LIMITS) == expected


@pytest.mark.parametrize(
    ("snapshot", "expected"),
    [
        (a_snapshot("199.00", "201.00"), UnderlyingRejection.QUOTE_TOO_WIDE),
        (a_snapshot("200.05", "199.95"), UnderlyingRejection.QUOTE_CROSSED),
        (a_snapshot(None, "200.05"), UnderlyingRejection.QUOTE_UNKNOWN),
    ],
)
def test_a_wide_crossed_or_missing_quote_is_named(
    snapshot: UnderlyingSnapshot, expected: UnderlyingRejection
) -> None:
    assert underlying_rejections(snapshot, LIMITS) == (expected,)


def test_every_reason_is_listed_and_what_is_unknown_does_not_pass() -> None:
    nothing_known: dict[str, Any] = {"bid": None, "ask": None, "last": None}
    snapshot = a_snapshot(**nothing_known, average_volume_shares=None)
    assert underlying_rejections(snapshot, LIMITS) == (
        UnderlyingRejection.PRICE_UNKNOWN,
        UnderlyingRejection.VOLUME_UNKNOWN,
        UnderlyingRejection.QUOTE_UNKNOWN,
    )
