"""What orders tell of a trade, to hold a rebuilt book against the one that was lived."""

from dataclasses import replace
from datetime import date, datetime

from agent.adapters.memory.book import MemoryBook
from agent.adapters.memory.control import MemoryControl
from agent.book.covering import first_structure
from agent.book.records import Position, RolledPart, Trade
from agent.book.states import ExitReason
from agent.config.settings import Settings
from agent.market.calendar import new_york_date
from agent.ports import Book, Broker, OrderHistory
from agent.strategies.registry import strategies_for
from agent.use_cases.rebuild_book import RebuildPlan, Site, plan_rebuild, write_rebuild

TOLD_BY_ORDERS = {ExitReason.ROLL, ExitReason.ASSIGNED, ExitReason.EXPIRED}
"""The reasons for leaving a structure that show at the broker."""


def rebuild_from(
    broker: Broker, history: OrderHistory, settings: Settings, at: datetime
) -> tuple[RebuildPlan, MemoryBook]:
    """Rebuild a stage from its broker, as if its book had been lost; give what was written."""
    book = MemoryBook()
    site = Site(
        settings=settings,
        strategies={each.code: each.name for each in strategies_for(settings).values()},
        broker=broker,
        history=history,
        book=book,
        control=MemoryControl(),
    )
    plan = plan_rebuild(site)
    write_rebuild(site, plan, at)
    return plan, book


def told_by_orders(trade: Trade) -> dict[str, object]:
    """Give what orders tell of a trade.

    Why it was entered and left, and what stress would have cost it then, nobody remembers.
    """
    execution = trade.execution.model_copy(
        update={
            "entry_slippage": None,
            "exit_slippage": None,
            "entry_quality": None,
            "exit_quality": None,
            "reprices": 0,
        }
    )
    return {
        **trade.model_dump(include={"trade_id", "symbol", "strategy", "status", "structure"}),
        **trade.model_dump(include={"pnl", "pnl_pct", "days_held"}),
        "timestamp_exit": _told_of_end(trade),
        "risk": _told_of_risk(trade),
        "execution": execution,
        "campaign": trade.campaign.model_dump(exclude={"attempts", "sought_at", "parts"}),
        "parts": [_told_of_part(part) for part in trade.campaign.parts],
        "held": trade.leg_quantities,
        "shares": (trade.shares_held, trade.holdings.shares_realized),
    }


def _told_of_end(trade: Trade) -> date | None:
    """Give when a trade ended: activities have no time of day."""
    at = trade.timestamp_exit
    if at is None or trade.holdings.reason not in TOLD_BY_ORDERS:
        return at
    return new_york_date(at)


def _told_of_risk(trade: Trade) -> dict[str, object]:
    """Leave out what depends on the stock at entry: a put alone counts as if it were at its strike.

    `is_counted_no_lower` says of what is left out that it errs on the safe side.
    """
    unknown = {"stress_loss_per_contract"}
    if is_put_alone(trade):
        unknown |= {"sizing_loss_per_contract", "heat_cents"}
    return trade.risk.model_dump(exclude=unknown)


def is_put_alone(trade: Trade) -> bool:
    return len(first_structure(trade).legs) == 1


def is_counted_no_lower(told: Trade, lived: Trade) -> bool:
    return told.risk.heat_cents >= lived.risk.heat_cents


def _told_of_part(part: RolledPart) -> RolledPart:
    """Leave out why a call was bought back, and the minute: of a part of an order none is told."""
    is_told = part.exit_reason in TOLD_BY_ORDERS
    day = part.rolled_at.replace(hour=0, minute=0, second=0, microsecond=0)
    reason = part.exit_reason if is_told else None
    return part.model_copy(update={"rolled_at": day, "exit_reason": reason})


def told_of_legs(positions: tuple[Position, ...]) -> list[dict[str, object]]:
    """Give what orders tell of legs: greeks and marks are the market's."""
    seen = {
        "entry_delta",
        "current_delta",
        "implied_volatility",
        "underlying_price",
        "unrealized_pnl",
    }
    ordered = sorted(positions, key=lambda position: position.position_id)
    return [position.model_dump(exclude=seen) for position in ordered]


def ledger_of(book: Book, trades: list[Trade]) -> list[object]:
    """Give the ledger that `trades` have moved, its heat where their orders tell it.

    How many reservations there ever were guards a race, and a new book may count anew.
    """
    days = {f"day#{new_york_date(trade.timestamp_enter):%Y-%m-%d}" for trade in trades}
    symbols = {f"symbol#{trade.symbol}" for trade in trades}
    keys = ("portfolio", "streak", *sorted(symbols), *sorted(days))
    entries = [replace(book.ledger(key), reservations=0) for key in keys]
    if any(is_put_alone(trade) for trade in trades):
        return [replace(entry, heat_cents=0) for entry in entries]
    return list(entries)
