"""Book what moved the account's cash beside trades, and compare cash, once a day."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from agent.book.account_cash import (
    AccountEntry,
    AccountEntryKind,
    CashComparison,
    begin_comparison,
    compare_cash,
    journal_of,
)
from agent.book.changes import BookChange
from agent.book.identifiers import read_order_name
from agent.book.records import Alert, AlertKind, Trade
from agent.market.calendar import new_york_date
from agent.options.contracts import OCC_SYMBOL_PATTERN
from agent.ports import (
    BrokerMisunderstood,
    BrokerRefused,
    BrokerUnavailable,
    LegFill,
    OptionEventKind,
)
from agent.use_cases.compare_book import own_differences
from agent.use_cases.desk import Desk

DAYS_BACK = 10
"""How long ago what is not booked yet may have happened: a long weekend, and more."""
ENTRIES_TOGETHER_MAX = 40
DELIVERING = frozenset({OptionEventKind.ASSIGNED, OptionEventKind.EXERCISED})
CONTRACT_MULTIPLIER = 100
UNBOOKED = "the broker does not hold what the book holds"
BEGINS = "Cash is compared from today on."


@dataclass(frozen=True)
class AccountDay:
    """Say what a day's comparison came to; `sentences` are for the daily report."""

    sentences: tuple[str, ...]
    entries_booked: int = 0
    comparison: CashComparison | None = None
    """None where nothing certain could be said."""


def reconcile_account(
    desk: Desk, trades: Sequence[Trade], session: date, now: datetime
) -> AccountDay:
    """Book new entries of the account, then hold its cash against the book's.

    `trades` are all of the book. What the broker does not tell keeps nobody from the daily report:
    the next evening catches up.
    """
    try:
        return _reconcile(desk, trades, session, now)
    except (BrokerUnavailable, BrokerRefused, BrokerMisunderstood) as error:
        return AccountDay((f"Fees and cash were not compared: {type(error).__name__}.",))


def _reconcile(desk: Desk, trades: Sequence[Trade], session: date, now: datetime) -> AccountDay:
    # Cash is read first: what is posted a moment later may be in the entries, and is told by them.
    account = desk.broker.account()
    baseline = desk.book.cash_baseline()
    since = session - timedelta(days=DAYS_BACK)
    fills = desk.broker.leg_fills(since)
    booked = desk.book.account_entries()
    known = {entry.entry_id for entry in booked}
    told = _entries(desk, trades, fills, since, now)
    found = [entry for entry in told if entry.entry_id not in known]
    _book(desk, found)
    entries = (*booked, *found)
    of_today = sum(new_york_date(entry.booked_at) == session for entry in entries)
    if desk.book.unfinished_intents():
        return AccountDay(("Cash was not compared: an order is under way.",), of_today)
    if own_differences(desk, desk.book.active_trades()):
        # Delivered after the last pass, for one: its cash has moved, and nobody has booked it.
        return AccountDay((f"Cash was not compared: {UNBOOKED}.",), of_today)
    if baseline is not None and new_york_date(baseline.at) == session:
        return AccountDay((BEGINS,), of_today)
    foreign = _foreign_deliveries(desk, trades, since if baseline is None else baseline.at.date())
    if baseline is None or foreign:
        start = begin_comparison(trades, account.cash, account.accrued_fees, now)
        desk.book.commit(BookChange(cash_baseline=start))
        why = f"Contracts of others were delivered: {', '.join(foreign)}. " if foreign else ""
        return AccountDay((f"{why}{BEGINS}",), of_today)
    comparison = compare_cash(
        trades,
        entries,
        baseline,
        cash=account.cash,
        accrued_fees=account.accrued_fees,
        at=now,
    )
    if not comparison.agrees:
        desk.book.commit(BookChange(alerts=(_alert(comparison, session, now),)))
    sentences = (comparison.fees_sentence(), comparison.sentence())
    return AccountDay(sentences, of_today, comparison)


def _entries(
    desk: Desk, trades: Sequence[Trade], fills: Sequence[LegFill], since: date, now: datetime
) -> Iterator[AccountEntry]:
    for each in desk.broker.cash_activities(since):
        yield AccountEntry(
            entry_id=each.activity_id,
            kind=each.kind,
            session=each.session,
            amount=each.amount,
            booked_at=now,
        )
    for fill in fills:
        quantity = _foreign_quantity(desk, trades, fill)
        if quantity:
            multiplier = CONTRACT_MULTIPLIER if OCC_SYMBOL_PATTERN.fullmatch(fill.symbol) else 1
            yield AccountEntry(
                entry_id=_name(fill),
                kind=AccountEntryKind.FOREIGN_TRADE,
                session=fill.filled_at.date(),
                amount=-quantity * fill.price * multiplier,
                booked_at=now,
            )


def _name(fill: LegFill) -> str:
    """Name a fill as the trade does that books it: a liquidation, or its owner's own order."""
    return f"order-{fill.order_id}-{fill.symbol}"


def _foreign_quantity(desk: Desk, trades: Sequence[Trade], fill: LegFill) -> int:
    """Count what of a fill is neither of an order of ours nor booked to a trade of ours."""
    name = read_order_name(fill.client_order_id)
    if name is not None and name.stage == desk.settings.stage:
        return 0
    booked = sum(abs(trade.holdings.booked.get(_name(fill), 0)) for trade in trades)
    left = abs(fill.quantity) - booked
    return left if fill.quantity > 0 else -left


def _book(desk: Desk, entries: Sequence[AccountEntry]) -> None:
    for start in range(0, len(entries), ENTRIES_TOGETHER_MAX):
        some = tuple(entries[start : start + ENTRIES_TOGETHER_MAX])
        events = tuple(journal_of(entry) for entry in some)
        desk.book.commit(BookChange(account_entries=some, events=events))


def _foreign_deliveries(desk: Desk, trades: Sequence[Trade], since: date) -> list[str]:
    """Name contracts of others that were assigned or exercised: no entry says what that moved."""
    ours = {symbol for trade in trades for symbol in trade.symbols_ever}
    events = desk.broker.option_events(since)
    return sorted(
        {each.symbol for each in events if each.kind in DELIVERING and each.symbol not in ours}
    )


def _alert(comparison: CashComparison, session: date, now: datetime) -> Alert:
    return Alert(
        alert_id=f"cash-differs-{session:%Y%m%d}",
        kind=AlertKind.SYSTEM_ERROR,
        at=now,
        subject=f"Book and broker differ: {comparison.difference:+.2f} USD of cash",
        message=comparison.sentence(),
    )
