"""Scan the watchlist and state the best entries as intents, each carried by its own execution."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from pydantic import Field

from agent.book.changes import BookConflict, Lease
from agent.book.identifiers import entry_intent_id, trade_id
from agent.book.intents import Intent, Signal
from agent.book.records import Trade
from agent.book.transitions import write_entry_intent
from agent.market.calendar import new_york_date
from agent.market.dividends import ExDividend
from agent.market.filters import UnderlyingLimits, underlying_rejections
from agent.market.quotes import UnderlyingSnapshot
from agent.ports import (
    Account,
    BrokerMisunderstood,
    BrokerRefused,
    BrokerUnavailable,
    MarketClock,
)
from agent.risk.checks import pace
from agent.risk.reservation import day_key, symbol_key
from agent.strategies.registry import entering
from agent.use_cases.alerting import publish_alerts
from agent.use_cases.alone import SCAN, alone
from agent.use_cases.compare_book import own_differences
from agent.use_cases.desk import Desk
from agent.use_cases.entry_blocks import closes_soon, entry_bar, opened_just_now
from agent.use_cases.entry_choice import POSITIONS_FULL, best_of_chain, choose_entries
from agent.use_cases.entry_risk import EntryBudget, entry_budget
from agent.use_cases.market_view import look_at
from agent.use_cases.schedule import ScheduledEvent, is_stale, leave_beat
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


@dataclass
class _Scan:
    """Gather what one scan sees, symbol by symbol."""

    desk: Desk
    as_of: datetime
    budget: EntryBudget
    active: tuple[Trade, ...]
    stated: tuple[Intent, ...]
    """Entries on their way that may not be trades yet."""
    dividends: Mapping[str, tuple[ExDividend, ...]] = field(default_factory=dict)
    rejections: Counter[str] = field(default_factory=Counter)
    signals: list[Signal] = field(default_factory=list)
    candidates: int = 0
    symbols_scanned: int = 0
    unseen: BrokerUnavailable | None = None


def scan_market(desk: Desk, event: ScheduledEvent) -> ScanReport:
    """Scan once for a slot; a closed market, a stale or repeated slot, or a stop scans nothing.

    Raises BrokerUnavailable where no symbol at all could be seen.
    """
    clock = desk.clock.market_clock()
    leave_beat(desk, "scan_market", event.slot)
    account = _admit(desk, event, clock.is_open, clock.now)
    if isinstance(account, str):
        return ScanReport(slot=event.slot, status=account)
    seconds = desk.settings.schedule.scan_lease_seconds
    with alone(desk, SCAN, clock.now, seconds) as lease:
        if lease is None:
            return ScanReport(slot=event.slot, status="busy")
        if not desk.control.claim_slot("scan", event.slot):
            return ScanReport(slot=event.slot, status="duplicate_slot")
        return _scan_all(desk, event, account, clock, lease)


def _scan_all(
    desk: Desk, event: ScheduledEvent, account: Account, clock: MarketClock, lease: Lease
) -> ScanReport:
    scan = _Scan(
        desk,
        clock.now,
        entry_budget(desk, account),
        active=desk.book.active_trades(),
        stated=desk.book.unfinished_intents(),
    )
    snapshots = desk.market.underlyings(desk.settings.watchlist)
    try:
        scan.dividends = desk.market.dividends(tuple(snapshots), new_york_date(clock.now))
    except (BrokerUnavailable, BrokerRefused, BrokerMisunderstood):
        scan.rejections["dividends_unknown"] += 1  # Forwards that quotes imply need none.
    for symbol in desk.settings.watchlist:
        _scan_symbol(scan, snapshots.get(symbol))
    if scan.unseen is not None and not scan.symbols_scanned:
        raise scan.unseen
    signals = len(scan.signals)
    if signals and (closes_soon(desk, clock) or opened_just_now(desk, clock.now)):
        # The day's volatility sample was due all the same.
        scan.rejections["session_edge"] += len(scan.signals)
        scan.signals = []
    made = desk.book.ledger(day_key(new_york_date(clock.now))).entries
    best = choose_entries(
        scan.signals,
        entries_left=pace(made, desk.settings.risk).entries_left,
        positions_left={symbol: _positions_left(scan, symbol) for symbol in snapshots},
        rejections=scan.rejections,
    )
    bar = _book_bar(scan) if best else None
    if bar is not None:
        scan.rejections[bar] += len(best)
        best = []
    entries = sum(_enter(desk, event.slot, signal, clock.now, lease) for signal in best)
    publish_alerts(desk)
    return ScanReport(
        slot=event.slot,
        status="scanned",
        symbols_scanned=scan.symbols_scanned,
        candidates=scan.candidates,
        signals=signals,
        entries=entries,
        rejections={reason: number for reason, number in sorted(scan.rejections.items()) if number},
    )


def _book_bar(scan: _Scan) -> str | None:
    """Say what of the book bars entries: limits measured from a wrong one would not hold."""
    try:
        differs = own_differences(scan.desk, scan.active)
    except (BrokerUnavailable, BrokerRefused, BrokerMisunderstood):
        return "book_not_compared"
    return "book_differs" if differs else None


def _admit(desk: Desk, event: ScheduledEvent, is_open: bool, now: datetime) -> Account | str:
    """Give the account to trade with, or why this slot does not scan."""
    if not is_open:
        return "market_closed"
    if is_stale(event.slot, now, desk.settings.schedule.scan_slot_age_max_seconds):
        return "stale_slot"
    bar = entry_bar(desk, now)
    if bar is not None:
        return bar.name
    account = desk.broker.account()
    if not account.can_trade_options:
        return "account_restricted"
    if desk.control.bind_account(account.account_number) != account.account_number:
        return "account_mismatch"
    return account


def _scan_symbol(scan: _Scan, underlying: UnderlyingSnapshot | None) -> None:
    """Look at one symbol; what the broker does not tell of it is counted, and the scan goes on."""
    if underlying is None:
        scan.rejections["underlying_unknown"] += 1
        return
    try:
        _look_for_signals(scan, underlying)
    except BrokerUnavailable as error:
        scan.rejections["data_unavailable"] += 1
        scan.unseen = scan.unseen or error
    except BrokerMisunderstood:
        scan.rejections["data_unreadable"] += 1
    except BrokerRefused:
        scan.rejections["data_refused"] += 1
    else:
        scan.symbols_scanned += 1


def _look_for_signals(scan: _Scan, underlying: UnderlyingSnapshot) -> None:
    desk, market = scan.desk, scan.desk.settings.market
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
        scan.rejections.update(refused)
        return
    # The view comes before the position limit: it also takes the day's IV sample.
    view = look_at(desk, underlying, scan.as_of, scan.dividends.get(underlying.symbol, ()))
    if not _positions_left(scan, underlying.symbol):
        scan.rejections[POSITIONS_FULL] += 1
        return
    candidates, best = best_of_chain(
        entering(desk.strategies, desk.settings),
        view,
        held=_contracts_held(scan),
        budget=scan.budget,
        symbol_capital_cents=desk.book.ledger(symbol_key(underlying.symbol)).capital_cents,
        rejections=scan.rejections,
    )
    scan.candidates += candidates
    scan.signals += best


def _positions_left(scan: _Scan, symbol: str) -> int:
    held = sum(trade.symbol == symbol for trade in scan.active)
    return max(0, scan.desk.settings.risk.symbol_positions_max - held)


def _contracts_held(scan: _Scan) -> frozenset[str]:
    """Name the contracts of every trade that is not over, and of every entry stated."""
    structures = [held for trade in scan.active for held, _ in trade.structures_held]
    structures += [intent.signal.structure for intent in scan.stated if intent.signal is not None]
    return frozenset(symbol for structure in structures for symbol in structure.symbols)


def _enter(desk: Desk, slot: datetime, signal: Signal, at: datetime, lease: Lease) -> int:
    code = desk.strategies[signal.strategy].code
    trade = trade_id(desk.settings.stage, slot, signal.symbol, code)
    intent_id = entry_intent_id(trade)
    change = write_entry_intent(intent_id, trade, signal, at)
    try:
        desk.book.commit(replace(change, fence=lease))
    except BookConflict:
        # This slot stated the entry before, and its execution carries it, or the monitor; or this
        # scan took so long that another has begun, which sees what this one did not.
        return 0
    desk.workflows.start(change.intents[0].intent)
    return 1
