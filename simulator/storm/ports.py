"""The in-memory ports as a sandbox sees them: every call may meet a fault."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TypeVar

from agent.adapters.memory.alerts import MemoryAlerts
from agent.adapters.memory.archive import MemoryJournalArchive
from agent.adapters.memory.beats import MemoryBeats
from agent.adapters.memory.book import MemoryBook
from agent.adapters.memory.control import MemoryControl
from agent.adapters.memory.learning_log import MemoryLearningLog
from agent.adapters.memory.metrics import MemoryMetrics
from agent.adapters.memory.outbox import MemoryAlertOutbox
from agent.adapters.memory.reports import MemoryReportDates
from agent.adapters.memory.volatility import MemoryVolatilityHistory
from agent.book.account_cash import AccountEntry, CashBaseline
from agent.book.analysis_records import LearningLogEntry, PerformanceMetric, PeriodType
from agent.book.changes import BookBusy, BookChange, Lease, LedgerEntry
from agent.book.intents import Intent
from agent.book.records import Alert, JournalEvent, Position, Trade
from agent.market.volatility import ImpliedVolatilitySample
from agent.ports import (
    AlertUnavailable,
    ArchiveUnavailable,
    EntryBlock,
    ExecutionState,
    TradingState,
)
from simulator.storm.faults import (
    ALERT,
    BOOK_INDEX,
    BOOK_READ,
    BOOK_WRITE,
    WORKFLOW,
    Fault,
    FaultKind,
)
from simulator.storm.sandbox import Sandbox

T = TypeVar("T")
INDEX_LAG_MAX = timedelta(minutes=10)


class WorkflowsUnavailable(Exception):
    """Stands for what the cloud's client raises where it gets no answer."""


class StormBook(MemoryBook):
    """Keep the book in memory and count its commits; remember trades for a lagging index."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__()
        self._now = now
        self._written: list[tuple[datetime, Trade]] = []
        self.commits = 0
        self.timeline: list[tuple[datetime, str]] = []

    def commit(self, change: BookChange) -> None:
        super().commit(change)
        self.commits += 1
        now = self._now()
        if change.trade is not None:
            self._written.append((now, change.trade.trade))
            self.timeline.append((now, f"BOOK {_trade_line(change.trade.trade)}"))
        for write in change.intents:
            self.timeline.append((now, f"BOOK {_intent_line(write.intent)}"))

    def trades_as_of(self, moment: datetime) -> tuple[Trade, ...]:
        """List the trades as an index that lags shows them."""
        seen = {trade.trade_id: trade for at, trade in self._written if at <= moment}
        return tuple(seen[key] for key in sorted(seen))


def _trade_line(trade: Trade) -> str:
    return f"{trade.trade_id} is {trade.status}, holds {trade.contracts_held}"


def _intent_line(intent: Intent) -> str:
    orders = ", ".join(
        f"{order.client_order_id.rpartition('-')[2]} {order.status} {order.filled_contracts}"
        for order in intent.orders
    )
    return f"{intent.intent_id} is {intent.status} ({intent.outcome}) [{orders}]"


def _busy(fault: Fault, act: Callable[[], T]) -> T:
    if fault.kind is FaultKind.BOOK_BUSY_AFTER:
        act()
    raise BookBusy(f"the store does not answer: {fault.kind}")


class FaultyBook:
    """The book port over a StormBook."""

    def __init__(self, sandbox: Sandbox, book: StormBook) -> None:
        self._sandbox = sandbox
        self._book = book

    def commit(self, change: BookChange) -> None:
        self._sandbox.effect("book.commit", BOOK_WRITE, lambda: self._book.commit(change), _busy)

    def trade(self, trade_id: str) -> Trade | None:
        return self._read("trade", lambda: self._book.trade(trade_id))

    def active_trades(self) -> tuple[Trade, ...]:
        return self._read("active_trades", self._book.active_trades)

    def all_trades(self) -> tuple[Trade, ...]:
        return self._sandbox.effect(
            "book.all_trades", BOOK_INDEX, self._book.all_trades, self._lagging
        )

    def positions(self, trade_id: str) -> tuple[Position, ...]:
        return self._read("positions", lambda: self._book.positions(trade_id))

    def positions_by_trade(self, trade_ids: Sequence[str]) -> Mapping[str, tuple[Position, ...]]:
        return self._read("positions_by_trade", lambda: self._book.positions_by_trade(trade_ids))

    def intent(self, intent_id: str) -> Intent | None:
        return self._read("intent", lambda: self._book.intent(intent_id))

    def unfinished_intents(self) -> tuple[Intent, ...]:
        return self._read("unfinished_intents", self._book.unfinished_intents)

    def all_intents(self) -> tuple[Intent, ...]:
        return self._read("all_intents", self._book.all_intents)

    def ledger(self, key: str) -> LedgerEntry:
        return self._read("ledger", lambda: self._book.ledger(key))

    def account_entries(self) -> tuple[AccountEntry, ...]:
        return self._read("account_entries", self._book.account_entries)

    def cash_baseline(self) -> CashBaseline | None:
        return self._read("cash_baseline", self._book.cash_baseline)

    def journal(self, day: date) -> tuple[JournalEvent, ...]:
        return self._read("journal", lambda: self._book.journal(day))

    def acquire_lease(self, name: str, now: datetime, seconds: int) -> Lease | None:
        return self._sandbox.effect(
            "book.acquire_lease",
            BOOK_WRITE,
            lambda: self._book.acquire_lease(name, now, seconds),
            _busy,
        )

    def release_lease(self, lease: Lease) -> None:
        self._sandbox.effect(
            "book.release_lease", BOOK_WRITE, lambda: self._book.release_lease(lease), _busy
        )

    def _read(self, name: str, act: Callable[[], T]) -> T:
        return self._sandbox.effect(f"book.{name}", BOOK_READ, act, _busy)

    def _lagging(self, fault: Fault, act: Callable[[], tuple[Trade, ...]]) -> tuple[Trade, ...]:
        if fault.kind is not FaultKind.INDEX_LAG:
            return _busy(fault, act)
        share = self._sandbox.plan.dice.fraction(f"lag/{fault.key}")
        return self._book.trades_as_of(self._sandbox.scheduler.now - share * INDEX_LAG_MAX)


class FaultyControl:
    """The control port over its memory."""

    def __init__(self, sandbox: Sandbox, control: MemoryControl) -> None:
        self._sandbox = sandbox
        self._control = control

    def trading_state(self) -> TradingState:
        return self._sandbox.effect(
            "control.trading_state", BOOK_READ, self._control.trading_state, _busy
        )

    def set_trading_state(self, state: TradingState) -> None:
        self._control.set_trading_state(state)

    def block_entries(self, block: EntryBlock) -> bool:
        return self._sandbox.effect(
            "control.block_entries", BOOK_WRITE, lambda: self._control.block_entries(block), _busy
        )

    def entry_block(self, session: date) -> EntryBlock | None:
        return self._sandbox.effect(
            "control.entry_block", BOOK_READ, lambda: self._control.entry_block(session), _busy
        )

    def lift_entry_block(self) -> None:
        self._control.lift_entry_block()

    def pause_entries(self) -> None:
        self._sandbox.effect(
            "control.pause_entries", BOOK_WRITE, self._control.pause_entries, _busy
        )

    def account_number(self) -> str | None:
        return self._control.account_number()

    def bind_account(self, account_number: str) -> str:
        return self._sandbox.effect(
            "control.bind_account",
            BOOK_WRITE,
            lambda: self._control.bind_account(account_number),
            _busy,
        )

    def claim_slot(self, schedule: str, slot: datetime) -> bool:
        return self._sandbox.effect(
            "control.claim_slot",
            BOOK_WRITE,
            lambda: self._control.claim_slot(schedule, slot),
            _busy,
        )


class FaultyOutbox:
    """The alert outbox over its memory."""

    def __init__(self, sandbox: Sandbox, outbox: MemoryAlertOutbox) -> None:
        self._sandbox = sandbox
        self._outbox = outbox

    def unsent(self) -> tuple[Alert, ...]:
        return self._sandbox.effect("outbox.unsent", BOOK_READ, self._outbox.unsent, _busy)

    def mark_sent(self, alert_id: str) -> None:
        self._sandbox.effect(
            "outbox.mark_sent", BOOK_WRITE, lambda: self._outbox.mark_sent(alert_id), _busy
        )


class FaultyAlerts:
    """The owner's ear."""

    def __init__(self, sandbox: Sandbox, alerts: MemoryAlerts) -> None:
        self._sandbox = sandbox
        self._alerts = alerts

    def publish(self, alert: Alert) -> None:
        self._sandbox.effect("alerts.publish", ALERT, lambda: self._alerts.publish(alert), _unheard)


def _unheard(fault: Fault, act: Callable[[], T]) -> T:
    if fault.kind is FaultKind.ALERT_LOST_AFTER:
        act()
    raise AlertUnavailable(f"no answer: {fault.kind}")


class FaultyArchive:
    """The archive of the journal over its memory."""

    def __init__(self, sandbox: Sandbox, archive: MemoryJournalArchive) -> None:
        self._sandbox = sandbox
        self._archive = archive

    def keep(self, day: date, events: Sequence[JournalEvent]) -> None:
        self._sandbox.effect(
            "archive.keep", BOOK_WRITE, lambda: self._archive.keep(day, events), _not_kept
        )


def _not_kept(fault: Fault, act: Callable[[], T]) -> T:
    if fault.kind is FaultKind.BOOK_BUSY_AFTER:
        act()
    raise ArchiveUnavailable(f"no answer: {fault.kind}")


class FaultyVolatility:
    """The volatility history over its memory."""

    def __init__(self, sandbox: Sandbox, history: MemoryVolatilityHistory) -> None:
        self._sandbox = sandbox
        self._history = history

    def samples(
        self, symbol: str, sessions_max: int, *, source: str
    ) -> tuple[ImpliedVolatilitySample, ...]:
        return self._sandbox.effect(
            "volatility.samples",
            BOOK_READ,
            lambda: self._history.samples(symbol, sessions_max, source=source),
            _busy,
        )

    def record(self, symbol: str, samples: Sequence[ImpliedVolatilitySample]) -> int:
        return self._sandbox.effect(
            "volatility.record", BOOK_WRITE, lambda: self._history.record(symbol, samples), _busy
        )


class FaultyReportDates:
    """The dates of reports over their memory."""

    def __init__(self, sandbox: Sandbox, dates: MemoryReportDates) -> None:
        self._sandbox = sandbox
        self._dates = dates

    def reports(self, symbol: str) -> tuple[date, ...]:
        return self._sandbox.effect(
            "reports.reports", BOOK_READ, lambda: self._dates.reports(symbol), _busy
        )

    def replace_reports(self, symbol: str, reports: Sequence[date]) -> None:
        self._dates.replace_reports(symbol, reports)


class FaultyBeats:
    """The signs of life over their memory."""

    def __init__(self, sandbox: Sandbox, beats: MemoryBeats) -> None:
        self._sandbox = sandbox
        self._beats = beats

    def beat(self, function: str, slot: datetime) -> None:
        self._sandbox.effect(
            "beats.beat", BOOK_WRITE, lambda: self._beats.beat(function, slot), _busy
        )

    def last_beat(self, function: str) -> datetime | None:
        return self._sandbox.effect(
            "beats.last_beat", BOOK_READ, lambda: self._beats.last_beat(function), _busy
        )


class FaultyLearningLog:
    """The log of the learner over its memory."""

    def __init__(self, sandbox: Sandbox, log: MemoryLearningLog) -> None:
        self._sandbox = sandbox
        self._log = log

    def append(self, entry: LearningLogEntry) -> bool:
        return self._sandbox.effect(
            "learning_log.append", BOOK_WRITE, lambda: self._log.append(entry), _busy
        )

    def entry(self, log_id: str) -> LearningLogEntry | None:
        return self._sandbox.effect(
            "learning_log.entry", BOOK_READ, lambda: self._log.entry(log_id), _busy
        )


class FaultyMetrics:
    """The store of metrics over its memory."""

    def __init__(self, sandbox: Sandbox, metrics: MemoryMetrics) -> None:
        self._sandbox = sandbox
        self._metrics = metrics

    def store(self, metric: PerformanceMetric) -> None:
        self._sandbox.effect(
            "metrics.store", BOOK_WRITE, lambda: self._metrics.store(metric), _busy
        )

    def metric(self, metric_id: str) -> PerformanceMetric | None:
        return self._sandbox.effect(
            "metrics.metric", BOOK_READ, lambda: self._metrics.metric(metric_id), _busy
        )

    def metrics(
        self, period_type: PeriodType, start: date, end: date
    ) -> tuple[PerformanceMetric, ...]:
        return self._sandbox.effect(
            "metrics.metrics",
            BOOK_READ,
            lambda: self._metrics.metrics(period_type, start, end),
            _busy,
        )


class FaultyWorkflows:
    """The state machines; `start` and `state` are the storm's own."""

    def __init__(
        self,
        sandbox: Sandbox,
        start: Callable[[Intent], None],
        state: Callable[[Intent], ExecutionState],
    ) -> None:
        self._sandbox = sandbox
        self._start = start
        self._state = state

    def start(self, intent: Intent) -> None:
        self._sandbox.effect("workflows.start", WORKFLOW, lambda: self._start(intent), _unanswered)

    def state(self, intent: Intent) -> ExecutionState:
        return self._sandbox.effect(
            "workflows.state", WORKFLOW, lambda: self._state(intent), _unanswered
        )


def _unanswered(fault: Fault, act: Callable[[], T]) -> T:
    if fault.kind is FaultKind.WORKFLOW_LOST_AFTER:
        act()
    raise WorkflowsUnavailable(f"no answer: {fault.kind}")
