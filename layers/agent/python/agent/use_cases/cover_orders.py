"""Orders for calls on assigned shares: whether the shares are free, the price, what it came to."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from agent.book.changes import BookChange
from agent.book.covering import CoverBooking, is_written_call, settle_cover
from agent.book.identifiers import close_intent_id
from agent.book.intents import Intent
from agent.book.records import Trade
from agent.book.roll_fills import RollFills, RollStep, roll_signal_of, summarize_roll
from agent.book.states import ExitReason
from agent.config.settings import Settings
from agent.market.quotes import quote_structure
from agent.options.contracts import OCC_SYMBOL_PATTERN, OptionType, parse_occ_symbol
from agent.risk.order_prices import NoOrder, PricedOrder, collar_breach, moved_since, price_entry
from agent.use_cases.blocked_orders import is_of_stage
from agent.use_cases.desk import Desk
from agent.use_cases.roll_settling import max_loss_at_entry, opening_fees


def free_lots(desk: Desk, trade: Trade, active: Sequence[Trade]) -> int:
    """Count the lots of a trade's shares that the broker holds and that no call is written on.

    The shares of other trades are theirs, to cover their own calls; short calls that the book does
    not know are taken to be covered by shares that it does.
    """
    held = {position.symbol: position.quantity for position in desk.broker.holdings()}
    others = [each for each in active if each.trade_id != trade.trade_id]
    theirs = sum(max(each.shares_held, 0) for each in others if each.symbol == trade.symbol)
    short = _short_calls(held, trade.symbol)
    booked = sum(_short_calls(each.leg_quantities, trade.symbol) for each in active)
    multiplier = trade.structure.multiplier
    free = held.get(trade.symbol, 0) - theirs - multiplier * max(short - booked, 0)
    return max(free, 0) // multiplier


def others_work_on(desk: Desk, underlying: str) -> bool:
    """Say whether an order that is not of this stage works on shares, or on calls on them."""
    for order in desk.broker.working_orders():
        if is_of_stage(desk, order):
            continue  # Ours close what is theirs, or write calls on shares of their own trade.
        if any(symbol == underlying or _is_call_on(symbol, underlying) for symbol in order.symbols):
            return True
    return False


def _is_call_on(symbol: str, underlying: str) -> bool:
    if not OCC_SYMBOL_PATTERN.fullmatch(symbol):
        return False
    contract = parse_occ_symbol(symbol)
    return contract.option_type is OptionType.CALL and contract.underlying == underlying


def _short_calls(quantities: Mapping[str, int], underlying: str) -> int:
    return -sum(
        min(quantity, 0)
        for symbol, quantity in quantities.items()
        if _is_call_on(symbol, underlying)
    )


def price_cover(
    desk: Desk, intent: Intent, trade: Trade, step: RollStep, as_of: datetime
) -> tuple[RollStep, PricedOrder] | NoOrder:
    """Price the next order for calls from quotes of this moment, on shares of this moment."""
    signal = roll_signal_of(intent)
    if free_lots(desk, trade, desk.book.active_trades()) < step.contracts:
        return NoOrder("the broker does not hold the shares free that the calls need")
    contracts = [leg.contract for leg in signal.structure.legs]
    quote = quote_structure(signal.structure, desk.market.option_quotes(contracts))
    if quote is None:
        return NoOrder("the call has no quote")
    priced = price_entry(quote, step.rung, signal.credit_min, desk.settings, as_of)
    if isinstance(priced, NoOrder):
        return priced
    moved = moved_since(signal.credit_mid, priced.mid_cash, desk.settings)
    if moved is not None:
        return NoOrder(moved)
    breach = collar_breach(priced, desk.settings, structure=signal.structure)
    return (step, priced) if breach is None else NoOrder(f"{breach[0]}: {breach[1]}")


def cover_change(desk: Desk, intent: Intent, trade: Trade) -> BookChange:
    """Give the change that records calls whose orders can fill no more."""
    return book_cover(
        trade,
        intent,
        summarize_roll(intent, trade.structure),
        settings=desk.settings,
        former_ended_by=former_ended_by(trade) or _last_exit(desk, trade),
        at=desk.clock.market_clock().now,
    )


def book_cover(
    trade: Trade,
    intent: Intent,
    fills: RollFills,
    *,
    settings: Settings,
    former_ended_by: ExitReason | None,
    at: datetime,
) -> BookChange:
    """Book calls that were written; `former_ended_by` is what ended what they follow, if known."""
    credit = trade.execution.credit
    if credit is None:
        raise ValueError(f"{trade.trade_id} holds shares without ever having opened")
    booking = CoverBooking(
        fees=opening_fees(fills, settings.fees),
        max_loss=max_loss_at_entry(trade, credit),
        former_ended_by=former_ended_by,
    )
    return settle_cover(trade, intent, fills, booking, at)


def former_ended_by(trade: Trade) -> ExitReason | None:
    """Say what ended what calls follow: a put was assigned, a call ran out; None for an exit."""
    if not is_written_call(trade.structure):
        return ExitReason.ASSIGNED
    return None if trade.execution.exit_debit else ExitReason.EXPIRED


def _last_exit(desk: Desk, trade: Trade) -> ExitReason:
    last = desk.book.intent(close_intent_id(trade.trade_id, max(trade.close_attempts, 1)))
    return (None if last is None else last.exit_reason) or ExitReason.MANUAL
