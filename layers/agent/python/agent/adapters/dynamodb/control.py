"""The owner's switches in `agent_control`, and the claims on schedule slots in `agent_state`."""

import json
from datetime import date, datetime, timedelta
from uuid import uuid4

from pynamodb.exceptions import PutError, UpdateError

from agent.adapters.dynamodb import keys
from agent.adapters.dynamodb.attributes import timestamp
from agent.adapters.dynamodb.failures import is_condition_failed, store_answers
from agent.adapters.dynamodb.items import AgentControlItem, AgentStateItem
from agent.adapters.dynamodb.reads import get_item
from agent.adapters.dynamodb.tables import Tables
from agent.market.calendar import new_york_date
from agent.ports import BlockScope, EntryBlock, TradingState

SLOT_RETENTION = timedelta(days=7)
"""How long a claim is kept; a slot older than a period of its schedule is dropped anyway."""


class DynamoControl:
    """Read and move the switches; each is active, unbound or free until it was written."""

    def __init__(self, tables: Tables) -> None:
        self._control = tables.agent_control
        self._state = tables.agent_state

    def trading_state(self) -> TradingState:
        """Give the trading state; raise ValueError where what is stored is no such state."""
        item = get_item(self._control, *keys.TRADING_STATE)
        return TradingState.ACTIVE if item is None else TradingState(item.value)

    def set_trading_state(self, state: TradingState) -> None:
        with store_answers():
            self._control(*keys.TRADING_STATE).update([self._control.value.set(state.value)])

    def block_entries(self, block: EntryBlock) -> bool:
        key = keys.ACCOUNT_BLOCK
        if block.scope is BlockScope.DAY:
            key = keys.day_block_key(new_york_date(block.at))
        value = json.dumps({"reason": block.reason, "at": timestamp(block.at)})
        return _create(self._control(*key, value=value))

    def entry_block(self, session: date) -> EntryBlock | None:
        for key, scope in (
            (keys.ACCOUNT_BLOCK, BlockScope.ACCOUNT),
            (keys.day_block_key(session), BlockScope.DAY),
        ):
            item = get_item(self._control, *key)
            if item is not None:
                kept = json.loads(item.value)
                return EntryBlock(scope, kept["reason"], datetime.fromisoformat(kept["at"]))
        return None

    def lift_entry_block(self) -> None:
        with store_answers():
            self._control(*keys.ACCOUNT_BLOCK).delete()

    def pause_entries(self) -> None:
        value = self._control.value
        is_active = value.does_not_exist() | (value == TradingState.ACTIVE.value)
        with store_answers():
            try:
                self._control(*keys.TRADING_STATE).update(
                    [value.set(TradingState.REDUCING.value)], condition=is_active
                )
            except UpdateError as error:
                if not is_condition_failed(error):
                    raise

    def account_number(self) -> str | None:
        item = get_item(self._control, *keys.ACCOUNT_NUMBER)
        return None if item is None else item.value

    def bind_account(self, account_number: str) -> str:
        item = self._control(*keys.ACCOUNT_NUMBER, value=account_number)
        if _create(item):
            return account_number
        stored = get_item(self._control, *keys.ACCOUNT_NUMBER)
        if stored is None:
            raise RuntimeError("the account binding was there and is gone")
        return stored.value

    def claim_slot(self, schedule: str, slot: datetime) -> bool:
        """Claim a schedule slot; raise ValueError for a slot without a time zone."""
        if slot.tzinfo is None:
            raise ValueError(f"a slot needs a time zone: {slot.isoformat()}")
        key = keys.slot_key(schedule, slot)
        claim = uuid4().hex
        if _create(self._state(*key, claim=claim, expires_at=slot + SLOT_RETENTION)):
            return True
        # A put whose answer was lost is sent again and then meets itself.
        stored = get_item(self._state, *key)
        return stored is not None and stored.claim == claim


def _create(item: AgentControlItem | AgentStateItem) -> bool:
    hash_key = type(item).pk
    with store_answers():
        try:
            item.save(condition=hash_key.does_not_exist())
        except PutError as error:
            if is_condition_failed(error):
                return False
            raise
    return True
