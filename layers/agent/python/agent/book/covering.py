"""Calls written on shares that came of an assignment: the trade of the shares goes on with them.

A call that is written takes the place of the structure that is gone, as in a roll that closes
nothing: one trade, one P&L, from the put to the day its shares are gone. It never owes more than
those shares deliver, so it reserves nothing beside them.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from agent.book.changes import BookChange, IntentWrite, TradeWrite
from agent.book.intents import Intent, Signal
from agent.book.moves import ended, event_of, moved
from agent.book.records import Alert, AlertKind, RolledPart, StopWatch, Trade
from agent.book.roll_fills import RollFills
from agent.book.roll_settlement import opened_positions
from agent.book.rolling import next_attempt, rolling_for
from agent.book.states import ExitReason, TradeStatus
from agent.book.transitions import describe
from agent.options.contracts import OptionType
from agent.options.structures import LegSide, Structure

ZERO = Decimal(0)


def is_written_call(structure: Structure) -> bool:
    """Say whether a structure is a call sold alone: none is sold but on shares that are held."""
    leg = structure.legs[0]
    is_call = leg.contract.option_type is OptionType.CALL
    return len(structure.legs) == 1 and leg.side is LegSide.SHORT and is_call


def first_structure(trade: Trade) -> Structure:
    """Give what a trade was entered with, whatever it has moved on to since."""
    return trade.campaign.parts[0].structure if trade.campaign.parts else trade.structure


def calls_to_write(trade: Trade) -> int:
    """Count the calls that the shares of an open trade cover, while it holds no contract at all."""
    is_idle = trade.status is TradeStatus.OPEN and not trade.manual_exit_requested
    if not is_idle or trade.automation_suspended or trade.contracts_held or trade.campaign.residue:
        return 0
    return max(trade.shares_held, 0) // trade.structure.multiplier


def begin_cover(
    trade: Trade, signal: Signal, contracts: int, sentence: str, at: datetime
) -> tuple[BookChange, Intent]:
    """Move an open trade to rolling and state that calls are to be written on its shares.

    Raises ValueError where its shares do not cover so many, or where it is no call sold alone.
    """
    if not 0 < contracts <= calls_to_write(trade) or not is_written_call(signal.structure):
        raise ValueError(f"the shares of {trade.trade_id} cover no {contracts} of this structure")
    intent = next_attempt(
        trade, signal, contracts, net_credit_min=signal.credit_min, of_shares=True, at=at
    )
    rolling = rolling_for(trade, intent)
    change = BookChange(
        trade=TradeWrite(rolling, trade.status, trade.version),
        intents=(IntentWrite(intent, None),),
        events=(event_of(intent, "cover_begun", at, why=sentence),),
    )
    return change, intent


@dataclass(frozen=True)
class CoverBooking:
    """Bring what the book does not reckon itself; dollars, for the whole trade."""

    fees: Decimal
    """Of the calls' fills, positive."""
    max_loss: Decimal
    """The trade's at entry."""
    former_ended_by: ExitReason | None
    """What ended the structure that the calls follow; None where unknown."""


def settle_cover(
    trade: Trade, intent: Intent, fills: RollFills, booking: CoverBooking, at: datetime
) -> BookChange:
    """Record the calls that were written, if any; the trade is open again either way.

    Raises ValueError where the trade holds contracts already.
    """
    if trade.contracts_held:
        raise ValueError(f"{trade.trade_id} holds contracts beside the calls of {intent.intent_id}")
    written = fills.opened.contracts
    outcome = "covered" if written else "unfilled"
    changes = _covered(trade, fills, booking, at) if written else {}
    following = moved(trade, TradeStatus.OPEN, exit_reason=None, **changes)
    return BookChange(
        trade=TradeWrite(following, trade.status, trade.version),
        intents=(ended(intent, outcome),),
        positions=opened_positions(intent, fills) if written else (),
        events=(event_of(intent, "cover_settled", at, outcome=outcome, opened=written),),
        alerts=_told(following, intent, fills, at) if written else (),
    )


def _covered(
    trade: Trade, fills: RollFills, booking: CoverBooking, at: datetime
) -> dict[str, object]:
    """Put the calls in place of the structure that is gone, and that into the story."""
    before, opened = trade.execution, fills.opened
    former = RolledPart(
        structure=trade.structure,
        contracts=before.contracts_closed,
        credit=before.credit or ZERO,
        debit=before.exit_debit or ZERO,
        rolled_at=opened.filled_at or at,
        exit_reason=booking.former_ended_by,
    )
    execution = before.model_copy(
        update={
            "contracts": opened.contracts,
            "contracts_closed": 0,
            "credit": opened.cash_per_share,
            "exit_debit": None,
            "entry_cash": before.entry_cash + opened.cash,
            "fees": before.fees + booking.fees,
            "reprices": before.reprices + opened.reprices,
        }
    )
    parts = (*trade.campaign.parts, former)
    return {
        "structure": fills.following,
        "execution": execution,
        "campaign": trade.campaign.model_copy(
            update={"max_loss": booking.max_loss, "parts": parts}
        ),
        "stop_watch": StopWatch(),
        "stop_debit": None,
    }


def _told(trade: Trade, intent: Intent, fills: RollFills, at: datetime) -> tuple[Alert, ...]:
    calls = fills.opened
    message = (
        f"Wrote {calls.contracts} x {describe(trade)} on {trade.shares_held} assigned shares for a "
        f"premium of {calls.cash_per_share:.2f} a share ({trade.trade_id})."
    )
    return (
        Alert(
            alert_id=f"{intent.intent_id}-alert",
            kind=AlertKind.TRADE_EXECUTED,
            at=at,
            subject=f"Wrote calls on shares of {trade.symbol}",
            message=message,
        ),
    )
