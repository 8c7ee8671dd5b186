"""Orders on their way in: what filled, for how much, and which of them are over."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.adapters.alpaca.answers import Answer
from agent.adapters.alpaca.orders import parse_order
from agent.book.intents import OrderStatus
from agent.ports import BrokerMisunderstood, BrokerOrder
from tests.unit.adapters.alpaca.builders import (
    answer,
    filled_spread_json,
    leg_json,
    put,
    single_json,
    spread_json,
)

SHORT, LONG = put(100).symbol, put(95).symbol


def parse(fields: dict[str, Any]) -> BrokerOrder:
    return parse_order(answer(**fields))


def test_a_filled_credit_spread_is_cash_received() -> None:
    order = parse(filled_spread_json())
    assert order == BrokerOrder(
        order_id="61e69015-8549-4bfd-b9c3-01e75843f47d",
        client_order_id="entry-1",
        status=OrderStatus.FILLED,
        contracts=2,
        filled_contracts=2,
        filled_cash=Decimal("0.6"),
        leg_prices={SHORT: Decimal("1.45"), LONG: Decimal("0.85")},
        submitted_at=datetime(2026, 6, 15, 16, 0, 0, 223456, tzinfo=UTC),
        filled_at=datetime(2026, 6, 15, 16, 0, 2, 500000, tzinfo=UTC),
    )


def test_a_filled_debit_is_cash_paid() -> None:
    closing = [leg_json(SHORT, "buy", "0.5", "2"), leg_json(LONG, "sell", "0.2", "2")]
    assert parse(filled_spread_json(net="0.3", legs=closing)).filled_cash == Decimal("-0.3")


def test_an_unfilled_order_has_no_cash_and_no_prices() -> None:
    order = parse(spread_json())
    assert (order.filled_contracts, order.filled_cash, order.leg_prices) == (0, None, {})
    assert order.filled_at is None


def test_a_parent_without_a_price_is_priced_by_its_legs() -> None:
    assert parse(filled_spread_json(net=None)).filled_cash == Decimal("0.60")


def test_the_documented_ratio_example_is_priced_by_its_legs() -> None:
    # Three bought at 0.43 and one sold at 0.01 cost 1.28 a unit.
    legs = [
        leg_json(SHORT, "buy", "0.43", "6", ratio_qty="3"),
        leg_json(LONG, "sell", "0.01", "2"),
    ]
    unpriced = parse(filled_spread_json(net=None, legs=legs))
    priced = parse(filled_spread_json(net="1.28", legs=legs))
    assert unpriced.filled_cash == priced.filled_cash == Decimal("-1.28")
    assert priced.filled_contracts == 2


def test_a_parent_that_lost_its_sign_is_overruled_by_the_sides_of_its_legs() -> None:
    assert parse(filled_spread_json(net="0.6")).filled_cash == Decimal("0.60")


def test_legs_without_prices_leave_the_fill_to_the_parent() -> None:
    order = parse(filled_spread_json(short_price=None, long_price=None))
    assert order.filled_cash == Decimal("0.6")
    assert order.leg_prices == {}


def test_a_multi_leg_order_shown_without_legs_is_read_from_its_parent() -> None:
    order = parse(filled_spread_json(legs=None))
    assert (order.filled_contracts, order.filled_cash) == (2, Decimal("0.6"))
    assert order.leg_prices == {}


@pytest.mark.parametrize(("side", "cash"), [("sell", "1.4"), ("buy", "-1.4")])
def test_a_single_leg_is_signed_by_its_side(side: str, cash: str) -> None:
    order = parse(single_json(side, "1.4"))
    assert order.filled_cash == Decimal(cash)
    assert order.leg_prices == {SHORT: Decimal("1.4")}


def test_a_partial_fill_counts_units_even_where_the_parent_counts_the_contracts_of_its_legs() -> (
    None
):
    legs = [leg_json(SHORT, "sell", "1.45", "1"), leg_json(LONG, "buy", "0.85", "1")]
    for parent in ("1", "2"):
        order = parse(spread_json(status="partially_filled", filled=parent, net="-0.6", legs=legs))
        assert (order.status, order.filled_contracts) == (OrderStatus.WORKING, 1)


def test_legs_that_are_out_of_step_leave_the_count_to_the_parent() -> None:
    legs = [leg_json(SHORT, "sell", "1.45", "2"), leg_json(LONG, "buy", "0.85", "1")]
    order = parse(spread_json(status="partially_filled", filled="1", net="-0.6", legs=legs))
    assert order.filled_contracts == 1


@pytest.mark.parametrize(
    ("spelled", "status"),
    [
        ("filled", OrderStatus.FILLED),
        ("canceled", OrderStatus.CANCELED),
        ("replaced", OrderStatus.CANCELED),
        ("expired", OrderStatus.EXPIRED),
        ("done_for_day", OrderStatus.EXPIRED),
        ("rejected", OrderStatus.REJECTED),
        ("pending_new", OrderStatus.WORKING),
        ("accepted", OrderStatus.WORKING),
        ("new", OrderStatus.WORKING),
        ("partially_filled", OrderStatus.WORKING),
        ("pending_cancel", OrderStatus.WORKING),
        ("pending_replace", OrderStatus.WORKING),
        ("held", OrderStatus.WORKING),
        ("suspended", OrderStatus.WORKING),
        ("stopped", OrderStatus.WORKING),
        ("calculated", OrderStatus.WORKING),
        ("accepted_for_bidding", OrderStatus.WORKING),
        ("a status of next year", OrderStatus.WORKING),
    ],
)
def test_only_a_status_known_to_be_an_end_is_one(spelled: str, status: OrderStatus) -> None:
    assert parse(spread_json(status=spelled)).status is status


def test_a_null_submission_time_falls_back_to_the_creation() -> None:
    order = parse(spread_json(submitted_at=None))
    assert order.submitted_at == datetime(2026, 6, 15, 16, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"qty": "1.5"}, "'qty' should be a whole number"),
        ({"qty": None}, "lacks the field 'qty'"),
        ({"qty": "1", "filled_qty": "2", "legs": None}, "2 of 1 contracts"),
        ({"id": 7}, "'id' should be a text"),
        ({"status": None}, "lacks the field 'status'"),
        ({"submitted_at": "yesterday"}, "'submitted_at' should be a time"),
        ({"submitted_at": "2026-06-15T16:00:00"}, "'submitted_at' should be a time with its zone"),
        ({"legs": {}}, "should be a JSON list"),
        ({"legs": [1]}, "should be a JSON object"),
        ({"filled_avg_price": "NaN"}, "'filled_avg_price' should be a number"),
        ({"filled_avg_price": "1e999999"}, "'filled_avg_price' should be a number"),
        ({"legs": [leg_json(SHORT, "sell", "1", "2", ratio_qty="0")]}, "ratio is 0"),
        ({"legs": [leg_json(SHORT, "short", "1", "2")]}, "neither buy nor sell"),
    ],
)
def test_an_answer_of_another_shape_is_named_and_not_guessed(
    fields: dict[str, Any], named: str
) -> None:
    with pytest.raises(BrokerMisunderstood, match=named):
        parse({**filled_spread_json(), **fields})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.decimals(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=4,
)


@given(
    spoiled=st.sampled_from(sorted(filled_spread_json())), value=json_values, single=st.booleans()
)
def test_no_single_spoiled_field_raises_anything_but_the_error_of_the_port(
    spoiled: str, value: object, single: bool
) -> None:
    fields = single_json("sell", "1.4") if single else filled_spread_json()
    try:
        order = parse({**fields, spoiled: value})
    except BrokerMisunderstood:
        return
    assert 0 <= order.filled_contracts <= order.contracts


@given(spoiled=st.sampled_from(sorted(leg_json("", "", ""))), value=json_values)
def test_no_single_spoiled_field_of_a_leg_raises_anything_but_the_error_of_the_port(
    spoiled: str, value: object
) -> None:
    fields = filled_spread_json()
    fields["legs"][0][spoiled] = value
    try:
        order = parse_order(Answer(fields, "GET somewhere"))
    except BrokerMisunderstood:
        return
    assert 0 <= order.filled_contracts <= order.contracts
