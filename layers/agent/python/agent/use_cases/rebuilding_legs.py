"""What became of single legs and of shares of a rebuilt trade, in the order in which it fits.

Orders have times; activities have days alone. What does not fit yet is tried again after the
next: shares are sold after the assignment that brought them. What never fits is a doubt.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, time
from decimal import Decimal

from agent.book.changes import BookChange
from agent.book.intents import Intent, IntentKind
from agent.book.lifecycle import (
    Booking,
    LegEvent,
    LegEventKind,
    ShareTrade,
    after_leg_event,
    after_share_trade,
    book_leg_event,
    book_share_trade,
)
from agent.book.order_plan import lone_leg
from agent.book.records import Trade
from agent.config.settings import Settings
from agent.market.calendar import NEW_YORK
from agent.options.structures import LegSide
from agent.ports import OptionEvent, OptionEventKind
from agent.risk.fees import fill_fees, share_fees
from agent.risk.sizing import scaled_risk
from agent.use_cases.rebuilding_fills import last_fill_at, net_cash, past_intent
from agent.use_cases.rebuilding_rolls import is_of_residue, residue_leg_closed
from agent.use_cases.rebuilt import (
    Doubtful,
    Happening,
    NamedOrder,
    RebuiltTrade,
    Step,
    after_change,
)
from agent.use_cases.remainder_orders import units_at_stake
from agent.use_cases.roll_settling import max_loss_at_entry

ZERO = Decimal(0)
KINDS = {
    OptionEventKind.EXPIRED: LegEventKind.EXPIRED,
    OptionEventKind.ASSIGNED: LegEventKind.ASSIGNED,
    OptionEventKind.EXERCISED: LegEventKind.EXERCISED,
}


def live_through(trade: RebuiltTrade, happenings: Iterable[Happening]) -> RebuiltTrade:
    """Do all that happened, oldest first, what does not fit later; raises Doubtful."""
    left = sorted(happenings, key=lambda each: (each.at, each.name))
    while left:
        for number, each in enumerate(left):
            try:
                trade = each.step(trade)
            except ValueError:
                continue
            del left[number]
            break
        else:
            names = ", ".join(each.name for each in left)
            raise Doubtful(f"it cannot have been through all of this: {names}")
    return trade


def legs_traded(orders: Sequence[NamedOrder], settings: Settings) -> Iterable[Happening]:
    """Give what orders traded of one leg alone, a leg and intent at a time; raises Doubtful."""
    groups: defaultdict[tuple[str, str], list[NamedOrder]] = defaultdict(list)
    for order in orders:
        groups[order.name.intent_id, order.past.legs[0].contract.symbol].append(order)
    for (intent_id, symbol), group in groups.items():
        quantity, price, at = _sum_up(group)
        side = group[0].past.legs[0].side
        event = LegEvent(f"{intent_id}-{symbol}", LegEventKind.TRADED, symbol, quantity, at, price)
        intent = past_intent(group, IntentKind.CLOSE)
        step = _leg_step(event, settings, bought=side is LegSide.LONG, intent=intent)
        yield Happening(at, event.event_id, step)


def shares_traded(orders: Sequence[NamedOrder], settings: Settings) -> Iterable[Happening]:
    """Give what orders traded of shares, an intent at a time; raises Doubtful."""
    groups: defaultdict[str, list[NamedOrder]] = defaultdict(list)
    for order in orders:
        groups[order.name.intent_id].append(order)
    for intent_id, group in groups.items():
        quantity, price, at = _sum_up(group)
        sold = ShareTrade(intent_id, group[0].past.shares_sign * quantity, price, at)
        yield Happening(at, intent_id, _share_step(sold, settings))


def befallen(events: Sequence[OptionEvent], settings: Settings) -> Iterable[Happening]:
    """Give what befell legs without a trade; raises Doubtful for what nobody can book."""
    for each in events:
        if each.kind not in KINDS:
            raise Doubtful(f"a corporate action changed {each.symbol}")
        at = datetime.combine(each.session, time(16), NEW_YORK)
        event = LegEvent(each.activity_id, KINDS[each.kind], each.symbol, each.contracts, at)
        yield Happening(at, f"{each.symbol} {each.kind}", _leg_step(event, settings, bought=None))


def _leg_step(
    event: LegEvent, settings: Settings, *, bought: bool | None, intent: Intent | None = None
) -> Step:
    def step(rebuilt: RebuiltTrade) -> RebuiltTrade:
        trade = rebuilt.trade
        if intent is not None and is_of_residue(trade, event.symbol):
            return residue_leg_closed(rebuilt, event, intent, settings)
        after = after_leg_event(trade, event)  # Refuses what the trade does not hold.
        leg = next(leg for leg in trade.structure.legs if leg.contract.symbol == event.symbol)
        if bought is not None and bought is not (leg.side is LegSide.SHORT):
            raise ValueError(f"{event.event_id} adds to {event.symbol}")
        if event.kind is _OTHER_SIDE[leg.side]:
            raise ValueError(f"a {leg.side} leg is not {event.kind}")
        fees = ZERO
        if event.kind is LegEventKind.TRADED:
            fees = fill_fees(
                lone_leg(leg), (event.price,), event.contracts, opening=False, fees=settings.fees
            )
        change = book_leg_event(
            trade, rebuilt.positions, event, _booking(trade, after, fees), event.at
        )
        return _after(rebuilt, change)

    return step


_OTHER_SIDE = {LegSide.LONG: LegEventKind.ASSIGNED, LegSide.SHORT: LegEventKind.EXERCISED}


def _share_step(event: ShareTrade, settings: Settings) -> Step:
    def step(rebuilt: RebuiltTrade) -> RebuiltTrade:
        trade = rebuilt.trade
        fees = share_fees(event.quantity, event.price, settings.fees)
        booking = _booking(trade, after_share_trade(trade, event), fees)
        change = book_share_trade(trade, event, booking, event.at)
        return _after(rebuilt, change)

    return step


def _booking(trade: Trade, after: Trade, fees: Decimal) -> Booking:
    units = units_at_stake(trade, after.contracts_held, after.shares_held)
    return Booking(
        fees=fees,
        max_loss=max_loss_at_entry(trade, trade.execution.credit or ZERO),
        risk=scaled_risk(trade.risk, units),
    )


def _after(rebuilt: RebuiltTrade, change: BookChange) -> RebuiltTrade:
    after = after_change(rebuilt, change)
    if after.trade.timestamp_exit is not None and after.trade.holdings.reason is None:
        # Orders do not say why.
        return replace(after, trade=after.trade.model_copy(update={"exit_reason": None}))
    return after


def _sum_up(orders: Sequence[NamedOrder]) -> tuple[int, Decimal, datetime]:
    """Give what filled, at which average price a share, and when the last of it did."""
    quantity = sum(order.filled for order in orders)
    value = sum((abs(net_cash(order)) * order.filled for order in orders), ZERO)
    return quantity, value / quantity, last_fill_at(orders)
