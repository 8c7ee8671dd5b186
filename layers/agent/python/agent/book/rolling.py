"""How a trade begins to roll: what it is to move on to, and what that reserves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from agent.book.changes import BookChange, IntentWrite, LedgerMove, TradeWrite
from agent.book.identifiers import roll_intent_id
from agent.book.intents import Intent, IntentKind, Signal
from agent.book.moves import event_of, moved
from agent.book.records import JournalEvent, Trade, TradeRisk
from agent.book.states import ExitReason, TradeStatus

ZERO = Decimal(0)


@dataclass(frozen=True)
class RollPlan:
    """State what a trade is to move on to; prices are a share."""

    signal: Signal
    net_credit_min: Decimal
    """The least net credit: it pays for the roll's fees, and more."""
    risk: TradeRisk
    """What the reopened part reserves."""
    sentence: str


def note_roll_sought(
    trade: Trade, reason: str, at: datetime, *, kind: str = "roll_refused"
) -> BookChange:
    """Keep that a roll was looked for and why there is none; the trade stays as it is.

    Calls on its shares are looked for in the same way: `kind` names the event.
    """
    campaign = trade.campaign.model_copy(update={"sought_at": at})
    following = trade.model_copy(update={"campaign": campaign, "version": trade.version + 1})
    event = JournalEvent(
        event_id=f"{trade.trade_id}-{kind}-{trade.version}",
        at=at,
        kind=kind,
        trade_id=trade.trade_id,
        details={"reason": reason},
    )
    return BookChange(trade=TradeWrite(following, trade.status, trade.version), events=(event,))


def begin_roll(
    trade: Trade, plan: RollPlan, reservation: Sequence[LedgerMove], at: datetime
) -> tuple[BookChange, Intent]:
    """Move an open trade to rolling, reserve what it reopens, and state the attempt, together.

    Until the roll is settled the trade reserves the larger of what it holds and what it moves on
    to: no contract is ever in both. Raises ValueError while an earlier roll's residue is held.
    """
    if trade.campaign.residue is not None:
        raise ValueError(f"{trade.trade_id} still holds what an earlier roll left behind")
    intent = next_attempt(
        trade, plan.signal, trade.contracts_held, net_credit_min=plan.net_credit_min, at=at
    ).model_copy(update={"exit_reason": ExitReason.ROLL})
    rolling = rolling_for(
        trade,
        intent,
        exit_reason=ExitReason.ROLL,
        risk=reserved_while_rolling(trade.risk, plan.risk),
    )
    change = BookChange(
        trade=TradeWrite(rolling, trade.status, trade.version),
        intents=(IntentWrite(intent, None),),
        ledger=tuple(reservation),
        events=(event_of(intent, "roll_begun", at, why=plan.sentence),),
    )
    return change, intent


def next_attempt(
    trade: Trade,
    signal: Signal,
    contracts: int,
    *,
    net_credit_min: Decimal,
    of_shares: bool = False,
    at: datetime,
) -> Intent:
    """State the next attempt of a trade to move on to what a signal proposes."""
    attempt = trade.campaign.attempts + 1
    return Intent(
        intent_id=roll_intent_id(trade.trade_id, attempt),
        kind=IntentKind.ROLL,
        trade_id=trade.trade_id,
        attempt=attempt,
        created_at=at,
        signal=signal,
        contracts=contracts,
        net_credit_min=net_credit_min,
        of_shares=of_shares,
    )


def rolling_for(trade: Trade, intent: Intent, **changes: object) -> Trade:
    """Give an open trade as it is while an attempt is carried out, and count the attempt."""
    campaign = trade.campaign.model_copy(
        update={"attempts": intent.attempt, "sought_at": intent.created_at}
    )
    return moved(trade, TradeStatus.ROLLING, campaign=campaign, **changes)


def reserved_while_rolling(held: TradeRisk, reopened: TradeRisk) -> TradeRisk:
    """Reserve the larger of two risks; what a contract risks stays that of what is held."""
    return held.model_copy(
        update={
            "heat_cents": max(held.heat_cents, reopened.heat_cents),
            "capital_cents": max(held.capital_cents, reopened.capital_cents),
        }
    )
