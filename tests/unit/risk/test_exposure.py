"""What moves of the market would do: stress, beta-weighted delta and vega."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.book.holdings import Holdings, SharesHeld
from agent.book.records import TradeExecution
from agent.book.states import TradeStatus
from agent.config.settings import RiskSettings, Settings
from agent.options.contracts import OptionType
from agent.options.structures import Leg, LegSide, Structure
from agent.risk.exposure import (
    Exposure,
    Pricing,
    stress_debit,
    structure_exposure_now,
    trade_exposure,
)
from agent.risk.sizing import signal_exposure, smallest_account, trade_risk
from tests.builders import AS_OF, a_contract, a_put_spread, a_risk, a_signal, a_trade

RISK = RiskSettings()
PUT = Structure((Leg(a_contract(strike="190"), LegSide.SHORT),))
CONDOR = Structure(
    (
        Leg(a_contract(strike="190"), LegSide.SHORT),
        Leg(a_contract(strike="185"), LegSide.LONG),
        Leg(a_contract(strike="210", option_type=OptionType.CALL), LegSide.SHORT),
        Leg(a_contract(strike="215", option_type=OptionType.CALL), LegSide.LONG),
    )
)


def at(spot: str = "200", volatility: float = 0.28, legs: int = 1) -> Pricing:
    return Pricing(Decimal(spot), (volatility,) * legs, AS_OF, 0.04)


def test_under_stress_a_put_costs_what_it_pays_after_the_worst_fall_and_more() -> None:
    debit = stress_debit(PUT, at(), RISK)
    assert debit >= Decimal(30)  # 190 less 80 % of 200
    mild = stress_debit(PUT, at(), RiskSettings(stress_falls=(Decimal("0.05"),)))
    assert mild < debit


def test_volatility_rises_under_stress() -> None:
    calm = RiskSettings(stress_falls=(Decimal("0.05"),), stress_volatility_factor=1.0)
    wild = RiskSettings(stress_falls=(Decimal("0.05"),), stress_volatility_factor=2.0)
    assert stress_debit(PUT, at(), wild) > stress_debit(PUT, at(), calm)


@given(spot=st.decimals(150, 260, places=2), volatility=st.floats(0.05, 1.5))
def test_no_stress_costs_a_spread_more_than_its_width(spot: Decimal, volatility: float) -> None:
    pricing = Pricing(spot, (volatility,) * 2, AS_OF, 0.04)
    assert stress_debit(a_put_spread(), pricing, RISK) <= Decimal("5.01")


def test_a_condor_may_cost_a_little_more_while_its_other_side_has_time() -> None:
    debit = stress_debit(CONDOR, at(volatility=0.60, legs=4), RISK)
    assert Decimal(4) < debit < Decimal("5.75")


def test_heat_counts_the_larger_of_sizing_loss_and_stress_loss() -> None:
    signal = a_signal(
        structure=PUT,
        strategy="cash_secured_put",
        underlying_price=Decimal(200),
        credit_mid=Decimal("2.00"),
        credit_min=Decimal("1.90"),
    )
    plain = signal_exposure(signal, Settings())
    assert plain.heat == plain.sizing_loss
    debit = Decimal("32.50")
    stressed = signal_exposure(signal.model_copy(update={"stress_debit": debit}), Settings())
    assert stressed.sizing_loss == plain.sizing_loss
    assert stressed.heat == stressed.stress_loss > stressed.sizing_loss
    risk = trade_risk(stressed, 2)
    assert risk.heat_cents > trade_risk(plain, 2).heat_cents
    assert risk.stress_loss_per_contract == stressed.stress_loss


def test_the_smallest_account_bears_the_stress_within_its_heat() -> None:
    stressed = signal_exposure(
        a_signal(structure=PUT, stress_debit=Decimal(150), underlying_price=Decimal(200)),
        Settings(),
    )
    anything = dict.fromkeys(
        ("trade_risk_fraction", "trade_capital_max_fraction", "symbol_capital_max_fraction"),
        Decimal(1),
    )
    least = smallest_account(stressed, RiskSettings(**anything))
    assert least is not None
    assert least * RISK.heat_max_fraction >= stressed.heat


def test_a_put_that_is_owed_gains_when_stocks_rise_and_loses_when_volatility_does() -> None:
    found = structure_exposure_now(PUT, 1, at(), RISK)
    # A delta of about 0.25 on 100 shares of 200: a 1 % move is worth about 50 dollars.
    assert Decimal(35) < found.delta < Decimal(65)
    assert Decimal(-30) < found.vega < Decimal(-10)


def test_exposure_grows_with_units_and_with_beta() -> None:
    one = structure_exposure_now(PUT, 1, at(), RISK)
    three = structure_exposure_now(PUT, 3, at(), RISK)
    lively = structure_exposure_now(PUT, 1, at(), RiskSettings(betas={"AAPL": 2.0}))
    assert abs(three.delta - 3 * one.delta) < Decimal("0.03")
    assert abs(three.vega - 3 * one.vega) < Decimal("0.03")
    assert abs(lively.delta - 2 * one.delta) < Decimal("0.02")
    assert lively.vega == one.vega


def test_the_sides_of_a_condor_nearly_cancel_its_delta() -> None:
    condor = structure_exposure_now(CONDOR, 1, at(legs=4), RISK)
    spread = structure_exposure_now(a_put_spread(), 1, at(legs=2), RISK)
    assert abs(condor.delta) < abs(spread.delta)
    assert condor.vega < spread.vega < 0


@pytest.mark.parametrize(
    ("status", "execution", "units"),
    [
        (TradeStatus.PENDING, TradeExecution(), 2),
        (TradeStatus.OPEN, TradeExecution(contracts=3, credit=Decimal("1.20")), 3),
        (
            TradeStatus.CLOSING,
            TradeExecution(contracts=3, contracts_closed=2, credit=Decimal("1.20")),
            1,
        ),
    ],
)
def test_a_trade_counts_what_it_holds_and_a_pending_one_what_it_reserved(
    status: TradeStatus, execution: TradeExecution, units: int
) -> None:
    trade = a_trade(status, execution=execution, risk=a_risk(heat_cents=200_000))
    found = trade_exposure(trade, at(legs=2), RISK)
    assert found.delta == structure_exposure_now(trade.structure, units, at(legs=2), RISK).delta
    assert found.stressed_heat_cents == 200_000


def test_a_put_whose_stock_has_fallen_costs_more_under_stress_than_it_reserved() -> None:
    trade = a_trade(structure=PUT, risk=a_risk(heat_cents=500_000))
    before = trade_exposure(trade, at("200"), RISK).stressed_heat_cents
    after = trade_exposure(trade, at("170"), RISK).stressed_heat_cents
    assert before > 500_000
    assert after > before + 400_000


def test_shares_of_an_assignment_count_with_their_delta_and_their_fall() -> None:
    shares = SharesHeld(quantity=100, basis=Decimal(190), tax_basis=Decimal("188.80"), since=AS_OF)
    trade = a_trade(
        structure=PUT,
        execution=TradeExecution(contracts=1, contracts_closed=1, credit=Decimal("1.20")),
        holdings=Holdings(shares=shares),
        risk=a_risk(heat_cents=0),
    )
    found = trade_exposure(trade, at("180"), RISK)
    assert found == Exposure(Decimal("180.00"), Decimal(0), 460_000)  # 190 less 80 % of 180
