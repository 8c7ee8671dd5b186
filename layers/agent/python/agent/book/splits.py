"""What a split into whole shares makes of a trade: more of everything, each worth less.

No money moves. Quantities are multiplied and whatever is stated a share or a contract is divided,
so that the credit in all, the stop, the target, the risk reserved and the P&L stay what they were.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from agent.book.changes import BookChange, TradeWrite
from agent.book.holdings import Holdings
from agent.book.record import Record
from agent.book.records import (
    Alert,
    AlertKind,
    Campaign,
    FillQuality,
    JournalEvent,
    MarketSnapshotAtEntry,
    Position,
    RollResidue,
    StopWatch,
    Trade,
    TradeExecution,
    TradeRisk,
)
from agent.book.states import TradeStatus, TransitionRefused
from agent.book.transitions import describe
from agent.options.contracts import OptionContract
from agent.options.structures import Structure

EVENT_PREFIX = "split-"
ADJUSTMENT_DAYS_MAX = 4
"""How far from its ex-date the broker may report what a split did to a contract: a weekend."""
R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class WholeSplit:
    """Tell of `factor` shares for one, from `ex_date` on, and of the contract that each becomes.

    `contracts` are by the OCC symbol from before; every leg of a trade must be there.
    """

    symbol: str
    ex_date: date
    factor: int
    contracts: Mapping[str, OptionContract]

    @property
    def event_id(self) -> str:
        """Name the split as a trade remembers it: a pure function of stock and day."""
        return split_event_id(self.symbol, self.ex_date)


def split_event_id(symbol: str, ex_date: date) -> str:
    return f"{EVENT_PREFIX}{symbol}-{ex_date:%Y%m%d}"


def explains_adjustment(trade: Trade, session: date) -> bool:
    """Say whether a split that a trade has booked is what a broker reports on `session`."""
    prefix = f"{EVENT_PREFIX}{trade.symbol}-"
    return any(
        abs((date.fromisoformat(name.removeprefix(prefix)) - session).days) <= ADJUSTMENT_DAYS_MAX
        for name in trade.holdings.booked
        if name.startswith(prefix)
    )


def after_split(trade: Trade, split: WholeSplit) -> Trade:
    """Give the trade as a split leaves it, its status and version untouched.

    Raises ValueError where it was booked before.
    """
    if split.event_id in trade.holdings.booked:
        raise ValueError(f"{trade.trade_id} has booked {split.event_id} before")
    stop = trade.stop_debit
    return trade.model_copy(
        update={
            "structure": _restruck(trade.structure, split),
            "execution": _execution(trade.execution, split.factor),
            "risk": _risk(trade.risk, split.factor),
            "market_snapshot": _snapshot(trade.market_snapshot, split.factor),
            "campaign": _campaign(trade.campaign, split),
            "holdings": _holdings(trade, split),
            "stop_debit": None if stop is None else stop / split.factor,
            # What passes saw of a stop since the split, they saw of legs that were gone.
            "stop_watch": StopWatch(),
        }
    )


def book_split(
    trade: Trade, positions: Sequence[Position], split: WholeSplit, at: datetime
) -> BookChange:
    """Book a split to an open trade and its legs; neither cash nor the ledger moves.

    Raises TransitionRefused for any other trade: orders of it may be under way.
    """
    if trade.status is not TradeStatus.OPEN:
        raise TransitionRefused(f"a {trade.status} trade is not restated for a split")
    following = after_split(trade, split).model_copy(update={"version": trade.version + 1})
    name = f"{trade.trade_id}-{split.event_id}"
    sentence = (
        f"{trade.symbol} split {split.factor} for 1 on {split.ex_date:%Y-%m-%d}:"
        f" {_held(trade)} became {_held(following)}. No money moved, and the exits go on."
    )
    return BookChange(
        trade=TradeWrite(following, trade.status, trade.version),
        positions=tuple(
            _position(each, split) for each in positions if each.option_symbol in split.contracts
        ),
        events=(
            JournalEvent(
                event_id=name,
                at=at,
                kind="split_booked",
                trade_id=trade.trade_id,
                details={"event": split.event_id, "what": sentence, "factor": split.factor},
            ),
        ),
        alerts=(
            Alert(
                alert_id=f"{name}-alert",
                kind=AlertKind.SYSTEM_ERROR,
                at=at,
                subject=f"{trade.symbol}: split {split.factor} for 1 booked",
                message=f"{sentence} ({trade.trade_id})",
            ),
        ),
    )


def _held(trade: Trade) -> str:
    contracts = f"{trade.contracts_held} x {describe(trade)}" if trade.contracts_held else ""
    shares = f"{trade.shares_held} shares" if trade.shares_held else ""
    return " and ".join(part for part in (contracts, shares) if part)


def _restruck(structure: Structure, split: WholeSplit) -> Structure:
    return Structure(
        tuple(replace(leg, contract=split.contracts[leg.contract.symbol]) for leg in structure.legs)
    )


def _position(position: Position, split: WholeSplit) -> Position:
    contract = split.contracts[position.option_symbol]
    restated = _restated(
        position,
        split.factor,
        counts=("quantity",),
        amounts=("entry_price", "exit_price", "underlying_price"),
    )
    return restated.model_copy(update={"option_symbol": contract.symbol, "strike": contract.strike})


def _execution(execution: TradeExecution, factor: int) -> TradeExecution:
    restated = _restated(
        execution,
        factor,
        counts=("contracts", "contracts_closed"),
        amounts=("credit", "exit_debit", "entry_slippage", "exit_slippage"),
    )
    return restated.model_copy(
        update={
            "entry_quality": _quality(execution.entry_quality, factor),
            "exit_quality": _quality(execution.exit_quality, factor),
        }
    )


def _quality(quality: FillQuality | None, factor: int) -> FillQuality | None:
    if quality is None:
        return None
    return _restated(quality, factor, amounts=("slippage_on_arrival", "slippage_at_fill"))


def _risk(risk: TradeRisk, factor: int) -> TradeRisk:
    return _restated(
        risk,
        factor,
        counts=("contracts_reserved",),
        amounts=("sizing_loss_per_contract", "capital_per_contract", "stress_loss_per_contract"),
    )


def _snapshot(snapshot: MarketSnapshotAtEntry, factor: int) -> MarketSnapshotAtEntry:
    amounts = ("underlying_price", "credit_mid", "credit_natural", "stress_debit")
    return _restated(snapshot, factor, amounts=amounts)


def _campaign(campaign: Campaign, split: WholeSplit) -> Campaign:
    """Restate what is held and what bounds it; the parts that are over stay as they were."""
    restated = _restated(campaign, split.factor, amounts=("budget_per_contract",))
    residue = campaign.residue
    return restated.model_copy(
        update={"residue": None if residue is None else _residue(residue, split)}
    )


def _residue(residue: RollResidue, split: WholeSplit) -> RollResidue:
    restated = _restated(
        residue,
        split.factor,
        counts=("contracts", "opened"),
        amounts=("sizing_loss_per_contract", "capital_per_contract"),
    )
    return restated.model_copy(
        update={
            "structure": _restruck(residue.structure, split),
            "legs_gone": _legs_gone(residue.legs_gone, split),
        }
    )


def _legs_gone(legs_gone: Mapping[str, int], split: WholeSplit) -> dict[str, int]:
    return {
        split.contracts[symbol].symbol: count * split.factor for symbol, count in legs_gone.items()
    }


def _holdings(trade: Trade, split: WholeSplit) -> Holdings:
    holdings, factor = trade.holdings, split.factor
    shares = holdings.shares
    if shares is not None:
        shares = _restated(
            shares, factor, counts=("quantity",), amounts=("basis", "tax_basis", "mark")
        )
    return holdings.model_copy(
        update={
            "legs_gone": _legs_gone(holdings.legs_gone, split),
            "shares": shares,
            "booked": {**holdings.booked, split.event_id: factor},
            "former_symbols": (*holdings.former_symbols, *trade.leg_quantities),
        }
    )


def _restated(record: R, factor: int, *, amounts: Sequence[str], counts: Sequence[str] = ()) -> R:
    """Multiply the counts of a record and divide its amounts; what is unknown stays unknown."""
    values: dict[str, Decimal | int | None] = {
        name: getattr(record, name) * factor for name in counts
    }
    for name in amounts:
        amount = getattr(record, name)
        values[name] = None if amount is None else amount / factor
    return record.model_copy(update=values)
