"""Judge an entry against every limit, before anything is reserved for it."""

from agent.book.changes import BookChange, BookConflict
from agent.book.intents import Intent, IntentStatus
from agent.book.transitions import refuse_entry
from agent.risk.alarms import daily_loss_alerts
from agent.use_cases.buying_power import lacks_for_check
from agent.use_cases.desk import Desk
from agent.use_cases.entry_blocks import closes_soon, entry_bar
from agent.use_cases.entry_risk import REFUSED_BY_SIZING, measure_entry, signal_of
from agent.use_cases.schedule import is_stale
from agent.use_cases.steps import RiskVerdict, StepInput, intent_of

REFUSED_BY_BUYING_POWER = "buying_power"


def check_risk(desk: Desk, event: StepInput) -> RiskVerdict:
    """Evaluate every check; a refusal ends the intent and keeps each finding."""
    intent = intent_of(desk.book, event.intent_id)
    if intent.status is IntentStatus.DONE:
        return RiskVerdict(intent_id=intent.intent_id, approved=False, reason=intent.outcome)
    if desk.book.trade(intent.trade_id) is not None:
        # Reserved before, by an execution that went astray: its orders are still to be settled.
        return RiskVerdict(intent_id=intent.intent_id, approved=True, reason=None)
    reason, findings = _verdict(desk, intent)
    if reason is not None:
        return _refuse(desk, intent, reason, findings)
    return RiskVerdict(intent_id=intent.intent_id, approved=True, reason=None)


def _verdict(desk: Desk, intent: Intent) -> tuple[str | None, dict[str, str]]:
    clock = desk.clock.market_clock()
    signal = signal_of(intent)
    if not clock.is_open:
        return "market_closed", {}
    bar = entry_bar(desk, clock.now)
    if bar is not None:
        return bar.name, {"bar": bar.sentence}
    if closes_soon(desk, clock):
        return "session_edge", {}
    if is_stale(signal.as_of, clock.now, desk.settings.schedule.scan_slot_age_max_seconds):
        return "stale_signal", {}
    account = desk.broker.account()
    measured = measure_entry(desk, signal, account, clock.now)
    told = daily_loss_alerts(measured.loss_of_day, measured.session, clock.now)
    if told:
        desk.book.commit(BookChange(alerts=told))
    failed = measured.failed()
    if not measured.sizing.contracts:
        failed.append(REFUSED_BY_SIZING)
    findings = measured.sentences
    lacks = lacks_for_check(desk, account, measured.risk.capital_cents)
    if lacks is not None:
        failed.append(REFUSED_BY_BUYING_POWER)
        findings[REFUSED_BY_BUYING_POWER] = lacks
    return ",".join(failed) or None, findings


def _refuse(desk: Desk, intent: Intent, reason: str, findings: dict[str, str]) -> RiskVerdict:
    at = desk.clock.market_clock().now
    try:
        desk.book.commit(refuse_entry(intent, reason, at, findings))
    except BookConflict:
        stored = intent_of(desk.book, intent.intent_id)
        if stored.status is not IntentStatus.DONE:
            raise
    return RiskVerdict(intent_id=intent.intent_id, approved=False, reason=reason)
