"""What a roll came to: one trade, one stop and one P&L, whatever it holds meanwhile.

A roll replaces the structure that a trade holds; cash, fees and closed legs stay with the trade,
and its credit becomes what the whole campaign has brought a share. So target, stop and P&L are
those of the campaign without further ado.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial

from agent.book.changes import BookChange, LedgerMove, TradeWrite
from agent.book.fills import FillSummary
from agent.book.holdings import Holdings
from agent.book.identifiers import rolled_position_id
from agent.book.intents import Intent
from agent.book.moves import ended, event_of, moved, opened_legs
from agent.book.order_plan import LegFill
from agent.book.outcome import final_figures, reduce_position
from agent.book.records import (
    Alert,
    AlertKind,
    Campaign,
    Position,
    PositionStatus,
    RolledPart,
    RollResidue,
    StopWatch,
    Trade,
    TradeExecution,
    TradeRisk,
)
from agent.book.roll_fills import RollFills
from agent.book.states import ExitReason, TradeStatus
from agent.book.transitions import describe

ZERO = Decimal(0)


def settle_roll(
    trade: Trade,
    positions: Sequence[Position],
    intent: Intent,
    fills: RollFills,
    *,
    fees: Decimal,
    max_loss: Decimal,
    risk: TradeRisk,
    adjustment: Sequence[LedgerMove],
    at: datetime,
) -> BookChange:
    """Record a roll: moved on, back where it was, or closed where nothing could be reopened.

    `fees` are those of these fills, `max_loss` is the trade's at entry and `risk` what it holds
    now; `adjustment` brings the ledger there. What could not be closed while the rest moved on is
    left as the residue of the campaign.
    """
    before, closed, opened = trade.execution, fills.closed, fills.opened
    if before.credit is None:
        raise ValueError(f"{trade.trade_id} rolls without ever having opened")
    if opened.contracts > closed.contracts or closed.contracts > trade.contracts_held:
        raise ValueError(f"{intent.intent_id} opened or closed more than was held")
    left = trade.contracts_held - closed.contracts
    execution = _after_roll(before, fills, fees)
    own = [position for position in positions if position.option_symbol in trade.structure.symbols]
    kept = [_after_leg_exit(position, trade, closed) for position in own]
    changes: dict[str, object] = {"execution": execution, "risk": risk, "exit_reason": None}
    outcome = "unfilled" if not closed.contracts else "partly closed"
    status = TradeStatus.OPEN
    if opened.contracts:
        outcome = "rolled" if not left else "partly rolled"
        changes |= _moved_on(trade, fills, left=left, max_loss=max_loss, at=at)
        kept += opened_positions(intent, fills)
    elif closed.contracts and not left:
        outcome, status = "closed", TradeStatus.CLOSED
        closing = trade.model_copy(update={"execution": execution})
        changes |= final_figures(closing, max_loss=max_loss, at=closed.filled_at or at)
        changes["exit_reason"] = ExitReason.ROLL
    return BookChange(
        trade=TradeWrite(moved(trade, status, **changes), trade.status, trade.version),
        intents=(ended(intent, outcome),),
        positions=tuple(kept) if closed.contracts else (),
        ledger=tuple(adjustment),
        events=(
            event_of(
                intent,
                "roll_settled",
                at,
                outcome=outcome,
                closed=closed.contracts,
                opened=opened.contracts,
            ),
        ),
        alerts=_alerts(trade, intent, fills, outcome=outcome, changes=changes, at=at),
    )


def residue_view(trade: Trade) -> Trade:
    """Show a trade as if its residue were all it holds: what an order that closes it is about.

    Raises ValueError where there is none.
    """
    residue = trade.campaign.residue
    if residue is None:
        raise ValueError(f"{trade.trade_id} holds no residue of a roll")
    execution = trade.execution.model_copy(
        update={"contracts": residue.contracts, "contracts_closed": 0}
    )
    return trade.model_copy(
        update={
            "structure": residue.structure,
            "execution": execution,
            "campaign": Campaign(),
            "holdings": Holdings(legs_gone=residue.legs_gone),
        }
    )


def residue_after(
    residue: RollResidue, fills: FillSummary, alone: Sequence[LegFill]
) -> RollResidue | None:
    """Give what is left of a residue once whole units and legs `alone` were closed; None if none.

    Raises ValueError where more was closed than was left behind.
    """
    gone = Counter(residue.legs_gone)
    for fill in alone:
        gone[fill.leg.contract.symbol] += fill.contracts
    left = residue.contracts - fills.contracts
    legs = residue.structure.legs
    if any(gone[leg.contract.symbol] > left * leg.ratio for leg in legs):
        raise ValueError(f"more of {residue.structure.symbols} was closed than was left behind")
    units = min(gone[leg.contract.symbol] // leg.ratio for leg in legs)
    alone_still = {
        leg.contract.symbol: count
        for leg in legs
        if (count := gone[leg.contract.symbol] - units * leg.ratio)
    }
    if left == units:
        return None
    return residue.model_copy(update={"contracts": left - units, "legs_gone": alone_still})


def settle_residue(
    trade: Trade,
    positions: Sequence[Position],
    intent: Intent,
    fills: FillSummary,
    *,
    alone: Sequence[LegFill] = (),
    fees: Decimal,
    risk: TradeRisk,
    release: Sequence[LedgerMove],
    at: datetime,
) -> BookChange:
    """Record the close of what a roll left behind; the trade is open again, whatever filled.

    `alone` are the legs that went one by one, beside the whole units of `fills`.
    """
    residue = trade.campaign.residue
    if residue is None:
        raise ValueError(f"{trade.trade_id} holds no residue of a roll")
    remaining = residue_after(residue, fills, alone)
    former = residue_view(trade)
    former = former.model_copy(
        update={"execution": former.execution.model_copy(update={"contracts": residue.opened})}
    )
    execution = trade.execution.model_copy(
        update={
            "exit_cash": trade.execution.exit_cash + fills.cash + sum(each.cash for each in alone),
            "fees": trade.execution.fees + fees,
            "reprices": trade.execution.reprices + fills.reprices,
        }
    )
    campaign = trade.campaign.model_copy(update={"residue": remaining})
    following = moved(
        trade,
        TradeStatus.OPEN,
        execution=execution,
        campaign=campaign,
        risk=risk,
        exit_reason=None,
    )
    has_filled = fills.contracts or alone
    outcome = "closed" if remaining is None else "partly filled" if has_filled else "unfilled"
    return BookChange(
        trade=TradeWrite(following, trade.status, trade.version),
        intents=(ended(intent, outcome),),
        positions=tuple(_residue_positions(positions, former, fills, alone)),
        ledger=tuple(release),
        events=(event_of(intent, "residue_settled", at, contracts=fills.contracts),),
    )


def _residue_positions(
    positions: Sequence[Position], former: Trade, fills: FillSummary, alone: Sequence[LegFill]
) -> Iterable[Position]:
    """Give the open legs of a residue as what was closed leaves them."""
    gone = {fill.leg.contract.symbol: fill for fill in alone}
    for position in positions:
        symbol = position.option_symbol
        if symbol in former.structure.symbols and position.status is PositionStatus.OPEN:
            left = _after_leg_exit(position, former, fills)
            fill = gone.get(symbol)
            yield (
                left if fill is None else reduce_position(left, former, fill.contracts, fill.price)
            )


def _after_roll(before: TradeExecution, fills: RollFills, fees: Decimal) -> TradeExecution:
    """Add both halves up; what moved on has the campaign's credit a share."""
    closed, opened = fills.closed, fills.opened
    changes: dict[str, object] = {
        "entry_cash": before.entry_cash + opened.cash,
        "exit_cash": before.exit_cash + closed.cash,
        "fees": before.fees + fees,
        "reprices": before.reprices + closed.reprices,
    }
    if opened.contracts:
        net = fills.net_credit
        assert before.credit is not None
        assert net is not None
        changes |= {
            "contracts": opened.contracts,
            "contracts_closed": 0,
            "credit": before.credit + net,
            "exit_debit": None,
        }
    elif closed.contracts:
        gone = before.contracts_closed + closed.contracts
        paid_before = (before.exit_debit or ZERO) * before.contracts_closed
        paid_now = -(closed.cash_per_share or ZERO) * closed.contracts
        changes |= {"contracts_closed": gone, "exit_debit": (paid_before + paid_now) / gone}
    return before.model_copy(update=changes)


def _moved_on(
    trade: Trade, fills: RollFills, *, left: int, max_loss: Decimal, at: datetime
) -> dict[str, object]:
    """Put the new structure in place of the former, and the former into the campaign's story."""
    before, campaign = trade.execution, trade.campaign
    assert before.credit is not None
    part = RolledPart(
        structure=trade.structure,
        contracts=fills.closed.contracts,
        credit=before.credit,
        debit=-(fills.closed.cash_per_share or ZERO),
        rolled_at=fills.opened.filled_at or at,
    )
    residue = None
    if left:
        residue = RollResidue(
            structure=trade.structure,
            contracts=left,
            opened=before.contracts,
            sizing_loss_per_contract=trade.risk.sizing_loss_per_contract,
            capital_per_contract=trade.risk.capital_per_contract,
        )
    budget = campaign.budget_per_contract
    moved_stop = trade.stop_debit
    net = fills.net_credit or ZERO
    return {
        "structure": fills.following,
        "campaign": Campaign(
            rolls=campaign.rolls + 1,
            attempts=campaign.attempts,
            sought_at=campaign.sought_at,
            budget_per_contract=(trade.risk.sizing_loss_per_contract if budget is None else budget),
            max_loss=max_loss,
            parts=(*campaign.parts, part),
            residue=residue,
        ),
        "stop_watch": StopWatch(),
        # A stop that its owner moved stays at the same loss of the campaign.
        "stop_debit": None if moved_stop is None else moved_stop + net,
    }


def opened_positions(intent: Intent, fills: RollFills) -> tuple[Position, ...]:
    """Give the legs that a roll opened, or the calls that were written on shares."""
    opened = fills.opened
    assert fills.following is not None
    assert opened.leg_prices is not None
    return opened_legs(
        intent.trade_id,
        fills.following,
        opened.contracts,
        opened.leg_prices,
        fills.leg_deltas,
        name_of=partial(rolled_position_id, intent.intent_id),
    )


def _after_leg_exit(position: Position, trade: Trade, fills: FillSummary) -> Position:
    if fills.leg_prices is None:
        return position
    number = trade.structure.symbols.index(position.option_symbol)
    contracts = fills.contracts * trade.structure.legs[number].ratio
    return reduce_position(position, trade, contracts, fills.leg_prices[number])


def _alerts(
    trade: Trade,
    intent: Intent,
    fills: RollFills,
    *,
    outcome: str,
    changes: dict[str, object],
    at: datetime,
) -> tuple[Alert, ...]:
    if outcome == "unfilled":
        return ()
    kind, told = AlertKind.TRADE_EXECUTED, f"{outcome} {trade.symbol} {trade.strategy}"
    if outcome == "closed":
        kind = AlertKind.POSITION_CLOSED
        message = (
            f"Closed {fills.closed.contracts} x {describe(trade)} to roll it, and nothing could "
            f"be reopened: P&L {changes['pnl']:.2f} USD ({trade.trade_id})."
        )
    elif fills.net_credit is None:
        message = (
            f"Closed {fills.closed.contracts} x {describe(trade)} to roll it; the rest stays "
            f"open ({trade.trade_id})."
        )
    else:
        following = trade.model_copy(update={"structure": fills.following})
        message = (
            f"Rolled {fills.opened.contracts} x {describe(trade)} to {describe(following)} for a "
            f"net credit of {fills.net_credit:.2f} a share ({trade.trade_id})."
        )
    return (
        Alert(
            alert_id=f"{intent.intent_id}-alert",
            kind=kind,
            at=at,
            subject=told[0].upper() + told[1:],
            message=message,
        ),
    )
