from decimal import Decimal

import pytest

from agent.options.ticks import ALWAYS_PENNY_SYMBOLS, NET_TICK, option_tick


@pytest.mark.parametrize(
    ("price", "penny_program", "expected"),
    [
        ("0", False, "0.05"),
        ("2.99", False, "0.05"),
        ("3.00", False, "0.10"),
        ("2.99", True, "0.01"),
        ("3.00", True, "0.05"),
    ],
)
def test_steps_grow_at_three_dollars_and_shrink_in_the_penny_program(
    price: str, penny_program: bool, expected: str
) -> None:
    tick = option_tick(Decimal(price), penny_program=penny_program, always_penny=False)
    assert tick == Decimal(expected)


def test_three_funds_step_in_cents_at_every_price() -> None:
    assert option_tick(Decimal(40), penny_program=True, always_penny=True) == Decimal("0.01")
    assert {"SPY", "QQQ", "IWM"} == ALWAYS_PENNY_SYMBOLS


def test_the_net_of_a_structure_steps_in_cents() -> None:
    assert Decimal("0.01") == NET_TICK


@pytest.mark.parametrize("price", ["-0.01", "NaN"])
def test_what_is_no_price_has_no_step(price: str) -> None:
    with pytest.raises(ValueError, match="not a price of an option"):
        option_tick(Decimal(price), penny_program=False, always_penny=False)
