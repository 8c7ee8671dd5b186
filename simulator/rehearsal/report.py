"""What a rehearsal came to, as plain numbers that a program or a person can read."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict

from agent.book.records import Position, PositionStatus, RolledPart, Trade
from simulator.checkers.cash_identity import CashIdentity
from simulator.rehearsal.owner import DeedReport
from simulator.rehearsal.plain_numbers import plain_json, spell
from simulator.rehearsal.story import StoryEvent


class LegReport(BaseModel):
    """One leg of a trade; prices a share, None while nothing filled."""

    option_symbol: str
    side: str
    strike: Decimal
    quantity: int
    entry_price: Decimal | None
    exit_price: Decimal | None
    realized_pnl: Decimal | None
    unrealized_pnl: Decimal | None


class RolledPartReport(BaseModel):
    """A part of a campaign that a roll closed; its P&L is in that of its trade."""

    model_config = ConfigDict(frozen=True)

    rolled_at: str
    option_symbols: tuple[str, ...]
    expiration: str
    contracts: int
    credit: Decimal
    debit: Decimal
    exit_reason: str | None


class TradeReport(BaseModel):
    """A trade with the attribute names of its table, its legs and what it earned."""

    model_config = ConfigDict(frozen=True)

    trade_id: str
    timestamp_enter: str
    timestamp_exit: str | None
    symbol: str
    strategy: str
    expiration: str
    params: dict[str, Any]
    market_snapshot: dict[str, Any]
    execution: dict[str, Any]
    holdings: dict[str, Any]
    """What it holds beside whole structures: legs that have gone, and shares."""
    risk: dict[str, Any]
    pnl: Decimal | None
    pnl_pct: Decimal | None
    days_held: int | None
    exit_reason: str | None
    reason_tags: tuple[str, ...]
    notes: str
    status: str
    legs: tuple[LegReport, ...]
    rolled: tuple[RolledPartReport, ...]
    """What it held before, oldest first."""
    rolled_pnl: Decimal
    """What the legs of that came to, in dollars before fees."""


class SlotsReport(BaseModel):
    """Which slots of the timetable ran, by function: New York times, and how many of how many."""

    times: dict[str, tuple[str, ...]]
    ran: dict[str, int]
    in_timetable: dict[str, int]


class DifferenceReport(BaseModel):
    """A symbol of which book and broker hold different quantities; negative is short."""

    model_config = ConfigDict(frozen=True)

    symbol: str
    booked: int
    held: int


class RehearsalReport(BaseModel):
    """Hold everything a rehearsal reports. Counts are integers, money is decimal text."""

    model_config = ConfigDict(frozen=True)

    profile: dict[str, Any]
    world: str
    market: str
    """What was played, in words."""
    scenario: str | None
    seed: int
    first_session: str
    last_session: str
    sessions: int
    slots: SlotsReport
    scans: int
    monitor_passes: int
    days_analyzed: int
    weeks_reviewed: int
    candidates: int
    signals: int
    entries: int
    exits: dict[str, int]
    rolls: int
    rejections: dict[str, int]
    failures: dict[str, dict[str, int]]
    """Invocations that failed while the broker was out of reach, by function and error type."""
    owner: tuple[DeedReport, ...]
    """What the owner said of single trades, as the profile has it."""
    alerts: int
    alerts_by_kind: dict[str, int]
    orders: int
    fills: int
    reprices: int
    equity_start: Decimal
    equity_end: Decimal
    cash_identity: CashIdentity
    differences: tuple[DifferenceReport, ...]
    """Where book and broker hold different positions once nothing is on the way any more."""
    exercise_cash: Decimal
    """What exercises and assignments moved of the broker's cash, in dollars."""
    trades: tuple[TradeReport, ...]
    story: tuple[StoryEvent, ...]
    duration_seconds: float


def what_is_wrong(report: RehearsalReport) -> str | None:
    """Say in one sentence how the book and the broker differ, or None where they do not."""
    parts = [
        f"{each.symbol} ({each.booked} in the book, {each.held} at the broker)"
        for each in report.differences
    ]
    identity = report.cash_identity
    if not parts:
        if identity.holds:
            return None
        return (
            "the cash identity does not hold: the book and the broker's cash differ by "
            f"{spell(identity.difference)} USD"
        )
    told = f"the book and the broker differ at the end: {', '.join(parts)}"
    if not identity.holds:
        told += f", and the cash identity by {identity.difference:,.2f} USD"
    if report.exercise_cash and not identity.holds:
        told += (
            f"; exercises and assignments moved {report.exercise_cash:,.2f} USD of cash, "
            "which no trade of the book accounts for"
        )
    return told


def report_trade(trade: Trade, positions: Sequence[Position]) -> TradeReport:
    """Describe a trade and its legs; legs are those of its structure where nothing filled."""
    # A contract that was held before is there twice: what is open is the leg.
    by_age = sorted(positions, key=lambda each: each.status is PositionStatus.OPEN)
    stored = {position.option_symbol: position for position in by_age}
    legs = []
    for leg in trade.structure.legs:
        position = stored.get(leg.contract.symbol)
        legs.append(
            LegReport(
                option_symbol=leg.contract.symbol,
                side=leg.side,
                strike=leg.contract.strike,
                quantity=position.quantity if position else 0,
                entry_price=position.entry_price if position else None,
                exit_price=position.exit_price if position else None,
                realized_pnl=position.realized_pnl if position else None,
                unrealized_pnl=position.unrealized_pnl if position else None,
            )
        )
    record = plain_json(trade)
    names = TradeReport.model_fields.keys() & record.keys()
    return TradeReport.model_validate(
        {
            **{name: record[name] for name in names},
            "expiration": trade.structure.expiration.isoformat(),
            "legs": legs,
            "rolled_pnl": sum(
                (
                    position.realized_pnl or Decimal(0)
                    for position in positions
                    if position.option_symbol not in trade.structure.symbols
                    or position is not stored[position.option_symbol]
                ),
                Decimal(0),
            ),
            "rolled": [_report_part(part) for part in trade.campaign.parts],
        }
    )


def _report_part(part: RolledPart) -> RolledPartReport:
    return RolledPartReport(
        rolled_at=part.rolled_at.isoformat(),
        option_symbols=part.structure.symbols,
        expiration=part.structure.expiration.isoformat(),
        contracts=part.contracts,
        credit=part.credit,
        debit=part.debit,
        exit_reason=part.exit_reason,
    )
