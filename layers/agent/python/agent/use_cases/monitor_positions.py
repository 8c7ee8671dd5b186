"""Watch open trades: finish what went astray, mark what is held, close what its rules close."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import Field

from agent.book.changes import BookConflict
from agent.book.records import Intent, IntentKind, Trade
from agent.book.states import ExitReason, TradeStatus
from agent.book.transitions import begin_close, mark_open
from agent.market.calendar import TradingSession, new_york_date
from agent.ports import ExecutionState, TradingState
from agent.strategies.exits import ExitDecision
from agent.use_cases.alerting import publish_alerts
from agent.use_cases.desk import Desk
from agent.use_cases.marking import Marks, fetch_marks
from agent.use_cases.reconcile_order import reconcile_order
from agent.use_cases.schedule import ScheduledEvent, is_stale
from agent.use_cases.steps import Message, OrderStillWorking, StepInput

SESSIONS_AHEAD_DAYS = 14
"""Far enough that the next session is always among them."""

ALWAYS_ALLOWED = frozenset({ExitReason.STOP_LOSS, ExitReason.EXPIRATION_NEAR, ExitReason.MANUAL})
"""Exits that even a halted desk makes: protection, and what the owner asked for."""


class MonitorReport(Message):
    """Count what a pass did; `status` says why it did nothing where it did not watch."""

    slot: datetime
    status: str
    trades_watched: int = 0
    exits_begun: dict[str, int] = Field(default_factory=dict)
    redriven: int = 0
    reconciled: int = 0
    unresolved: int = 0
    unmarked: int = 0
    alerts_told: int = 0

    def counts(self) -> dict[str, int]:
        return {
            "MonitorPasses": 1,
            "OpenTrades": self.trades_watched,
            "ExitsBegun": sum(self.exits_begun.values()),
            "UnresolvedIntents": self.unresolved,
            "UnmarkedTrades": self.unmarked,
            "StaleSlots": int(self.status == "stale_slot"),
        }


def monitor_positions(desk: Desk, event: ScheduledEvent) -> MonitorReport:
    """Make one pass over the book; a closed market or a stale slot makes none."""
    clock = desk.clock.market_clock()
    told = publish_alerts(desk)
    if not clock.is_open:
        return MonitorReport(slot=event.slot, status="market_closed", alerts_told=told)
    if is_stale(event.slot, clock.now, desk.settings.schedule.monitor_slot_age_max_seconds):
        return MonitorReport(slot=event.slot, status="stale_slot", alerts_told=told)
    redriven: Counter[str] = Counter()
    for intent in desk.book.unfinished_intents():
        redriven[_redrive(desk, intent, clock.now)] += 1
    held = [
        trade
        for trade in desk.book.active_trades()
        if trade.status is TradeStatus.OPEN and trade.contracts_held
    ]
    exits: Counter[str] = Counter()
    unmarked = 0
    if held:
        sessions = _sessions(desk, clock.now)
        marks = fetch_marks(desk, held, clock.now)
        for trade in held:
            reason = _watch(desk, trade, marks, sessions, event.slot, clock.now)
            exits.update([reason] if reason else [])
            unmarked += not marks.is_marked(trade.trade_id)
    return MonitorReport(
        slot=event.slot,
        status="watched",
        trades_watched=len(held),
        exits_begun={reason: number for reason, number in sorted(exits.items()) if number},
        redriven=redriven["redriven"],
        reconciled=redriven["reconciled"],
        unresolved=redriven["unresolved"],
        unmarked=unmarked,
        alerts_told=told + publish_alerts(desk),
    )


def _redrive(desk: Desk, intent: Intent, now: datetime) -> str:
    """Start what never started, finish what ended too early, leave alone what runs."""
    state = desk.workflows.state(intent)
    if state is ExecutionState.RUNNING:
        return "running"
    waited = now - intent.created_at
    limit = timedelta(seconds=desk.settings.schedule.scan_slot_age_max_seconds)
    entry_is_stale = intent.kind is IntentKind.ENTRY and waited > limit
    if state is ExecutionState.ABSENT and not entry_is_stale:
        desk.workflows.start(intent)
        return "redriven"
    try:
        reconcile_order(desk, StepInput(intent_id=intent.intent_id))
    except (OrderStillWorking, BookConflict):
        return "unresolved"
    return "reconciled"


def _sessions(desk: Desk, now: datetime) -> tuple[TradingSession, ...]:
    today = new_york_date(now)
    return desk.calendar.sessions(today, today + timedelta(days=SESSIONS_AHEAD_DAYS))


def _watch(
    desk: Desk,
    trade: Trade,
    marks: Marks,
    sessions: Sequence[TradingSession],
    slot: datetime,
    now: datetime,
) -> str | None:
    """Mark one trade and begin its exit where a rule says so; give the reason."""
    strategy = desk.strategies[trade.strategy]
    mark = marks.of(trade.trade_id)
    outcome = strategy.should_exit(trade, mark, sessions=sessions, slot=slot, as_of=now)
    try:
        change = mark_open(trade, outcome.stop_watch, marks.positions(trade.trade_id))
        desk.book.commit(change)
        if outcome.decision is None or not _is_allowed(desk, outcome.decision):
            return None
        watched = change.trade.trade if change.trade is not None else trade
        closing, intent = begin_close(
            watched,
            outcome.decision.reason,
            outcome.decision.urgency,
            outcome.decision.sentence,
            now,
        )
        desk.book.commit(closing)
    except BookConflict:
        return None  # Another pass moved the trade: it acts, this one does not.
    desk.workflows.start(intent)
    return outcome.decision.reason


def _is_allowed(desk: Desk, decision: ExitDecision) -> bool:
    return (
        decision.reason in ALWAYS_ALLOWED or desk.control.trading_state() is not TradingState.HALTED
    )
