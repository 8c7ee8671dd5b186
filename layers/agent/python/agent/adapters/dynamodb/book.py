"""The book in DynamoDB: one change is one transaction, and decisions rest on consistent reads."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from agent.adapters.dynamodb import keys
from agent.adapters.dynamodb.codec import from_attributes, to_actions, to_attributes, to_json
from agent.adapters.dynamodb.failures import Backoff, store_answers
from agent.adapters.dynamodb.items import AgentStateItem
from agent.adapters.dynamodb.leases import acquire_lease, release_lease
from agent.adapters.dynamodb.reads import get_item, get_items, query_partition
from agent.adapters.dynamodb.tables import Tables
from agent.adapters.dynamodb.transaction import Transaction
from agent.adapters.well_formed import require_well_formed
from agent.book.account_cash import AccountEntry, CashBaseline
from agent.book.changes import (
    BookChange,
    IntentWrite,
    Lease,
    LedgerEntry,
    LedgerField,
    LedgerMove,
    TradeWrite,
)
from agent.book.intents import Intent, IntentStatus
from agent.book.records import Alert, JournalEvent, Position, PositionMark, PositionStatus, Trade
from agent.book.states import ACTIVE_STATUSES

SENT_ALERT_RETENTION = timedelta(days=7)
"""How long the id of an alert that was told stays known, counted from the alert's own time."""


class DynamoBook:
    """Keep the book in the tables."""

    def __init__(self, tables: Tables, backoff: Backoff | None = None) -> None:
        self._tables = tables
        self._backoff = Backoff() if backoff is None else backoff

    def commit(self, change: BookChange) -> None:
        """Write all of `change` or nothing, in one request.

        Raises BookConflict, LimitReached, BookBusy, or ValueError for a change that no stored
        state could make right.
        """
        require_well_formed(change)
        transaction = Transaction(self._tables.connection)
        if change.trade is not None:
            self._add_trade(transaction, change.trade, change.positions)
        for write in change.intents:
            self._add_intent(transaction, write)
        for position in change.positions:
            self._add_position(transaction, position)
        for mark in change.marks:
            self._add_mark(transaction, mark)
        for move in change.ledger:
            self._add_move(transaction, move)
        for event in change.events:
            self._keep(transaction, keys.event_key(event.at, event.event_id), event)
        for alert in change.alerts:
            self._add_alert(transaction, alert)
        self._add_account(transaction, change)
        if change.fence is not None:
            item = self._tables.agent_state
            fence = change.fence
            transaction.check(item, keys.lease_key(fence.name), item.version == fence.token)
        transaction.commit(self._backoff)

    def trade(self, trade_id: str) -> Trade | None:
        item = get_item(self._tables.trades, trade_id)
        return None if item is None else from_attributes(Trade, item)

    def active_trades(self) -> tuple[Trade, ...]:
        """Give the trades whose status is not terminal, ordered by id: two requests.

        A trade that ends between the two is left out.
        """
        markers = query_partition(self._tables.agent_state, keys.ACTIVE_TRADE)
        items = get_items(
            self._tables.trades,
            self._tables.connection,
            ({"trade_id": marker.sk} for marker in markers),
            self._backoff,
        )
        trades = (from_attributes(Trade, item) for item in items)
        active = (trade for trade in trades if trade.status in ACTIVE_STATUSES)
        return tuple(sorted(active, key=lambda trade: trade.trade_id))

    def all_trades(self) -> tuple[Trade, ...]:
        """List every trade, ordered by id, by an eventually consistent scan."""
        with store_answers():
            items = list(self._tables.trades.scan())
        trades = (from_attributes(Trade, item) for item in items)
        return tuple(sorted(trades, key=lambda trade: trade.trade_id))

    def positions(self, trade_id: str) -> tuple[Position, ...]:
        return self.positions_by_trade([trade_id])[trade_id]

    def positions_by_trade(self, trade_ids: Sequence[str]) -> Mapping[str, tuple[Position, ...]]:
        """Give the positions of each trade, ordered by id: two requests for up to 100 trades.

        The trades know the ids of their positions.
        """
        trades = get_items(
            self._tables.trades,
            self._tables.connection,
            ({"trade_id": trade_id} for trade_id in dict.fromkeys(trade_ids)),
            self._backoff,
        )
        items = get_items(
            self._tables.positions,
            self._tables.connection,
            ({"position_id": key} for trade in trades for key in trade.position_ids or ()),
            self._backoff,
        )
        found: dict[str, list[Position]] = {trade_id: [] for trade_id in trade_ids}
        for item in sorted(items, key=lambda item: item.position_id):
            found[item.trade_id].append(from_attributes(Position, item))
        return {trade_id: tuple(positions) for trade_id, positions in found.items()}

    def intent(self, intent_id: str) -> Intent | None:
        item = get_item(self._tables.agent_state, *keys.intent_key(intent_id))
        return None if item is None else Intent.model_validate(item.record)

    def unfinished_intents(self) -> tuple[Intent, ...]:
        """Give the intents not yet done, ordered by id: two requests."""
        markers = query_partition(self._tables.agent_state, keys.OPEN_INTENT)
        items = get_items(
            self._tables.agent_state,
            self._tables.connection,
            (keys.intent_key(marker.sk)._asdict() for marker in markers),
            self._backoff,
        )
        intents = (Intent.model_validate(item.record) for item in items)
        unfinished = (intent for intent in intents if intent.status is not IntentStatus.DONE)
        return tuple(sorted(unfinished, key=lambda intent: intent.intent_id))

    def all_intents(self) -> tuple[Intent, ...]:
        items = query_partition(self._tables.agent_state, keys.INTENT)
        return tuple(Intent.model_validate(item.record) for item in items)

    def ledger(self, key: str) -> LedgerEntry:
        item = get_item(self._tables.agent_state, *keys.ledger_key(key))
        stored = {} if item is None else item.attribute_values
        return LedgerEntry(
            key=key, **{name.value: int(stored.get(name.value, 0)) for name in LedgerField}
        )

    def account_entries(self) -> tuple[AccountEntry, ...]:
        items = query_partition(self._tables.agent_state, keys.ACCOUNT_ENTRY)
        return tuple(AccountEntry.model_validate(item.record) for item in items)

    def cash_baseline(self) -> CashBaseline | None:
        item = get_item(self._tables.agent_state, *keys.CASH_BASELINE)
        return None if item is None else CashBaseline.model_validate(item.record)

    def acquire_lease(self, name: str, now: datetime, seconds: int) -> Lease | None:
        return acquire_lease(self._tables, name, now, seconds)

    def release_lease(self, lease: Lease) -> None:
        release_lease(self._tables, lease)

    def journal(self, day: date) -> tuple[JournalEvent, ...]:
        """Give the events of a UTC day, oldest first."""
        items = query_partition(self._tables.agent_state, keys.journal_partition(day))
        events = (JournalEvent.model_validate(item.record) for item in items)
        return tuple(sorted(events, key=lambda event: (event.at, event.event_id)))

    def _add_trade(
        self, transaction: Transaction, write: TradeWrite, positions: tuple[Position, ...]
    ) -> None:
        item = self._tables.trades
        trade = write.trade
        values = to_attributes(item, trade)
        position_ids = {position.position_id for position in positions}
        if write.expected_status is None:
            transaction.put(
                item(**_known(values), position_ids=position_ids or None),
                item.trade_id.does_not_exist(),
            )
        else:
            actions = to_actions(item, values)
            if position_ids:
                actions.append(item.position_ids.add(position_ids))
            transaction.update(
                item(trade.trade_id),
                actions,
                (item.status == write.expected_status.value)
                & (item.version == write.expected_version),
            )
        was_active = write.expected_status in ACTIVE_STATUSES
        is_active = trade.status in ACTIVE_STATUSES
        self._move_marker(transaction, keys.active_trade_key(trade.trade_id), was_active, is_active)

    def _add_intent(self, transaction: Transaction, write: IntentWrite) -> None:
        item = self._tables.agent_state
        intent = write.intent
        is_done = intent.status is IntentStatus.DONE
        values: dict[str, Any] = {
            "record": to_json(intent),
            "status": intent.status.value,
            "version": intent.version,
        }
        key = keys.intent_key(intent.intent_id)
        marker = keys.open_intent_key(intent.intent_id)
        if write.expected_version is None:
            transaction.put(item(*key, **values), item.pk.does_not_exist())
            self._move_marker(transaction, marker, False, not is_done)
            return
        expected: Condition = item.version == write.expected_version
        if not is_done:
            # What is done stays done, so an intent that is written still has its marker.
            expected &= item.status != IntentStatus.DONE.value
        transaction.update(item(*key), to_actions(item, values), expected)
        self._move_marker(transaction, marker, True, not is_done)

    def _add_position(self, transaction: Transaction, position: Position) -> None:
        item = self._tables.positions
        transaction.update(
            item(position.position_id), to_actions(item, to_attributes(item, position))
        )

    def _add_mark(self, transaction: Transaction, mark: PositionMark) -> None:
        item = self._tables.positions
        attributes = item.get_attributes()
        seen = mark.model_dump(exclude={"position_id"}, exclude_none=True)
        transaction.update(
            item(mark.position_id),
            [attributes[name].set(value) for name, value in seen.items()],
            item.status == PositionStatus.OPEN.value,
        )

    def _add_move(self, transaction: Transaction, move: LedgerMove) -> None:
        item = self._tables.agent_state
        attributes = item.get_attributes()
        actions: list[Action] = []
        condition: Condition | None = None
        for name, delta in move.deltas.items():
            if not delta:
                continue
            attribute = attributes[name.value]
            actions.append(attribute.add(delta))
            bound = move.bounds.get(name)
            if bound is None or delta < 0:
                continue
            within = attribute <= bound - delta
            if delta <= bound:
                within = attribute.does_not_exist() | within
            condition &= within
        if actions:
            transaction.update(
                item(*keys.ledger_key(move.key)), actions, condition, ledger_key=move.key
            )

    def _add_account(self, transaction: Transaction, change: BookChange) -> None:
        for entry in change.account_entries:
            self._keep(transaction, keys.account_entry_key(entry.entry_id), entry)
        if change.cash_baseline is not None:
            item = self._tables.agent_state
            stands = item.record.set(to_json(change.cash_baseline))
            transaction.update(item(*keys.CASH_BASELINE), [stands])

    def _keep(
        self, transaction: Transaction, key: keys.Key, record: JournalEvent | AccountEntry
    ) -> None:
        """Store what is told once: a first telling stands."""
        item = self._tables.agent_state
        transaction.update(item(*key), [item.record.set(item.record | to_json(record))])

    def _add_alert(self, transaction: Transaction, alert: Alert) -> None:
        # The first telling of an id stands, and a second one must not stop the change it is in.
        item = self._tables.agent_state
        retain_until = alert.at + SENT_ALERT_RETENTION
        transaction.update(
            item(*keys.alert_key(alert.alert_id)),
            [
                item.record.set(item.record | to_json(alert)),
                item.retain_until.set(item.retain_until | retain_until),
            ],
        )

    def _move_marker(
        self, transaction: Transaction, key: keys.Key, was_there: bool, is_there: bool
    ) -> None:
        marker: AgentStateItem = self._tables.agent_state(*key)
        if is_there and not was_there:
            transaction.put(marker)
        elif was_there and not is_there:
            transaction.delete(marker)


def _known(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
