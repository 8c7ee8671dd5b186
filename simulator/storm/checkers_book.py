"""Rules about the book: it is the broker's, its sums are right, and everything ends."""

from collections import Counter
from datetime import datetime
from decimal import Decimal

from agent.book.records import Trade
from agent.book.states import ACTIVE_STATUSES, TradeStatus
from agent.risk.reservation import PORTFOLIO_KEY, day_key, symbol_key
from simulator.checkers.cash_identity import check_cash_identity
from simulator.exchange.calendar import new_york_date
from simulator.storm.scenario import SYMBOLS
from simulator.storm.view import DayView, cash_of

UNENTERED = {TradeStatus.REJECTED, TradeStatus.CANCELLED}
PASSING = {TradeStatus.PENDING, TradeStatus.CLOSING, TradeStatus.ROLLING}


class BookIsBroker:
    """2: while nothing is under way, the book holds what the broker holds, to the cent."""

    name = "book_is_broker"

    def __init__(self) -> None:
        self.times_checked = 0

    def check(self, view: DayView) -> list[str]:
        if not view.is_quiescent:
            return []
        self.times_checked += 1
        trades = view.book.all_trades()
        if view.unbooked_moves():
            return _quantities(view, trades)
        return _quantities(view, trades) + _cash(view, trades)

    def check_end(self, view: DayView) -> list[str]:
        return self.check(view) + [
            f"{move.quantity:+d} {move.symbol} ({move.kind}) never reached the book"
            for move in view.unbooked_moves()
            if move.known_from <= view.now
        ]


def _quantities(view: DayView, trades: tuple[Trade, ...]) -> list[str]:
    found = []
    for trade in trades:
        if not trade.contracts_held:
            continue
        stored = {p.option_symbol: p.quantity for p in view.book.positions(trade.trade_id)}
        found += [
            f"{trade.trade_id} holds {stored.get(symbol)} {symbol} as positions"
            for symbol, quantity in trade.leg_quantities.items()
            if quantity and stored.get(symbol) != abs(quantity)
        ]
    by_book, by_broker = view.booked(), view.own_held
    excused = view.mishaps.pending_symbols
    return found + [
        f"the book holds {by_book[symbol]} {symbol}, the broker {by_broker[symbol]}"
        for symbol in sorted(by_book.keys() | by_broker.keys())
        if symbol not in excused and by_book[symbol] != by_broker[symbol]
    ]


def _cash(view: DayView, trades: tuple[Trade, ...]) -> list[str]:
    foreign = sum(
        (
            cash_of(fill)
            for fill in view.exchange.book.fills
            if fill.client_order_id in view.foreign_client_ids
        ),
        Decimal(0),
    )
    identity = check_cash_identity(
        trades,
        cash_start=view.exchange.book.starting_cash + foreign,
        cash_end=view.exchange.cash,
        fees_charged=view.exchange.book.fees_charged,
    )
    return [] if identity.holds else [f"book and cash differ by {identity.difference} USD"]


class ReservationsSum:
    """6: the ledger is the sum of what open and pending trades risk."""

    name = "reservations_sum"

    def __init__(self) -> None:
        self._commits = -1

    def check(self, view: DayView) -> list[str]:
        if view.book.commits == self._commits:
            return []
        self._commits = view.book.commits
        trades = view.book.all_trades()
        active = [trade for trade in trades if trade.status in ACTIVE_STATUSES]
        found = _sums(view, PORTFOLIO_KEY, active, has_positions=False)
        for symbol in SYMBOLS:
            of_symbol = [trade for trade in active if trade.symbol == symbol]
            found += _sums(view, symbol_key(symbol), of_symbol, has_positions=True)
        entered = Counter(
            new_york_date(trade.timestamp_enter)
            for trade in trades
            if trade.status not in UNENTERED
        )
        for day in (view.scenario.eve.session, view.scenario.day.session):
            counted = view.book.ledger(day_key(day)).entries
            if counted != entered[day]:
                found.append(f"the ledger counts {counted} entries on {day}, not {entered[day]}")
        return found

    def check_end(self, view: DayView) -> list[str]:
        return self.check(view)


def _sums(view: DayView, key: str, trades: list[Trade], *, has_positions: bool) -> list[str]:
    entry = view.book.ledger(key)
    heat = sum(trade.risk.heat_cents for trade in trades)
    capital = sum(trade.risk.capital_cents for trade in trades)
    found = []
    if entry.heat_cents != heat:
        found.append(f"{key} reserves {entry.heat_cents} cents of heat, its trades {heat}")
    if entry.capital_cents != capital:
        found.append(f"{key} reserves {entry.capital_cents} cents, its trades {capital}")
    if has_positions and entry.positions != len(trades):
        found.append(f"{key} counts {entry.positions} trades, not {len(trades)}")
    return found


class EverythingEnds:
    """5: executions end, and nothing stays pending or closing past its bound."""

    name = "everything_ends"

    def __init__(self) -> None:
        self._since: dict[tuple[str, str, int], datetime] = {}

    def check(self, view: DayView) -> list[str]:
        bound = view.profile.pending_bound_seconds
        found = []
        current: dict[tuple[str, str, int], datetime] = {}
        for trade in view.book.active_trades():
            if trade.status not in PASSING:
                continue
            key = (trade.trade_id, trade.status.value, trade.close_attempts)
            current[key] = self._since.get(key, view.now)
            if (view.now - current[key]).total_seconds() > bound:
                found.append(f"{trade.trade_id} is {trade.status} for more than {bound:g} s")
        self._since = current
        return found

    def check_end(self, view: DayView) -> list[str]:
        found = [f"{run.name} still runs" for run in view.executions.runs.values() if _lives(run)]
        found += [f"{i.intent_id} is not done" for i in view.book.unfinished_intents()]
        found += [
            f"{trade.trade_id} is still {trade.status}"
            for trade in view.book.active_trades()
            if trade.status in PASSING
        ]
        return found + [f"{o.client_order_id} still works" for o in view.own_working]


def _lives(run: object) -> bool:
    return getattr(run, "status", None) == "RUNNING"


class NoSecretLeaks:
    """8: no key in any log line, alert or history."""

    name = "no_secret_leaks"

    def __init__(self) -> None:
        self._lines = 0
        self._alerts = 0
        self._history: dict[str, int] = {}

    def check(self, view: DayView) -> list[str]:
        secrets = (view.exchange.key_id, view.exchange.secret_key)
        lines = list(view.functions.log[self._lines :])
        self._lines = len(view.functions.log)
        lines += [f"{a.subject} {a.message}" for a in view.alerts.published[self._alerts :]]
        self._alerts = len(view.alerts.published)
        for name, run in view.executions.runs.items():
            lines += run.history[self._history.get(name, 0) :]
            self._history[name] = len(run.history)
        return [f"a key leaks: {line[:80]}" for line in lines if any(s in line for s in secrets)]

    def check_end(self, view: DayView) -> list[str]:
        return self.check(view)
