"""What a rebuilt trade moved on to: rolls, what they left behind, calls on its shares.

The names of orders say which attempt they belong to, and their legs which half: what closes the
structure that the trade holds by then is what was left, the rest is what was moved on to.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from functools import partial

from agent.book.changes import BookChange
from agent.book.covering import is_written_call
from agent.book.intents import Intent, IntentKind
from agent.book.lifecycle import LegEvent
from agent.book.order_plan import LegFill
from agent.book.records import Trade
from agent.book.roll_fills import RollFills, cash_of_leaving
from agent.book.states import TradeStatus
from agent.config.settings import Settings
from agent.options.structures import Leg, Structure
from agent.use_cases.cover_orders import book_cover, former_ended_by
from agent.use_cases.rebuilding_fills import (
    NOTHING,
    last_fill_at,
    leg_prices,
    opposite,
    past_intent,
    sum_up,
)
from agent.use_cases.rebuilding_fills import net_cash as net
from agent.use_cases.rebuilt import Happening, NamedOrder, RebuiltTrade, after_change
from agent.use_cases.roll_settling import book_residue, book_roll


def rolled(orders: Sequence[NamedOrder], settings: Settings) -> Iterable[Happening]:
    """Give the rolls that filled, and the calls that were written, an attempt at a time."""
    attempts: defaultdict[str, list[NamedOrder]] = defaultdict(list)
    for order in sorted(orders, key=lambda order: order.name.rung):
        attempts[order.name.intent_id].append(order)
    for intent_id, group in attempts.items():
        filled = [order for order in group if order.filled]
        if filled:
            step = partial(_moved_on, orders=filled, settings=settings)
            yield Happening(last_fill_at(filled), intent_id, step)


def _moved_on(
    rebuilt: RebuiltTrade, *, orders: Sequence[NamedOrder], settings: Settings
) -> RebuiltTrade:
    """Roll a trade, or write calls on its shares; raises ValueError where it has not got so far."""
    trade = rebuilt.trade
    fills = _fills(orders, trade.structure)
    intent = past_intent(orders, IntentKind.ROLL)
    at = last_fill_at(orders)
    rolling = trade.model_copy(update={"status": TradeStatus.ROLLING})
    if fills.closed.contracts:
        if fills.closed.contracts > trade.contracts_whole or trade.campaign.residue is not None:
            raise ValueError(f"{intent.intent_id} rolled more than was held whole")
        change = book_roll(
            rolling,
            rebuilt.positions,
            intent,
            fills,
            settings=settings,
            underlying_price=None,
            at=at,
        )
    else:
        change = _calls_written(rolling, intent, fills, settings)
    return after_change(rebuilt, change)


def _calls_written(
    trade: Trade, intent: Intent, fills: RollFills, settings: Settings
) -> BookChange:
    following, written = fills.following, fills.opened.contracts
    if following is None or not is_written_call(following):
        raise ValueError(f"{intent.intent_id} opens what nothing was closed for")
    if written * following.multiplier > trade.shares_held:
        raise ValueError(f"{intent.intent_id} writes more calls than there are shares")
    at = fills.opened.filled_at or intent.created_at
    former = former_ended_by(trade)
    return book_cover(trade, intent, fills, settings=settings, former_ended_by=former, at=at)


def _fills(orders: Sequence[NamedOrder], former: Structure) -> RollFills:
    """Sum up both halves; raises ValueError where the orders are not about this structure."""
    closing = set(opposite(former.legs))
    closes = [order for order in orders if not closing.isdisjoint(order.past.legs)]
    opens = [order for order in orders if not closing.issuperset(order.past.legs)]
    if any(not closing.issubset(order.past.legs) for order in closes):
        raise ValueError(f"{orders[0].name.intent_id} closes a part of its structure")
    following = _following(opens, closing)

    def left_for(order: NamedOrder) -> Decimal:
        return cash_of_leaving(former, leg_prices(order, former)) if order in opens else net(order)

    def entered_for(order: NamedOrder) -> Decimal:
        return net(order) - left_for(order) if order in closes else net(order)

    return RollFills(
        closed=sum_up(closes, former, left_for),
        opened=NOTHING if following is None else sum_up(opens, following, entered_for),
        following=following,
        leg_deltas=() if following is None else (None,) * len(following.legs),
    )


def _following(opens: Sequence[NamedOrder], closing: Collection[Leg]) -> Structure | None:
    """Give what orders opened, all of them the same; None where they opened nothing."""
    targets = [tuple(leg for leg in order.past.legs if leg not in closing) for order in opens]
    if len({frozenset(legs) for legs in targets}) > 1:
        raise ValueError(f"{opens[0].name.intent_id} moved on to different structures")
    return Structure(targets[0]) if targets else None


def residue_closed(
    rebuilt: RebuiltTrade, *, orders: Sequence[NamedOrder], settings: Settings
) -> RebuiltTrade:
    """Close what a roll left behind; raises ValueError where there is none, or less of it."""
    residue = rebuilt.trade.campaign.residue
    if residue is None:
        raise ValueError(f"{rebuilt.trade.trade_id} holds no residue of a roll")
    closing = rebuilt.trade.model_copy(update={"status": TradeStatus.CLOSING})
    fills = sum_up(orders, residue.structure)
    intent = past_intent(orders, IntentKind.CLOSE)
    at = last_fill_at(orders)
    change = book_residue(closing, rebuilt.positions, intent, fills, fees=settings.fees, at=at)
    return after_change(rebuilt, change)


def is_of_residue(trade: Trade, symbol: str) -> bool:
    residue = trade.campaign.residue
    return residue is not None and symbol in residue.structure.symbols


def residue_leg_closed(
    rebuilt: RebuiltTrade, event: LegEvent, intent: Intent, settings: Settings
) -> RebuiltTrade:
    """Close a leg alone of what a roll left behind; raises ValueError where there is less of it."""
    residue = rebuilt.trade.campaign.residue
    assert residue is not None
    number = residue.structure.symbols.index(event.symbol)
    leg = residue.structure.legs[number]
    alone = (LegFill(leg, number + 1, event.contracts, event.price, event.at),)
    closing = rebuilt.trade.model_copy(update={"status": TradeStatus.CLOSING})
    change = book_residue(
        closing,
        rebuilt.positions,
        intent,
        NOTHING,
        alone=alone,
        fees=settings.fees,
        at=event.at,
    )
    return after_change(rebuilt, change)
