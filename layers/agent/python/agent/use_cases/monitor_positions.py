"""Watch open trades: finish what went astray, mark what is held, close what its rules close."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from pydantic import Field

from agent.book.changes import BookChange, BookConflict, IntentWrite
from agent.book.intents import Intent, IntentKind, Urgency
from agent.book.records import Alert, AlertKind, PositionMark, Trade
from agent.book.states import ExitReason, TradeStatus
from agent.book.transitions import begin_close, mark_open
from agent.market.calendar import new_york_date
from agent.ports import ExecutionState, TradingState
from agent.strategies.covered_call import strategy_of
from agent.strategies.exit_moment import ExitMoment
from agent.strategies.exits import ExitAlarm, ExitDecision, RollSignal
from agent.strategies.rolling import may_seek
from agent.use_cases.alerting import publish_alerts
from agent.use_cases.alone import MONITOR, alone
from agent.use_cases.book_lifecycle import Befallen, book_lifecycle
from agent.use_cases.broken_trades import Protected, cover_calls, protect_broken
from agent.use_cases.cancel_order import cancel_working
from agent.use_cases.compare_book import compare_book
from agent.use_cases.compare_orders import compare_orders
from agent.use_cases.cover_shares import seek_covers
from agent.use_cases.desk import Desk
from agent.use_cases.exit_moment import exit_moment
from agent.use_cases.exit_urgency import urgency_of
from agent.use_cases.marking import Marks, fetch_marks
from agent.use_cases.reconcile_order import reconcile_order
from agent.use_cases.schedule import ScheduledEvent, is_stale, leave_beat
from agent.use_cases.seek_roll import seek_roll
from agent.use_cases.steps import Message, OrderStillWorking, StepInput
from agent.use_cases.troubles import Troubles
from agent.use_cases.watch_account import AccountStanding, watch_account
from agent.use_cases.wind_up import mark_held_shares, wind_up_all

MARKS_TOGETHER_MAX = 50
BASIS_POINTS = 10_000
ROLLS_SOUGHT_MAX = 6
"""In one pass: each looks at a whole chain. The next pass looks for the others."""


class MonitorReport(Message):
    """Count what a pass did; `status` says why it did nothing where it did not watch."""

    slot: datetime
    status: str
    trades_watched: int = 0
    exits_begun: dict[str, int] = Field(default_factory=dict)
    redriven: int = 0
    withdrawn: int = 0
    """Entries whose working order was asked to be cancelled: the owner wants none any more."""
    reconciled: int = 0
    unresolved: int = 0
    unmarked: int = 0
    covers_begun: int = 0
    """Trades on whose assigned shares calls are being written."""
    lifecycle_events: int = 0
    """Legs booked as expired, assigned or exercised."""
    differences: int = 0
    daily_loss_fraction: Decimal | None = None
    """Of prior close equity, negative on a day of gains; None where it was not measured."""
    limits_breached: int = 0
    alerts_told: int = 0

    def counts(self) -> dict[str, int]:
        return {
            "MonitorPasses": 1,
            "OpenTrades": self.trades_watched,
            "ExitsBegun": sum(self.exits_begun.values()),
            "UnresolvedIntents": self.unresolved,
            "UnmarkedTrades": self.unmarked,
            "BookDifferences": self.differences,
            "StaleSlots": int(self.status == "stale_slot"),
            **self._account_counts(),
        }

    def _account_counts(self) -> dict[str, int]:
        if self.daily_loss_fraction is None:
            return {}
        return {
            "DailyLossBasisPoints": round(self.daily_loss_fraction * BASIS_POINTS),
            "LimitsBreached": self.limits_breached,
        }


@dataclass(frozen=True)
class _Pass:
    """Hold what one pass sees, the same for every trade."""

    moment: ExitMoment
    marks: Marks
    bounds: Mapping[str, int] = field(default_factory=dict)
    """Units that a trade may close, by its id, where the broker lacks some of it."""


@dataclass(frozen=True)
class _DueRoll:
    """Remember a trade whose roll comes before whatever else would end it."""

    trade: Trade
    signal: RollSignal


def monitor_positions(desk: Desk, event: ScheduledEvent) -> MonitorReport:
    """Make one pass over the book; a closed market or a stale slot makes none."""
    clock = desk.clock.market_clock()
    leave_beat(desk, "monitor_positions", event.slot)
    if not clock.is_open:
        status = "market_closed"
    elif is_stale(event.slot, clock.now, desk.settings.schedule.monitor_slot_age_max_seconds):
        status = "stale_slot"
    else:
        seconds = desk.settings.schedule.monitor_lease_seconds
        with alone(desk, MONITOR, clock.now, seconds) as lease:
            if lease is not None:
                return _watch_all(desk, event, clock.now)
        # The other pass tells what there is to tell.
        return MonitorReport(slot=event.slot, status="busy")
    return MonitorReport(slot=event.slot, status=status, alerts_told=publish_alerts(desk))


def _watch_all(desk: Desk, event: ScheduledEvent, now: datetime) -> MonitorReport:
    troubles = Troubles()
    redriven: Counter[str] = Counter()
    for intent in desk.book.unfinished_intents():
        with troubles.of(intent.intent_id):
            redriven[_redrive(desk, intent, now)] += 1
    active = desk.book.active_trades()
    before, at_broker, befallen = active, None, Befallen()
    with troubles.of("lifecycle"):
        at_broker = {each.symbol: each.quantity for each in desk.broker.holdings()}
        befallen = book_lifecycle(desk, active, at_broker, now)
        active = desk.book.active_trades() if befallen.booked else active
    protected = Protected()
    with troubles.of("missing-legs"):
        protected = protect_broken(desk, active, befallen, troubles, now)
    exits = protected.begun
    with troubles.of("covers"):
        if at_broker is not None:
            exits += cover_calls(desk, active, at_broker, troubles, now)
    explained = [trade for trade in active if trade.trade_id not in befallen.unexplained]
    exits += wind_up_all(desk, explained, troubles, now)
    held = [trade for trade in explained if _is_whole_and_open(trade)]
    held += [trade for trade in active if trade.trade_id in protected.judged]
    unmarked = 0
    if held:
        moment = exit_moment(desk, event.slot, now, held)
        seen = _Pass(moment, fetch_marks(desk, held, now), protected.judged)
        exits += _judge_all(desk, held, seen, active, troubles=troubles, now=now)
        unmarked = sum(not seen.marks.is_marked(trade.trade_id) for trade in held)
    with troubles.of("shares"):
        mark_held_shares(desk, explained)
    covers = seek_covers(desk, explained, troubles, now)
    differences = 0
    with troubles.of("book-and-broker"):
        # Last: whatever is found, exits come first.
        differences = compare_book(desk, before, now, at_broker)
    with troubles.of("orders-at-the-broker"):
        differences += compare_orders(desk, now)
    standing = AccountStanding(None, 0)
    with troubles.of("account"):
        standing = watch_account(desk, active, now)
    if troubles.found:
        desk.book.commit(BookChange(alerts=troubles.alerts(now)))
    told = publish_alerts(desk)
    troubles.raise_any()
    return MonitorReport(
        slot=event.slot,
        status="watched",
        trades_watched=len(held),
        exits_begun={reason: number for reason, number in sorted(exits.items()) if number},
        redriven=redriven["redriven"],
        withdrawn=redriven["withdrawn"],
        reconciled=redriven["reconciled"],
        unresolved=redriven["unresolved"],
        unmarked=unmarked,
        covers_begun=covers,
        lifecycle_events=befallen.booked,
        differences=differences,
        daily_loss_fraction=(
            None if standing.loss_of_day is None else standing.loss_of_day.fraction
        ),
        limits_breached=standing.limits_breached,
        alerts_told=told,
    )


def _judge_all(
    desk: Desk,
    held: Sequence[Trade],
    seen: _Pass,
    active: Sequence[Trade],
    *,
    troubles: Troubles,
    now: datetime,
) -> Counter[str]:
    """Ask the rules about each trade that is held, and count by reason what they begin."""
    begun: Counter[str] = Counter()
    quiet: list[PositionMark] = []
    due: list[_DueRoll] = []
    for trade in held:
        with troubles.of(trade.trade_id):
            reason = _watch(desk, trade, seen, quiet, due)
            begun.update([reason] if reason else [])
    _store_marks(desk, quiet)
    # After every stop: what a roll looks for takes long.
    for roll in due[:ROLLS_SOUGHT_MAX]:
        with troubles.of(roll.trade.trade_id):
            reason = _roll(desk, roll, seen, active, now)
            begun.update([reason] if reason else [])
    return begun


def _is_whole_and_open(trade: Trade) -> bool:
    """Say whether the exit rules can judge a trade: a structure of which all is there."""
    if trade.status is not TradeStatus.OPEN:
        return False
    return trade.contracts_held > 0 and not trade.holdings.legs_gone


def _redrive(desk: Desk, intent: Intent, now: datetime) -> str:
    """Start what never started, finish what ended too early, leave alone what runs."""
    state = desk.workflows.state(intent)
    if state is ExecutionState.RUNNING:
        return "withdrawn" if _withdraw(desk, intent) else "running"
    waited = now - intent.created_at
    limit = timedelta(seconds=desk.settings.schedule.scan_slot_age_max_seconds)
    is_stale_now = intent.kind is not IntentKind.CLOSE and waited > limit
    if state is ExecutionState.ABSENT and not is_stale_now:
        desk.workflows.start(intent)
        return "redriven"
    try:
        reconcile_order(desk, StepInput(intent_id=intent.intent_id))
    except (OrderStillWorking, BookConflict):
        return "unresolved"
    return "reconciled"


def _withdraw(desk: Desk, intent: Intent) -> int:
    """Ask for the cancel of working orders that the owner wants no more: entries, or rolls.

    Nothing is written: the execution that runs polls the order, sees its end, and is refused
    another rung.
    """
    if intent.kind is IntentKind.CLOSE:
        return 0
    state = desk.control.trading_state()
    if state is TradingState.ACTIVE:
        return 0
    is_roll = intent.kind is IntentKind.ROLL and not intent.of_shares
    if is_roll and state is not TradingState.HALTED:
        return 0
    return cancel_working(desk, intent)


def _watch(
    desk: Desk,
    trade: Trade,
    seen: _Pass,
    quiet: list[PositionMark],
    due: list[_DueRoll] | None = None,
) -> str | None:
    """Judge one trade and begin its exit where a rule says so; give the reason.

    Where nothing is new but the marks, they are left to `quiet`, to be stored all together. A roll
    is left to `due`; without it, none can be carried out now.
    """
    mark = seen.marks.of(trade.trade_id)
    if trade.campaign.residue is not None:
        return _close_residue(desk, trade, mark.as_of)
    strategy, exits = strategy_of(trade, desk.strategies, desk.settings), desk.settings.exits
    signal = strategy.should_roll(trade, mark, seen.moment, exits)
    bound = seen.bounds.get(trade.trade_id)
    due = due if bound is None else None
    can_roll = due is not None and may_seek(trade, exits, mark.as_of)
    waits = strategy.exit_rules_for(trade.symbol).roll_policy == "roll"
    verdict = strategy.should_exit(
        trade,
        mark,
        seen.moment,
        exits,
        roll=signal if can_roll else None,
        awaits_roll=signal is not None and waits,
    )
    marks = seen.marks.positions(trade.trade_id)
    alerts = tuple(_alert(trade, alarm, mark.as_of) for alarm in verdict.alarms)
    decision = verdict.decision
    begins = decision is not None and _is_allowed(desk, decision)
    watched = trade.model_copy(update={"stop_watch": verdict.stop_watch})
    if begins and due is not None and signal is not None and _is_roll(decision):
        due.append(_DueRoll(watched, signal))
        quiet.extend(marks)
        if alerts:
            desk.book.commit(BookChange(alerts=alerts))
        return None
    if not begins and watched == trade and not alerts:
        quiet.extend(marks)
        return None
    try:
        if decision is None or not begins:
            desk.book.commit(replace(mark_open(watched), marks=marks, alerts=alerts))
            return None
        closing, intent = begin_close(
            watched,
            decision.reason,
            urgency_of(desk, trade, decision),
            decision.sentence,
            mark.as_of,
            contracts=bound,
        )
        desk.book.commit(replace(closing, marks=marks, alerts=alerts))
    except BookConflict:
        return None  # Another pass moved the trade: it acts, this one does not.
    desk.workflows.start(intent)
    return decision.reason


def _is_roll(decision: ExitDecision | None) -> bool:
    return decision is not None and decision.reason is ExitReason.ROLL


def _roll(
    desk: Desk, due: _DueRoll, seen: _Pass, active: Sequence[Trade], now: datetime
) -> str | None:
    """Begin a roll that is due, or else what the other rules say; give the reason."""
    try:
        if seek_roll(desk, due.trade, due.signal, active, now):
            return ExitReason.ROLL
    except BookConflict:
        return None  # Another pass moved the trade: it acts, this one does not.
    trade = desk.book.trade(due.trade.trade_id)
    if trade is None or trade.status is not TradeStatus.OPEN:
        return None
    quiet: list[PositionMark] = []
    reason = _watch(desk, trade, seen, quiet)
    _store_marks(desk, quiet)
    return reason


def _close_residue(desk: Desk, trade: Trade, at: datetime) -> str | None:
    """Close at once what a roll left behind: it was to be left, whatever the rules say of it."""
    sentence = "A roll could not close it all."
    change, intent = begin_close(trade, ExitReason.ROLL, Urgency.URGENT, sentence, at)
    residual = intent.model_copy(update={"of_residue": True})
    try:
        desk.book.commit(replace(change, intents=(IntentWrite(residual, None),)))
    except BookConflict:
        return None  # Another pass moved the trade: it acts, this one does not.
    desk.workflows.start(residual)
    return "roll_residue"


def _store_marks(desk: Desk, marks: Sequence[PositionMark]) -> None:
    """Store marks in as few transactions as may be; one that fails is stored mark by mark."""
    for start in range(0, len(marks), MARKS_TOGETHER_MAX):
        together = tuple(marks[start : start + MARKS_TOGETHER_MAX])
        try:
            desk.book.commit(BookChange(marks=together))
        except BookConflict:
            for mark in together:
                # A position that was closed meanwhile needs no mark.
                with suppress(BookConflict):
                    desk.book.commit(BookChange(marks=(mark,)))


def _alert(trade: Trade, alarm: ExitAlarm, at: datetime) -> Alert:
    """Tell of an alarm once a day and trade, however many passes see it."""
    return Alert(
        alert_id=f"{trade.trade_id}-{alarm.kind}-{new_york_date(at):%Y%m%d}",
        kind=AlertKind.SYSTEM_ERROR,
        at=at,
        subject=f"{trade.symbol}: {alarm.kind.replace('_', ' ')}",
        message=alarm.sentence,
    )


def _is_allowed(desk: Desk, decision: ExitDecision) -> bool:
    return decision.protective or desk.control.trading_state() is not TradingState.HALTED
