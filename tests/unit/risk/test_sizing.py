"""How much is at stake, and how many contracts an account may hold."""

from decimal import Decimal

import pytest

from agent.config.settings import FeeSettings, RiskSettings, Settings
from agent.options.contracts import OptionType
from agent.options.structures import Leg, LegSide, Structure
from agent.risk.fees import round_trip_fees_max
from agent.risk.limits import AccountLimits, account_limits
from agent.risk.sizing import (
    ContractExposure,
    Sizing,
    defined_risk_exposure,
    fill_exposure,
    kelly_fraction,
    kelly_risk_cents,
    scaled_risk,
    signal_exposure,
    size_entry,
    smallest_account,
    trade_risk,
    wilson_lower_bound,
)
from tests.builders import a_contract, a_put_spread, a_signal

RISK = RiskSettings()
FEES = FeeSettings()
SETTINGS = Settings()
PUT = Structure((Leg(a_contract(strike="190"), LegSide.SHORT),))
LIMITS = account_limits(Decimal(100_000), RISK)
EXPOSURE = ContractExposure(sizing_loss=Decimal("380.50"), capital=Decimal(380))


def size(
    exposure: ContractExposure = EXPOSURE,
    limits: AccountLimits = LIMITS,
    *,
    symbol_capital_cents: int = 0,
    contracts_max: int = 50,
    kelly_cents: int | None = None,
) -> Sizing:
    return size_entry(
        exposure,
        limits,
        symbol_capital_cents=symbol_capital_cents,
        contracts_max=contracts_max,
        kelly_risk_cents=kelly_cents,
    )


def test_a_spread_risks_its_width_less_the_credit_and_the_fees_of_both_ways() -> None:
    spread = a_put_spread()
    found = defined_risk_exposure(spread, Decimal("1.20"), FEES)
    assert found.capital == Decimal(380)
    assert found.sizing_loss == Decimal(380) + round_trip_fees_max(spread, FEES)


def test_a_structure_without_a_bounded_loss_has_no_defined_risk() -> None:
    naked = Structure((Leg(a_contract(option_type=OptionType.CALL), LegSide.SHORT),))
    with pytest.raises(ValueError, match="unlimited"):
        defined_risk_exposure(naked, Decimal(1), FEES)


def test_a_signal_is_sized_for_the_worst_credit_its_order_may_fill_at() -> None:
    signal = a_signal(credit_mid=Decimal("1.25"), credit_min=Decimal("1.15"))
    assert signal_exposure(signal, SETTINGS).capital == Decimal(385)


def test_a_fill_better_than_the_worst_credit_frees_risk() -> None:
    signal = a_signal(credit_min=Decimal("1.15"))
    filled = fill_exposure(signal.structure, Decimal("1.20"), Decimal(201), SETTINGS)
    assert filled.sizing_loss == signal_exposure(signal, SETTINGS).sizing_loss - 5


def test_a_credit_above_the_width_leaves_no_capital_at_stake() -> None:
    found = defined_risk_exposure(a_put_spread(), Decimal("5.10"), FEES)
    assert found.capital == 0
    assert found.sizing_loss > 0


def test_a_cash_secured_put_holds_the_price_of_its_shares() -> None:
    found = fill_exposure(PUT, Decimal("2.50"), Decimal(200), SETTINGS)
    assert found.capital == Decimal(19_000)


def test_a_cash_secured_put_risks_a_fall_of_a_fifth_overnight() -> None:
    found = fill_exposure(PUT, Decimal("2.50"), Decimal(200), SETTINGS)
    gap = (Decimal(190) - Decimal(160) - Decimal("2.50")) * 100
    assert found.sizing_loss == gap + round_trip_fees_max(PUT, FEES)


def test_a_cash_secured_put_far_below_the_stock_risks_its_stop() -> None:
    found = fill_exposure(PUT, Decimal("2.50"), Decimal(240), SETTINGS)
    assert found.sizing_loss == 2 * Decimal(250) + round_trip_fees_max(PUT, FEES)


def test_the_gap_is_taken_at_the_least_credit_and_the_stop_at_the_largest() -> None:
    signal = a_signal(
        structure=PUT,
        credit_mid=Decimal("2.60"),
        credit_min=Decimal("2.40"),
        underlying_price=Decimal(200),
    )
    fees = round_trip_fees_max(PUT, FEES)
    assert signal_exposure(signal, SETTINGS).sizing_loss == Decimal(2_760) + fees
    far = signal.model_copy(update={"underlying_price": Decimal(240)})
    assert signal_exposure(far, SETTINGS).sizing_loss == Decimal(520) + fees


def test_a_call_sold_alone_is_no_cash_secured_put_and_has_no_bounded_loss() -> None:
    call = Structure((Leg(a_contract(option_type=OptionType.CALL), LegSide.SHORT),))
    with pytest.raises(ValueError, match="unlimited"):
        fill_exposure(call, Decimal(1), Decimal(200), SETTINGS)


def test_a_put_owned_alone_risks_what_it_cost() -> None:
    owned = Structure((Leg(a_contract(), LegSide.LONG),))
    assert fill_exposure(owned, Decimal("-2.00"), Decimal(200), SETTINGS).capital == 200


def test_a_condor_risks_its_wider_side_less_the_credit_of_both() -> None:
    condor = Structure(
        (
            Leg(a_contract(strike="190"), LegSide.SHORT),
            Leg(a_contract(strike="185"), LegSide.LONG),
            Leg(a_contract(strike="210", option_type=OptionType.CALL), LegSide.SHORT),
            Leg(a_contract(strike="220", option_type=OptionType.CALL), LegSide.LONG),
        )
    )
    assert fill_exposure(condor, Decimal("2.40"), Decimal(200), SETTINGS).capital == 760


def test_the_risk_of_a_trade_is_counted_in_cents_rounded_up() -> None:
    risk = trade_risk(ContractExposure(Decimal("380.1234"), Decimal("379.001")), 3)
    assert (risk.heat_cents, risk.capital_cents) == (114_038, 113_701)
    assert risk.contracts_reserved == 3


def test_risk_scales_to_the_contracts_that_are_left() -> None:
    whole = trade_risk(EXPOSURE, 4)
    assert scaled_risk(whole, 1) == trade_risk(EXPOSURE, 1)
    assert scaled_risk(whole, 0).heat_cents == 0


def test_fixed_risk_gives_as_many_contracts_as_one_percent_bears() -> None:
    found = size()
    assert (found.contracts, found.bound_by) == (2, "fixed_risk")
    assert found.sentence == "2 contracts at a sizing loss of 380.50 USD each, by fixed_risk."


def test_an_account_too_small_for_one_contract_gets_none() -> None:
    assert size(limits=account_limits(Decimal(30_000), RISK)).contracts == 0


def test_a_spread_five_wide_needs_about_forty_thousand_dollars() -> None:
    exposure = defined_risk_exposure(a_put_spread(), Decimal("1.00"), FEES)
    least = smallest_account(exposure, RISK)
    assert least is not None
    assert Decimal(40_000) < least < Decimal(40_200)


def test_the_smallest_account_can_trade_and_a_cent_less_cannot() -> None:
    least = smallest_account(EXPOSURE, RISK)
    assert least == Decimal("38050.00")
    assert size(limits=account_limits(least, RISK)).contracts == 1
    assert size(limits=account_limits(least - Decimal("0.01"), RISK)).contracts == 0


def test_capital_decides_the_smallest_account_where_it_weighs_more() -> None:
    put = ContractExposure(sizing_loss=Decimal(400), capital=Decimal(19_000))
    assert smallest_account(put, RISK) == Decimal("95000.00")


def test_no_account_is_large_enough_where_a_limit_is_zero() -> None:
    assert smallest_account(EXPOSURE, RiskSettings(trade_risk_fraction=Decimal(0))) is None


def test_a_structure_without_capital_needs_only_its_sizing_loss() -> None:
    free = ContractExposure(sizing_loss=Decimal(10), capital=Decimal(0))
    assert smallest_account(free, RISK) == Decimal("1000.00")
    assert size(free, contracts_max=500).contracts == 100


@pytest.mark.parametrize(
    ("exposure", "held_cents", "contracts_max", "contracts", "bound_by"),
    [
        (ContractExposure(Decimal(10), Decimal(9_000)), 0, 50, 2, "trade_capital"),
        (ContractExposure(Decimal(10), Decimal(9_000)), 2_000_000, 50, 1, "symbol_capital"),
        (ContractExposure(Decimal(10), Decimal(9_000)), 3_100_000, 50, 0, "symbol_capital"),
        (ContractExposure(Decimal(10), Decimal(9)), 0, 50, 50, "contracts_max"),
    ],
)
def test_capital_and_the_most_contracts_cap_the_size(
    exposure: ContractExposure, held_cents: int, contracts_max: int, contracts: int, bound_by: str
) -> None:
    found = size(exposure, symbol_capital_cents=held_cents, contracts_max=contracts_max)
    assert (found.contracts, found.bound_by) == (contracts, bound_by)


def test_a_trade_that_cannot_lose_is_not_entered() -> None:
    assert size(ContractExposure(Decimal(0), Decimal(0))).contracts == 0


def test_kelly_shrinks_the_size_and_never_raises_it() -> None:
    assert size(kelly_cents=40_000).contracts == 1
    assert size(kelly_cents=40_000).bound_by == "kelly"
    assert size(kelly_cents=10_000_000).contracts == 2
    assert size(kelly_cents=0).contracts == 0


def test_kelly_is_unknown_under_a_hundred_closed_trades() -> None:
    assert kelly_fraction([Decimal(1)] * 99, RISK) is None
    assert kelly_risk_cents(None, Decimal(100_000)) is None


def test_kelly_is_a_quarter_of_the_formula_at_the_lower_bound_of_the_win_rate() -> None:
    pnls = [Decimal(60)] * 80 + [Decimal(-120)] * 20
    win_rate = wilson_lower_bound(80, 100, RISK.kelly_confidence_z)
    expected = (win_rate - (1 - win_rate) / Decimal("0.5")) / 4
    found = kelly_fraction(pnls, RISK)
    assert found == expected
    assert Decimal(0) < expected < Decimal("0.10")
    assert kelly_risk_cents(found, Decimal(100_000)) == int(expected * 10_000_000)


def test_kelly_risks_nothing_where_the_edge_is_not_proven() -> None:
    assert kelly_fraction([Decimal(50)] * 60 + [Decimal(-120)] * 40, RISK) == 0
    assert kelly_fraction([Decimal(-1)] * 100, RISK) == 0


def test_kelly_without_any_loss_still_doubts_the_win_rate() -> None:
    found = kelly_fraction([Decimal(50)] * 100, RISK)
    assert found == wilson_lower_bound(100, 100, RISK.kelly_confidence_z) / 4
    assert found < Decimal("0.25")


def test_a_trade_that_came_out_at_nothing_did_not_win() -> None:
    with_scratches = kelly_fraction([Decimal(50)] * 90 + [Decimal(0)] * 10, RISK)
    assert with_scratches == wilson_lower_bound(90, 100, RISK.kelly_confidence_z) / 4


def test_the_wilson_bound_agrees_with_a_published_value() -> None:
    # 8 of 10 at 95 % two-sided: 0.4902 (Newcombe 1998, method 3).
    found = wilson_lower_bound(8, 10, Decimal("1.959964"))
    assert abs(found - Decimal("0.4902")) < Decimal("0.0001")


def test_no_success_has_a_lower_bound_of_zero() -> None:
    assert wilson_lower_bound(0, 25, Decimal("1.645")) == 0


@pytest.mark.parametrize(("successes", "trials"), [(0, 0), (3, 2), (-1, 2)])
def test_a_proportion_needs_trials_that_hold_its_successes(successes: int, trials: int) -> None:
    with pytest.raises(ValueError, match="no proportion"):
        wilson_lower_bound(successes, trials, Decimal(1))
