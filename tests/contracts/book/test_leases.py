"""Leases: one holder at a time, and nothing written by whoever lost one."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from agent.book.changes import BookConflict, Lease
from tests.builders import AS_OF, a_statement, an_intent
from tests.contracts.book.conftest import Stores

SECONDS = 240


def acquired(stores: Stores, name: str = "scan", seconds_later: float = 0) -> Lease:
    lease = stores.book.acquire_lease(name, AS_OF + timedelta(seconds=seconds_later), SECONDS)
    assert lease is not None
    return lease


def test_a_lease_is_held_by_one(stores: Stores) -> None:
    lease = acquired(stores)
    assert lease.expires_at == AS_OF + timedelta(seconds=SECONDS)

    assert stores.book.acquire_lease("scan", AS_OF, SECONDS) is None
    almost = lease.expires_at - timedelta(seconds=1)
    assert stores.book.acquire_lease("scan", almost, SECONDS) is None


def test_each_name_has_a_lease_of_its_own(stores: Stores) -> None:
    acquired(stores, "scan")
    acquired(stores, "monitor")


def test_of_concurrent_takers_one_holds(stores: Stores) -> None:
    with ThreadPoolExecutor(max_workers=8) as pool:
        taken = list(
            pool.map(lambda _: stores.book.acquire_lease("scan", AS_OF, SECONDS), range(8))
        )

    assert sum(lease is not None for lease in taken) == 1


def test_a_lease_that_is_given_back_is_free_and_its_token_grows(stores: Stores) -> None:
    first = acquired(stores)
    stores.book.release_lease(first)

    assert acquired(stores).token == first.token + 1


def test_a_lease_expires_and_its_late_holder_gives_nothing_back(stores: Stores) -> None:
    late = acquired(stores)
    second = acquired(stores, seconds_later=SECONDS)
    assert second.token > late.token

    stores.book.release_lease(late)

    assert stores.book.acquire_lease("scan", second.expires_at - timedelta(1), SECONDS) is None


def test_a_change_is_written_while_its_fence_holds(stores: Stores) -> None:
    intent = an_intent()
    stores.book.commit(replace(a_statement(intent), fence=acquired(stores)))

    assert stores.book.intent(intent.intent_id) == intent


def test_a_change_is_refused_once_somebody_else_has_taken_its_fence(stores: Stores) -> None:
    intent = an_intent()
    late = acquired(stores)
    acquired(stores, seconds_later=SECONDS)

    with pytest.raises(BookConflict):
        stores.book.commit(replace(a_statement(intent), fence=late))

    assert stores.book.intent(intent.intent_id) is None


def test_a_fence_that_nobody_ever_took_refuses(stores: Stores) -> None:
    never = Lease("scan", 1, AS_OF)
    with pytest.raises(BookConflict):
        stores.book.commit(replace(a_statement(an_intent()), fence=never))
