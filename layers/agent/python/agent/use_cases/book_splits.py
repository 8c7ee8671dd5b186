"""Book splits of stocks to the trades that hold contracts on them, where nothing is in doubt.

Positions that look as if they were re-struck raise the question; the announcement of the split
answers it. A trade is restated where every one of its contracts is at the broker under its new
symbol, in exactly the number that the split makes of it. Anything else is left to the owner.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from agent.book.changes import BookChange, BookConflict
from agent.book.records import Alert, AlertKind, Trade
from agent.book.splits import WholeSplit, after_split, book_split, split_event_id
from agent.book.states import TradeStatus
from agent.book.transitions import describe
from agent.market.calendar import new_york_date
from agent.market.splits import (
    StockSplit,
    is_adjusted_root,
    is_restruck,
    may_be_restruck,
    struck_for,
)
from agent.options.contracts import OCC_SYMBOL_PATTERN, OptionContract, parse_occ_symbol
from agent.use_cases.desk import Desk

DAYS_BACK = 10
"""How long ago what explains a missing contract may have happened: a long weekend, and more."""


@dataclass(frozen=True)
class Restated:
    """Give the trades as they are once splits are booked, and those by id that are in doubt."""

    trades: tuple[Trade, ...]
    booked: int = 0
    doubtful: frozenset[str] = frozenset()

    @property
    def doubted_stocks(self) -> set[str]:
        """Name the stocks of which nothing is to be inferred: a split may have made it more."""
        return {trade.symbol for trade in self.trades if trade.trade_id in self.doubtful}


def book_splits(
    desk: Desk,
    trades: Sequence[Trade],
    missing: Mapping[str, int],
    held: Mapping[str, int],
    now: datetime,
) -> Restated:
    """Restate the trades whose stock has split.

    `trades` are the active ones as read ahead of `held`, which is what the broker holds, and
    `missing` counts by OCC symbol what it lacks of theirs. Unless something looks like a split,
    nothing is asked. What is no certain split is told once.
    """
    suspects = [trade for trade in trades if _looks_split(trade, trades, missing, held)]
    if not suspects:
        return Restated(tuple(trades))
    symbols = sorted({trade.symbol for trade in suspects})
    today = new_york_date(now)
    announced = desk.market.splits(symbols, today - timedelta(days=DAYS_BACK), today)
    current = {trade.trade_id: trade for trade in trades}
    booked: set[str] = set()
    for symbol in symbols:
        for split in announced.get(symbol, ()):
            of_symbol = [trade for trade in current.values() if trade.symbol == symbol]
            for trade, whole in _certain(symbol, split, of_symbol, held):
                following = _book(desk, trade, whole, now)
                if following is not None:
                    booked.add(trade.trade_id)
                    current[trade.trade_id] = following
    doubtful = _tell(
        desk, [each for each in suspects if each.trade_id not in booked], announced, held, now
    )
    return Restated(tuple(current[trade.trade_id] for trade in trades), len(booked), doubtful)


def _looks_split(
    trade: Trade, trades: Sequence[Trade], missing: Mapping[str, int], held: Mapping[str, int]
) -> bool:
    """Say whether the broker holds, in place of what a trade has, what a split may make of it."""
    if trade.status is not TradeStatus.OPEN:
        return False
    gone = [
        parse_occ_symbol(s) for s, count in trade.leg_quantities.items() if count and s in missing
    ]
    return any(
        may_be_restruck(contract, each) or is_adjusted_root(contract, each)
        for contract in gone
        for each in _options_of(held)
    ) or _shares_look_split(trade, trades, held)


def _shares_look_split(trade: Trade, trades: Sequence[Trade], held: Mapping[str, int]) -> bool:
    """Say so of shares beside which the book has no contract: a whole multiple of them is there."""
    if not trade.shares_held:
        return False
    same = [each for each in trades if each.symbol == trade.symbol]
    booked = sum(each.shares_held for each in same)
    if not booked or any(each.contracts_held for each in same):
        return False
    there = held.get(trade.symbol, 0)
    return there * booked > 0 and abs(there) > abs(booked) and there % booked == 0


def _options_of(held: Mapping[str, int]) -> list[OptionContract]:
    return [
        parse_occ_symbol(symbol)
        for symbol, quantity in held.items()
        if quantity and OCC_SYMBOL_PATTERN.fullmatch(symbol)
    ]


def _certain(
    symbol: str, split: StockSplit, trades: Sequence[Trade], held: Mapping[str, int]
) -> list[tuple[Trade, WholeSplit]]:
    """Give the trades of one stock that a split has certainly restated at the broker.

    All that may be restated are, in thought; each trade is certain whose contracts the broker then
    holds in exactly the numbers of the book.
    """
    factor = split.whole_factor
    if factor is None:
        return []
    concerned = [trade for trade in trades if _is_concerned(trade, symbol, split)]
    contracts = _contracts_after(concerned, factor, held)
    whole = WholeSplit(symbol, split.ex_date, factor, contracts)
    expected: Counter[str] = Counter()
    restated: dict[str, Trade] = {}
    for trade in trades:
        following = trade
        if trade in concerned and contracts.keys() >= trade.leg_quantities.keys():
            following = restated[trade.trade_id] = after_split(trade, whole)
        expected.update(following.leg_quantities)
        expected[symbol] += following.shares_held
    return [
        (trade, whole)
        for trade in concerned
        if trade.status is TradeStatus.OPEN
        and trade.trade_id in restated
        and _agrees(trade, restated[trade.trade_id], expected, held)
    ]


def _is_concerned(trade: Trade, symbol: str, split: StockSplit) -> bool:
    """Say whether a trade holds something from before a split, and has not booked it."""
    return (
        bool(trade.contracts_held or trade.shares_held or trade.campaign.residue)
        and new_york_date(trade.timestamp_enter) < split.ex_date
        and split_event_id(symbol, split.ex_date) not in trade.holdings.booked
    )


def _contracts_after(
    trades: Iterable[Trade], factor: int, held: Mapping[str, int]
) -> dict[str, OptionContract]:
    """Find by OCC symbol what each leg has become: what the broker holds, where one fits alone."""
    there = _options_of(held)
    found: dict[str, OptionContract] = {}
    for trade in trades:
        for symbol, quantity in trade.leg_quantities.items():
            former = parse_occ_symbol(symbol)
            fitting = [each for each in there if is_restruck(former, each, factor)]
            if len(fitting) == 1:
                found[symbol] = fitting[0]
            elif not fitting and not quantity:
                # Of a leg that has gone nothing is held that could bear the new symbol.
                found[symbol] = struck_for(former, factor)
    return found


def _agrees(
    trade: Trade, following: Trade, expected: Mapping[str, int], held: Mapping[str, int]
) -> bool:
    """Say whether the broker holds what the book would, in all that a trade had and would have."""
    contracts = {*trade.leg_quantities, *following.leg_quantities}
    if any(expected.get(each, 0) != held.get(each, 0) for each in contracts):
        return False
    if not following.shares_held:
        return True
    there, booked = held.get(trade.symbol, 0), expected[trade.symbol]
    if not any(trade.leg_quantities.values()):
        return there == booked  # No contract bears witness: nothing else may be among them.
    return there * booked > 0 and abs(there) >= abs(booked)


def _book(desk: Desk, trade: Trade, split: WholeSplit, now: datetime) -> Trade | None:
    """Book one split; None where another pass moved the trade: the next one reads again."""
    change = book_split(trade, desk.book.positions(trade.trade_id), split, now)
    try:
        desk.book.commit(change)
    except BookConflict:
        return None
    assert change.trade is not None
    return change.trade.trade


def _tell(
    desk: Desk,
    doubtful: Sequence[Trade],
    announced: Mapping[str, Sequence[StockSplit]],
    held: Mapping[str, int],
    now: datetime,
) -> frozenset[str]:
    """Alarm once of each trade that a corporate action changed in doubt, and name it."""
    alerts, named = [], set()
    for trade in doubtful:
        splits = [
            split
            for split in announced.get(trade.symbol, ())
            if _is_concerned(trade, trade.symbol, split)
        ]
        adjusted = _adjusted_of(trade, held)
        if splits or adjusted:
            named.add(trade.trade_id)
            alerts.append(_doubt(trade, splits, adjusted, now))
    if alerts:
        desk.book.commit(BookChange(alerts=tuple(alerts)))
    return frozenset(named)


def _adjusted_of(trade: Trade, held: Mapping[str, int]) -> dict[str, int]:
    """Give what the account holds under roots that the legs of a trade may have been given."""
    return {
        symbol: quantity
        for symbol, quantity in sorted(held.items(), key=lambda each: (each[1], each[0]))
        if quantity and OCC_SYMBOL_PATTERN.fullmatch(symbol)
        for former, count in trade.leg_quantities.items()
        if count and is_adjusted_root(parse_occ_symbol(former), parse_occ_symbol(symbol))
    }


def _doubt(
    trade: Trade, splits: Sequence[StockSplit], adjusted: Mapping[str, int], now: datetime
) -> Alert:
    why = [
        f"{trade.symbol} split {_plain(split.new_shares)} for {_plain(split.old_shares)} on"
        f" {split.ex_date:%Y-%m-%d}"
        for split in splits
    ]
    if adjusted:
        there = ", ".join(f"{quantity:+d} {symbol}" for symbol, quantity in adjusted.items())
        why.append(f"the account holds adjusted contracts ({there})")
    return Alert(
        alert_id=f"{trade.trade_id}-adjusted",
        kind=AlertKind.SYSTEM_ERROR,
        at=now,
        subject=f"Adjusted contracts: {trade.symbol}",
        message=(
            f"{'; '.join(why)}, and what the broker holds is not certainly what that makes of"
            f" {describe(trade)}. Nothing of it is booked, closed or rolled by itself. Close by"
            " hand at the broker what the account holds in its place: buy back the short contracts"
            " first, then sell the long ones. The trade stays in the book, and nothing is entered,"
            f" until the book is rebuilt without it (docs/RUNBOOK.md; {trade.trade_id})."
        ),
    )


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
