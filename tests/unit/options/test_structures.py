from datetime import date
from decimal import Decimal

import pytest

from agent.options.contracts import OptionContract, OptionType
from agent.options.structures import Leg, LegSide, Structure

EXPIRATION = date(2026, 7, 17)
PUT, CALL = OptionType.PUT, OptionType.CALL
SHORT, LONG = LegSide.SHORT, LegSide.LONG


def leg(side: LegSide, option_type: OptionType, strike: int, ratio: int = 1) -> Leg:
    return Leg(OptionContract("AAPL", EXPIRATION, option_type, Decimal(strike)), side, ratio)


PUT_SPREAD = Structure((leg(SHORT, PUT, 190), leg(LONG, PUT, 185)))
CONDOR = Structure(
    (leg(LONG, PUT, 180), leg(SHORT, PUT, 190), leg(SHORT, CALL, 210), leg(LONG, CALL, 215))
)
CASH_SECURED_PUT = Structure((leg(SHORT, PUT, 190),))
NAKED_CALL = Structure((leg(SHORT, CALL, 210),))
LONG_CALL = Structure((leg(LONG, CALL, 210),))


def test_a_put_spread_risks_its_width_less_the_credit() -> None:
    assert PUT_SPREAD.width == 5
    assert PUT_SPREAD.max_loss_per_share(Decimal("1.20")) == Decimal("3.80")
    assert PUT_SPREAD.max_profit_per_share(Decimal("1.20")) == Decimal("1.20")
    assert PUT_SPREAD.breakevens(Decimal("1.20")) == (Decimal("188.80"),)


def test_a_condor_risks_its_wider_side_less_the_total_credit() -> None:
    assert CONDOR.width == 10
    assert CONDOR.max_loss_per_share(Decimal("2.50")) == Decimal("7.50")
    assert CONDOR.max_profit_per_share(Decimal("2.50")) == Decimal("2.50")
    assert CONDOR.breakevens(Decimal("2.50")) == (Decimal("187.50"), Decimal("212.50"))


def test_a_cash_secured_put_risks_the_whole_strike_less_the_credit() -> None:
    assert CASH_SECURED_PUT.width is None
    assert CASH_SECURED_PUT.max_loss_per_share(Decimal("2.00")) == Decimal("188.00")
    assert CASH_SECURED_PUT.max_profit_per_share(Decimal("2.00")) == Decimal("2.00")
    assert CASH_SECURED_PUT.breakevens(Decimal("2.00")) == (Decimal("188.00"),)


def test_a_structure_of_unlimited_loss_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="loss is unlimited: AAPL260717C00210000"):
        NAKED_CALL.max_loss_per_share(Decimal("2.00"))
    assert NAKED_CALL.max_profit_per_share(Decimal("2.00")) == Decimal("2.00")
    assert NAKED_CALL.breakevens(Decimal("2.00")) == (Decimal(212),)


def test_a_structure_of_unlimited_profit_has_no_maximum() -> None:
    with pytest.raises(ValueError, match="profit is unlimited: AAPL260717C00210000"):
        LONG_CALL.max_profit_per_share(Decimal("-3.00"))
    assert LONG_CALL.max_loss_per_share(Decimal("-3.00")) == Decimal("3.00")
    assert LONG_CALL.breakevens(Decimal("-3.00")) == (Decimal(213),)


def test_ratios_weigh_in_payoffs() -> None:
    backspread = Structure((leg(SHORT, PUT, 190), leg(LONG, PUT, 185, ratio=2)))
    assert backspread.payoff_per_share(Decimal(185)) == -5
    assert backspread.payoff_per_share(Decimal(0)) == 180
    assert backspread.max_loss_per_share(Decimal("0.50")) == Decimal("4.50")
    assert backspread.breakevens(Decimal("0.50")) == (Decimal("180.50"), Decimal("189.50"))


def test_a_credit_beyond_the_width_leaves_a_negative_loss_and_no_breakeven() -> None:
    assert PUT_SPREAD.max_loss_per_share(Decimal("5.10")) == Decimal("-0.10")
    assert PUT_SPREAD.breakevens(Decimal("5.10")) == ()


def test_of_prices_that_all_break_even_the_ends_are_listed() -> None:
    assert PUT_SPREAD.breakevens(Decimal("5.00")) == (Decimal(0), Decimal(185))


def test_a_structure_names_its_parts() -> None:
    assert CONDOR.underlying == "AAPL"
    assert CONDOR.expiration == EXPIRATION
    assert CONDOR.multiplier == 100
    assert CONDOR.short_strikes == (Decimal(190), Decimal(210))
    assert PUT_SPREAD.symbols == ("AAPL260717P00190000", "AAPL260717P00185000")
    assert [part.signed_ratio for part in PUT_SPREAD.legs] == [-1, 1]


def test_legs_that_do_not_belong_together_are_refused() -> None:
    short = leg(SHORT, PUT, 190)
    other_stock = Leg(OptionContract("MSFT", EXPIRATION, PUT, Decimal(185)), LONG)
    other_day = Leg(OptionContract("AAPL", date(2026, 7, 24), PUT, Decimal(185)), LONG)
    adjusted = Leg(OptionContract("AAPL", EXPIRATION, PUT, Decimal(185), multiplier=150), LONG)
    for legs, message in [
        ((), "at least one leg"),
        ((short, leg(LONG, PUT, 190)), "repeat a contract"),
        ((short, other_stock), "mix underlyings"),
        ((short, other_day), "mix expirations"),
        ((short, adjusted), "mix multipliers"),
        ((leg(SHORT, PUT, 190, ratio=0),), "ratio is below 1"),
    ]:
        with pytest.raises(ValueError, match=message):
            Structure(legs)
