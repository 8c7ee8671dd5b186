"""Book what became of contracts without a trade of ours: expired, assigned, exercised, liquidated.

The broker's positions say that something is gone; its activities say why, on paper a day later. An
assignment whose shares are there already is believed before. What neither explains is left as it
is: the comparison of book and broker tells the owner.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from agent.book.changes import BookChange, BookConflict
from agent.book.identifiers import read_order_name
from agent.book.lifecycle import (
    LegEvent,
    LegEventKind,
    after_leg_event,
    book_leg_event,
    inferred_event_id,
)
from agent.book.records import Alert, AlertKind, Trade
from agent.book.splits import explains_adjustment
from agent.book.states import TradeStatus
from agent.market.calendar import NEW_YORK, new_york_date
from agent.options.contracts import OptionType, parse_occ_symbol
from agent.options.structures import Leg, LegSide
from agent.ports import OptionEvent, OptionEventKind
from agent.use_cases.book_splits import DAYS_BACK, Restated, book_splits
from agent.use_cases.compare_book import unsettled_contracts
from agent.use_cases.desk import Desk
from agent.use_cases.losing_streak import commit_outcome
from agent.use_cases.remainder_orders import booking_for, leg_fees

ZERO = Decimal(0)
KINDS = {
    OptionEventKind.EXPIRED: LegEventKind.EXPIRED,
    OptionEventKind.ASSIGNED: LegEventKind.ASSIGNED,
    OptionEventKind.EXERCISED: LegEventKind.EXERCISED,
}


@dataclass
class _Explanation:
    """Hold an activity, and how many of its contracts are not booked yet."""

    event_id: str
    kind: LegEventKind
    contracts: int
    at: datetime
    price: Decimal = ZERO


@dataclass(frozen=True)
class Befallen:
    """Count the events booked, and name the trades of which something is gone unexplained."""

    booked: int = 0
    unexplained: frozenset[str] = frozenset()
    missing: Mapping[str, int] = field(default_factory=dict)
    """Contracts by OCC symbol that are gone unexplained, those of adjusted contracts left out."""


def book_lifecycle(
    desk: Desk, before: Sequence[Trade], held: Mapping[str, int], now: datetime
) -> Befallen:
    """Book what befell legs of open trades.

    `before` are the active trades as read ahead of this call, and `held` what the broker held
    after. Splits come first: they give contracts other names. Unless a contract is missing, nothing
    is asked; then the activities are read. Each event is booked once, however often it is read.
    """
    missing = missing_contracts(before, held)
    restated = book_splits(desk, before, missing, held, now)
    before, booked = restated.trades, len(restated.booked)
    if booked:
        missing = missing_contracts(before, held)
    open_trades = [trade for trade in before if trade.status is TradeStatus.OPEN]
    if not missing or not any(trade.contracts_held for trade in open_trades):
        return Befallen(booked, restated.doubtful)
    for symbol in unsettled_contracts(desk, before, desk.book.active_trades()):
        missing.pop(symbol, None)
    explained = _explain(desk, restated, missing, held, now) if missing else {}
    unexplained = set(restated.doubtful)
    after = {trade.trade_id: trade for trade in before}
    for trade in open_trades:
        current: Trade | None = trade
        for event in _events_of(trade, missing, explained):
            current = None if current is None else _book(desk, current, event, now)
            booked += current is not None
        after[trade.trade_id] = current or trade
        if any(missing[symbol] > 0 for symbol, held_of in trade.leg_quantities.items() if held_of):
            unexplained.add(trade.trade_id)
    left = {s: count for s, count in missing.items() if count > 0 and (s in explained)}
    if booked > len(restated.booked):
        # What came before a split is booked by now, and its shares may have split since.
        trades = tuple(after.values())
        again = book_splits(desk, trades, missing_contracts(trades, held), held, now)
        booked += len(again.booked)
        unexplained = (unexplained - again.booked) | again.doubtful
    return Befallen(booked, frozenset(unexplained), left)


def missing_contracts(trades: Iterable[Trade], held: Mapping[str, int]) -> Counter[str]:
    """Count the contracts of each leg that the book has and the broker has not."""
    booked: Counter[str] = Counter()
    for trade in trades:
        for symbol, quantity in trade.leg_quantities.items():
            booked[symbol] += quantity
    return Counter(
        {
            symbol: abs(quantity) - max(held.get(symbol, 0) * (1 if quantity > 0 else -1), 0)
            for symbol, quantity in booked.items()
            if held.get(symbol, 0) * (1 if quantity > 0 else -1) < abs(quantity)
        }
    )


def _explain(
    desk: Desk,
    restated: Restated,
    missing: Mapping[str, int],
    held: Mapping[str, int],
    now: datetime,
) -> dict[str, list[_Explanation]]:
    """Gather, for each missing contract, what the broker says became of it."""
    trades = restated.trades
    since = new_york_date(now) - timedelta(days=DAYS_BACK)
    reported = desk.broker.option_events(since)
    adjusted = [
        each
        for each in reported
        if each.kind is OptionEventKind.ADJUSTED
        and each.symbol in missing
        and _underlying_of(each.symbol) not in restated.split_whole
        and not _is_split_of(trades, each)
    ]
    alerts = tuple(_adjusted(each, now) for each in adjusted)
    if alerts:
        desk.book.commit(BookChange(alerts=alerts))
    explained: dict[str, list[_Explanation]] = {}
    for symbol in missing:
        # A contract that a corporate action touched is the owner's: nothing is booked by itself.
        if any(each.symbol == symbol for each in adjusted):
            continue
        explained[symbol] = list(_unbooked(symbol, reported, trades))
    # Where a split is in doubt, neither shares nor fills tell what became of a contract.
    doubted = restated.doubted_stocks
    clear = {s: known for s, known in explained.items() if _underlying_of(s) not in doubted}
    _infer(trades, missing, held, clear, now)
    if any(_unexplained(missing, clear, symbol) for symbol in clear):
        _add_trades_of_others(desk, trades, missing, clear, since)
    return explained


def _underlying_of(symbol: str) -> str:
    return parse_occ_symbol(symbol).underlying


def _is_split_of(trades: Sequence[Trade], event: OptionEvent) -> bool:
    """Say whether an adjustment is a split that all with the contract booked, or came after."""
    holders = [trade for trade in trades if trade.leg_quantities.get(event.symbol)]
    return bool(holders) and all(
        explains_adjustment(trade, event.session)
        or new_york_date(trade.timestamp_enter) > event.session
        for trade in holders
    )


def _unexplained(
    missing: Mapping[str, int], explained: Mapping[str, list[_Explanation]], symbol: str
) -> int:
    return missing[symbol] - sum(each.contracts for each in explained[symbol])


def _add_trades_of_others(
    desk: Desk,
    trades: Sequence[Trade],
    missing: Mapping[str, int],
    explained: dict[str, list[_Explanation]],
    since: date,
) -> None:
    """Explain what is missing still by fills of orders that are not ours, newest first.

    They are the broker's liquidations, or what the owner did by hand.
    """
    ours = {order.client_order_id for each in desk.book.all_intents() for order in each.orders}
    booked: Counter[str] = Counter()
    for trade in trades:
        booked.update(trade.holdings.booked)
    for fill in desk.broker.leg_fills(since):
        holders = [trade for trade in trades if trade.leg_quantities.get(fill.symbol, 0)]
        if fill.symbol not in explained or fill.client_order_id in ours or not holders:
            continue
        name = read_order_name(fill.client_order_id)
        if name is not None and name.stage == desk.settings.stage:
            continue  # Ours too, though a book that was rebuilt knows no intents.
        reduces = holders[0].leg_quantities[fill.symbol] * fill.quantity < 0
        if not reduces or fill.filled_at < min(trade.timestamp_enter for trade in holders):
            continue
        source = f"order-{fill.order_id}"
        left = abs(fill.quantity) - booked[f"{source}-{fill.symbol}"]
        count = min(left, _unexplained(missing, explained, fill.symbol))
        expires = parse_occ_symbol(fill.symbol).expiration
        is_liquidation = new_york_date(fill.filled_at) == expires
        if count > 0:
            kind = LegEventKind.LIQUIDATED if is_liquidation else LegEventKind.TRADED
            explained[fill.symbol].append(
                _Explanation(f"{source}-{fill.symbol}", kind, count, fill.filled_at, fill.price)
            )


def _unbooked(
    symbol: str, reported: Sequence[OptionEvent], trades: Sequence[Trade]
) -> Iterator[_Explanation]:
    """Give what was reported of a contract and is not booked, in part or in full."""
    booked: Counter[str] = Counter()
    for trade in trades:
        if symbol in trade.symbols_ever:
            booked.update(trade.holdings.booked)
    # What positions told of a contract is what the activity of a later day reports.
    told = inferred_event_id(symbol)
    inferred = sum(count for name, count in booked.items() if name.startswith(told))
    for event in reported:
        if event.symbol != symbol or event.kind not in KINDS:
            continue
        left = event.contracts - booked[event.activity_id]
        if event.kind in {OptionEventKind.ASSIGNED, OptionEventKind.EXERCISED}:
            absorbed = min(left, inferred)
            left, inferred = left - absorbed, inferred - absorbed
        if left > 0:
            at = datetime.combine(event.session, time(16), NEW_YORK)
            yield _Explanation(event.activity_id, KINDS[event.kind], left, at)


def _infer(
    trades: Sequence[Trade],
    missing: Mapping[str, int],
    held: Mapping[str, int],
    explained: dict[str, list[_Explanation]],
    now: datetime,
) -> None:
    """Believe an assignment that nothing reports yet, where exactly its shares are there."""
    for underlying in sorted({_underlying_of(symbol) for symbol in explained}):
        shares = held.get(underlying, 0) - sum(
            trade.shares_held for trade in trades if trade.symbol == underlying
        )
        unreported: list[tuple[Leg, int]] = []
        for leg in _short_legs(trades, underlying):
            symbol = leg.contract.symbol
            if symbol not in explained:
                continue
            known = sum(each.contracts for each in explained[symbol])
            unreported.append((leg, missing[symbol] - known))
        for symbol, known_of in explained.items():
            if _underlying_of(symbol) == underlying:
                shares -= sum(_delivery(symbol, each) for each in known_of)
        candidates = [(leg, count) for leg, count in unreported if count > 0]
        if shares and len(candidates) == 1:
            leg, count = candidates[0]
            is_put = leg.contract.option_type is OptionType.PUT
            if shares == count * leg.contract.multiplier * (1 if is_put else -1):
                name = _inferred_name(trades, leg.contract.symbol, new_york_date(now))
                explained[leg.contract.symbol].append(
                    _Explanation(name, LegEventKind.ASSIGNED, count, now)
                )


def _inferred_name(trades: Iterable[Trade], symbol: str, session: date) -> str:
    """Name an assignment that is believed; another of the same contract and day has its own."""
    name = inferred_event_id(symbol, session)
    booked = {each for trade in trades for each in trade.holdings.booked if each.startswith(name)}
    return f"{name}-{len(booked) + 1}" if booked else name


def _short_legs(trades: Sequence[Trade], underlying: str) -> list[Leg]:
    legs = {
        leg.contract.symbol: leg
        for trade in trades
        if trade.symbol == underlying
        for leg in trade.structure.legs
        if leg.side is LegSide.SHORT
    }
    return [legs[symbol] for symbol in sorted(legs)]


def _delivery(symbol: str, explanation: _Explanation) -> int:
    """Count the shares that came (positive) or went with an event."""
    contract = parse_occ_symbol(symbol)
    is_put = contract.option_type is OptionType.PUT
    shares = explanation.contracts * contract.multiplier
    if explanation.kind is LegEventKind.ASSIGNED:
        return shares if is_put else -shares
    if explanation.kind is LegEventKind.EXERCISED:
        return -shares if is_put else shares
    return 0


def _events_of(
    trade: Trade, missing: Counter[str], explained: Mapping[str, list[_Explanation]]
) -> Iterator[LegEvent]:
    """Hand what is explained to the trades that hold it, in the order of their ids."""
    for leg in trade.structure.legs:
        symbol = leg.contract.symbol
        own = leg.ratio * trade.contracts_held - trade.holdings.legs_gone.get(symbol, 0)
        for each in explained.get(symbol, []):
            is_long = leg.side is LegSide.LONG
            # A short leg is assigned, a long one exercised; all else may happen to both.
            fits = each.kind is not (LegEventKind.ASSIGNED if is_long else LegEventKind.EXERCISED)
            count = min(own, each.contracts, missing[symbol]) if fits else 0
            if count > 0 and each.event_id not in trade.holdings.booked:
                own -= count
                each.contracts -= count
                missing[symbol] -= count
                yield LegEvent(each.event_id, each.kind, symbol, count, each.at, each.price)


def _book(desk: Desk, trade: Trade, event: LegEvent, now: datetime) -> Trade | None:
    """Book one event; None where another pass moved the trade: the next one reads again."""
    fees = leg_fees(desk, trade, event.symbol, event.contracts, event.price)
    after = after_leg_event(trade, event)
    booking = booking_for(trade, after, fees if event.price else ZERO)
    positions = desk.book.positions(trade.trade_id)
    change = book_leg_event(trade, positions, event, booking, now)
    try:
        commit_outcome(desk, change)
    except BookConflict:
        return None
    assert change.trade is not None
    return change.trade.trade


def _adjusted(event: OptionEvent, now: datetime) -> Alert:
    return Alert(
        alert_id=f"{event.activity_id}-adjusted",
        kind=AlertKind.SYSTEM_ERROR,
        at=now,
        subject=f"Adjusted contract: {event.symbol}",
        message=(
            f"A corporate action changed {event.symbol} on {event.session:%Y-%m-%d}: what it "
            "delivers is another thing than before. Nothing is booked, closed or rolled by "
            "itself. See to it at the broker."
        ),
    )
