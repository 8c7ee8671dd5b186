"""What the book holds against what the broker holds."""

from agent.book.comparison import PositionDifference, booked_positions, compare_positions
from agent.book.states import TradeStatus
from tests.builders import a_put_spread, a_trade, an_execution

SHORT, LONG = a_put_spread().symbols


def test_a_book_counts_the_signed_contracts_that_its_active_trades_hold() -> None:
    other = a_trade(trade_id="other", structure=a_put_spread(short_strike="185", long_strike="180"))
    trades = [a_trade(), other, a_trade(TradeStatus.CLOSED), a_trade(TradeStatus.PENDING)]
    assert booked_positions(trades) == {SHORT: -2, other.structure.symbols[1]: 2}


def test_what_was_closed_of_a_trade_is_not_held() -> None:
    trade = a_trade(execution=an_execution(contracts_closed=1))
    assert booked_positions([trade]) == {SHORT: -1, LONG: 1}


def test_a_book_that_agrees_with_its_broker_differs_in_nothing() -> None:
    assert compare_positions([a_trade()], {SHORT: -2, LONG: 2}) == ()
    assert compare_positions([], {}) == ()


def test_an_assignment_shows_as_a_missing_leg_and_as_shares() -> None:
    assert compare_positions([a_trade()], {"AAPL": 200, LONG: 2}) == (
        PositionDifference("AAPL", booked=0, held=200),
        PositionDifference(SHORT, booked=-2, held=0),
    )


def test_contracts_on_which_orders_may_have_filled_are_left_out() -> None:
    assert compare_positions([a_trade()], {LONG: 2}, unsettled={SHORT}) == ()
