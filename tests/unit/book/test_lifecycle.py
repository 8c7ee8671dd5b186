"""What a market, a broker or an exit in parts does to a trade, one leg at a time."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from agent.book.changes import BookChange, BookConflict
from agent.book.comparison import booked_positions
from agent.book.holdings import SharesHeld
from agent.book.lifecycle import (
    Booking,
    LegEvent,
    LegEventKind,
    ShareTrade,
    book_leg_event,
    book_share_trade,
    is_booked,
    mark_shares,
)
from agent.book.outcome import reduce_position
from agent.book.performance import mark_from_book
from agent.book.records import PositionStatus, Trade
from agent.book.states import ExitReason, TradeStatus, TransitionRefused
from agent.options.contracts import OptionContract, OptionType
from agent.options.structures import Leg, LegSide, Structure
from tests.builders import (
    AS_OF,
    a_move,
    a_position,
    a_put_spread,
    a_risk,
    a_trade,
    an_execution,
    positions_of,
)

SHORT, LONG = a_put_spread().symbols
LATER = AS_OF + timedelta(days=38)
FREE = Booking(fees=Decimal(0), max_loss=Decimal(760), risk=a_risk())
PUT_STRIKE = a_put_spread().legs[0].contract.strike


def event(
    kind: LegEventKind, symbol: str = SHORT, contracts: int = 2, price: str = "0"
) -> LegEvent:
    return LegEvent(f"{kind}-{symbol}", kind, symbol, contracts, LATER, Decimal(price))


def a_single(side: LegSide, option_type: OptionType) -> Trade:
    contract = OptionContract("AAPL", a_put_spread().expiration, option_type, Decimal(190))
    return a_trade(structure=Structure((Leg(contract, side),)))


def after(change: BookChange) -> Trade:
    assert change.trade is not None
    return change.trade.trade


def told(trade: Trade, *events: LegEvent | ShareTrade, booking: Booking = FREE) -> Trade:
    """Let events happen to a trade one after the other."""
    positions = {position.option_symbol: position for position in positions_of(trade)}
    for each in events:
        if isinstance(each, ShareTrade):
            trade = after(book_share_trade(trade, each, booking, LATER))
            continue
        change = book_leg_event(trade, tuple(positions.values()), each, booking, LATER)
        positions |= {position.option_symbol: position for position in change.positions}
        trade = after(change)
    return trade


def test_a_trade_holds_whole_structures_until_something_happens_to_a_leg() -> None:
    trade = a_trade()
    assert trade.leg_quantities == {SHORT: -2, LONG: 2}
    assert (trade.contracts_whole, trade.shares_held) == (2, 0)
    assert trade.is_whole
    assert not trade.is_flat


def test_legs_that_expire_worthless_close_the_trade_with_the_whole_credit() -> None:
    trade = told(a_trade(), event(LegEventKind.EXPIRED), event(LegEventKind.EXPIRED, LONG))

    assert trade.status is TradeStatus.CLOSED
    assert trade.exit_reason is ExitReason.EXPIRED
    assert trade.pnl == Decimal("239.83")
    assert trade.execution.exit_debit == 0
    assert trade.timestamp_exit == LATER
    assert booked_positions([trade]) == {}


def test_an_assigned_put_leaves_shares_at_the_strike_and_the_trade_open() -> None:
    before = a_single(LegSide.SHORT, OptionType.PUT)
    change = book_leg_event(
        before,
        [a_position(before, entry_price=Decimal("2.95"))],
        event(LegEventKind.ASSIGNED, before.structure.symbols[0]),
        FREE,
        LATER,
    )

    trade = after(change)
    assert trade.status is TradeStatus.OPEN
    assert trade.pnl is None
    assert trade.holdings.shares == SharesHeld(
        quantity=200, basis=Decimal(190), tax_basis=Decimal("187.05"), since=LATER
    )
    assert trade.execution.exit_cash == Decimal(-38_000)
    assert booked_positions([trade]) == {"AAPL": 200}
    assert change.positions[0].status is PositionStatus.CLOSED
    assert change.positions[0].realized_pnl == Decimal(590)
    assert change.alerts[0].subject == "AAPL: leg assigned"
    assert "holds 200 shares" in change.alerts[0].message


def test_a_trade_closes_when_its_last_share_is_gone_and_only_then_knows_its_result() -> None:
    before = a_single(LegSide.SHORT, OptionType.PUT)
    assigned = told(before, event(LegEventKind.ASSIGNED, before.structure.symbols[0]))

    half = told(assigned, ShareTrade("sale-1", -100, Decimal(185), LATER))
    assert half.status is TradeStatus.OPEN
    assert half.shares_held == 100
    whole = told(half, ShareTrade("sale-2", -100, Decimal(186), LATER))

    assert whole.status is TradeStatus.CLOSED
    assert whole.exit_reason is ExitReason.ASSIGNED
    # The credit of 240, less 0.17 of fees, less 500 and 400 lost on the shares.
    assert whole.pnl == Decimal("-660.17")
    assert whole.holdings.shares_realized == Decimal(-900)
    assert whole.holdings.shares is None


def test_a_spread_assigned_and_exercised_at_expiration_loses_its_width() -> None:
    trade = told(a_trade(), event(LegEventKind.ASSIGNED), event(LegEventKind.EXERCISED, LONG))

    assert trade.status is TradeStatus.CLOSED
    assert trade.exit_reason is ExitReason.ASSIGNED
    width = a_put_spread().width
    assert width is not None
    assert trade.pnl == Decimal("239.83") - 2 * 100 * width


def test_which_of_two_offsetting_legs_is_booked_first_makes_no_difference() -> None:
    assigned, exercised = event(LegEventKind.ASSIGNED), event(LegEventKind.EXERCISED, LONG)
    assert told(a_trade(), assigned, exercised).pnl == told(a_trade(), exercised, assigned).pnl


def test_an_assigned_call_leaves_short_shares() -> None:
    before = a_single(LegSide.SHORT, OptionType.CALL)
    trade = told(before, event(LegEventKind.ASSIGNED, before.structure.symbols[0], 1))

    assert trade.shares_held == -100
    assert trade.execution.exit_cash == Decimal(19_000)
    assert trade.holdings.shares is not None
    assert trade.holdings.shares.tax_basis == Decimal("192.95")
    bought = told(trade, ShareTrade("cover", 100, Decimal(195), LATER))
    assert bought.status is TradeStatus.OPEN
    assert bought.contracts_held == 1
    assert bought.execution.exit_cash == Decimal(-500)


def test_an_exercised_call_brings_shares() -> None:
    before = a_single(LegSide.LONG, OptionType.CALL)
    assert (
        told(before, event(LegEventKind.EXERCISED, before.structure.symbols[0])).shares_held == 200
    )


def test_more_shares_of_one_kind_are_held_at_their_average_strike() -> None:
    first = told(a_trade(), event(LegEventKind.ASSIGNED, contracts=1))
    second = told(first, replace(event(LegEventKind.ASSIGNED, contracts=1), event_id="second"))
    assert second.shares_held == 200
    assert second.holdings.shares is not None
    assert second.holdings.shares.basis == PUT_STRIKE


def test_deliveries_beyond_what_is_held_turn_the_shares_round() -> None:
    """A condor assigned on both sides takes shares at one strike and gives them at the other."""
    call = OptionContract("AAPL", a_put_spread().expiration, OptionType.CALL, Decimal(210))
    put = a_put_spread().legs[0].contract
    both = a_trade(
        structure=Structure((Leg(put, LegSide.SHORT), Leg(call, LegSide.SHORT))),
    )
    trade = told(
        both, event(LegEventKind.ASSIGNED, contracts=1), event(LegEventKind.ASSIGNED, call.symbol)
    )
    assert trade.shares_held == -100
    assert trade.holdings.shares is not None
    assert trade.holdings.shares.basis == Decimal(210)
    assert trade.holdings.shares_realized == 100 * (Decimal(210) - PUT_STRIKE)


def test_a_leg_whose_partner_is_gone_is_held_alone() -> None:
    trade = told(a_trade(), event(LegEventKind.LIQUIDATED, contracts=1, price="3.10"))

    assert trade.status is TradeStatus.OPEN
    assert trade.leg_quantities == {SHORT: -1, LONG: 2}
    assert (trade.contracts_held, trade.contracts_whole) == (2, 1)
    assert not trade.is_whole
    assert trade.holdings.reason is ExitReason.BROKER_LIQUIDATED
    assert trade.execution.exit_cash == Decimal("-310.00")
    assert trade.execution.exit_debit is None


def test_legs_closed_one_by_one_close_the_trade_as_one_order_would() -> None:
    closing = a_trade(TradeStatus.CLOSING, exit_reason=ExitReason.STOP_LOSS)
    booking = replace(FREE, fees=Decimal("0.04"))
    trade = told(
        closing,
        event(LegEventKind.TRADED, price="4.00"),
        event(LegEventKind.TRADED, LONG, price="2.50"),
        booking=booking,
    )

    assert trade.status is TradeStatus.CLOSED
    assert trade.exit_reason is ExitReason.STOP_LOSS
    assert trade.execution.exit_debit == Decimal("1.50")
    assert trade.execution.exit_cash == Decimal("-300.00")
    assert trade.pnl == Decimal("-60.25")
    assert trade.pnl_pct == trade.pnl / 760


def test_a_leg_left_over_after_an_exit_in_part_averages_into_its_debit() -> None:
    half_closed = a_trade(
        execution=an_execution(
            contracts_closed=1, exit_debit=Decimal("0.60"), exit_cash=Decimal("-60.00")
        )
    )
    trade = told(
        half_closed,
        event(LegEventKind.TRADED, contracts=1, price="4.00"),
        event(LegEventKind.TRADED, LONG, contracts=1, price="2.50"),
    )
    assert trade.execution.exit_debit == Decimal("1.05")
    assert trade.execution.exit_cash == Decimal("-210.00")


def test_an_assignment_names_the_end_of_a_trade_whatever_else_happened_to_it() -> None:
    trade = told(a_trade(), event(LegEventKind.ASSIGNED), event(LegEventKind.EXPIRED, LONG))
    assert trade.holdings.reason is ExitReason.ASSIGNED


def test_what_is_left_keeps_the_reason_for_which_the_rest_went() -> None:
    trade = a_trade()
    leaving = trade.holdings.model_copy(update={"reason": ExitReason.STRIKE_BREACHED})
    trade = trade.model_copy(update={"holdings": leaving})
    assert told(trade, event(LegEventKind.TRADED)).holdings.reason is ExitReason.STRIKE_BREACHED
    assert told(trade, event(LegEventKind.ASSIGNED)).holdings.reason is ExitReason.ASSIGNED


def test_an_event_is_booked_once() -> None:
    once = told(a_trade(), event(LegEventKind.EXPIRED, contracts=1))
    assert is_booked(once, f"expired-{SHORT}")
    with pytest.raises(ValueError, match="before"):
        told(once, event(LegEventKind.EXPIRED, contracts=1))


def test_a_journal_and_an_alert_bear_the_ids_of_trade_and_event() -> None:
    trade = a_trade()
    change = book_leg_event(trade, positions_of(trade), event(LegEventKind.EXPIRED), FREE, LATER)
    assert change.events[0].event_id == f"{trade.trade_id}-expired-{SHORT}"
    assert change.events[0].kind == "leg_expired"
    assert change.alerts[0].alert_id == f"{change.events[0].event_id}-alert"


def test_the_ledger_moves_and_the_fees_are_those_of_the_caller() -> None:
    booking = Booking(
        fees=Decimal("0.03"), max_loss=Decimal(760), risk=a_risk(heat_cents=1), ledger=(a_move(),)
    )
    trade = a_trade()
    change = book_leg_event(trade, positions_of(trade), event(LegEventKind.EXPIRED), booking, LATER)
    assert change.ledger == (a_move(),)
    assert after(change).risk.heat_cents == 1
    assert after(change).execution.fees == Decimal("0.20")


def test_more_than_a_position_holds_cannot_leave_it() -> None:
    trade = a_trade()
    with pytest.raises(BookConflict, match="holds less"):
        reduce_position(a_position(trade), trade, 3, Decimal(1))


def test_a_leg_that_the_trade_does_not_hold_cannot_leave_it() -> None:
    with pytest.raises(ValueError, match="has no leg"):
        told(a_trade(), event(LegEventKind.EXPIRED, "AAPL260717P00100000"))
    with pytest.raises(ValueError, match="holds 2"):
        told(a_trade(), event(LegEventKind.EXPIRED, contracts=3))


@pytest.mark.parametrize("quantity", [0, 100, -300])
def test_trading_shares_may_only_reduce_what_is_held(quantity: int) -> None:
    before = a_single(LegSide.SHORT, OptionType.PUT)
    assigned = told(before, event(LegEventKind.ASSIGNED, before.structure.symbols[0]))
    with pytest.raises(ValueError, match="do not reduce"):
        told(assigned, ShareTrade("sale", quantity, Decimal(190), LATER))


@pytest.mark.parametrize("status", [TradeStatus.PENDING, TradeStatus.CLOSED])
def test_a_trade_that_holds_nothing_has_no_events(status: TradeStatus) -> None:
    trade = a_trade(status, execution=an_execution())
    with pytest.raises(TransitionRefused):
        told(trade, event(LegEventKind.EXPIRED))


def test_open_shares_count_at_the_price_last_seen_and_not_at_all_before() -> None:
    before = a_single(LegSide.SHORT, OptionType.PUT)
    symbol = before.structure.symbols[0]
    change = book_leg_event(
        before, positions_of(before), event(LegEventKind.ASSIGNED, symbol), FREE, LATER
    )
    unmarked = mark_from_book(after(change), change.positions)
    marked = mark_from_book(mark_shares(after(change), Decimal(185)), change.positions)

    assert unmarked is not None
    assert unmarked.pnl is None
    assert marked is not None
    # 590 for the put, 1,000 lost on the shares, 0.17 of fees.
    assert marked.pnl == Decimal("-410.17")
    assert mark_shares(before, Decimal(1)) == before
