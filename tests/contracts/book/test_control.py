"""The owner's switches, the account a stage is bound to, and the claims on schedule slots."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from agent.market.calendar import NEW_YORK
from agent.ports import BlockScope, EntryBlock, TradingState
from tests.builders import AS_OF, SESSION
from tests.contracts.book.conftest import Stores


def test_trading_is_active_until_somebody_says_otherwise(stores: Stores) -> None:
    assert stores.control.trading_state() is TradingState.ACTIVE


@pytest.mark.parametrize("state", TradingState)
def test_the_trading_state_is_what_was_said_last(stores: Stores, state: TradingState) -> None:
    stores.control.set_trading_state(TradingState.HALTED)
    stores.control.set_trading_state(state)

    assert stores.control.trading_state() is state
    assert stores.control.account_number() is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, TradingState.REDUCING),
        (TradingState.ACTIVE, TradingState.REDUCING),
        (TradingState.REDUCING, TradingState.REDUCING),
        (TradingState.HALTED, TradingState.HALTED),
    ],
)
def test_pausing_entries_only_tightens(
    stores: Stores, before: TradingState | None, after: TradingState
) -> None:
    if before is not None:
        stores.control.set_trading_state(before)
    stores.control.pause_entries()

    assert stores.control.trading_state() is after


def test_the_first_account_binds(stores: Stores) -> None:
    assert stores.control.account_number() is None

    assert stores.control.bind_account("PA1") == "PA1"
    assert stores.control.bind_account("PA2") == "PA1"
    assert stores.control.bind_account("PA1") == "PA1"

    assert stores.control.account_number() == "PA1"


def a_block(scope: BlockScope, reason: str = "no money", days: int = 0) -> EntryBlock:
    return EntryBlock(scope, reason, AS_OF + timedelta(days=days))


def test_nothing_blocks_entries_until_something_does(stores: Stores) -> None:
    assert stores.control.entry_block(SESSION) is None


def test_a_day_is_blocked_until_it_is_over(stores: Stores) -> None:
    assert stores.control.block_entries(a_block(BlockScope.DAY))

    assert stores.control.entry_block(SESSION) == a_block(BlockScope.DAY)
    assert stores.control.entry_block(SESSION + timedelta(days=1)) is None
    assert stores.control.trading_state() is TradingState.ACTIVE


def test_the_first_reason_stands(stores: Stores) -> None:
    for scope in BlockScope:
        assert stores.control.block_entries(a_block(scope))
        assert not stores.control.block_entries(a_block(scope, "another"))

        assert stores.control.entry_block(SESSION) == a_block(scope)


def test_an_account_is_blocked_until_its_owner_lifts_it(stores: Stores) -> None:
    stores.control.block_entries(a_block(BlockScope.DAY, "no money", days=1))
    stores.control.block_entries(a_block(BlockScope.ACCOUNT, "not eligible"))
    for days in (0, 1, 30):
        block = stores.control.entry_block(SESSION + timedelta(days=days))
        assert block == a_block(BlockScope.ACCOUNT, "not eligible")

    stores.control.lift_entry_block()

    assert stores.control.entry_block(SESSION) is None
    # What holds for a day is not lifted: it ends by itself.
    assert stores.control.entry_block(SESSION + timedelta(days=1)) is not None


def test_of_concurrent_claims_on_a_slot_one_holds(stores: Stores) -> None:
    with ThreadPoolExecutor(max_workers=8) as pool:
        claimed = list(pool.map(lambda _: stores.control.claim_slot("scan", AS_OF), range(8)))

    assert sum(claimed) == 1
    assert not stores.control.claim_slot("scan", AS_OF)


def test_a_slot_is_claimed_once_whatever_zone_names_it(stores: Stores) -> None:
    assert stores.control.claim_slot("scan", AS_OF)
    assert not stores.control.claim_slot("scan", AS_OF)
    assert not stores.control.claim_slot("scan", AS_OF.astimezone(NEW_YORK))


def test_each_schedule_and_each_slot_is_claimed_on_its_own(stores: Stores) -> None:
    assert stores.control.claim_slot("scan", AS_OF)
    assert stores.control.claim_slot("monitor", AS_OF)
    assert stores.control.claim_slot("scan", AS_OF + timedelta(minutes=5))


def test_a_slot_without_a_zone_is_refused(stores: Stores) -> None:
    with pytest.raises(ValueError, match="a slot needs a time zone"):
        stores.control.claim_slot("scan", AS_OF.replace(tzinfo=None))
