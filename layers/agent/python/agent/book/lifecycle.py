"""What happens to a trade one leg at a time: expiration, assignment, exercise, liquidation.

Whole structures come and go by `transitions`. What is here is for what a market, a broker or an
exit in parts does to single legs, and for the shares that come of it. Every event has an id, and a
trade that booked it refuses it a second time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import JsonValue

from agent.book.changes import BookChange, LedgerMove, TradeWrite
from agent.book.holdings import Holdings, SharesHeld
from agent.book.outcome import final_figures, realized_pnl, reduce_position
from agent.book.records import (
    Alert,
    AlertKind,
    JournalEvent,
    Position,
    PositionStatus,
    Trade,
    TradeExecution,
    TradeRisk,
)
from agent.book.states import (
    ACTIVE_STATUSES,
    ExitReason,
    TradeStatus,
    TransitionRefused,
    require_transition,
)
from agent.book.transitions import describe
from agent.options.contracts import OptionType
from agent.options.structures import Leg, LegSide

ZERO = Decimal(0)
HOLDING_STATUSES = ACTIVE_STATUSES - {TradeStatus.PENDING}


class LegEventKind(StrEnum):
    """Name what happened to a leg."""

    EXPIRED = "expired"
    """Worthless: nothing came of it."""
    ASSIGNED = "assigned"
    EXERCISED = "exercised"
    LIQUIDATED = "liquidated"
    """Traded by the broker, of its own accord."""
    TRADED = "traded"
    """Closed alone by an order of ours, or by its owner."""


_DELIVERING = frozenset({LegEventKind.ASSIGNED, LegEventKind.EXERCISED})
_REASONS = {
    LegEventKind.EXPIRED: ExitReason.EXPIRED,
    LegEventKind.ASSIGNED: ExitReason.ASSIGNED,
    LegEventKind.EXERCISED: ExitReason.ASSIGNED,
    LegEventKind.LIQUIDATED: ExitReason.BROKER_LIQUIDATED,
}
_WEIGHT = (ExitReason.ASSIGNED, ExitReason.BROKER_LIQUIDATED, ExitReason.EXPIRED)
"""Where several things happened to one trade, the first of these names its end."""


@dataclass(frozen=True)
class LegEvent:
    """Tell what happened to `contracts` of one leg of a trade.

    `price` is dollars a share, unsigned: what a traded contract traded at, 0 for all else.
    """

    event_id: str
    """A pure function of what happened: a broker's activity id, or one derived from positions."""
    kind: LegEventKind
    symbol: str
    contracts: int
    at: datetime
    price: Decimal = ZERO


@dataclass(frozen=True)
class ShareTrade:
    """Tell of shares of a trade that were bought (positive) or sold at `price` dollars a share."""

    event_id: str
    quantity: int
    price: Decimal
    at: datetime


@dataclass(frozen=True)
class Booking:
    """Bring what the book does not reckon itself.

    `fees` are those of the event, in dollars, positive; `max_loss` is the trade's at entry, in
    dollars; `risk` what the ledger is to hold for the trade after the event, and `ledger` the
    moves that bring it there.
    """

    fees: Decimal
    max_loss: Decimal
    risk: TradeRisk
    ledger: tuple[LedgerMove, ...] = ()


def inferred_event_id(symbol: str, session: date | None = None) -> str:
    """Name what is known of a contract before the broker's activities report it.

    Without a session it is what all such names of the contract begin with.
    """
    name = f"inferred-{symbol}"
    return name if session is None else f"{name}-{session:%Y%m%d}"


def is_booked(trade: Trade, event_id: str) -> bool:
    return event_id in trade.holdings.booked


def after_leg_event(
    trade: Trade, event: LegEvent, fees: Decimal = ZERO, premium: Decimal = ZERO
) -> Trade:
    """Give the trade as `event` leaves it, its status and version untouched.

    `premium` is what the leg was opened at, a share: shares that it delivers have it in their tax
    basis.
    Raises ValueError where the trade has no such leg, holds less of it, or booked the event before.
    """
    leg = _leg_of(trade, event.symbol)
    held = leg.ratio * trade.contracts_held - trade.holdings.legs_gone.get(event.symbol, 0)
    if not 0 < event.contracts <= held:
        raise ValueError(f"{event.contracts} of {event.symbol} leave a trade that holds {held}")
    cash = _option_cash(trade, leg, event)
    gone = dict(trade.holdings.legs_gone)
    gone[event.symbol] = gone.get(event.symbol, 0) + event.contracts
    holdings = trade.holdings.model_copy(
        update={
            "legs_gone": gone,
            "legs_cash": trade.holdings.legs_cash + cash,
            "reason": _weightier(trade.holdings.reason, _REASONS.get(event.kind)),
        }
    )
    execution = trade.execution.model_copy(
        update={
            "exit_cash": trade.execution.exit_cash + cash,
            "fees": trade.execution.fees + fees,
        }
    )
    following = trade.model_copy(update={"holdings": holdings, "execution": execution})
    if event.kind in _DELIVERING:
        following = _delivered(following, leg, event, premium)
    return _with_units_closed(_once(following, event.event_id, event.contracts))


def after_share_trade(trade: Trade, event: ShareTrade, fees: Decimal = ZERO) -> Trade:
    """Give the trade as buying or selling its shares leaves it, status and version untouched.

    Raises ValueError where more is traded away than is held, or the event was booked before.
    """
    held = trade.shares_held
    if not event.quantity or held * event.quantity >= 0 or abs(event.quantity) > abs(held):
        raise ValueError(f"{event.quantity:+d} shares do not reduce {held} of {trade.trade_id}")
    moved = _with_shares(trade, event.quantity, event.price, event.price, event.at)
    execution = moved.execution.model_copy(update={"fees": moved.execution.fees + fees})
    following = moved.model_copy(update={"execution": execution})
    return _once(following, event.event_id, event.quantity)


def book_leg_event(
    trade: Trade, positions: Sequence[Position], event: LegEvent, booking: Booking, at: datetime
) -> BookChange:
    """Book what happened to one leg: cash, shares, its position, ledger, journal and alert.

    The trade keeps its status until neither contract nor share is held; then it is closed.
    """
    leg = _leg_of(trade, event.symbol)
    own = [
        position
        for position in positions
        if position.option_symbol == event.symbol and position.status is PositionStatus.OPEN
    ]
    premium = next((position.entry_price for position in own), None)
    following = after_leg_event(trade, event, booking.fees, premium or ZERO)
    reduced = [reduce_position(position, trade, event.contracts, event.price) for position in own]
    sentence = f"{event.contracts} x {event.symbol} of {describe(trade)}: {event.kind}"
    if event.kind in _DELIVERING:
        sentence += f" at {leg.contract.strike}; the trade holds {following.shares_held} shares"
    if event.price:
        sentence += f" at {event.price:.2f}"
    return _booked(
        trade,
        following,
        booking,
        kind=f"leg_{event.kind}",
        sentence=sentence,
        event_id=event.event_id,
        at=at,
        left_at=event.at,
        positions=tuple(reduced),
    )


def book_share_trade(trade: Trade, event: ShareTrade, booking: Booking, at: datetime) -> BookChange:
    """Book shares of a trade that were bought or sold; it is closed once nothing is held."""
    following = after_share_trade(trade, event, booking.fees)
    verb = "bought" if event.quantity > 0 else "sold"
    sentence = (
        f"{abs(event.quantity)} shares of {describe(trade)} {verb} at {event.price:.4f}; "
        f"the trade holds {following.shares_held}"
    )
    return _booked(
        trade,
        following,
        booking,
        kind=f"shares_{verb}",
        sentence=sentence,
        event_id=event.event_id,
        at=at,
        left_at=event.at,
    )


def mark_shares(trade: Trade, price: Decimal) -> Trade:
    """Keep the price at which the shares of a trade were last seen; version untouched."""
    shares = trade.holdings.shares
    if shares is None:
        return trade
    marked = shares.model_copy(update={"mark": price})
    return trade.model_copy(
        update={"holdings": trade.holdings.model_copy(update={"shares": marked})}
    )


def _booked(
    trade: Trade,
    following: Trade,
    booking: Booking,
    *,
    kind: str,
    sentence: str,
    event_id: str,
    at: datetime,
    left_at: datetime,
    positions: tuple[Position, ...] = (),
) -> BookChange:
    if trade.status not in HOLDING_STATUSES:
        raise TransitionRefused(f"a {trade.status} trade holds nothing that could leave it")
    moved = following.model_copy(update={"version": trade.version + 1, "risk": booking.risk})
    subject = f"{trade.symbol}: {kind.replace('_', ' ')}"
    if moved.is_flat:
        moved = _closed(moved, booking.max_loss, left_at)
        subject = f"Closed {trade.symbol} {trade.strategy}: {moved.exit_reason}"
        sentence += f". Nothing is left: P&L {realized_pnl(moved.execution):.2f} USD"
    details: dict[str, JsonValue] = {
        "event": event_id,
        "what": sentence,
        "cash": str(moved.execution.exit_cash - trade.execution.exit_cash),
        "fees": str(booking.fees),
        "shares": moved.shares_held,
    }
    name = f"{trade.trade_id}-{event_id}"
    return BookChange(
        trade=TradeWrite(moved, trade.status, trade.version),
        positions=positions,
        ledger=booking.ledger,
        events=(
            JournalEvent(event_id=name, at=at, kind=kind, trade_id=trade.trade_id, details=details),
        ),
        alerts=(
            Alert(
                alert_id=f"{name}-alert",
                kind=AlertKind.POSITION_CLOSED,
                at=at,
                subject=subject,
                message=f"{sentence} ({trade.trade_id}).",
            ),
        ),
    )


def _closed(trade: Trade, max_loss: Decimal, at: datetime) -> Trade:
    require_transition(trade.status, TradeStatus.CLOSED)
    return trade.model_copy(
        update={
            "status": TradeStatus.CLOSED,
            # What nobody here began and nothing befell, its owner did at the broker.
            "exit_reason": trade.holdings.reason or trade.exit_reason or ExitReason.MANUAL,
            **final_figures(trade, max_loss=max_loss, at=at),
        }
    )


def _leg_of(trade: Trade, symbol: str) -> Leg:
    for leg in trade.structure.legs:
        if leg.contract.symbol == symbol:
            return leg
    raise ValueError(f"{trade.trade_id} has no leg {symbol}")


def _option_cash(trade: Trade, leg: Leg, event: LegEvent) -> Decimal:
    """Give the dollars for which the contracts themselves left, positive where received."""
    direction = 1 if leg.side is LegSide.LONG else -1
    return direction * event.price * event.contracts * trade.structure.multiplier


def _delivered(trade: Trade, leg: Leg, event: LegEvent, premium: Decimal) -> Trade:
    """Move the shares that an assignment or exercise delivers, at the strike."""
    contract = leg.contract
    # A put's owner sells the shares and its writer takes them; a call's, the other way round.
    takes = (leg.side is LegSide.SHORT) is (contract.option_type is OptionType.PUT)
    shares = event.contracts * trade.structure.multiplier * (1 if takes else -1)
    is_put = contract.option_type is OptionType.PUT
    tax_basis = contract.strike - premium if is_put else contract.strike + premium
    return _with_shares(trade, shares, contract.strike, tax_basis, event.at)


def _with_shares(
    trade: Trade, quantity: int, price: Decimal, tax_basis: Decimal, at: datetime
) -> Trade:
    """Take in or give away shares: their cash moves, and what offsets is realized."""
    holdings = trade.holdings
    before = holdings.shares
    held = trade.shares_held
    realized = ZERO
    if before is None:
        after = SharesHeld(quantity=quantity, basis=price, tax_basis=tax_basis, since=at)
    elif held * quantity > 0:
        total = held + quantity
        after = before.model_copy(
            update={
                "quantity": total,
                "basis": (before.basis * held + price * quantity) / total,
                "tax_basis": (before.tax_basis * held + tax_basis * quantity) / total,
            }
        )
    else:
        offset = min(abs(held), abs(quantity)) * (1 if held > 0 else -1)
        realized = (price - before.basis) * offset
        left = held + quantity
        after = before.model_copy(update={"quantity": left})
        if left * held < 0:
            after = SharesHeld(quantity=left, basis=price, tax_basis=tax_basis, since=at)
    execution = trade.execution.model_copy(
        update={"exit_cash": trade.execution.exit_cash - quantity * price}
    )
    moved = holdings.model_copy(
        update={
            "shares": after if after.quantity else None,
            "shares_realized": holdings.shares_realized + realized,
        }
    )
    return trade.model_copy(update={"holdings": moved, "execution": execution})


def _with_units_closed(trade: Trade) -> Trade:
    """Count a unit as closed once the last of its legs has gone."""
    gone = trade.holdings.legs_gone
    legs = trade.structure.legs
    units = min(gone.get(leg.contract.symbol, 0) // leg.ratio for leg in legs)
    if not units:
        return trade
    left = {leg.contract.symbol: gone[leg.contract.symbol] - units * leg.ratio for leg in legs}
    execution = _units_closed(trade.execution, trade.holdings, units, trade.structure.multiplier)
    holdings = trade.holdings.model_copy(
        update={
            "legs_gone": {symbol: count for symbol, count in left.items() if count},
            "legs_cash": ZERO,
        }
    )
    return trade.model_copy(update={"holdings": holdings, "execution": execution})


def _units_closed(
    execution: TradeExecution, holdings: Holdings, units: int, multiplier: int
) -> TradeExecution:
    closed = execution.contracts_closed + units
    paid = (execution.exit_debit or ZERO) * execution.contracts_closed
    return execution.model_copy(
        update={
            "contracts_closed": closed,
            "exit_debit": (paid - holdings.legs_cash / multiplier) / closed,
        }
    )


def _once(trade: Trade, event_id: str, quantity: int) -> Trade:
    if is_booked(trade, event_id):
        raise ValueError(f"{trade.trade_id} has booked {event_id} before")
    booked = {**trade.holdings.booked, event_id: quantity}
    return trade.model_copy(
        update={"holdings": trade.holdings.model_copy(update={"booked": booked})}
    )


def _weightier(one: ExitReason | None, other: ExitReason | None) -> ExitReason | None:
    # What befell a trade outweighs the rule for which its other legs are closed.
    return next((reason for reason in _WEIGHT if reason in {one, other}), one or other)
