import pytest

from agent.book.states import (
    ACTIVE_STATUSES,
    TRANSITIONS,
    TradeStatus,
    TransitionRefused,
    require_transition,
)


def test_the_table_names_every_status() -> None:
    assert set(TRANSITIONS) == set(TradeStatus)


def test_trades_that_ended_are_not_active() -> None:
    assert set(TradeStatus) - ACTIVE_STATUSES == {
        TradeStatus.CLOSED,
        TradeStatus.REJECTED,
        TradeStatus.CANCELLED,
    }


@pytest.mark.parametrize("following", sorted(TRANSITIONS[TradeStatus.PENDING]))
def test_a_pending_trade_may_end_or_open(following: TradeStatus) -> None:
    require_transition(TradeStatus.PENDING, following)


def test_a_closed_trade_is_never_opened_again() -> None:
    with pytest.raises(TransitionRefused, match="a closed trade cannot become open"):
        require_transition(TradeStatus.CLOSED, TradeStatus.OPEN)


@pytest.mark.parametrize("given_up", [TradeStatus.REJECTED, TradeStatus.CANCELLED])
def test_an_entry_that_was_given_up_can_only_be_taken_up_again(given_up: TradeStatus) -> None:
    assert TRANSITIONS[given_up] == {TradeStatus.PENDING}


def test_a_pending_trade_is_never_closed_without_having_been_open() -> None:
    with pytest.raises(TransitionRefused):
        require_transition(TradeStatus.PENDING, TradeStatus.CLOSED)
