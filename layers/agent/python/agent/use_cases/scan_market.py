"""Scan the watchlist and state the best entries as intents, each carried by its own execution."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from pydantic import Field

from agent.book.changes import BookConflict
from agent.book.identifiers import entry_intent_id, trade_id
from agent.book.records import Signal, Trade
from agent.book.transitions import write_entry_intent
from agent.market.calendar import new_york_date
from agent.market.filters import UnderlyingLimits, underlying_rejections
from agent.market.quotes import UnderlyingSnapshot
from agent.ports import BrokerMisunderstood, BrokerRefused, BrokerUnavailable, TradingState
from agent.risk.checks import pace
from agent.risk.reservation import day_key
from agent.strategies.registry import entering
from agent.use_cases.alerting import publish_alerts
from agent.use_cases.desk import Desk
from agent.use_cases.market_view import look_at
from agent.use_cases.schedule import ScheduledEvent, is_stale
from agent.use_cases.steps import Message


class ScanReport(Message):
    """Count what a scan saw; `status` says why it saw nothing where it did not scan."""

    slot: datetime
    status: str
    symbols_scanned: int = 0
    candidates: int = 0
    signals: int = 0
    entries: int = 0
    rejections: dict[str, int] = Field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        return {
            "ScanPasses": 1,
            "ScanCandidates": self.candidates,
            "ScanSignals": self.signals,
            "ScanEntries": self.entries,
            "StaleSlots": int(self.status == "stale_slot"),
        }


def scan_market(desk: Desk, event: ScheduledEvent) -> ScanReport:
    """Scan once for a slot; a closed market, a stale or repeated slot, or a stop scans nothing.

    Raises BrokerUnavailable where no symbol at all could be seen.
    """
    clock = desk.clock.market_clock()
    refusal = _refusal(desk, event, clock.is_open, clock.now)
    if refusal is not None:
        return ScanReport(slot=event.slot, status=refusal)
    active = desk.book.active_trades()
    snapshots = desk.market.underlyings(desk.settings.watchlist)
    rejections: Counter[str] = Counter()
    signals: list[Signal] = []
    candidates = scanned = 0
    unseen: list[BrokerUnavailable] = []
    for symbol in desk.settings.watchlist:
        underlying = snapshots.get(symbol)
        if underlying is None:
            rejections["underlying_unknown"] += 1
            continue
        try:
            found = _scan_symbol(desk, underlying, clock.now, active, rejections)
        except BrokerUnavailable as error:
            rejections["data_unavailable"] += 1
            unseen.append(error)
            continue
        except BrokerMisunderstood:
            rejections["data_unreadable"] += 1
            continue
        except BrokerRefused:
            rejections["data_refused"] += 1
            continue
        scanned += 1
        candidates += found[0]
        signals += found[1]
    if unseen and not scanned:
        raise unseen[0]
    made = desk.book.ledger(day_key(new_york_date(clock.now))).entries
    best = rank_signals(signals)[: pace(made, desk.settings.risk).entries_left]
    rejections["not_among_the_best"] += len(signals) - len(best)
    entries = sum(_enter(desk, event.slot, signal, clock.now) for signal in best)
    publish_alerts(desk)
    return ScanReport(
        slot=event.slot,
        status="scanned",
        symbols_scanned=scanned,
        candidates=candidates,
        signals=len(signals),
        entries=entries,
        rejections={reason: number for reason, number in sorted(rejections.items()) if number},
    )


def rank_signals(signals: Sequence[Signal]) -> list[Signal]:
    """Order signals best first; equals are ordered by what they name, never by chance."""
    return sorted(signals, key=lambda signal: (-signal.score, signal.symbol, signal.strategy))


def _refusal(desk: Desk, event: ScheduledEvent, is_open: bool, now: datetime) -> str | None:
    if not is_open:
        return "market_closed"
    if is_stale(event.slot, now, desk.settings.schedule.scan_slot_age_max_seconds):
        return "stale_slot"
    state = desk.control.trading_state()
    if state is not TradingState.ACTIVE:
        return f"trading_{state}"
    refusal = _account_refusal(desk)
    if refusal is None and not desk.control.claim_slot("scan", event.slot):
        return "duplicate_slot"
    return refusal


def _account_refusal(desk: Desk) -> str | None:
    account = desk.broker.account()
    if not account.can_trade_options:
        return "account_restricted"
    if desk.control.bind_account(account.account_number) != account.account_number:
        return "account_mismatch"
    return None


def _scan_symbol(
    desk: Desk,
    underlying: UnderlyingSnapshot,
    as_of: datetime,
    active: Sequence[Trade],
    rejections: Counter[str],
) -> tuple[int, list[Signal]]:
    market = desk.settings.market
    refused = underlying_rejections(
        underlying,
        UnderlyingLimits(
            price_min=market.price_min,
            price_max=market.price_max,
            average_volume_shares_min=market.average_volume_min_shares,
            quote_width_fraction_max=market.stock_quote_width_max_fraction,
        ),
    )
    if refused:
        rejections.update(refused)
        return 0, []
    # The view comes before the position limit: it also takes the day's IV sample.
    view = look_at(desk, underlying, as_of)
    held = [trade for trade in active if trade.symbol == underlying.symbol]
    if len(held) >= desk.settings.risk.symbol_positions_max:
        rejections["symbol_positions_full"] += 1
        return 0, []
    candidates = 0
    best: list[Signal] = []
    for strategy in entering(desk.strategies, desk.settings):
        outcome = strategy.generate_signals(view)
        candidates += outcome.candidates
        rejections.update(outcome.rejections)
        fresh = [signal for signal in outcome.signals if not _is_held(signal, held)]
        rejections["already_held"] += len(outcome.signals) - len(fresh)
        rejections["not_the_best_of_its_chain"] += max(0, len(fresh) - 1)
        best += fresh[:1]
    return candidates, best


def _is_held(signal: Signal, held: Sequence[Trade]) -> bool:
    wanted = set(signal.structure.symbols)
    return any(wanted & set(trade.structure.symbols) for trade in held)


def _enter(desk: Desk, slot: datetime, signal: Signal, at: datetime) -> int:
    code = desk.strategies[signal.strategy].code
    trade = trade_id(desk.settings.stage, slot, signal.symbol, code)
    intent_id = entry_intent_id(trade)
    change = write_entry_intent(intent_id, trade, signal, at)
    try:
        desk.book.commit(change)
    except BookConflict:
        return 0  # This slot stated the entry before; its execution carries it, or the monitor.
    desk.workflows.start(change.intents[0].intent)
    return 1
