"""The steps by which an owner flattens the book by hand."""

from datetime import UTC, datetime
from decimal import Decimal

from agent.book.hand_flattening import COMMAND, flattening_steps
from agent.book.holdings import Holdings, SharesHeld
from agent.book.records import TradeExecution
from agent.book.states import TradeStatus
from tests.builders import a_trade

HELD = TradeExecution(contracts=2, credit=Decimal("1.20"))
SHORT, LONG = "AAPL260717P00190000", "AAPL260717P00185000"
AT = datetime(2026, 7, 10, 20, 0, tzinfo=UTC)


def test_a_spreads_short_leg_is_bought_back_before_its_long_leg_is_sold() -> None:
    (how, which, *steps) = flattening_steps([a_trade(execution=HELD)])
    assert COMMAND in how
    assert "cancel every open order" in how
    assert which.startswith("AAPL -190P/+185P 2026-07-17, bull_put_spread (paper-")
    assert steps == [
        f"  1. buy to close 2 {SHORT} (190 put, 2026-07-17)",
        f"  2. sell to close 2 {LONG} (185 put, 2026-07-17)",
    ]


def test_shares_of_an_assignment_come_after_the_legs_that_are_left() -> None:
    shares = SharesHeld(quantity=200, basis=Decimal(190), tax_basis=Decimal("188.80"), since=AT)
    holdings = Holdings(legs_gone={SHORT: 2}, shares=shares)
    steps = flattening_steps([a_trade(execution=HELD, holdings=holdings)])[2:]
    assert steps == (
        f"  1. sell to close 2 {LONG} (185 put, 2026-07-17)",
        "  2. sell 200 shares of AAPL",
    )


def test_short_shares_are_bought_back() -> None:
    shares = SharesHeld(quantity=-200, basis=Decimal(190), tax_basis=Decimal(190), since=AT)
    holdings = Holdings(legs_gone={SHORT: 2, LONG: 2}, shares=shares)
    steps = flattening_steps([a_trade(execution=HELD, holdings=holdings)])[2:]
    assert steps == ("  1. buy back 200 shares of AAPL",)


def test_what_is_over_or_never_filled_needs_no_step() -> None:
    closed = a_trade(TradeStatus.CLOSED, execution=HELD)
    pending = a_trade(TradeStatus.PENDING, execution=TradeExecution())
    assert flattening_steps([closed, pending]) == ()
