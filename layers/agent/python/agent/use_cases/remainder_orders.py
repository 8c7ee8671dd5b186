"""Orders for what is left of a trade that is no whole structure: one leg, or its shares."""

from decimal import Decimal

from agent.book.changes import BookChange, BookConflict
from agent.book.intents import Intent, OrderAttempt
from agent.book.lifecycle import (
    Booking,
    ShareTrade,
    after_leg_event,
    after_share_trade,
)
from agent.book.records import Trade
from agent.book.states import TradeStatus
from agent.book.winding_up import RemainderFills, leg_event_of, settle_remainder
from agent.options.structures import Leg, LegSide, Structure
from agent.ports import ShareOrderRequest
from agent.risk.fees import fill_fees, share_fees
from agent.risk.order_prices import (
    NoOrder,
    PricedOrder,
    collar_breach,
    contract_tick,
    price_alone,
)
from agent.risk.reservation import adjust_moves, release_moves
from agent.risk.sizing import scaled_risk
from agent.use_cases.blocked_orders import clear_of_blocker
from agent.use_cases.desk import Desk
from agent.use_cases.roll_settling import max_loss_at_entry

ZERO = Decimal(0)


def price_remainder(desk: Desk, intent: Intent, trade: Trade) -> PricedOrder | NoOrder:
    """Price the next rung of a leg or of shares; `trade` is as the intent carries it."""
    if intent.shares is None:
        return price_leg(desk, intent, None, trade.structure.legs[0], len(intent.orders))
    snapshot = desk.market.underlyings([trade.symbol]).get(trade.symbol)
    if snapshot is None:
        return NoOrder(f"{trade.symbol} has no quote")
    priced = price_alone(
        snapshot.bid,
        snapshot.ask,
        len(intent.orders),
        buys=intent.shares > 0,
        settings=desk.settings,
    )
    if isinstance(priced, PricedOrder):
        priced = clear_of_blocker(desk, intent, None, priced)
    return _collared(desk, priced)


def price_leg(
    desk: Desk, intent: Intent, number: int | None, leg: Leg, rung: int
) -> PricedOrder | NoOrder:
    """Price the close of one leg alone, at a rung from 0: a short is bought, a long is sold.

    `number` is that of the leg in an intent that closes several, from 1.
    """
    quote = desk.market.option_quotes([leg.contract]).get(leg.contract.symbol)
    if quote is None:
        return NoOrder("the leg has no quote")
    tick = contract_tick(quote, (quote.bid or ZERO))
    buys = leg.side is LegSide.SHORT
    priced = price_alone(quote.bid, quote.ask, rung, buys=buys, settings=desk.settings, tick=tick)
    if isinstance(priced, PricedOrder):
        priced = clear_of_blocker(desk, intent, number, priced, tick)
    return _collared(desk, priced)


def _collared(desk: Desk, priced: PricedOrder | NoOrder) -> PricedOrder | NoOrder:
    if isinstance(priced, NoOrder):
        return priced
    breach = collar_breach(priced, desk.settings)
    return priced if breach is None else NoOrder(f"{breach[0]}: {breach[1]}")


def share_request(intent: Intent, trade: Trade, attempt: OrderAttempt) -> ShareOrderRequest:
    """Ask for the shares of an attempt, in the direction of its intent."""
    sign = 1 if (intent.shares or 0) > 0 else -1
    return ShareOrderRequest(
        client_order_id=attempt.client_order_id,
        symbol=trade.symbol,
        quantity=sign * attempt.contracts,
        limit_price=abs(attempt.limit_cash),
    )


def remainder_change(desk: Desk, intent: Intent) -> BookChange:
    """Give the change that records a leg or shares that were traded alone.

    Raises BookConflict where the trade has moved on since the intent was read: somebody settled it.
    """
    trade = desk.book.trade(intent.trade_id)
    if trade is None or (trade.status, trade.close_attempts) != (
        TradeStatus.CLOSING,
        intent.attempt,
    ):
        raise BookConflict(f"{intent.trade_id} is not closing for {intent.intent_id} any more")
    at = desk.clock.market_clock().now
    fills = _fills(intent)
    fees, after = ZERO, trade
    if fills is not None and intent.leg is not None:
        if not intent.exercises:
            fees = leg_fees(desk, trade, intent.leg, fills.quantity, fills.price)
        after = after_leg_event(trade, leg_event_of(intent, fills))
    elif fills is not None:
        quantity = fills.quantity if (intent.shares or 0) > 0 else -fills.quantity
        fees = share_fees(quantity, fills.price, desk.settings.fees)
        after = after_share_trade(trade, ShareTrade("", quantity, fills.price, at))
    return settle_remainder(
        trade,
        desk.book.positions(trade.trade_id),
        intent,
        fills,
        booking=booking_for(trade, after, fees),
        at=at,
    )


def booking_for(trade: Trade, after: Trade, fees: Decimal) -> Booking:
    """Give what an event that leaves `trade` as `after` needs: its risk, and the ledger's moves.

    Shares count as the contracts they came from: at the strike, until they are gone.
    """
    credit = trade.execution.credit
    if credit is None:
        raise ValueError(f"{trade.trade_id} has never opened")
    risk = scaled_risk(trade.risk, units_at_stake(trade, after.contracts_held, after.shares_held))
    return Booking(
        fees=fees,
        max_loss=max_loss_at_entry(trade, credit),
        risk=risk,
        ledger=(
            release_moves(trade.risk, symbol=trade.symbol)
            if after.is_flat
            else adjust_moves(trade.risk, risk, symbol=trade.symbol)
        ),
    )


def units_at_stake(trade: Trade, contracts: int, shares: int) -> int:
    """Count the units of its structure that a trade answers for with contracts and with shares."""
    return max(contracts, -(-abs(shares) // trade.structure.multiplier))


def leg_fees(desk: Desk, trade: Trade, symbol: str, contracts: int, price: Decimal) -> Decimal:
    """Give the fees of closing contracts of one leg at `price` dollars a share."""
    leg = next(leg for leg in trade.structure.legs if leg.contract.symbol == symbol)
    alone = Structure((type(leg)(leg.contract, leg.side),))
    return fill_fees(alone, [price], contracts, opening=False, fees=desk.settings.fees)


def _fills(intent: Intent) -> RemainderFills | None:
    filled = [order for order in intent.orders if order.filled_contracts]
    quantity = sum(order.filled_contracts for order in filled)
    if not quantity:
        return None
    value, last = ZERO, filled[0].submitted_at
    for order in filled:
        if order.filled_cash is None:
            raise ValueError(f"order {order.client_order_id} filled at an unknown price")
        value += abs(order.filled_cash) * order.filled_contracts
        last = max(last, order.filled_at or order.submitted_at)
    return RemainderFills(quantity, value / quantity, last)
