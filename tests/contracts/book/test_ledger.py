"""The ledger reserves up to its bounds, never past them, and always gives back."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from agent.book.changes import (
    BookChange,
    BookConflict,
    LedgerEntry,
    LedgerField,
    LimitReached,
)
from agent.book.states import TradeStatus
from tests.builders import a_creation, a_move, a_trade
from tests.contracts.book.conftest import Stores

HEAT, CAPITAL = LedgerField.HEAT_CENTS, LedgerField.CAPITAL_CENTS
POSITIONS, ENTRIES = LedgerField.POSITIONS, LedgerField.ENTRIES


def reserve(stores: Stores, delta: int, bound: int) -> None:
    stores.book.commit(BookChange(ledger=(a_move("portfolio", {HEAT: delta}, {HEAT: bound}),)))


def release(stores: Stores, delta: int) -> None:
    stores.book.commit(BookChange(ledger=(a_move("portfolio", {HEAT: -delta}, {HEAT: 0}),)))


def test_a_missing_entry_is_all_zeros(stores: Stores) -> None:
    assert stores.book.ledger("symbol#AAPL") == LedgerEntry("symbol#AAPL", 0, 0, 0, 0)


def test_all_fields_of_an_entry_move_together(stores: Stores) -> None:
    reservation = {HEAT: 48_000, CAPITAL: 77_000, POSITIONS: 1, ENTRIES: 1}
    stores.book.commit(BookChange(ledger=(a_move("day#2026-06-09", reservation),)))
    stores.book.commit(
        BookChange(ledger=(a_move("day#2026-06-09", {HEAT: -48_000, POSITIONS: -1, CAPITAL: 0}),))
    )

    assert stores.book.ledger("day#2026-06-09") == LedgerEntry("day#2026-06-09", 0, 77_000, 0, 1)
    assert stores.book.ledger("portfolio") == LedgerEntry("portfolio")


def test_a_bound_may_be_reached_but_not_passed(stores: Stores) -> None:
    reserve(stores, 60, bound=100)
    with pytest.raises(LimitReached) as caught:
        reserve(stores, 41, bound=100)
    assert caught.value.keys == ("portfolio",)

    reserve(stores, 40, bound=100)

    assert stores.book.ledger("portfolio").heat_cents == 100


def test_a_first_reservation_above_the_bound_is_refused(stores: Stores) -> None:
    with pytest.raises(LimitReached):
        reserve(stores, 101, bound=100)

    assert stores.book.ledger("portfolio") == LedgerEntry("portfolio")


def test_one_field_over_its_bound_stops_the_others(stores: Stores) -> None:
    with pytest.raises(LimitReached):
        stores.book.commit(
            BookChange(
                ledger=(a_move("portfolio", {HEAT: 1, POSITIONS: 3}, {HEAT: 10, POSITIONS: 2}),)
            )
        )

    assert stores.book.ledger("portfolio") == LedgerEntry("portfolio")


def test_a_field_that_was_never_written_counts_as_zero_beside_one_that_was(stores: Stores) -> None:
    reserve(stores, 60, bound=100)

    stores.book.commit(BookChange(ledger=(a_move("portfolio", {POSITIONS: 1}, {POSITIONS: 1}),)))

    assert stores.book.ledger("portfolio") == LedgerEntry("portfolio", heat_cents=60, positions=1)


def test_a_release_always_succeeds_even_over_a_lowered_bound(stores: Stores) -> None:
    reserve(stores, 90, bound=100)

    release(stores, 30)
    release(stores, 60)

    assert stores.book.ledger("portfolio").heat_cents == 0


def test_a_release_of_an_entry_that_was_lost_is_visible_and_makes_no_room(stores: Stores) -> None:
    release(stores, 10)
    assert stores.book.ledger("portfolio").heat_cents == -10

    reserve(stores, 110, bound=100)
    with pytest.raises(LimitReached):
        reserve(stores, 1, bound=100)


def test_bounds_of_what_does_not_increase_are_ignored(stores: Stores) -> None:
    reserve(stores, 90, bound=100)

    stores.book.commit(
        BookChange(
            ledger=(a_move("portfolio", {HEAT: 0, ENTRIES: 1}, {HEAT: 5, CAPITAL: -1, ENTRIES: 1}),)
        )
    )

    assert stores.book.ledger("portfolio") == LedgerEntry("portfolio", heat_cents=90, entries=1)


def test_a_move_of_nothing_is_no_write(stores: Stores) -> None:
    stores.book.commit(BookChange(ledger=(a_move("portfolio", {HEAT: 0}, {HEAT: 0}),)))

    assert stores.book.ledger("portfolio") == LedgerEntry("portfolio")


def test_concurrent_reservations_never_exceed_a_bound(stores: Stores) -> None:
    def enter(number: int) -> bool:
        trade = a_trade(TradeStatus.PENDING, trade_id=f"paper-{number}")
        move = a_move("portfolio", {HEAT: 30, POSITIONS: 1}, {HEAT: 100, POSITIONS: 5})
        try:
            stores.book.commit(a_creation(trade, ledger=(move,)))
        except LimitReached:
            return False
        return True

    with ThreadPoolExecutor(max_workers=8) as pool:
        entered = list(pool.map(enter, range(16)))

    assert sum(entered) == 3
    assert stores.book.ledger("portfolio") == LedgerEntry("portfolio", heat_cents=90, positions=3)
    assert [trade.trade_id for trade in stores.book.active_trades()] == sorted(
        f"paper-{number}" for number, did_enter in enumerate(entered) if did_enter
    )


def test_of_concurrent_writers_of_one_trade_one_wins(stores: Stores) -> None:
    def create(number: int) -> bool:
        trade = a_trade(TradeStatus.PENDING, notes=f"writer {number}")
        try:
            stores.book.commit(a_creation(trade, ledger=(a_move("portfolio", {HEAT: 30}),)))
        except BookConflict:
            return False
        return True

    with ThreadPoolExecutor(max_workers=8) as pool:
        won = list(pool.map(create, range(8)))

    assert sum(won) == 1
    assert stores.book.ledger("portfolio").heat_cents == 30
    (stored,) = stores.book.active_trades()
    assert stored.notes == f"writer {won.index(True)}"


def test_losses_are_counted_and_forgiven(stores: Stores) -> None:
    losses, forgiven = LedgerField.LOSSES, LedgerField.LOSSES_FORGIVEN
    for _ in range(3):
        stores.book.commit(BookChange(ledger=(a_move("streak", {losses: 1}),)))
    assert stores.book.ledger("streak").losing_streak == 3

    end = BookChange(ledger=(a_move("streak", {forgiven: 3}, {forgiven: 3}),))
    stores.book.commit(end)
    assert stores.book.ledger("streak").losing_streak == 0
    with pytest.raises(LimitReached):
        stores.book.commit(end)
