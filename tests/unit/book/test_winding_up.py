"""What goes, and in which order, once a trade is no whole structure any more."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from agent.book.holdings import Holdings, SharesHeld
from agent.book.intents import IntentStatus, Urgency
from agent.book.lifecycle import Booking
from agent.book.records import PositionStatus, Trade
from agent.book.states import ExitReason, TradeStatus
from agent.book.winding_up import (
    Remainder,
    RemainderFills,
    begin_remainder,
    leg_alone_view,
    next_to_go,
    settle_remainder,
)
from agent.options.contracts import OptionContract, OptionType
from agent.options.structures import Leg, LegSide, Structure
from tests.builders import AS_OF, a_put_spread, a_risk, a_trade, positions_of

SHORT, LONG = a_put_spread().symbols
LATER = AS_OF + timedelta(days=1)


def a_broken_trade(gone: Mapping[str, int] | None = None, shares: int = 0, **changes: Any) -> Trade:
    held = SharesHeld(quantity=shares, basis=Decimal(190), tax_basis=Decimal(187), since=AS_OF)
    holdings = Holdings(
        legs_gone=dict(gone or {}), shares=held if shares else None, reason=ExitReason.ASSIGNED
    )
    return a_trade(holdings=holdings, **changes)


def leg_named(remainder: Remainder | None) -> tuple[str | None, int, int | None]:
    assert remainder is not None
    return remainder.leg, remainder.contracts, remainder.shares


def test_whole_structures_stay() -> None:
    assert next_to_go(a_trade(), keeps_shares=False) is None


def test_short_shares_are_covered_before_anything_else() -> None:
    trade = a_broken_trade({SHORT: 2}, shares=-200)
    assert leg_named(next_to_go(trade, keeps_shares=True)) == (None, 0, 200)


def test_units_that_are_still_whole_go_in_one_order() -> None:
    trade = a_broken_trade({SHORT: 1}, shares=100)
    assert leg_named(next_to_go(trade, keeps_shares=False)) == (None, 0, None)


def test_short_legs_go_before_long_ones() -> None:
    call = OptionContract("AAPL", a_put_spread().expiration, OptionType.CALL, Decimal(210))
    wing = OptionContract("AAPL", a_put_spread().expiration, OptionType.CALL, Decimal(215))
    condor = Structure((Leg(wing, LegSide.LONG), Leg(call, LegSide.SHORT), *a_put_spread().legs))
    trade = a_broken_trade({SHORT: 2}, shares=200, structure=condor)
    assert leg_named(next_to_go(trade, keeps_shares=True)) == (call.symbol, 2, None)


def test_shares_go_before_the_long_leg_that_protects_them() -> None:
    trade = a_broken_trade({SHORT: 2}, shares=200)
    assert leg_named(next_to_go(trade, keeps_shares=True)) == (None, 0, -200)
    alone = a_broken_trade({SHORT: 2})
    assert leg_named(next_to_go(alone, keeps_shares=True)) == (LONG, 2, None)


def test_shares_stay_where_their_owner_keeps_them_and_go_where_not() -> None:
    trade = a_broken_trade(shares=200)
    assert next_to_go(trade, keeps_shares=True) is None
    assert leg_named(next_to_go(trade, keeps_shares=False)) == (None, 0, -200)


def test_letting_go_is_stated_as_an_urgent_close_of_one_thing() -> None:
    trade = a_broken_trade({SHORT: 2})
    remainder = next_to_go(trade, keeps_shares=False)
    assert remainder is not None
    change, intent = begin_remainder(trade, remainder, LATER)

    assert change.trade is not None
    assert change.trade.trade.status is TradeStatus.CLOSING
    assert change.intents[0].intent == intent
    assert (intent.leg, intent.shares, intent.urgency) == (LONG, None, Urgency.URGENT)
    assert intent.exit_reason is ExitReason.ASSIGNED


def test_a_leg_alone_looks_like_a_trade_of_nothing_else() -> None:
    view = leg_alone_view(a_broken_trade({SHORT: 2}), LONG)
    assert view.structure.symbols == (LONG,)
    assert (view.contracts_whole, view.leg_quantities) == (2, {LONG: 2})


BOOKING = Booking(fees=Decimal("0.05"), max_loss=Decimal(760), risk=a_risk())


def settled(trade: Trade, fills: RemainderFills | None) -> tuple[Trade, str | None]:
    remainder = next_to_go(trade, keeps_shares=False)
    assert remainder is not None
    begun, intent = begin_remainder(trade, remainder, LATER)
    assert begun.trade is not None
    change = settle_remainder(
        begun.trade.trade, positions_of(trade), intent, fills, booking=BOOKING, at=LATER
    )
    assert change.trade is not None
    assert change.intents[0].intent.status is IntentStatus.DONE
    assert all(position.status is PositionStatus.CLOSED for position in change.positions)
    return change.trade.trade, change.intents[0].intent.outcome


def fills(quantity: int, price: str) -> RemainderFills:
    return RemainderFills(quantity, Decimal(price), LATER)


def test_the_last_leg_that_goes_closes_the_trade() -> None:
    trade, outcome = settled(a_broken_trade({SHORT: 2}), fills(2, "1.00"))
    assert (trade.status, outcome) == (TradeStatus.CLOSED, "closed")
    assert trade.exit_reason is ExitReason.ASSIGNED
    assert trade.execution.exit_cash == Decimal("200.00")


@pytest.mark.parametrize(("shares", "cash"), [(200, "37000"), (-200, "-37000")])
def test_shares_that_go_leave_the_trade_open_for_its_legs(shares: int, cash: str) -> None:
    trade, outcome = settled(a_broken_trade({SHORT: 2}, shares=shares), fills(200, "185"))
    assert (trade.status, outcome) == (TradeStatus.OPEN, "partly closed")
    assert trade.execution.exit_cash == Decimal(cash)
    assert trade.exit_reason is None
    assert trade.shares_held == 0


def test_nothing_filled_leaves_everything_as_it_was() -> None:
    before = a_broken_trade({SHORT: 2})
    trade, outcome = settled(before, None)
    assert (trade.status, outcome) == (TradeStatus.OPEN, "unfilled")
    assert trade.holdings == before.holdings
