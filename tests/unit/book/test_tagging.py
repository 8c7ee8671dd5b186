"""Tagging a closed trade keeps what an analysis found, and moves nothing else."""

import pytest

from agent.adapters.memory.book import MemoryBook
from agent.book.changes import BookConflict
from agent.book.states import TradeStatus
from agent.book.transitions import tag_trade
from tests.builders import AS_OF, TRADE_ID, a_creation, a_trade

CLOSED = a_trade(TradeStatus.CLOSED)


def test_a_tagged_trade_differs_in_its_tags_and_its_version_alone() -> None:
    change = tag_trade(CLOSED, ("timing",), {"unjudged": []}, AS_OF)
    assert change.trade is not None
    assert change.trade.trade == CLOSED.model_copy(
        update={"reason_tags": ("timing",), "version": CLOSED.version + 1}
    )
    assert change.trade.expected_status is TradeStatus.CLOSED
    (event,) = change.events
    assert (event.kind, event.trade_id) == ("trade_analysed", TRADE_ID)
    assert event.details == {"tags": ["timing"], "unjudged": []}


def test_the_book_takes_a_tag_once() -> None:
    book = MemoryBook()
    book.commit(a_creation(CLOSED))
    change = tag_trade(CLOSED, ("timing",), {}, AS_OF)
    book.commit(change)
    with pytest.raises(BookConflict):
        book.commit(change)
    stored = book.trade(TRADE_ID)
    assert stored is not None
    assert stored.reason_tags == ("timing",)


@pytest.mark.parametrize("status", sorted(set(TradeStatus) - {TradeStatus.CLOSED}))
def test_only_a_closed_trade_can_be_tagged(status: TradeStatus) -> None:
    with pytest.raises(ValueError, match="not closed"):
        tag_trade(a_trade(status), ("timing",), {}, AS_OF)
