"""Protect what is left of a trade while the broker lacks a leg of it and nothing says why.

What became of the missing leg is never guessed, and nothing of it is booked. But no stop waits for
an explanation: a short that has lost its cover is bought back at once, and units of which every
leg is there go on being judged by their rules. What goes is counted at the broker, read a second
time.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from agent.book.certain_holdings import CertainHolding, certain_holdings, uncovered_calls
from agent.book.changes import BookChange, BookConflict
from agent.book.comparison import PositionDifference, booked_positions
from agent.book.records import Alert, AlertKind, Trade
from agent.book.states import ExitReason, TradeStatus
from agent.book.transitions import describe
from agent.book.winding_up import Remainder, begin_remainder
from agent.market.calendar import new_york_date
from agent.use_cases.book_lifecycle import Befallen, missing_contracts
from agent.use_cases.compare_book import difference_alert
from agent.use_cases.desk import Desk
from agent.use_cases.late_fills import adopt_late_fills
from agent.use_cases.troubles import Troubles
from agent.use_cases.wind_up import wind_up


@dataclass(frozen=True)
class Protected:
    """Say what was begun, and which trades the exit rules may judge, for how many units each."""

    begun: Counter[str] = field(default_factory=Counter)
    judged: Mapping[str, int] = field(default_factory=dict)


def protect_broken(
    desk: Desk, active: Sequence[Trade], befallen: Befallen, troubles: Troubles, now: datetime
) -> Protected:
    """Alarm, and begin what protects; a pass in which nothing is missing asks nothing."""
    if not befallen.missing:
        return Protected()
    broken = [
        trade
        for trade in active
        if trade.trade_id in befallen.unexplained and trade.status is TradeStatus.OPEN
    ]
    if adopt_late_fills(desk, broken, set(befallen.missing), now):
        return Protected()  # An order of ours explains it: the next pass sees what is left.
    held = {position.symbol: position.quantity for position in desk.broker.holdings()}
    again = missing_contracts(active, held)
    missing = {symbol: again[symbol] for symbol in befallen.missing if again[symbol] > 0}
    _tell(desk, active, missing, held, now)
    found = certain_holdings(active, missing)
    begun: Counter[str] = Counter()
    judged: dict[str, int] = {}
    for trade in broken:
        holding = found.get(trade.trade_id)
        if holding is None or trade.campaign.residue is not None:
            continue
        with troubles.of(trade.trade_id):
            reason = _protect(desk, trade, holding, now)
            begun.update([reason] if reason else [])
            if not reason and holding.whole and _may_be_judged(trade, holding):
                judged[trade.trade_id] = holding.whole
    return Protected(begun, judged)


def _may_be_judged(trade: Trade, holding: CertainHolding) -> bool:
    if trade.shares_held < 0:
        return False  # These go before anything else.
    return not trade.holdings.legs_gone or holding.is_even


def cover_calls(
    desk: Desk,
    active: Sequence[Trade],
    held: Mapping[str, int],
    troubles: Troubles,
    now: datetime,
) -> Counter[str]:
    """Begin to buy back calls that were written on shares which are gone; count it by reason.

    `held` is what the broker holds. It is read again before anything is done.
    """
    begun: Counter[str] = Counter()
    if not uncovered_calls(active, held):
        return begun
    again = {position.symbol: position.quantity for position in desk.broker.holdings()}
    found = uncovered_calls(active, again)
    for trade in active:
        contracts = found.get(trade.trade_id, 0)
        if contracts and trade.status is TradeStatus.OPEN and not trade.holdings.legs_gone:
            with troubles.of(trade.trade_id):
                symbol = trade.structure.symbols[0]
                reason = _buy_back(desk, trade, symbol, contracts, now)
                begun.update([reason] if reason else [])
    return begun


def _tell(
    desk: Desk,
    active: Sequence[Trade],
    missing: Mapping[str, int],
    held: Mapping[str, int],
    now: datetime,
) -> None:
    """Tell at once: an exit begun below would keep the comparison of the pass from telling."""
    booked = booked_positions(active)
    alerts = [
        difference_alert(
            PositionDifference(symbol, booked.get(symbol, 0), held.get(symbol, 0)), now
        )
        for symbol in sorted(missing)
    ]
    if alerts:
        desk.book.commit(BookChange(alerts=tuple(alerts)))


def _protect(desk: Desk, trade: Trade, holding: CertainHolding, now: datetime) -> str | None:
    if not _may_be_judged(trade, holding):
        return wind_up(desk, trade, now, holding)
    for symbol, contracts in holding.uncovered.items():
        return _buy_back(desk, trade, symbol, contracts, now)
    return None


def _buy_back(desk: Desk, trade: Trade, symbol: str, contracts: int, now: datetime) -> str | None:
    """Begin to buy back shorts that have lost their cover, urgently, and say so."""
    sentence = f"{contracts} x {symbol} have lost what covered them."
    remainder = Remainder(sentence, leg=symbol, contracts=contracts)
    change, intent = begin_remainder(
        trade, remainder, now, reason=ExitReason.COVER_LOST, contracts=contracts
    )
    alert = Alert(
        alert_id=f"{trade.trade_id}-uncovered-{new_york_date(now):%Y%m%d}",
        kind=AlertKind.SYSTEM_ERROR,
        at=now,
        subject=f"{trade.symbol}: a short leg has lost its cover",
        message=(
            f"The broker lacks a part of {describe(trade)}, and nothing says why. What it still"
            f" holds short without cover is bought back: {sentence} What is missing stays in the"
            f" book until you find out what became of it ({trade.trade_id})."
        ),
    )
    try:
        desk.book.commit(replace(change, alerts=(alert,)))
    except BookConflict:
        return None  # Another pass moved the trade: it acts, this one does not.
    desk.workflows.start(intent)
    return ExitReason.COVER_LOST
