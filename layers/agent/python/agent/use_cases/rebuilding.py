"""One trade as its orders at the broker tell it; what they leave open is a doubt, not a guess."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from agent.book.fills import FillSummary
from agent.book.identifiers import OrderName, close_intent_id, position_id
from agent.book.intents import Intent, IntentKind
from agent.book.records import MarketSnapshotAtEntry, Position, Trade, TradeExecution
from agent.book.states import TradeStatus
from agent.book.transitions import settle_close
from agent.config.settings import Settings
from agent.market.calendar import new_york_date
from agent.options.structures import Leg, LegSide, Structure
from agent.ports import PastOrder
from agent.risk.fees import fill_fees
from agent.risk.sizing import fill_exposure, scaled_risk, trade_risk

ZERO = Decimal(0)
NOTE = "rebuilt from the broker's orders: what the scan saw, and why it was closed, is unknown"


class Doubtful(Exception):
    """Raised where orders do not tell a trade beyond doubt; the sentence says why."""


@dataclass(frozen=True)
class NamedOrder:
    name: OrderName
    past: PastOrder

    @property
    def filled(self) -> int:
        return self.past.order.filled_contracts


@dataclass(frozen=True)
class RebuiltTrade:
    trade: Trade
    positions: tuple[Position, ...]


def rebuild_trade(
    orders: Sequence[NamedOrder], strategy: str, settings: Settings
) -> RebuiltTrade | None:
    """Rebuild the trade of `orders`, oldest first; None where no entry of it ever filled.

    Raises Doubtful.
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
    for attempt, group in groupby(
        sorted(closes, key=lambda order: (order.name.attempt, order.name.rung)),
        key=lambda order: order.name.attempt,
    ):
        rebuilt = _closed(rebuilt, attempt, list(group), settings)
    trade = rebuilt.trade.model_copy(update={"version": 1})
    return RebuiltTrade(trade, rebuilt.positions)


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
    rebuilt: RebuiltTrade, attempt: int, orders: Sequence[NamedOrder], settings: Settings
) -> RebuiltTrade:
    trade = rebuilt.trade.model_copy(update={"close_attempts": attempt})
    filled = [order for order in orders if order.filled]
    if not filled:
        return RebuiltTrade(trade, rebuilt.positions)
    structure = trade.structure
    if any(set(order.past.legs) != set(_opposite(structure.legs)) for order in filled):
        raise Doubtful("it was closed leg by leg")
    fills, prices = _fills(orders, structure)
    held = trade.contracts_held - fills.contracts
    if held < 0:
        raise Doubtful("more of it was closed than opened")
    credit = trade.execution.credit or ZERO
    per_contract = structure.max_loss_per_share(credit) * structure.multiplier
    change = settle_close(
        trade.model_copy(update={"status": TradeStatus.CLOSING}),
        rebuilt.positions,
        Intent(
            intent_id=close_intent_id(trade.trade_id, attempt),
            kind=IntentKind.CLOSE,
            trade_id=trade.trade_id,
            attempt=attempt,
            created_at=orders[0].past.order.submitted_at,
        ),
        fills,
        fees=fill_fees(structure, prices, fills.contracts, opening=False, fees=settings.fees),
        max_loss=per_contract * trade.execution.contracts,
        release=(),
        risk=scaled_risk(trade.risk, held),
        at=fills.filled_at or orders[-1].past.order.submitted_at,
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
