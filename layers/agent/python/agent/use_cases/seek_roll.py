"""Seek what a trade in danger may roll to, and begin the roll where there is something."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from agent.book.changes import LimitReached
from agent.book.records import Trade
from agent.book.rolling import RollPlan, begin_roll, note_roll_sought, reserved_while_rolling
from agent.market.calendar import new_york_date
from agent.market.quotes import StructureQuote, quote_structure
from agent.ports import BrokerMisunderstood, BrokerRefused, BrokerUnavailable
from agent.risk.limits import AccountLimits, account_limits
from agent.risk.reservation import reopen_moves
from agent.strategies.exits import RollSignal
from agent.strategies.rolling import RollSearch, choose_roll
from agent.use_cases.desk import Desk
from agent.use_cases.market_view import look_at


def seek_roll(
    desk: Desk, trade: Trade, signal: RollSignal, active: Sequence[Trade], now: datetime
) -> bool:
    """Begin a roll and say so; False where there is none, and the reason is kept.

    What the broker does not tell is a reason like any other: the trade's other rules act then.
    Raises BookConflict where another pass moved the trade.
    """
    try:
        limits = account_limits(desk.broker.account().equity, desk.settings.risk)
        found = _find(
            desk, trade, signal, _Bounds(contracts_taken(desk, trade, active), limits), now
        )
    except (BrokerUnavailable, BrokerRefused, BrokerMisunderstood) as error:
        found = f"the market cannot be seen: {error}"
    if isinstance(found, RollPlan):
        refused = _begin(desk, trade, found, limits, now)
        if refused is None:
            return True
        found = refused
    desk.book.commit(note_roll_sought(trade, found, now))
    return False


@dataclass(frozen=True)
class _Bounds:
    """Hold what others have and what the account allows."""

    taken: frozenset[str]
    limits: AccountLimits


def _find(
    desk: Desk, trade: Trade, signal: RollSignal, bounds: _Bounds, now: datetime
) -> RollPlan | str:
    quote = _held_quote(desk, trade)
    underlying = desk.market.underlyings([trade.symbol]).get(trade.symbol)
    if quote is None or underlying is None or underlying.price is None:
        return "what is held has no quote"
    strategy = desk.strategies[trade.strategy]
    dividends = desk.market.dividends([trade.symbol], new_york_date(now)).get(trade.symbol, ())
    view = look_at(desk, underlying, now, dividends, strategies=[strategy])
    outcome = strategy.generate_signals(view)
    search = RollSearch(
        trade=trade,
        quote=quote,
        signal=signal,
        rules=strategy.exit_rules_for(trade.symbol),
        taken=bounds.taken,
        limits=bounds.limits,
    )
    found = choose_roll(search, outcome.signals, view)
    if isinstance(found, RollPlan) or outcome.signals:
        return found
    told = ", ".join(f"{reason} {number}" for reason, number in sorted(outcome.rejections.items()))
    return f"{found}: {told}"


def _held_quote(desk: Desk, trade: Trade) -> StructureQuote | None:
    contracts = [leg.contract for leg in trade.structure.legs]
    return quote_structure(trade.structure, desk.market.option_quotes(contracts))


def contracts_taken(desk: Desk, trade: Trade, active: Sequence[Trade]) -> frozenset[str]:
    """Name the contracts of every other trade, and those that stated intents are to open."""
    structures = [
        held
        for other in active
        if other.trade_id != trade.trade_id
        for held, _ in other.structures_held
    ]
    structures += [
        intent.signal.structure
        for intent in desk.book.unfinished_intents()
        if intent.signal is not None
    ]
    return frozenset(symbol for structure in structures for symbol in structure.symbols)


def _begin(
    desk: Desk, trade: Trade, plan: RollPlan, limits: AccountLimits, now: datetime
) -> str | None:
    """Reserve and state the roll, then start it; give the reason where the ledger refuses."""
    reserved = reserved_while_rolling(trade.risk, plan.risk)
    moves = reopen_moves(trade.risk, reserved, symbol=trade.symbol, limits=limits)
    change, intent = begin_roll(trade, plan, moves, now)
    try:
        desk.book.commit(change)
    except LimitReached as limit:
        return str(limit)
    desk.workflows.start(intent)
    return None
