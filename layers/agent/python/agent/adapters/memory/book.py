"""The book in memory: what the store of the cloud does, without its clocks and failures."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from threading import Lock

from agent.adapters.memory.outbox import MemoryAlertOutbox
from agent.adapters.well_formed import require_well_formed
from agent.book.account_cash import AccountEntry, CashBaseline
from agent.book.changes import (
    BookChange,
    BookConflict,
    IntentWrite,
    Lease,
    LedgerEntry,
    LedgerField,
    LedgerMove,
    LimitReached,
    TradeWrite,
)
from agent.book.intents import Intent, IntentStatus
from agent.book.records import JournalEvent, Position, PositionStatus, Trade
from agent.book.states import ACTIVE_STATUSES

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class MemoryBook:
    """Keep the book in dictionaries behind one lock."""

    def __init__(self, outbox: MemoryAlertOutbox | None = None) -> None:
        self.outbox = MemoryAlertOutbox() if outbox is None else outbox
        self._lock = Lock()
        self._trades: dict[str, Trade] = {}
        self._intents: dict[str, Intent] = {}
        self._positions: dict[str, Position] = {}
        self._ledger: dict[str, dict[LedgerField, int]] = {}
        self._leases: dict[str, Lease] = {}
        self._entries: dict[str, AccountEntry] = {}
        self._baseline: CashBaseline | None = None
        self._events: dict[tuple[date, str], JournalEvent] = {}

    def commit(self, change: BookChange) -> None:
        """Write all of `change` or nothing; raise BookConflict, LimitReached or ValueError."""
        require_well_formed(change)
        with self._lock:
            self._require_expected(change)
            refused = tuple(move.key for move in change.ledger if self._exceeds(move))
            if refused:
                raise LimitReached(refused)
            self._write(change)

    def trade(self, trade_id: str) -> Trade | None:
        with self._lock:
            return self._trades.get(trade_id)

    def active_trades(self) -> tuple[Trade, ...]:
        return tuple(trade for trade in self.all_trades() if trade.status in ACTIVE_STATUSES)

    def all_trades(self) -> tuple[Trade, ...]:
        with self._lock:
            return tuple(self._trades[key] for key in sorted(self._trades))

    def positions(self, trade_id: str) -> tuple[Position, ...]:
        with self._lock:
            return tuple(
                self._positions[key]
                for key in sorted(self._positions)
                if self._positions[key].trade_id == trade_id
            )

    def positions_by_trade(self, trade_ids: Sequence[str]) -> Mapping[str, tuple[Position, ...]]:
        return {trade_id: self.positions(trade_id) for trade_id in trade_ids}

    def intent(self, intent_id: str) -> Intent | None:
        with self._lock:
            return self._intents.get(intent_id)

    def unfinished_intents(self) -> tuple[Intent, ...]:
        return tuple(
            intent for intent in self.all_intents() if intent.status is not IntentStatus.DONE
        )

    def all_intents(self) -> tuple[Intent, ...]:
        with self._lock:
            return tuple(self._intents[key] for key in sorted(self._intents))

    def ledger(self, key: str) -> LedgerEntry:
        with self._lock:
            stored = self._ledger.get(key, {})
            return LedgerEntry(key=key, **{name.value: count for name, count in stored.items()})

    def account_entries(self) -> tuple[AccountEntry, ...]:
        with self._lock:
            return tuple(self._entries[key] for key in sorted(self._entries))

    def cash_baseline(self) -> CashBaseline | None:
        with self._lock:
            return self._baseline

    def journal(self, day: date) -> tuple[JournalEvent, ...]:
        """Give the events of a UTC day, oldest first."""
        with self._lock:
            found: Iterable[JournalEvent] = (
                event for (stored_on, _), event in self._events.items() if stored_on == day
            )
            return tuple(sorted(found, key=lambda event: (event.at, event.event_id)))

    def acquire_lease(self, name: str, now: datetime, seconds: int) -> Lease | None:
        with self._lock:
            held = self._leases.get(name)
            if held is not None and now < held.expires_at:
                return None
            token = 1 if held is None else held.token + 1
            self._leases[name] = Lease(name, token, now + timedelta(seconds=seconds))
            return self._leases[name]

    def release_lease(self, lease: Lease) -> None:
        with self._lock:
            held = self._leases.get(lease.name)
            if held is not None and held.token == lease.token:
                self._leases[lease.name] = replace(held, expires_at=LONG_AGO)

    def _require_expected(self, change: BookChange) -> None:
        fence = change.fence
        if fence is not None:
            held = self._leases.get(fence.name)
            if held is None or held.token != fence.token:
                raise BookConflict(f"the lease {fence.name} is somebody else's by now")
        if change.trade is not None:
            self._require_expected_trade(change.trade)
        for write in change.intents:
            self._require_expected_intent(write)
        for mark in change.marks:
            position = self._positions.get(mark.position_id)
            if position is None or position.status is not PositionStatus.OPEN:
                raise BookConflict(f"{mark.position_id} is not open")

    def _require_expected_trade(self, write: TradeWrite) -> None:
        stored = self._trades.get(write.trade.trade_id)
        status = None if stored is None else stored.status
        version = None if stored is None else stored.version
        if (status, version) != (write.expected_status, write.expected_version):
            raise BookConflict(f"{write.trade.trade_id} is at {status} {version}")

    def _require_expected_intent(self, write: IntentWrite) -> None:
        stored = self._intents.get(write.intent.intent_id)
        version = None if stored is None else stored.version
        if version != write.expected_version:
            raise BookConflict(f"{write.intent.intent_id} is at {version}")
        reopens = write.intent.status is not IntentStatus.DONE
        if stored is not None and stored.status is IntentStatus.DONE and reopens:
            raise BookConflict(f"{write.intent.intent_id} is done and stays done")

    def _exceeds(self, move: LedgerMove) -> bool:
        stored = self._ledger.get(move.key, {})
        return any(
            move.deltas.get(name, 0) > 0 and stored.get(name, 0) + move.deltas[name] > bound
            for name, bound in move.bounds.items()
        )

    def _write(self, change: BookChange) -> None:
        if change.trade is not None:
            self._trades[change.trade.trade.trade_id] = change.trade.trade
        for write in change.intents:
            self._intents[write.intent.intent_id] = write.intent
        for position in change.positions:
            self._positions[position.position_id] = position
        for mark in change.marks:
            seen = mark.model_dump(exclude_none=True)
            position = self._positions[mark.position_id]
            self._positions[mark.position_id] = position.model_copy(update=seen)
        for move in change.ledger:
            entry = self._ledger.setdefault(move.key, {})
            for name, delta in move.deltas.items():
                entry[name] = entry.get(name, 0) + delta
        for event in change.events:
            self._events.setdefault((event.at.astimezone(UTC).date(), event.event_id), event)
        for account_entry in change.account_entries:
            self._entries.setdefault(account_entry.entry_id, account_entry)
        if change.cash_baseline is not None:
            self._baseline = change.cash_baseline
        self.outbox.add(change.alerts)
