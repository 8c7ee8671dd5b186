from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st

from agent.options.contracts import OptionContract, OptionType, parse_occ_symbol
from agent.options.structures import Leg, LegSide, Structure

EXPIRATION = date(2026, 7, 17)

contracts = st.builds(
    OptionContract,
    underlying=st.from_regex(r"[A-Z][A-Z0-9]{0,5}", fullmatch=True),
    expiration=st.integers(0, 20_000).map(lambda days: date(2000, 1, 1) + timedelta(days=days)),
    option_type=st.sampled_from(OptionType),
    strike=st.integers(1, 99_999_999).map(lambda mills: Decimal(mills) / 1000),
)

legs = st.builds(
    Leg,
    contract=st.builds(
        OptionContract,
        underlying=st.just("AAPL"),
        expiration=st.just(EXPIRATION),
        option_type=st.sampled_from(OptionType),
        strike=st.integers(1, 40).map(lambda step: Decimal(step * 5)),
    ),
    side=st.sampled_from(LegSide),
    ratio=st.integers(1, 3),
)
structures = st.lists(legs, min_size=1, max_size=4, unique_by=lambda leg: leg.contract).map(
    lambda found: Structure(tuple(found))
)
credits_per_share = st.decimals(-50, 50, places=2)
prices = st.decimals(0, 400, places=2)


@given(contracts)
def test_every_contract_reads_back_from_its_symbol(contract: OptionContract) -> None:
    assert parse_occ_symbol(contract.symbol) == contract


@given(structures, credits_per_share, prices)
def test_no_end_loses_more_than_the_maximum_loss(
    structure: Structure, credit: Decimal, price: Decimal
) -> None:
    short_calls = sum(
        leg.signed_ratio for leg in structure.legs if leg.contract.option_type is OptionType.CALL
    )
    assume(short_calls >= 0)
    assert structure.payoff_per_share(price) + credit >= -structure.max_loss_per_share(credit)


@given(structures, credits_per_share)
def test_nothing_is_won_or_lost_at_a_breakeven(structure: Structure, credit: Decimal) -> None:
    for breakeven in structure.breakevens(credit):
        assert abs(structure.payoff_per_share(breakeven) + credit) < Decimal("1e-20")


@given(structures, credits_per_share)
def test_between_prices_of_profit_and_loss_lies_a_breakeven(
    structure: Structure, credit: Decimal
) -> None:
    breakevens = structure.breakevens(credit)
    grid = [Decimal(step) * Decimal("2.5") for step in range(161)]
    for low, high in pairwise(grid):
        ends = [structure.payoff_per_share(price) + credit for price in (low, high)]
        if ends[0] * ends[1] < 0:
            assert any(low < point < high for point in breakevens)
