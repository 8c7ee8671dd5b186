from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from agent.options.money import Rounding, from_cents, round_to_tick, to_cents

amounts = st.decimals(-1_000_000, 1_000_000, places=6)
ticks = st.sampled_from([Decimal("0.01"), Decimal("0.05"), Decimal("0.10"), Decimal("0.25")])


@given(st.integers(-(10**12), 10**12))
def test_cents_survive_the_way_to_dollars_and_back(cents: int) -> None:
    assert to_cents(from_cents(cents)) == cents


@given(amounts, ticks)
def test_rounding_brackets_the_price_by_at_most_one_tick(price: Decimal, tick: Decimal) -> None:
    down = round_to_tick(price, tick, Rounding.DOWN)
    up = round_to_tick(price, tick, Rounding.UP)
    nearest = round_to_tick(price, tick, Rounding.NEAREST)
    assert down <= price <= up
    assert up - down == (0 if price % tick == 0 else tick)
    assert abs(nearest - price) * 2 <= tick
    assert nearest in {down, up}


@given(amounts, ticks)
def test_a_credit_and_the_debit_of_its_size_round_alike(price: Decimal, tick: Decimal) -> None:
    assert round_to_tick(-price, tick, Rounding.UP) == -round_to_tick(price, tick, Rounding.DOWN)
    nearest = round_to_tick(price, tick, Rounding.NEAREST)
    assert round_to_tick(-price, tick, Rounding.NEAREST) == -nearest


@given(amounts, ticks, st.sampled_from(Rounding))
def test_rounding_twice_changes_nothing_more(
    price: Decimal, tick: Decimal, rounding: Rounding
) -> None:
    once = round_to_tick(price, tick, rounding)
    assert round_to_tick(once, tick, rounding) == once
