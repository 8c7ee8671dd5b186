"""Write calls on shares that came of an assigned put, where their owner wants it."""

from collections.abc import Sequence
from datetime import datetime

from agent.book.changes import BookConflict
from agent.book.covering import begin_cover, calls_to_write
from agent.book.intents import Signal
from agent.book.records import Trade
from agent.book.rolling import note_roll_sought
from agent.config.settings import ExitSettings
from agent.market.calendar import new_york_date
from agent.ports import BrokerMisunderstood, BrokerRefused, BrokerUnavailable
from agent.strategies.covered_call import CoveredCall
from agent.strategies.rolling import may_seek
from agent.use_cases.cover_orders import free_lots, others_work_on
from agent.use_cases.desk import Desk
from agent.use_cases.entry_blocks import closes_soon, entry_bar, opened_just_now
from agent.use_cases.market_view import look_at
from agent.use_cases.seek_roll import contracts_taken
from agent.use_cases.troubles import Troubles
from agent.use_cases.wind_up import keeps_shares

COVERS_SOUGHT_MAX = 6
"""In one pass: each looks at a whole chain. The next pass looks for the others."""


def covers_shares(trade: Trade, exits: ExitSettings) -> bool:
    """Say whether calls are to be written on the shares of a trade."""
    named = bool({trade.strategy, trade.symbol} & set(exits.cover_assigned_shares))
    return named and keeps_shares(trade, exits)


def seek_covers(desk: Desk, active: Sequence[Trade], troubles: Troubles, now: datetime) -> int:
    """Begin to write calls where shares lie idle, and count the trades; none while entries wait.

    A call that is written is new: the owner's word, a block, and the first and last minutes of a
    session hold for it. The limits do not: its shares are in them already.
    """
    exits = desk.settings.exits
    wanted = [
        trade.trade_id
        for trade in active
        if calls_to_write(trade) and covers_shares(trade, exits) and may_seek(trade, exits, now)
    ]
    if not wanted or _is_barred(desk, now):
        return 0
    begun = 0
    for trade_id in wanted[:COVERS_SOUGHT_MAX]:
        with troubles.of(trade_id):
            # Once more: this pass has stored what it saw of the shares.
            trade = desk.book.trade(trade_id)
            if trade is not None and calls_to_write(trade):
                begun += _seek(desk, trade, now)
    return begun


def _is_barred(desk: Desk, now: datetime) -> bool:
    if entry_bar(desk, now) is not None or opened_just_now(desk, now):
        return True
    return closes_soon(desk, desk.clock.market_clock())


def _seek(desk: Desk, trade: Trade, now: datetime) -> bool:
    """Begin to write calls and say so; where there is none to write, the reason is kept."""
    active = desk.book.active_trades()
    found: Signal | str
    try:
        contracts = min(calls_to_write(trade), free_lots(desk, trade, active))
        if not contracts:
            found = "the broker does not hold the shares free that the book has"
        elif others_work_on(desk, trade.symbol):
            found = "an order of somebody else works on the shares, or on calls on them"
        else:
            found = _best_call(desk, trade, active, now)
    except (BrokerUnavailable, BrokerRefused, BrokerMisunderstood) as error:
        found = f"the market cannot be seen: {error}"
    try:
        if isinstance(found, str):
            desk.book.commit(note_roll_sought(trade, found, now, kind="cover_refused"))
            return False
        change, intent = begin_cover(trade, found, contracts, _sentence(trade, found), now)
        desk.book.commit(change)
    except BookConflict:
        return False  # Another pass moved the trade: it acts, this one does not.
    desk.workflows.start(intent)
    return True


def _best_call(desk: Desk, trade: Trade, active: Sequence[Trade], now: datetime) -> Signal | str:
    underlying = desk.market.underlyings([trade.symbol]).get(trade.symbol)
    shares = trade.holdings.shares
    if underlying is None or underlying.price is None or shares is None:
        return "the shares have no price"
    strategy = CoveredCall(desk.settings.covered_call, shares.basis)
    dividends = desk.market.dividends([trade.symbol], new_york_date(now)).get(trade.symbol, ())
    view = look_at(desk, underlying, now, dividends, strategies=[strategy])
    outcome = strategy.generate_signals(view)
    taken = contracts_taken(desk, trade, active)
    free = [each for each in outcome.signals if taken.isdisjoint(each.structure.symbols)]
    if free:
        return free[0]
    told = ", ".join(f"{reason} {number}" for reason, number in sorted(outcome.rejections.items()))
    return f"no call can be written: {told or 'other trades hold each that could be'}"


def _sentence(trade: Trade, signal: Signal) -> str:
    contract = signal.structure.legs[0].contract
    return (
        f"{trade.shares_held} assigned shares lie idle: calls at {contract.strike.normalize():f} "
        f"expiring {contract.expiration:%Y-%m-%d} bring about {signal.credit_mid:.2f} a share."
    )
