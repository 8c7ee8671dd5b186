"""Fields of an answer: what they say, and where they stand when they say something else."""

from decimal import Decimal
from typing import Any

import pytest

from agent.adapters.alpaca.answers import Answer
from agent.ports import BrokerMisunderstood
from tests.unit.adapters.alpaca.builders import answer


def test_what_does_not_fit_is_named_with_its_place() -> None:
    rows = answer(orders=[{"legs": [{"qty": "1"}, {"qty": "many"}]}]).parts("orders")
    leg = rows[0].parts("legs")[1]
    assert leg.source == "GET somewhere, 'orders', row 0, 'legs', row 1"
    with pytest.raises(BrokerMisunderstood) as raised:
        leg.number("qty")
    assert str(raised.value) == (
        "GET somewhere, 'orders', row 0, 'legs', row 1: "
        "the field 'qty' should be a number but is 'many'"
    )


@pytest.mark.parametrize("payload", [[], "text", 1])
def test_a_part_that_is_no_object_is_named_with_its_place(payload: Any) -> None:
    whole = answer(snapshot={"quote": payload})
    with pytest.raises(BrokerMisunderstood, match=r"^GET somewhere, 'snapshot', 'quote': "):
        whole.part("snapshot").part("quote")


@pytest.mark.parametrize(
    ("spelt", "number"),
    [
        (Decimal("1.10"), "1.10"),
        ("1.10", "1.10"),
        (7, "7"),
        (0.1, "0.1"),
        ("1E+3", "1E+3"),
        (Decimal("-0.0"), "-0.0"),
    ],
)
def test_a_number_is_read_digit_for_digit(spelt: Any, number: str) -> None:
    # Twice: what was read before must not be told for another spelling of the same value.
    assert [str(answer(price=spelt).number("price")) for _ in range(2)] == [number, number]


@pytest.mark.parametrize(
    "spelt", [Decimal("NaN"), Decimal("Infinity"), "NaN", True, [], {}, "1e19"]
)
def test_what_is_no_number_of_a_sensible_size_is_refused(spelt: Any) -> None:
    whole: Answer = answer(price=spelt)
    for _ in range(2):
        with pytest.raises(BrokerMisunderstood, match="'price' should be a number"):
            whole.number("price")
