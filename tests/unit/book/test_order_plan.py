"""What an intent trades next, read from the orders it has sent."""

from decimal import Decimal

import pytest

from agent.book.holdings import Holdings
from agent.book.intents import OrderAttempt, OrderStatus, RefusalKind
from agent.book.order_plan import (
    ends_attempt,
    is_refused_whole,
    leg_contracts_left,
    leg_fills,
    next_order,
    order_structure,
)
from tests.builders import CLOSE_INTENT_ID, a_close_intent, a_trade, an_intent, an_order_attempt

TRADE = a_trade()
SHORT, LONG = TRADE.structure.legs
REFUSED = an_order_attempt(status=OrderStatus.REJECTED, refusal=RefusalKind.LEGS)


def a_leg_order(leg: int, filled: int, price: str = "2.00") -> OrderAttempt:
    return an_order_attempt(
        leg=leg,
        status=OrderStatus.FILLED if filled == 2 else OrderStatus.CANCELED,
        filled_contracts=filled,
        leg_prices=(Decimal(price),) if filled else (),
    )


def test_a_close_goes_as_one_order_while_the_broker_takes_it() -> None:
    following = next_order(a_close_intent(), TRADE, 2)
    assert following is not None
    assert (following.structure, following.leg, following.contracts) == (TRADE.structure, None, 2)
    assert following.client_order_id == f"{CLOSE_INTENT_ID}-o1"


def test_once_refused_it_goes_leg_by_leg_shorts_first() -> None:
    orders = [REFUSED]
    seen = []
    for leg, filled in ((1, 1), (1, 1), (2, 0), (2, 2)):
        following = next_order(a_close_intent(orders=tuple(orders)), TRADE, 2)
        assert following is not None
        assert following.leg == leg
        seen.append((following.leg, following.contracts, following.rung))
        orders.append(a_leg_order(leg, filled))
    assert seen == [(1, 2, 0), (1, 1, 1), (2, 2, 0), (2, 2, 1)]
    assert next_order(a_close_intent(orders=tuple(orders)), TRADE, 2) is None


def test_each_leg_has_names_of_its_own() -> None:
    intent = a_close_intent(orders=(REFUSED, a_leg_order(1, 1)))
    following = next_order(intent, TRADE, 2)
    assert following is not None
    assert following.client_order_id == f"{CLOSE_INTENT_ID}-leg1-o2"


def test_what_was_closed_whole_is_not_closed_again_leg_by_leg() -> None:
    partly = an_order_attempt(status=OrderStatus.CANCELED, filled_contracts=1)
    intent = a_close_intent(orders=(partly, REFUSED))
    assert leg_contracts_left(intent, TRADE, 1) == 1


def test_a_leg_whose_others_have_gone_is_closed_alone_without_any_refusal() -> None:
    gone = TRADE.model_copy(update={"holdings": Holdings(legs_gone={SHORT.contract.symbol: 2})})
    following = next_order(a_close_intent(), gone, gone.contracts_whole)
    assert following is not None
    assert (following.leg, following.contracts) == (2, 2)
    assert [leg.contract for leg in following.structure.legs] == [LONG.contract]


def test_an_entry_is_never_taken_apart() -> None:
    refused = an_intent(orders=(REFUSED,))
    following = next_order(refused, TRADE, 2)
    assert following is not None
    assert following.leg is None
    assert ends_attempt(refused, REFUSED)
    assert next_order(an_intent(orders=(an_order_attempt(filled_contracts=2),)), TRADE, 2) is None


def test_a_refusal_of_the_legs_together_does_not_end_a_close() -> None:
    intent = a_close_intent(orders=(REFUSED,))
    assert is_refused_whole(intent)
    assert not ends_attempt(intent, REFUSED)
    assert ends_attempt(intent, REFUSED.model_copy(update={"leg": 1}))
    assert ends_attempt(intent, REFUSED.model_copy(update={"refusal": RefusalKind.SIGNAL}))


def test_fills_of_a_leg_average_over_its_orders() -> None:
    orders = (REFUSED, a_leg_order(1, 1, "2.00"), a_leg_order(1, 1, "2.10"), a_leg_order(2, 0))
    (fill,) = leg_fills(a_close_intent(orders=orders), TRADE.structure)
    assert (fill.number, fill.contracts, fill.price) == (1, 2, Decimal("2.05"))


def test_a_fill_at_an_unknown_price_is_an_error() -> None:
    unknown = a_leg_order(1, 1).model_copy(update={"leg_prices": ()})
    with pytest.raises(ValueError, match="unknown price"):
        leg_fills(a_close_intent(orders=(unknown,)), TRADE.structure)


def test_an_order_names_what_it_trades() -> None:
    assert order_structure(REFUSED, TRADE) is TRADE.structure
    assert order_structure(a_leg_order(2, 0), TRADE).legs[0].contract == LONG.contract
