"""What a fill costs in fees."""

from decimal import Decimal

import pytest

from agent.config.settings import FeeSettings
from agent.risk.fees import fill_fees, round_trip_fees, round_trip_fees_max, share_fees
from tests.builders import a_put_spread

FEES = FeeSettings(
    commission_per_contract=Decimal("0.10"),
    regulatory_per_contract_bought=Decimal("0.04"),
    regulatory_per_contract_sold=Decimal("0.05"),
    sale_value_fraction=Decimal("0.0001"),
)
PRICES = (Decimal("2.00"), Decimal("1.00"))


def test_opening_a_spread_sells_its_short_leg_and_pays_the_fee_on_the_value_sold() -> None:
    found = fill_fees(a_put_spread(), PRICES, 3, opening=True, fees=FEES)
    commission = 2 * 3 * Decimal("0.10")
    regulatory = 3 * Decimal("0.05") + 3 * Decimal("0.04")
    on_value_sold = 3 * 100 * Decimal("2.00") * Decimal("0.0001")
    assert found == commission + regulatory + on_value_sold


def test_closing_a_spread_sells_its_long_leg_instead() -> None:
    found = fill_fees(a_put_spread(), PRICES, 1, opening=False, fees=FEES)
    assert found == Decimal("0.29") + 100 * Decimal("1.00") * Decimal("0.0001")


def test_fees_are_not_rounded() -> None:
    prices = (Decimal("0.013"), Decimal("0.007"))
    found = fill_fees(a_put_spread(), prices, 1, opening=True, fees=FEES)
    assert found == Decimal("0.29013")


def test_prices_that_do_not_fit_the_legs_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        fill_fees(a_put_spread(), PRICES[:1], 1, opening=True, fees=FEES)


def test_a_round_trip_pays_to_open_and_to_close() -> None:
    spread = a_put_spread()
    opening = fill_fees(spread, PRICES, 1, opening=True, fees=FEES)
    closing = fill_fees(spread, PRICES, 1, opening=False, fees=FEES)
    assert round_trip_fees(spread, PRICES, FEES) == opening + closing


def test_the_most_a_round_trip_can_cost_sells_every_leg_at_its_strike() -> None:
    expected = Decimal("0.58") + 100 * (Decimal(190) + Decimal(185)) * Decimal("0.0001")
    assert round_trip_fees_max(a_put_spread(), FEES) == expected


def test_shares_sold_pay_by_share_and_by_value_and_shares_bought_by_share() -> None:
    fees = FeeSettings(
        regulatory_per_share_bought=Decimal("0.001"),
        regulatory_per_share_sold=Decimal("0.002"),
        sale_value_fraction=Decimal("0.0001"),
    )
    assert share_fees(300, Decimal(50), fees) == Decimal("0.300")
    assert share_fees(-300, Decimal(50), fees) == Decimal("0.600") + Decimal("1.50")
