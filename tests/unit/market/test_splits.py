"""What a split makes of contracts, and what merely looks like one."""

from datetime import date
from decimal import Decimal

import pytest

from agent.market.splits import (
    StockSplit,
    is_adjusted_root,
    is_restruck,
    may_be_restruck,
    struck_for,
)
from agent.options.contracts import OptionType
from tests.builders import a_contract

EX_DATE = date(2026, 6, 16)


@pytest.mark.parametrize(
    ("new", "old", "factor"),
    [("2", "1", 2), ("10", "1", 10), ("6", "3", 2), ("3", "2", None), ("1", "4", None)],
)
def test_only_a_split_into_whole_shares_has_a_factor(new: str, old: str, factor: int) -> None:
    assert StockSplit(EX_DATE, Decimal(new), Decimal(old)).whole_factor == factor


@pytest.mark.parametrize(
    ("former", "following", "factor", "expected"),
    [
        ("190", "95", 2, True),
        ("100", "33.33", 3, True),
        ("100", "33.34", 3, False),
        ("190", "95", 3, False),
    ],
)
def test_a_strike_is_divided_and_rounded_to_the_cent(
    former: str, following: str, factor: int, expected: bool
) -> None:
    was, now = a_contract(strike=former), a_contract(strike=following)
    assert is_restruck(was, now, factor) is expected
    assert (struck_for(was, factor) == now) is expected


def test_another_type_or_expiration_is_another_contract() -> None:
    was = a_contract(strike="190")
    call = a_contract(strike="95", option_type=OptionType.CALL)
    later = a_contract(strike="95", expiration=date(2026, 12, 18))
    assert not may_be_restruck(was, call)
    assert not may_be_restruck(was, later)
    assert may_be_restruck(was, a_contract(strike="95"))


@pytest.mark.parametrize("strike", ["190", "185", "100", "200"])
def test_no_split_into_whole_shares_makes_a_strike_like_these(strike: str) -> None:
    assert not may_be_restruck(a_contract(strike="190"), a_contract(strike=strike))


def test_a_strike_is_never_divided_away() -> None:
    assert struck_for(a_contract(strike="0.5"), 1000).strike == Decimal("0.01")


@pytest.mark.parametrize(
    ("root", "expected"), [("AAPL1", True), ("AAPL2", True), ("AAPL", False), ("AAPLX", False)]
)
def test_an_adjusted_contract_bears_its_stocks_name_and_a_digit(root: str, expected: bool) -> None:
    assert is_adjusted_root(a_contract("AAPL"), a_contract(root)) is expected
