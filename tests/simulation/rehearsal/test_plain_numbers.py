"""Reports spell numbers without exponents, and lose nothing of them."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.book.records import Trade
from simulator.checkers.cash_identity import check_cash_identity
from simulator.rehearsal.plain_numbers import plain_json, spell
from simulator.rehearsal.report import report_trade
from tests.builders import a_trade, an_execution

TINY = Decimal("0E-9")


@pytest.mark.parametrize(
    ("number", "spelled"),
    [("0E-9", "0"), ("-0E-9", "0"), ("0.00", "0.00"), ("1E-7", "0.0000001"), ("1E+3", "1000")],
)
def test_a_number_has_no_exponent(number: str, spelled: str) -> None:
    assert spell(Decimal(number)) == spelled


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12))
def test_a_spelled_number_is_the_number(number: Decimal) -> None:
    assert Decimal(spell(number)) == number
    assert "E" not in spell(number)


def test_a_zero_difference_of_the_cash_identity_is_a_plain_zero() -> None:
    identity = check_cash_identity((), cash_start=TINY, cash_end=TINY, fees_charged=TINY)
    told = plain_json(identity)
    assert (told["difference"], told["holds"]) == ("0", True)


def test_all_but_the_spelling_of_numbers_is_as_json_has_it() -> None:
    trade = a_trade()
    assert Trade.model_validate(plain_json(trade)) == trade
    assert plain_json(trade) == json.loads(trade.model_dump_json())


def test_what_a_report_takes_over_of_a_trade_is_spelled_plainly() -> None:
    report = report_trade(a_trade(execution=an_execution(exit_cash=TINY)), ())
    assert report.execution["exit_cash"] == "0"
