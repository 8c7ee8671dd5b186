"""Size an entry and reserve its risk: the pending trade and the ledger move together."""

from agent.book.changes import BookConflict, LimitReached
from agent.book.intents import IntentStatus
from agent.book.transitions import refuse_entry, reserve_entry
from agent.risk.checks import MEASURED
from agent.risk.reservation import PORTFOLIO_KEY, reserve_moves
from agent.use_cases.desk import Desk
from agent.use_cases.entry_risk import REFUSED_BY_SIZING, measure_entry, signal_of
from agent.use_cases.steps import SizingResult, StepInput, intent_of


def size_position(desk: Desk, event: StepInput) -> SizingResult:
    """Reserve what the account allows, once; a ledger bound that refuses is a verdict."""
    intent = intent_of(desk.book, event.intent_id)
    if intent.status is IntentStatus.DONE:
        return _refused(intent.intent_id, intent.outcome or "done")
    before = desk.book.trade(intent.trade_id)
    if before is not None:
        return _reserved(intent.intent_id, before.risk.contracts_reserved)
    signal = signal_of(intent)
    now = desk.clock.market_clock().now
    measured = measure_entry(desk, signal, desk.broker.account(), now)
    failed = [] if measured.sizing.contracts else [REFUSED_BY_SIZING]
    failed += measured.failed(MEASURED)
    if failed:
        reason = ",".join(failed)
        desk.book.commit(refuse_entry(intent, reason, now, measured.sentences))
        return _refused(intent.intent_id, reason)
    moves = reserve_moves(
        measured.risk,
        symbol=signal.symbol,
        session=measured.session,
        limits=measured.limits,
        reservations=measured.reservations,
        unreserved_heat_cents=measured.unreserved_heat_cents,
    )
    try:
        desk.book.commit(reserve_entry(intent, measured.risk, moves, now))
    except LimitReached as limit:
        if desk.book.ledger(PORTFOLIO_KEY).reservations != measured.reservations:
            raise BookConflict("another entry was reserved meanwhile: measure again") from limit
        reason = "ledger_" + ",".join(key.split("#")[0] for key in limit.keys)
        desk.book.commit(refuse_entry(intent, reason, now, {}))
        return _refused(intent.intent_id, str(limit))
    except BookConflict:
        reserved = desk.book.trade(intent.trade_id)
        if reserved is None:
            raise
        return _reserved(intent.intent_id, reserved.risk.contracts_reserved)
    return _reserved(intent.intent_id, measured.sizing.contracts)


def _reserved(intent_id: str, contracts: int) -> SizingResult:
    return SizingResult(intent_id=intent_id, reserved=True, contracts=contracts, reason=None)


def _refused(intent_id: str, reason: str) -> SizingResult:
    return SizingResult(intent_id=intent_id, reserved=False, contracts=0, reason=reason)
