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
from agent.options.contracts import (
    OCC_SYMBOL_PATTERN,
    OptionContract,
    OptionType,
    parse_occ_symbol,
)
from agent.use_cases.desk import Desk

DAYS_BACK = 10
"""How long ago what explains a missing contract may have happened: a long weekend, and more."""


@dataclass(frozen=True)
class Restated:
    """Give the trades as they are once splits are booked, and those by id that are in doubt."""

    trades: tuple[Trade, ...]
    booked: frozenset[str] = frozenset()
    """The ids of those that were restated now."""
    doubtful: frozenset[str] = frozenset()
    split_whole: frozenset[str] = frozenset()
    """The stocks of doubtful trades of which a split into whole shares is announced.

    What is reported of a contract on them under its old symbol was before that split.
    """

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
    left = [trade for trade in suspects if trade.trade_id not in booked]
    concerning = {trade.trade_id: _concerning(trade, announced) for trade in left}
    return Restated(
        tuple(current[trade.trade_id] for trade in trades),
        frozenset(booked),
        _tell(desk, left, concerning, held, now),
        frozenset(
            trade.symbol
            for trade in left
            if any(split.whole_factor for split in concerning[trade.trade_id])
        ),
    )


def _looks_split(
    trade: Trade, trades: Sequence[Trade], missing: Mapping[str, int], held: Mapping[str, int]
) -> bool:
    """Say whether the broker holds, in place of what a trade has, what a split may make of it."""
    if trade.status is not TradeStatus.OPEN:
        return False
    gone = [
        parse_occ_symbol(s) for s, count in trade.leg_quantities.items() if count and s in missing
    ]
    if any(
        may_be_restruck(contract, each) or is_adjusted_root(contract, each)
        for contract in gone
        for each in _options_of(held)
    ):
        return True
    if not gone and not trade.shares_held:
        return False
    return _shares_look_split(trade.symbol, trades, missing, held)


def _shares_look_split(
    symbol: str, trades: Sequence[Trade], missing: Mapping[str, int], held: Mapping[str, int]
) -> bool:
    """Say whether twice the shares are there that the book has and missing shorts would bring."""
    same = [trade for trade in trades if trade.symbol == symbol]
    due = sum(trade.shares_held for trade in same)
    for trade in same:
        for contract, count in trade.leg_quantities.items():
            if count and contract not in missing:
                return False  # A contract is there under its old symbol: nothing was restruck.
    for contract in {leg for trade in same for leg in trade.leg_quantities if leg in missing}:
        short = sum(trade.leg_quantities.get(contract, 0) for trade in same) < 0
        due += _delivery(contract, missing[contract]) if short else 0
    there = held.get(symbol, 0)
    return there * due > 0 and abs(there) >= 2 * abs(due)


def _delivery(symbol: str, contracts: int) -> int:
    """Count the shares that come (positive) or go where so many short contracts are assigned."""
    contract = parse_occ_symbol(symbol)
    is_put = contract.option_type is OptionType.PUT
    return contracts * contract.multiplier * (1 if is_put else -1)


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
    _expect_assignment(symbol, expected, held)
    return [
        (trade, whole)
        for trade in concerned
        if trade.status is TradeStatus.OPEN
        and trade.trade_id in restated
        and _agrees(trade, restated[trade.trade_id], expected, held)
    ]


def _expect_assignment(symbol: str, expected: Counter[str], held: Mapping[str, int]) -> None:
    """Expect less of one short contract of a stock where exactly the shares of it are there.

    It was assigned before its split, and no activity tells it yet. That it was is booked behind the
    split, as any assignment is: from these shares.
    """
    differing = {
        contract: held.get(contract, 0) - count
        for contract, count in expected.items()
        if contract != symbol and count != held.get(contract, 0)
    }
    for contract, gone in differing.items():
        shares = _delivery(contract, gone)
        is_short = expected[contract] < held.get(contract, 0) <= 0
        if len(differing) == 1 and is_short and held.get(symbol, 0) == expected[symbol] + shares:
            expected[contract] += gone
            expected[symbol] += shares


def _is_concerned(trade: Trade, symbol: str, split: StockSplit) -> bool:
    """Say whether a trade holds something from before a split, and has not booked it."""
    return (
        bool(trade.contracts_held or trade.shares_held or trade.campaign.residue)
        and new_york_date(trade.timestamp_enter) < split.ex_date
        and split_event_id(symbol, split.ex_date) not in trade.holdings.booked
    )


def _concerning(trade: Trade, announced: Mapping[str, Sequence[StockSplit]]) -> list[StockSplit]:
    splits = announced.get(trade.symbol, ())
    return [split for split in splits if _is_concerned(trade, trade.symbol, split)]


def _contracts_after(
    trades: Iterable[Trade], factor: int, held: Mapping[str, int]
) -> dict[str, OptionContract]:
    """Find by OCC symbol what each leg has become: what the broker holds, where one fits alone."""
    there = _options_of(held)
    found: dict[str, OptionContract] = {}
    for trade in trades:
        for symbol in trade.leg_quantities:
            former = parse_occ_symbol(symbol)
            fitting = [each for each in there if is_restruck(former, each, factor)]
            if len(fitting) == 1:
                found[symbol] = fitting[0]
            elif not fitting:
                # Of a leg that has gone nothing is there that could bear the new symbol.
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
    concerning: Mapping[str, Sequence[StockSplit]],
    held: Mapping[str, int],
    now: datetime,
) -> frozenset[str]:
    """Alarm once of each trade that a corporate action changed in doubt, and name it."""
    alerts, named = [], set()
    for trade in doubtful:
        splits, adjusted = concerning[trade.trade_id], _adjusted_of(trade, held)
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
