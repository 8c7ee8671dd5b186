"""Cover short shares by exercising the long call beside them, where buying them costs more."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from agent.book.identifiers import close_intent_id
from agent.book.intents import Intent, OrderAttempt
from agent.book.order_plan import NextOrder
from agent.book.records import Trade
from agent.book.winding_up import Remainder, call_to_exercise
from agent.options.contracts import parse_occ_symbol
from agent.options.structures import Leg
from agent.risk.order_prices import NoOrder
from agent.use_cases.desk import Desk
from agent.use_cases.remainder_orders import leg_fees

ZERO = Decimal(0)


def exercise_instead(desk: Desk, trade: Trade, purchase: Remainder) -> Remainder:
    """Give the exercise that covers short shares, or the purchase where that is no dearer.

    The broker exercises every contract of the account: there must be no other than those left
    alone here. After an exercise that came to nothing the shares are bought.
    """
    found = call_to_exercise(trade)
    if found is None or _was_just_tried(desk, trade):
        return purchase
    leg, contracts = found
    held = {position.symbol: position.quantity for position in desk.broker.holdings()}
    if held.get(leg.contract.symbol) != contracts or _others_hold_shares(desk, trade):
        return purchase
    saving = _saving(desk, trade, leg, contracts)
    if saving is None or saving <= 0:
        return purchase
    return replace(
        purchase,
        sentence=(
            f"{-trade.shares_held} shares are short and uncovered; exercising {contracts} x "
            f"{leg.contract.symbol} is {saving:.2f} a share cheaper than buying them."
        ),
        leg=leg.contract.symbol,
        contracts=contracts,
        shares=None,
        exercises=True,
        shares_before=held.get(trade.symbol, 0),
    )


def _saving(desk: Desk, trade: Trade, leg: Leg, contracts: int) -> Decimal | None:
    """Give what an exercise saves a share, against buying the shares and selling the call.

    Where nobody offers the shares, their last price counts; None without one.
    """
    stock = desk.market.underlyings([trade.symbol]).get(trade.symbol)
    if stock is None:
        return None
    cost = stock.ask or stock.price
    if cost is None:
        return None
    quote = desk.market.option_quotes([leg.contract]).get(leg.contract.symbol)
    bid = (None if quote is None else quote.bid) or ZERO
    fees = leg_fees(desk, trade, leg.contract.symbol, contracts, bid) if bid else ZERO
    sale = bid - fees / (contracts * leg.contract.multiplier)
    return cost - sale - leg.contract.strike


def _was_just_tried(desk: Desk, trade: Trade) -> bool:
    if not trade.close_attempts:
        return False
    last = desk.book.intent(close_intent_id(trade.trade_id, trade.close_attempts))
    return last is not None and last.exercises


def _others_hold_shares(desk: Desk, trade: Trade) -> bool:
    """Say whether shares of another trade could move meanwhile, and be taken for the exercise's."""
    return any(
        other.shares_held
        for other in desk.book.active_trades()
        if other.symbol == trade.symbol and other.trade_id != trade.trade_id
    )


def exercise_attempt(
    desk: Desk, intent: Intent, following: NextOrder, at: datetime
) -> OrderAttempt | NoOrder:
    """Write an exercise down as an order that the broker has no name for; cash is its strike."""
    contract = parse_occ_symbol(intent.leg or "")
    held = {position.symbol: position.quantity for position in desk.broker.holdings()}
    if held.get(contract.symbol) != following.contracts:
        return NoOrder("the account does not hold exactly the contracts to exercise")
    if held.get(contract.underlying, 0) != intent.shares_before:
        return NoOrder("the shares of the account have moved since")
    return OrderAttempt(
        client_order_id=following.client_order_id,
        contracts=following.contracts,
        limit_cash=-contract.strike,
        mid_cash=-contract.strike,
        natural_cash=-contract.strike,
        submitted_at=at,
    )
