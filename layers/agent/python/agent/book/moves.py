"""The pieces that every move of a trade is made of."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal

from pydantic import JsonValue

from agent.book.changes import IntentWrite
from agent.book.intents import Intent, IntentStatus
from agent.book.records import JournalEvent, Position, Trade
from agent.book.states import TradeStatus, require_transition
from agent.options.structures import Structure


def moved(trade: Trade, status: TradeStatus, **changes: object) -> Trade:
    """Give a trade in its next status and version; raises TransitionRefused where it cannot be."""
    require_transition(trade.status, status)
    return trade.model_copy(update={"status": status, "version": trade.version + 1, **changes})


def ended(intent: Intent, outcome: str) -> IntentWrite:
    """End an intent, and say what it came to."""
    done = intent.model_copy(
        update={"status": IntentStatus.DONE, "outcome": outcome, "version": intent.version + 1}
    )
    return IntentWrite(done, intent.version)


def event_of(intent: Intent, kind: str, at: datetime, /, **details: JsonValue) -> JournalEvent:
    """Tell what an intent did; one event of a kind each."""
    return JournalEvent(
        event_id=f"{intent.intent_id}-{kind}",
        at=at,
        kind=kind,
        trade_id=intent.trade_id,
        details=details,
    )


def opened_legs(
    trade_id: str,
    structure: Structure,
    contracts: int,
    prices: Sequence[Decimal],
    deltas: Sequence[float | None],
    *,
    name_of: Callable[[int], str],
) -> tuple[Position, ...]:
    """Give the positions in the legs of what a trade opened, at dollars a share each.

    `name_of` names the position in a leg, counted from 1; a delta that is unknown is None.
    """
    return tuple(
        Position(
            position_id=name_of(number),
            trade_id=trade_id,
            option_symbol=leg.contract.symbol,
            option_type=leg.contract.option_type,
            strike=leg.contract.strike,
            expiration=leg.contract.expiration,
            side=leg.side,
            quantity=contracts * leg.ratio,
            entry_price=price,
            entry_delta=delta,
            current_delta=delta,
        )
        for number, (leg, price, delta) in enumerate(
            zip(structure.legs, prices, deltas, strict=True), start=1
        )
    )
