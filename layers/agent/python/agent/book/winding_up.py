"""What is to be done with a trade that holds something else than whole structures.

A leg whose partner is gone has no plan of its own: what is left of its trade goes, in the order in
which it is dangerous. Short shares first, whole structures next, in one order each; then short
legs, shares, and long legs last, which protect the rest meanwhile. Shares from a put that was sold
alone were accepted with it, and stay where the owner wants to hold them; where they are to go, a
call that was written on them goes first. Short shares beside a long call alone are covered by
exercising it where that is cheaper than buying them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from agent.book.changes import BookChange, IntentWrite, TradeWrite
from agent.book.covering import is_written_call
from agent.book.intents import Intent, Urgency
from agent.book.lifecycle import (
    Booking,
    LegEvent,
    LegEventKind,
    ShareTrade,
    book_leg_event,
    book_share_trade,
    inferred_event_id,
)
from agent.book.moves import ended, event_of
from agent.book.records import Position, Trade
from agent.book.states import ExitReason, TradeStatus, require_transition
from agent.book.transitions import begin_close
from agent.market.calendar import new_york_date
from agent.options.contracts import OptionType
from agent.options.structures import Leg, LegSide, Structure


@dataclass(frozen=True)
class Remainder:
    """Name what goes next: `contracts` of one leg, or shares to buy (positive) or sell.

    With neither, whole structures go. A leg that is exercised is long, and brings its shares.
    """

    sentence: str
    leg: str | None = None
    contracts: int = 0
    shares: int | None = None
    exercises: bool = False
    shares_before: int | None = None
    """Shares of the underlying at the broker before an exercise."""


def next_to_go(trade: Trade, *, keeps_shares: bool) -> Remainder | None:
    """Say what of a trade goes next because it is no whole structure; None where all may stay.

    `keeps_shares` is whether shares that it holds long, and no legs left alone, may stay.
    """
    shares = trade.shares_held
    if shares < 0:
        return Remainder(f"{-shares} shares are short and uncovered.", shares=-shares)
    sale = Remainder(f"{shares} shares came of an assignment.", shares=-shares)
    if not trade.holdings.legs_gone:
        if trade.contracts_held and is_written_call(trade.structure):
            sale = Remainder(f"The calls on {shares} shares go before the shares.")
        return sale if shares and not keeps_shares else None
    if trade.contracts_whole:
        return Remainder(f"{trade.contracts_whole} whole ones go with the legs left alone.")
    alone = _legs_alone(trade)
    shorts = [each for each in alone if each[0].side is LegSide.SHORT]
    if shorts:
        return _leg_goes(*shorts[0])
    return sale if shares else _leg_goes(*alone[0])


def begin_remainder(
    trade: Trade,
    remainder: Remainder,
    at: datetime,
    *,
    reason: ExitReason | None = None,
    contracts: int | None = None,
) -> tuple[BookChange, Intent]:
    """Move an open trade to closing and state what of it goes, together.

    `reason` is why, where nothing that befell the trade says so; `contracts` bounds what goes.
    """
    # Without any reason nothing befell it: its owner closed a leg at the broker.
    reason = reason or trade.holdings.reason or ExitReason.MANUAL
    change, intent = begin_close(
        trade, reason, Urgency.URGENT, remainder.sentence, at, contracts=contracts
    )
    stated = intent.model_copy(
        update={
            "leg": remainder.leg,
            "shares": remainder.shares,
            "exercises": remainder.exercises,
            "shares_before": remainder.shares_before,
        }
    )
    return replace(change, intents=(IntentWrite(stated, None),)), stated


def leg_alone_view(trade: Trade, symbol: str) -> Trade:
    """Show a trade as if the contracts of one leg that stand alone were all that it holds."""
    leg = next(leg for leg in trade.structure.legs if leg.contract.symbol == symbol)
    contracts = abs(trade.leg_quantities[symbol])
    return trade.model_copy(
        update={
            "structure": Structure((replace(leg, ratio=1),)),
            "execution": trade.execution.model_copy(
                update={"contracts": contracts, "contracts_closed": 0}
            ),
            "holdings": type(trade.holdings)(),
        }
    )


@dataclass(frozen=True)
class RemainderFills:
    """Sum up what filled of a remainder; `price` is dollars a share, unsigned, on average."""

    quantity: int
    price: Decimal
    filled_at: datetime


def settle_remainder(
    trade: Trade,
    positions: Sequence[Position],
    intent: Intent,
    fills: RemainderFills | None,
    *,
    booking: Booking,
    at: datetime,
) -> BookChange:
    """Record what filled of a remainder: closed where nothing is held any more, open otherwise."""
    if fills is None:
        following = _open_again(trade.model_copy(update={"version": trade.version + 1}))
        return BookChange(
            trade=TradeWrite(following, trade.status, trade.version),
            intents=(ended(intent, "unfilled"),),
            events=(event_of(intent, "remainder_settled", at, quantity=0),),
        )
    if intent.shares is not None:
        quantity = fills.quantity if intent.shares > 0 else -fills.quantity
        bought = ShareTrade(intent.intent_id, quantity, fills.price, fills.filled_at)
        change = book_share_trade(trade, bought, booking, at)
    else:
        change = book_leg_event(trade, positions, leg_event_of(intent, fills), booking, at)
    assert change.trade is not None
    after = change.trade.trade
    if after.status is not TradeStatus.CLOSED:
        change = replace(change, trade=replace(change.trade, trade=_open_again(after)))
    return replace(
        change,
        intents=(ended(intent, "closed" if after.is_flat else "partly closed"),),
        events=(*change.events, event_of(intent, "remainder_settled", at, quantity=fills.quantity)),
    )


def leg_event_of(intent: Intent, fills: RemainderFills) -> LegEvent:
    """Say what became of the one leg that an intent sold, bought or exercised."""
    if intent.leg is None:
        raise ValueError(f"{intent.intent_id} closes no leg alone")
    if intent.exercises:
        name = inferred_event_id(intent.leg, new_york_date(fills.filled_at))
        kind = LegEventKind.EXERCISED
        return LegEvent(name, kind, intent.leg, fills.quantity, fills.filled_at)
    kind, at = LegEventKind.TRADED, fills.filled_at
    return LegEvent(intent.intent_id, kind, intent.leg, fills.quantity, at, fills.price)


def call_to_exercise(trade: Trade) -> tuple[Leg, int] | None:
    """Give the long call left alone that would cover short shares of a trade, and how many.

    None where there is none, where it would bring more shares than are short, and where units of
    the trade are whole still: an exercise takes every contract of the account, theirs too.
    """
    if trade.shares_held >= 0 or trade.contracts_whole:
        return None
    for leg, contracts in _legs_alone(trade):
        is_call = leg.contract.option_type is OptionType.CALL
        shares = contracts * leg.contract.multiplier
        if is_call and leg.side is LegSide.LONG and shares <= -trade.shares_held:
            return leg, contracts
    return None


def _legs_alone(trade: Trade) -> list[tuple[Leg, int]]:
    held = trade.leg_quantities
    return [
        (leg, abs(held[leg.contract.symbol]))
        for leg in trade.structure.legs
        if held[leg.contract.symbol]
    ]


def _leg_goes(leg: Leg, contracts: int) -> Remainder:
    symbol = leg.contract.symbol
    return Remainder(f"{contracts} x {symbol} stand alone.", leg=symbol, contracts=contracts)


def _open_again(trade: Trade) -> Trade:
    require_transition(trade.status, TradeStatus.OPEN)
    return trade.model_copy(update={"status": TradeStatus.OPEN, "exit_reason": None})
