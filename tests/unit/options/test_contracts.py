from datetime import date
from decimal import Decimal

import pytest

from agent.options.contracts import OptionContract, OptionType, parse_occ_symbol


def test_a_contract_spells_its_symbol_without_padding() -> None:
    contract = OptionContract("AAPL", date(2026, 7, 17), OptionType.PUT, Decimal("190.5"))
    assert contract.symbol == "AAPL260717P00190500"


def test_a_symbol_reads_back_as_the_contract_it_names() -> None:
    contract = parse_occ_symbol("NVDA260807C01200000")
    assert contract == OptionContract("NVDA", date(2026, 8, 7), OptionType.CALL, Decimal(1200))
    assert str(contract.strike) == "1200"


def test_days_to_expiration_are_calendar_days() -> None:
    contract = OptionContract("AAPL", date(2026, 7, 17), OptionType.PUT, Decimal(190))
    assert contract.dte(date(2026, 7, 10)) == 7
    assert contract.dte(date(2026, 7, 20)) == -3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "AAPL",
        "aapl260717P00190500",
        "AAPL260717X00190500",
        "AAPL  260717P00190500",
        "AAPL260717P0019050",
        "AAPL260717P00190500\n",
        "AAPL261340P00190500",
        "AAPL260717P00000000",
        "AAPL26071\N{ARABIC-INDIC DIGIT SEVEN}P00190500",
    ],
)
def test_a_text_that_is_no_symbol_is_named_in_the_error(text: str) -> None:
    with pytest.raises(ValueError, match="not an OCC option symbol") as caught:
        parse_occ_symbol(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize("strike", ["0", "-5", "NaN", "Infinity", "100000"])
def test_a_strike_outside_what_symbols_can_spell_is_refused(strike: str) -> None:
    with pytest.raises(ValueError, match="not a strike price"):
        OptionContract("AAPL", date(2026, 7, 17), OptionType.PUT, Decimal(strike))


def test_a_strike_in_parts_of_a_thousandth_is_refused() -> None:
    with pytest.raises(ValueError, match="parts of a thousandth"):
        OptionContract("AAPL", date(2026, 7, 17), OptionType.PUT, Decimal("10.0005"))
