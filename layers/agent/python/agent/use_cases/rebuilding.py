"""One trade as its orders at the broker tell it; what they leave open is a doubt, not a guess."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import partial
from itertools import groupby

from agent.book.fills import FillSummary
from agent.book.identifiers import position_id
from agent.book.intents import Intent, IntentKind
from agent.book.records import MarketSnapshotAtEntry, Position, Trade, TradeExecution
from agent.book.states import TradeStatus
from agent.book.transitions import settle_close
from agent.config.settings import Settings
from agent.market.calendar import new_york_date
from agent.options.structures import Leg, LegSide, Structure
from agent.ports import OptionEvent
from agent.risk.fees import fill_fees
from agent.risk.sizing import fill_exposure, scaled_risk, trade_risk
from agent.use_cases.rebuilding_legs import (
    Happening,
    befallen,
    legs_traded,
    live_through,
    shares_traded,
)
from agent.use_cases.rebuilt import Doubtful, NamedOrder, RebuiltTrade
from agent.use_cases.remainder_orders import units_at_stake
from agent.use_cases.roll_settling import max_loss_at_entry

ZERO = Decimal(0)
NOTE = "rebuilt from the broker's orders: what the scan saw, and why it was closed, is unknown"


def rebuild_trade(
    orders: Sequence[NamedOrder],
    strategy: str,
    settings: Settings,
    events: Sequence[OptionEvent] = (),
) -> RebuiltTrade | None:
    """Rebuild the trade of `orders`, oldest first; None where no entry of it ever filled.

    `events` are what befell contracts that no other trade can have held then. Raises Doubtful.
    """
    entries = [order for order in orders if order.name.purpose == "entry"]
    if any(order.filled for order in orders if order.name.purpose == "roll"):
        raise Doubtful("it was rolled")
    if not any(order.filled for order in entries):
        if any(order.filled for order in orders):
            raise Doubtful("it was closed and never opened")
        return None
    structure = _structure(entries)
    rebuilt = _opened(entries, structure, strategy, settings)
    closes = [order for order in orders if order.name.purpose == "close"]
    happenings = [
        *_wholes_closed(closes, structure, settings),
        *legs_traded([o for o in closes if o.filled and _is_of_one_leg(o, structure)], settings),
        *shares_traded([o for o in closes if o.filled and o.past.shares_sign], settings),
        *befallen(events, settings),
    ]
    rebuilt = live_through(rebuilt, happenings)
    attempts = max((order.name.attempt for order in closes), default=0)
    trade = rebuilt.trade.model_copy(update={"version": 1, "close_attempts": attempts})
    return RebuiltTrade(trade, rebuilt.positions)


def _is_of_one_leg(order: NamedOrder, structure: Structure) -> bool:
    return len(order.past.legs) == 1 and not _is_whole(order, structure)


def _is_whole(order: NamedOrder, structure: Structure) -> bool:
    return set(order.past.legs) == set(_opposite(structure.legs))


def _wholes_closed(
    closes: Sequence[NamedOrder], structure: Structure, settings: Settings
) -> Iterable[Happening]:
    """Give what was closed of whole structures, an attempt at a time; raises Doubtful."""
    for order in closes:
        if order.filled and len(order.past.legs) > 1 and not _is_whole(order, structure):
            raise Doubtful(f"{order.past.order.client_order_id} closed other legs than it has")
    wholes = [order for order in closes if _is_whole(order, structure)]
    for _, group in groupby(
        sorted(wholes, key=lambda order: (order.name.attempt, order.name.rung)),
        key=lambda order: order.name.attempt,
    ):
        orders = list(group)
        if any(order.filled for order in orders):
            fills, prices = _fills(orders, structure)
            at = fills.filled_at or orders[-1].past.order.submitted_at
            name = orders[0].name.intent_id
            step = partial(_closed, first=orders[0], fills=fills, prices=prices, settings=settings)
            yield Happening(at, name, step)


def _structure(entries: Sequence[NamedOrder]) -> Structure:
    legs = {order.past.legs for order in entries}
    if len(legs) > 1:
        raise Doubtful("its entry orders trade different legs")
    try:
        return Structure(legs.pop())
    except ValueError as error:
        raise Doubtful(f"its legs make no structure: {error}") from error


def _opened(
    entries: Sequence[NamedOrder], structure: Structure, strategy: str, settings: Settings
) -> RebuiltTrade:
    fills, prices = _fills(entries, structure)
    name, first = entries[0].name, entries[0].past.order
    credit = fills.cash / structure.multiplier / fills.contracts
    risk = trade_risk(fill_exposure(structure, credit, None, settings), fills.contracts)
    trade = Trade(
        trade_id=name.trade_id,
        symbol=structure.underlying,
        strategy=strategy,
        status=TradeStatus.OPEN,
        structure=structure,
        timestamp_enter=first.submitted_at,
        params={},
        market_snapshot=MarketSnapshotAtEntry(
            as_of=first.submitted_at,
            underlying_price=None,
            credit_mid=None,
            credit_natural=None,
            implied_volatility=None,
            iv_rank=None,
            liquidity_score=None,
            dte=(structure.expiration - new_york_date(first.submitted_at)).days,
        ),
        execution=TradeExecution(
            contracts=fills.contracts,
            credit=credit,
            entry_cash=fills.cash,
            fees=fill_fees(structure, prices, fills.contracts, opening=True, fees=settings.fees),
            reprices=fills.reprices,
        ),
        risk=risk,
        notes=NOTE,
    )
    return RebuiltTrade(trade, tuple(_positions(trade, prices)))


def _positions(trade: Trade, prices: Sequence[Decimal]) -> Iterable[Position]:
    for number, (leg, price) in enumerate(zip(trade.structure.legs, prices, strict=True), start=1):
        yield Position(
            position_id=position_id(trade.trade_id, number),
            trade_id=trade.trade_id,
            option_symbol=leg.contract.symbol,
            option_type=leg.contract.option_type,
            strike=leg.contract.strike,
            expiration=leg.contract.expiration,
            side=leg.side,
            quantity=trade.execution.contracts * leg.ratio,
            entry_price=price,
        )


def _closed(
    rebuilt: RebuiltTrade,
    *,
    first: NamedOrder,
    fills: FillSummary,
    prices: Sequence[Decimal],
    settings: Settings,
) -> RebuiltTrade:
    trade = rebuilt.trade
    structure = trade.structure
    if fills.contracts > trade.contracts_whole:
        raise ValueError("more of it was closed than it held")
    held = trade.contracts_held - fills.contracts
    change = settle_close(
        trade.model_copy(update={"status": TradeStatus.CLOSING}),
        rebuilt.positions,
        Intent(
            intent_id=first.name.intent_id,
            kind=IntentKind.CLOSE,
            trade_id=trade.trade_id,
            attempt=first.name.attempt,
            created_at=first.past.order.submitted_at,
        ),
        fills,
        fees=fill_fees(structure, prices, fills.contracts, opening=False, fees=settings.fees),
        max_loss=max_loss_at_entry(trade, trade.execution.credit or ZERO),
        release=(),
        risk=scaled_risk(trade.risk, units_at_stake(trade, held, trade.shares_held)),
        at=fills.filled_at or first.past.order.submitted_at,
    )
    if change.trade is None:
        raise Doubtful("its close says nothing of it")
    after = {position.position_id: position for position in change.positions}
    positions = tuple(after.get(each.position_id, each) for each in rebuilt.positions)
    return RebuiltTrade(change.trade.trade, positions)


def _opposite(legs: Sequence[Leg]) -> tuple[Leg, ...]:
    other = {LegSide.LONG: LegSide.SHORT, LegSide.SHORT: LegSide.LONG}
    return tuple(Leg(leg.contract, other[leg.side], leg.ratio) for leg in legs)


def _fills(
    orders: Sequence[NamedOrder], structure: Structure
) -> tuple[FillSummary, tuple[Decimal, ...]]:
    """Sum up what filled, and the average price of each leg; raises Doubtful."""
    contracts = sum(order.filled for order in orders)
    cash, totals = ZERO, [ZERO] * len(structure.legs)
    for order in orders:
        done = order.past.order
        if not order.filled:
            continue
        prices = [done.leg_prices.get(symbol) for symbol in structure.symbols]
        known = [price for price in prices if price is not None]
        if done.filled_cash is None or len(known) != len(prices):
            raise Doubtful(f"{done.client_order_id} filled at an unknown price")
        cash += done.filled_cash * order.filled
        totals = [total + price * order.filled for total, price in zip(totals, known, strict=True)]
    prices_paid = tuple(total / contracts for total in totals)
    times = [order.past.order.filled_at for order in orders]
    fills = FillSummary(
        contracts=contracts,
        cash=cash * structure.multiplier,
        cash_per_share=cash / contracts,
        leg_prices=prices_paid,
        slippage=None,
        filled_at=max((at for at in times if at is not None), default=None),
        reprices=len(orders) - 1,
    )
    return fills, prices_paid
