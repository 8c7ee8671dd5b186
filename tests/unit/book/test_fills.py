from datetime import timedelta
from decimal import Decimal

import pytest

from agent.book.fills import is_settled, summarize_fills
from agent.book.intents import OrderAttempt, OrderStatus
from tests.builders import AS_OF, a_put_spread, an_intent, an_order_attempt


def filled(contracts: int, cash: str, legs: tuple[str, str], **changes: object) -> OrderAttempt:
    return an_order_attempt(
        status=OrderStatus.FILLED,
        filled_contracts=contracts,
        filled_cash=Decimal(cash),
        leg_prices=tuple(Decimal(price) for price in legs),
        filled_at=AS_OF,
        **changes,
    )


def test_nothing_filled_is_no_price_at_all() -> None:
    summary = summarize_fills([an_order_attempt(status=OrderStatus.CANCELED)], a_put_spread())
    assert summary.contracts == 0
    assert summary.cash == 0
    assert summary.cash_per_share is None
    assert summary.leg_prices is None
    assert summary.slippage is None


def test_cash_is_signed_and_for_all_shares() -> None:
    summary = summarize_fills([filled(2, "1.20", ("3.40", "2.20"))], a_put_spread())
    assert summary.cash == Decimal("240.00")
    assert summary.leg_prices == (Decimal("3.40"), Decimal("2.20"))


def test_fills_of_several_orders_average_by_contracts() -> None:
    orders = [
        filled(1, "1.20", ("3.40", "2.20"), mid_cash=Decimal("1.25")),
        filled(3, "1.00", ("3.30", "2.30")),
    ]
    summary = summarize_fills(orders, a_put_spread())
    assert summary.contracts == 4
    assert summary.cash == Decimal("420.00")
    assert summary.cash_per_share == Decimal("1.05")
    assert summary.leg_prices == (Decimal("3.325"), Decimal("2.275"))
    assert summary.slippage == Decimal("0.20")
    assert summary.reprices == 1


def test_an_order_that_the_broker_refused_is_no_reprice() -> None:
    orders = [an_order_attempt(status=OrderStatus.REJECTED)]
    assert summarize_fills(orders, a_put_spread()).reprices == 0


def test_a_fill_of_unknown_price_is_an_error_and_not_a_price_of_zero() -> None:
    order = an_order_attempt(status=OrderStatus.FILLED, filled_contracts=2)
    with pytest.raises(ValueError, match="unknown price"):
        summarize_fills([order], a_put_spread())


@pytest.mark.parametrize(
    ("status", "settled"),
    [
        (OrderStatus.SENDING, False),
        (OrderStatus.WORKING, False),
        (OrderStatus.FILLED, True),
        (OrderStatus.CANCELED, True),
        (OrderStatus.EXPIRED, True),
        (OrderStatus.REJECTED, True),
    ],
)
def test_an_intent_is_settled_when_no_order_can_fill_any_more(
    status: OrderStatus, settled: bool
) -> None:
    assert is_settled(an_intent(orders=(an_order_attempt(status=status),))) is settled


def test_how_well_orders_filled_is_measured_from_arrival_and_at_the_fill() -> None:
    first = an_order_attempt(status=OrderStatus.CANCELED)  # mid 1.25, natural 1.15
    second = filled(
        2,
        "1.12",
        ("3.30", "2.18"),
        mid_cash=Decimal("1.15"),
        natural_cash=Decimal("1.05"),
    ).model_copy(update={"filled_at": AS_OF + timedelta(seconds=17)})
    quality = summarize_fills([first, second], a_put_spread()).quality
    assert quality is not None
    assert quality.slippage_on_arrival == Decimal("0.13")
    assert quality.slippage_at_fill == Decimal("0.03")
    assert quality.conceded_fraction == Decimal("0.3")
    assert (quality.fill_seconds, quality.reprices) == (17.0, 1)


def test_what_is_not_known_of_a_fill_stays_unknown() -> None:
    level = filled(1, "1.20", ("3.40", "2.20"), natural_cash=Decimal("1.25"))
    quality = summarize_fills(
        [level.model_copy(update={"filled_at": None})], a_put_spread()
    ).quality
    assert quality is not None
    assert quality.conceded_fraction is None
    assert quality.fill_seconds is None


def test_a_fill_that_is_stamped_before_its_order_was_quick() -> None:
    early = filled(1, "1.20", ("3.40", "2.20"))
    skewed = early.model_copy(update={"filled_at": AS_OF - timedelta(seconds=1)})
    quality = summarize_fills([skewed], a_put_spread()).quality
    assert quality is not None
    assert quality.fill_seconds == 0.0
