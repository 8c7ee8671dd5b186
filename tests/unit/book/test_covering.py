"""What calls on shares refuse: more than the shares cover, and anything that is no call alone."""

from decimal import Decimal
from typing import Any

import pytest

from agent.book.covering import (
    CoverBooking,
    begin_cover,
    calls_to_write,
    first_structure,
    is_written_call,
    settle_cover,
)
from agent.book.fills import FillSummary
from agent.book.holdings import Holdings, SharesHeld
from agent.book.records import Trade
from agent.book.roll_fills import RollFills
from agent.book.states import ExitReason
from agent.book.winding_up import RemainderFills, call_to_exercise, leg_event_of, next_to_go
from agent.options.contracts import OptionType
from agent.options.structures import Leg, LegSide, Structure
from tests.builders import (
    AS_OF,
    a_close_intent,
    a_contract,
    a_put_spread,
    a_roll_intent,
    a_signal,
    a_trade,
    an_execution,
)

PUT = Structure((Leg(a_contract(), LegSide.SHORT),))
CALL = Structure((Leg(a_contract(strike="195", option_type=OptionType.CALL), LegSide.SHORT),))


def with_shares(quantity: int = 250, **changes: Any) -> Trade:
    shares = SharesHeld(quantity=quantity, basis=Decimal(190), tax_basis=Decimal(187), since=AS_OF)
    gone = an_execution(contracts_closed=2, exit_debit=Decimal(0))
    values: dict[str, Any] = {
        "structure": PUT,
        "execution": gone,
        "holdings": Holdings(shares=shares),
    }
    return a_trade(**(values | changes))


def test_only_a_call_sold_alone_is_written_on_shares() -> None:
    long_call = Structure((Leg(CALL.legs[0].contract, LegSide.LONG),))
    assert is_written_call(CALL)
    assert not any(map(is_written_call, (PUT, long_call, a_put_spread())))


def test_whole_lots_of_an_idle_trade_are_covered() -> None:
    assert calls_to_write(with_shares()) == 2
    assert calls_to_write(with_shares(-200)) == 0
    assert calls_to_write(with_shares(execution=an_execution())) == 0
    assert calls_to_write(with_shares(manual_exit_requested=True)) == 0
    assert calls_to_write(with_shares(automation_suspended=True)) == 0


def test_no_more_calls_are_begun_than_the_shares_cover() -> None:
    signal = a_signal(structure=CALL, leg_deltas=(0.3,))
    for contracts in (0, 3):
        with pytest.raises(ValueError, match="cover no"):
            begin_cover(with_shares(), signal, contracts, "idle", AS_OF)
    with pytest.raises(ValueError, match="cover no"):
        begin_cover(with_shares(), a_signal(structure=PUT, leg_deltas=(-0.3,)), 1, "idle", AS_OF)


def test_calls_are_not_settled_beside_contracts_that_are_held() -> None:
    nothing = FillSummary(0, Decimal(0), None, None, None, None, 0)
    fills = RollFills(nothing, nothing, CALL)
    booking = CoverBooking(Decimal(0), Decimal(100), ExitReason.ASSIGNED)
    with pytest.raises(ValueError, match="holds contracts beside"):
        settle_cover(a_trade(), a_roll_intent(of_shares=True), fills, booking, AS_OF)


def test_the_first_structure_is_that_of_the_entry() -> None:
    assert first_structure(with_shares()) == PUT


def test_calls_go_before_the_shares_they_are_on() -> None:
    covered = with_shares(200, structure=CALL, execution=an_execution())
    assert next_to_go(covered, keeps_shares=True) is None
    first = next_to_go(covered, keeps_shares=False)
    assert first is not None
    assert (first.leg, first.shares) == (None, None)
    idle = next_to_go(with_shares(200), keeps_shares=False)
    assert idle is not None
    assert idle.shares == -200


def test_only_a_long_call_alone_that_is_no_more_than_what_is_short_is_exercised() -> None:
    wing = Leg(a_contract(strike="215", option_type=OptionType.CALL), LegSide.LONG)
    spread = Structure(
        (Leg(a_contract(strike="210", option_type=OptionType.CALL), LegSide.SHORT), wing)
    )
    short = spread.legs[0].contract.symbol

    def broken(shares: int, gone: int = 2, structure: Structure = spread) -> Trade:
        held = SharesHeld(quantity=shares, basis=Decimal(1), tax_basis=Decimal(1), since=AS_OF)
        name = structure.legs[0].contract.symbol if structure is not spread else short
        return a_trade(structure=structure, holdings=Holdings(legs_gone={name: gone}, shares=held))

    assert call_to_exercise(broken(-200)) == (wing, 2)
    assert call_to_exercise(broken(-100)) is None
    assert call_to_exercise(broken(-100, gone=1)) is None
    assert call_to_exercise(broken(200)) is None
    assert call_to_exercise(broken(-200, structure=a_put_spread())) is None


def test_a_close_of_shares_says_nothing_of_a_leg() -> None:
    with pytest.raises(ValueError, match="closes no leg alone"):
        leg_event_of(a_close_intent(shares=100), RemainderFills(100, Decimal(1), AS_OF))
