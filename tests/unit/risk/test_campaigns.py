"""What a campaign may cost: its fees, its loss at its stop, what it reserves."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.book.changes import LedgerField
from agent.book.records import Campaign, RollResidue, Trade
from agent.config.settings import FeeSettings, RiskSettings
from agent.options.structures import Leg, LegSide, Structure
from agent.risk.campaigns import (
    CampaignLoss,
    campaign_loss,
    net_credit_floor,
    roll_fees,
    with_residue,
)
from agent.risk.limits import account_limits
from agent.risk.reservation import reopen_moves
from tests.builders import (
    LATER_EXPIRATION,
    a_contract,
    a_later_spread,
    a_put_spread,
    a_risk,
    a_trade,
    an_execution,
)

FREE = FeeSettings(
    regulatory_per_contract_bought=Decimal(0),
    regulatory_per_contract_sold=Decimal(0),
    sale_value_fraction=Decimal(0),
)
PRICES = (Decimal("2.00"), Decimal("0.50"))


def loss(trade: Trade | None = None, **changes: Any) -> CampaignLoss:
    """Roll the story's trade, which received 1.20, for 0.30 more."""
    given: dict[str, Any] = {
        "net_credit": Decimal("0.30"),
        "roll_fees_each": Decimal(0),
        "stop_loss": Decimal(2),
        "fees": FREE,
    }
    return campaign_loss(trade or a_trade(), a_later_spread(), **(given | changes))


def free_trade(**changes: Any) -> Trade:
    return a_trade(**{"execution": an_execution(fees=Decimal(0))} | changes)


def test_a_roll_pays_the_fees_of_its_close_and_of_its_opening() -> None:
    fees = FeeSettings(
        regulatory_per_contract_bought=Decimal("0.04"),
        regulatory_per_contract_sold=Decimal("0.05"),
        sale_value_fraction=Decimal(0),
    )
    paid = roll_fees(a_put_spread(), PRICES, a_later_spread(), PRICES, fees)
    assert paid == Decimal("0.18")


@given(fees=st.decimals(min_value=0, max_value=50, places=4))
def test_the_least_net_credit_is_in_cents_and_leaves_something_after_fees(fees: Decimal) -> None:
    floor = net_credit_floor(fees, 100)
    assert floor == floor.quantize(Decimal("0.01"))
    assert fees < floor * 100 <= fees + 1


def test_the_stop_is_a_multiple_of_what_the_whole_campaign_received() -> None:
    found = loss(free_trade())
    assert found.at_stop == Decimal("300.00")  # twice 1.50, a contract


def test_a_spread_never_loses_more_than_its_width_less_what_was_received() -> None:
    found = loss(free_trade(), stop_loss=Decimal(5))
    assert found.at_stop == (Decimal(5) - Decimal("1.50")) * 100


def test_fees_paid_and_to_come_count() -> None:
    paid = a_trade(execution=an_execution(fees=Decimal("4.00")))
    assert loss(paid, roll_fees_each=Decimal("0.50")).at_stop == Decimal("302.50")
    assert loss(paid, fees=FeeSettings()).at_stop > Decimal("302.00")


def test_a_stop_that_the_owner_moved_counts_where_he_put_it() -> None:
    # It would have cost 0.80 a share at the stop; so it does after the roll.
    found = loss(free_trade(stop_debit=Decimal("2.00")))
    assert found.at_stop == Decimal("80.00")


def test_the_budget_is_that_of_the_entry_whatever_was_rolled_since() -> None:
    assert loss(a_trade()).budget == Decimal(240)
    rolled = a_trade(campaign=Campaign(budget_per_contract=Decimal(500)))
    assert (loss(rolled).budget, loss(rolled).is_within_budget) == (Decimal(500), True)
    assert not loss(a_trade()).is_within_budget


@pytest.mark.parametrize(
    "execution", [an_execution(credit=None), an_execution(contracts_closed=2)], ids=str
)
def test_what_has_no_credit_or_holds_nothing_has_no_campaign(execution: Any) -> None:
    with pytest.raises(ValueError, match="holds nothing"):
        loss(a_trade(execution=execution))


def test_a_residue_adds_to_what_is_at_stake() -> None:
    residue = RollResidue(
        structure=a_put_spread(),
        contracts=2,
        opened=3,
        sizing_loss_per_contract=Decimal(100),
        capital_per_contract=Decimal(90),
    )
    together = with_residue(a_risk(), residue)
    assert together.heat_cents == a_risk().heat_cents + 20_000
    assert together.capital_cents == a_risk().capital_cents + 18_000
    assert with_residue(a_risk(), None) == a_risk()


def test_reopening_takes_only_the_difference_within_the_limits_of_any_entry() -> None:
    limits = account_limits(Decimal(100_000), RiskSettings())
    held, reserved = a_risk(heat_cents=40_000), a_risk(heat_cents=60_000)
    portfolio, symbol = reopen_moves(held, reserved, symbol="AAPL", limits=limits)
    assert portfolio.deltas == symbol.deltas == {LedgerField.HEAT_CENTS: 20_000}
    assert portfolio.bounds == {LedgerField.HEAT_CENTS: limits.heat_cents}
    assert symbol.bounds == {LedgerField.CAPITAL_CENTS: limits.symbol_capital_cents}
    assert reopen_moves(held, held, symbol="AAPL", limits=limits) == ()


def test_a_put_sold_alone_has_no_width_to_stop_at() -> None:
    put = Structure((Leg(a_contract(expiration=LATER_EXPIRATION), LegSide.SHORT),))
    found = campaign_loss(
        free_trade(),
        put,
        net_credit=Decimal("2.80"),
        roll_fees_each=Decimal(0),
        stop_loss=Decimal(2),
        fees=FREE,
    )
    assert found.at_stop == Decimal("800.00")
