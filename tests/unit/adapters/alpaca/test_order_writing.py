"""Orders on their way out: signs, sides, intents, and what is never sent."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.adapters.alpaca.orders import order_payload, share_order_payload, signed_limit_price
from agent.options.structures import Leg
from agent.ports import ShareOrderRequest
from tests.unit.adapters.alpaca.builders import long, put, request, short

cents = st.integers(min_value=-100_000, max_value=100_000).map(lambda c: Decimal(c).scaleb(-2))


def test_a_credit_is_negative_for_the_broker() -> None:
    assert signed_limit_price(Decimal("0.60")) == Decimal("-0.60")


def test_a_debit_is_positive_for_the_broker() -> None:
    assert signed_limit_price(Decimal("-0.80")) == Decimal("0.80")


def test_nothing_received_and_nothing_paid_has_no_sign() -> None:
    assert str(signed_limit_price(Decimal(0))) == "0"


def test_a_put_spread_is_sold_to_open_for_a_credit() -> None:
    assert order_payload(request(cash="0.60", contracts=2)) == {
        "client_order_id": "entry-1",
        "order_class": "mleg",
        "type": "limit",
        "time_in_force": "day",
        "qty": "2",
        "limit_price": "-0.60",
        "legs": [
            {
                "symbol": put(100).symbol,
                "ratio_qty": "1",
                "side": "sell",
                "position_intent": "sell_to_open",
            },
            {
                "symbol": put(95).symbol,
                "ratio_qty": "1",
                "side": "buy",
                "position_intent": "buy_to_open",
            },
        ],
    }


def test_closing_a_put_spread_flips_sides_intents_and_sign() -> None:
    payload = order_payload(request(cash="-0.80", opening=False))
    assert payload["limit_price"] == "0.80"
    assert [(leg["side"], leg["position_intent"]) for leg in payload["legs"]] == [
        ("buy", "buy_to_close"),
        ("sell", "sell_to_close"),
    ]


def test_a_roll_closes_what_is_held_and_opens_what_follows_in_one_order() -> None:
    held = request(cash="0.30", contracts=2).legs
    roll = replace(
        request(short(90), long(85), cash="0.30", contracts=2), closing_legs=held, opening=True
    )
    payload = order_payload(roll)
    assert payload["limit_price"] == "-0.30"
    assert [(leg["symbol"], leg["position_intent"]) for leg in payload["legs"]] == [
        (put(100).symbol, "buy_to_close"),
        (put(95).symbol, "sell_to_close"),
        (put(90).symbol, "sell_to_open"),
        (put(85).symbol, "buy_to_open"),
    ]


def test_a_roll_of_more_than_four_legs_is_not_sent() -> None:
    spread = request(cash="0.30").legs
    with pytest.raises(ValueError, match="has 5 legs"):
        order_payload(replace(request(short(90), cash="0.30"), closing_legs=(*spread, *spread)))


@given(limit_cash=cents, opening=st.booleans())
def test_what_is_received_never_changes_its_sign_by_the_legs_or_the_direction(
    limit_cash: Decimal, opening: bool
) -> None:
    spread = order_payload(request(cash=str(limit_cash), opening=opening))
    mirrored = order_payload(request(long(100), short(95), cash=str(limit_cash), opening=opening))
    assert Decimal(spread["limit_price"]) == -limit_cash
    assert mirrored["limit_price"] == spread["limit_price"]


@pytest.mark.parametrize(
    ("leg", "opening", "cash", "side", "intent"),
    [
        (short(100), True, "1.40", "sell", "sell_to_open"),
        (short(100), False, "-1.40", "buy", "buy_to_close"),
        (long(100), True, "-1.40", "buy", "buy_to_open"),
        (long(100), False, "1.40", "sell", "sell_to_close"),
    ],
)
def test_a_single_leg_has_its_side_on_top_and_an_unsigned_price(
    leg: Leg, opening: bool, cash: str, side: str, intent: str
) -> None:
    assert order_payload(request(leg, cash=cash, opening=opening)) == {
        "client_order_id": "entry-1",
        "symbol": put(100).symbol,
        "side": side,
        "position_intent": intent,
        "type": "limit",
        "time_in_force": "day",
        "qty": "1",
        "limit_price": "1.40",
    }


@pytest.mark.parametrize(
    ("leg", "opening", "cash"),
    [
        (short(100), True, "-1.40"),
        (short(100), False, "1.40"),
        (long(100), True, "1.40"),
        (long(100), False, "-1.40"),
        (short(100), True, "0"),
    ],
)
def test_a_single_leg_whose_sign_contradicts_its_side_is_not_sent(
    leg: Leg, opening: bool, cash: str
) -> None:
    with pytest.raises(ValueError, match="one leg at a limit of"):
        order_payload(request(leg, cash=cash, opening=opening))


def test_ratios_are_spelled_for_each_leg() -> None:
    payload = order_payload(request(short(100, 2), long(95, 3), cash="0.10"))
    assert [leg["ratio_qty"] for leg in payload["legs"]] == ["2", "3"]


@pytest.mark.parametrize("legs", [(short(100, 2), long(95, 2)), (short(100, 2),)])
def test_ratios_with_a_common_divisor_are_not_sent(legs: tuple[Leg, ...]) -> None:
    with pytest.raises(ValueError, match="relatively prime"):
        order_payload(request(*legs, cash="0.10"))


def test_five_legs_are_not_sent() -> None:
    with pytest.raises(ValueError, match="5 legs"):
        order_payload(request(*(short(strike) for strike in range(100, 105)), cash="0.10"))


@pytest.mark.parametrize("contracts", [0, -1])
def test_an_order_of_no_contracts_is_not_sent(contracts: int) -> None:
    with pytest.raises(ValueError, match="asks for"):
        order_payload(request(cash="0.60", contracts=contracts))


@pytest.mark.parametrize("cash", ["0.605", "NaN", "Infinity"])
def test_a_price_that_is_not_in_whole_cents_is_not_sent(cash: str) -> None:
    with pytest.raises(ValueError, match=r"whole number of cents|not an amount"):
        order_payload(request(cash=cash))


@pytest.mark.parametrize("client_order_id", ["", "x" * 129])
def test_an_order_without_a_usable_id_is_not_sent(client_order_id: str) -> None:
    with pytest.raises(ValueError, match="client order id"):
        order_payload(request(cash="0.60", client_order_id=client_order_id))


def test_shares_are_sold_and_bought_at_a_limit_for_the_day() -> None:
    payload = share_order_payload(ShareOrderRequest("sale-1", "ACME", -200, Decimal("99.5")))
    assert payload == {
        "client_order_id": "sale-1",
        "symbol": "ACME",
        "side": "sell",
        "type": "limit",
        "time_in_force": "day",
        "qty": "200",
        "limit_price": "99.50",
    }
    bought = share_order_payload(ShareOrderRequest("cover-1", "ACME", 100, Decimal(100)))
    assert (bought["side"], bought["qty"]) == ("buy", "100")


@pytest.mark.parametrize(
    ("name", "quantity", "price"),
    [("", 100, "1"), ("sale-1", 0, "1"), ("sale-1", -1, "0"), ("sale-1", 1, "1.005")],
)
def test_an_order_for_shares_that_cannot_be_meant_is_refused(
    name: str, quantity: int, price: str
) -> None:
    with pytest.raises(ValueError, match=r"order|cent"):
        share_order_payload(ShareOrderRequest(name, "ACME", quantity, Decimal(price)))
