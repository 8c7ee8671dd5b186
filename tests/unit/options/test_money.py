from decimal import Decimal

import pytest

from agent.options.money import (
    CENT,
    Rounding,
    cents_down,
    cents_up,
    from_cents,
    round_to_tick,
    to_cents,
)


def test_whole_cents_convert_without_naming_a_rounding() -> None:
    assert to_cents(Decimal("1.25")) == 125
    assert to_cents(Decimal("-0.010")) == -1
    assert to_cents(Decimal(0)) == 0


def test_parts_of_a_cent_are_refused_unless_a_rounding_is_named() -> None:
    with pytest.raises(ValueError, match=r"not a whole number of cents: 1\.255 dollars"):
        to_cents(Decimal("1.255"))
    assert to_cents(Decimal("1.255"), rounding=Rounding.UP) == 126
    assert to_cents(Decimal("1.255"), rounding=Rounding.DOWN) == 125


def test_up_and_down_are_directions_on_the_number_line_for_debts_too() -> None:
    assert cents_up(Decimal("-1.255")) == -125
    assert cents_down(Decimal("-1.255")) == -126
    assert cents_up(Decimal("0.001")) == 1
    assert cents_down(Decimal("0.009")) == 0


def test_an_exact_half_cent_goes_to_the_even_neighbour() -> None:
    assert to_cents(Decimal("0.125"), rounding=Rounding.NEAREST) == 12
    assert to_cents(Decimal("0.135"), rounding=Rounding.NEAREST) == 14


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_amount_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="not an amount of money"):
        to_cents(Decimal(amount), rounding=Rounding.UP)
    with pytest.raises(ValueError, match="not an amount of money"):
        round_to_tick(Decimal(amount), CENT, Rounding.UP)


def test_cents_write_as_dollars_with_two_decimals() -> None:
    assert str(from_cents(120)) == "1.20"
    assert str(from_cents(-5)) == "-0.05"


@pytest.mark.parametrize(
    ("price", "rounding", "expected"),
    [
        ("1.23", Rounding.UP, "1.25"),
        ("1.23", Rounding.DOWN, "1.20"),
        ("1.23", Rounding.NEAREST, "1.25"),
        ("1.225", Rounding.NEAREST, "1.20"),
        ("1.275", Rounding.NEAREST, "1.30"),
        ("1.20", Rounding.UP, "1.20"),
        ("1.20", Rounding.DOWN, "1.20"),
        ("-1.23", Rounding.UP, "-1.20"),
        ("-1.23", Rounding.DOWN, "-1.25"),
        ("-1.23", Rounding.NEAREST, "-1.25"),
        ("-1.225", Rounding.NEAREST, "-1.20"),
    ],
)
def test_a_price_moves_to_a_tick_in_the_direction_named(
    price: str, rounding: Rounding, expected: str
) -> None:
    assert str(round_to_tick(Decimal(price), Decimal("0.05"), rounding)) == expected


@pytest.mark.parametrize("tick", ["0", "-0.01", "NaN", "Infinity"])
def test_a_tick_is_a_positive_number(tick: str) -> None:
    with pytest.raises(ValueError, match="not a price step"):
        round_to_tick(Decimal(1), Decimal(tick), Rounding.UP)
