"""What holds for every quote, order and book."""

from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.options.contracts import OptionContract, OptionType
from simulator.exchange import ConcessionFillModel, RefusalError
from simulator.exchange.fills import LegQuote, PackageQuote, leg_prices
from simulator.exchange.margin import intrinsic_value, spread_requirement
from simulator.exchange.records import Side
from tests.simulation.exchange.builders import (
    PUT_95,
    PUT_100,
    at_close,
    exchange_at_noon,
    put_spread,
    put_spread_close,
    single_order,
    usual_world,
)
from tests.simulation.exchange.small_world import FRIDAY

CENT = Decimal("0.01")
RATIOS = st.sampled_from([(1, 1), (1, 2), (2, 3), (1, 1, 1, 1), (1, 2, 1), (3, 5, 7), (1, 3, 3, 1)])


@st.composite
def packages(draw: st.DrawFn) -> list[LegQuote]:
    legs = []
    for ratio in draw(RATIOS):
        bid = draw(st.integers(min_value=5, max_value=2_000))
        width = draw(st.integers(min_value=0, max_value=200))
        side = draw(st.sampled_from(list(Side)))
        legs.append(LegQuote(side, ratio, bid=bid * CENT, ask=(bid + width) * CENT))
    return legs


@given(legs=packages(), conceded=st.integers(min_value=0, max_value=100))
def test_legs_sum_to_the_net_and_nobody_trades_better_than_mid(
    legs: list[LegQuote], conceded: int
) -> None:
    package = PackageQuote.of(legs)
    limit = package.mid + (package.natural - package.mid) * conceded / 100
    limit = limit.quantize(CENT)
    net = ConcessionFillModel().net_price(limit, package)
    if net is None:
        return
    prices = leg_prices(legs, net, package)
    total = sum(leg.side.sign * leg.ratio * price for leg, price in zip(legs, prices, strict=True))
    assert total == net
    assert package.mid <= net <= package.natural
    assert net <= max(limit, package.natural)
    assert all(price == price.quantize(CENT) for price in prices)


@st.composite
def books(draw: st.DrawFn) -> dict[OptionContract, int]:
    contracts = st.builds(
        OptionContract,
        underlying=st.just("ACME"),
        expiration=st.sampled_from([FRIDAY, FRIDAY + timedelta(days=28)]),
        option_type=st.sampled_from(list(OptionType)),
        strike=st.sampled_from([Decimal(strike) for strike in (90, 95, 100, 105)]),
    )
    return draw(st.dictionaries(contracts, st.integers(min_value=-3, max_value=3), max_size=6))


@given(book=books(), spot=st.integers(min_value=0, max_value=400))
def test_the_requirement_covers_what_options_of_one_expiration_can_lose(
    book: dict[OptionContract, int], spot: int
) -> None:
    requirement = spread_requirement(book, {})
    if requirement is None:
        calls = [held for contract, held in book.items() if contract.option_type == "call"]
        assert any(held < 0 for held in calls)
        return
    payoff = sum(
        held * 100 * intrinsic_value(contract, Decimal(spot)) for contract, held in book.items()
    )
    assert requirement >= 0
    assert requirement + payoff >= 0


ORDERS: st.SearchStrategy[Any] = st.sampled_from(
    [
        put_spread("-0.60"),
        put_spread("-0.50", qty=3),
        put_spread("-0.69", qty=2),
        put_spread_close("0.80"),
        put_spread_close("0.75", qty=2),
        single_order(PUT_100, "sell", "1.40"),
        single_order(PUT_100, "buy", "1.55"),
        single_order(PUT_95, "buy", "0.90", qty=2),
        single_order(PUT_95, "sell", "0.70"),
        single_order("ACME", "buy", "105.05", qty=50),
        single_order("ACME", "sell", "104.95", qty=20),
    ]
)


@settings(max_examples=40)
@given(orders=st.lists(ORDERS, max_size=12), close=st.sampled_from(["90", "97.5", "99", "105"]))
def test_cash_is_always_what_the_activities_and_the_realised_profit_say(
    orders: list[Any], close: str
) -> None:
    exchange = exchange_at_noon(
        usual_world().with_close(close, FRIDAY),
        fees="regulatory",
        partial_fill_probability=Decimal("0.5"),
    )
    for body in orders:
        # Refused or taken, the books must balance.
        with suppress(RefusalError):
            exchange.place_order(body)
        exchange.clock.advance(5)
    exchange.clock.advance_to(at_close(4) + timedelta(hours=1))
    book = exchange.book
    assert exchange.cash - book.starting_cash == sum(row.cash_change for row in book.activities)
    held_at_cost = sum(position.cost for position in exchange.positions)
    assert exchange.cash + held_at_cost == (
        book.starting_cash + book.realized_profit - book.fees_charged
    )
    assert all(position.contract is None for position in exchange.positions)
    assert exchange.working_orders == ()
