"""The signs of life of the scheduled functions."""

from datetime import timedelta

import pytest

from agent.market.calendar import NEW_YORK
from tests.builders import AS_OF
from tests.contracts.book.conftest import Stores

MINUTE = timedelta(minutes=1)


def test_a_function_that_never_ran_has_left_no_beat(stores: Stores) -> None:
    assert stores.beats.last_beat("scan_market") is None


def test_each_function_has_beats_of_its_own(stores: Stores) -> None:
    stores.beats.beat("scan_market", AS_OF)
    stores.beats.beat("monitor_positions", AS_OF + MINUTE)

    assert stores.beats.last_beat("scan_market") == AS_OF
    assert stores.beats.last_beat("monitor_positions") == AS_OF + MINUTE


def test_the_newest_slot_stands_in_whatever_order_they_come(stores: Stores) -> None:
    for minutes in (1, 3, 2, 3):
        stores.beats.beat("scan_market", AS_OF + minutes * MINUTE)

    assert stores.beats.last_beat("scan_market") == AS_OF + 3 * MINUTE


def test_a_beat_is_the_same_instant_whatever_zone_names_it(stores: Stores) -> None:
    stores.beats.beat("scan_market", AS_OF.astimezone(NEW_YORK))

    last = stores.beats.last_beat("scan_market")
    assert last == AS_OF
    assert last is not None
    assert last.utcoffset() == timedelta(0)


def test_a_beat_is_no_claim_on_the_slot(stores: Stores) -> None:
    stores.beats.beat("scan_market", AS_OF)

    assert stores.control.claim_slot("scan_market", AS_OF)


def test_a_beat_without_a_zone_is_refused(stores: Stores) -> None:
    with pytest.raises(ValueError, match="a slot needs a time zone"):
        stores.beats.beat("scan_market", AS_OF.replace(tzinfo=None))
