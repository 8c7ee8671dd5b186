"""What is certainly there of trades of which the broker lacks something."""

from collections.abc import Mapping

from agent.book.certain_holdings import as_held, certain_holdings, uncovered_calls
from agent.book.holdings import Holdings
from agent.book.records import Trade
from agent.options.contracts import OptionType
from agent.options.structures import Leg, LegSide, Structure
from tests.builders import a_contract, a_put_spread, a_trade, an_execution

SHORT, LONG = a_put_spread().symbols
CALLS = tuple(a_contract(strike=strike, option_type=OptionType.CALL) for strike in ("210", "215"))
SHORT_CALL, LONG_CALL = (contract.symbol for contract in CALLS)
CONDOR = Structure(
    (*a_put_spread().legs, Leg(CALLS[0], LegSide.SHORT), Leg(CALLS[1], LegSide.LONG))
)


def of(trade: Trade, missing: Mapping[str, int]) -> tuple[int, Mapping[str, int], bool]:
    found = certain_holdings([trade], missing)[trade.trade_id]
    return found.whole, found.uncovered, found.is_even


def test_a_missing_long_leaves_as_many_shorts_uncovered() -> None:
    assert of(a_trade(), {LONG: 1}) == (1, {SHORT: 1}, False)
    assert of(a_trade(), {LONG: 2}) == (0, {SHORT: 2}, False)


def test_a_missing_short_leaves_longs_that_cost_nothing_more() -> None:
    assert of(a_trade(), {SHORT: 1}) == (1, {}, False)


def test_where_both_legs_are_gone_alike_what_is_left_is_whole() -> None:
    assert of(a_trade(), {SHORT: 1, LONG: 1}) == (1, {}, True)
    assert of(a_trade(), {SHORT: 2, LONG: 2}) == (0, {}, True)


def test_a_put_covers_no_call() -> None:
    assert of(a_trade(structure=CONDOR), {LONG_CALL: 1}) == (1, {SHORT_CALL: 1}, False)


def test_a_put_that_was_sold_alone_never_had_a_cover_to_lose() -> None:
    alone = a_trade(structure=Structure(a_put_spread().legs[:1]))
    assert of(alone, {SHORT: 1}) == (1, {}, True)


def test_a_long_that_left_by_the_book_is_not_lost_a_second_time() -> None:
    trade = a_trade(holdings=Holdings(legs_gone={LONG: 1}))
    assert of(trade, {LONG: 1}) == (0, {SHORT: 1}, False)


def test_what_is_there_is_counted_to_one_trade_only() -> None:
    one, other = a_trade(trade_id="a"), a_trade(trade_id="b")
    found = certain_holdings([other, one], {LONG: 3})
    assert [found[key].missing for key in "ab"] == [{LONG: 1}, {LONG: 2}]
    assert [found[key].uncovered for key in "ab"] == [{SHORT: 1}, {SHORT: 2}]


def test_more_missing_than_booked_is_nothing_there() -> None:
    assert of(a_trade(), {LONG: 9}) == (0, {SHORT: 2}, False)


def test_a_trade_that_lacks_nothing_is_not_among_them() -> None:
    closed = an_execution(contracts_closed=2)
    assert certain_holdings([a_trade(), a_trade(execution=closed)], {LONG_CALL: 1}) == {}


def test_a_trade_is_shown_with_what_is_missing_as_gone() -> None:
    trade = a_trade(holdings=Holdings(legs_gone={SHORT: 1}))
    holding = certain_holdings([trade], {LONG: 1})[trade.trade_id]
    assert as_held(trade, holding).leg_quantities == {SHORT: -1, LONG: 1}
    assert trade.leg_quantities == {SHORT: -1, LONG: 2}


WRITTEN = Structure((Leg(CALLS[0], LegSide.SHORT),))


def written(trade_id: str = "a") -> Trade:
    return a_trade(trade_id=trade_id, structure=WRITTEN)


def test_a_written_call_is_covered_by_a_hundred_shares() -> None:
    held = {SHORT_CALL: -2, "AAPL": 200}
    assert uncovered_calls([written(), a_trade(trade_id="b")], held) == {}
    assert uncovered_calls([written()], held | {"AAPL": 199}) == {"a": 1}
    assert uncovered_calls([written()], {SHORT_CALL: -2}) == {"a": 2}


def test_a_written_call_that_is_gone_itself_needs_no_shares() -> None:
    assert uncovered_calls([written()], {"AAPL": 0}) == {}
    assert uncovered_calls([written()], {SHORT_CALL: -1, "AAPL": 0}) == {"a": 1}


def test_shares_cover_the_calls_of_one_trade_only() -> None:
    held = {SHORT_CALL: -4, "AAPL": 300}
    assert uncovered_calls([written("b"), written("a")], held) == {"b": 1}
