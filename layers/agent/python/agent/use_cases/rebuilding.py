"""One trade as its orders at the broker tell it; what they leave open is a doubt, not a guess."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import partial
from itertools import groupby

from agent.book.identifiers import position_id
from agent.book.intents import IntentKind
from agent.book.moves import opened_legs
from agent.book.records import MarketSnapshotAtEntry, Trade, TradeExecution
from agent.book.states import TradeStatus
from agent.book.transitions import settle_close
from agent.config.settings import Settings
from agent.market.calendar import new_york_date
from agent.options.structures import Structure
from agent.ports import OptionEvent
from agent.risk.fees import fill_fees
from agent.risk.sizing import fill_exposure, scaled_risk, trade_risk
from agent.use_cases.rebuilding_fills import last_fill_at, opposite, past_intent, sum_up
from agent.use_cases.rebuilding_legs import befallen, legs_traded, live_through, shares_traded
from agent.use_cases.rebuilding_rolls import residue_closed, rolled
from agent.use_cases.rebuilt import Doubtful, Happening, NamedOrder, RebuiltTrade, after_change
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
    if not any(order.filled for order in entries):
        if any(order.filled for order in orders):
            raise Doubtful("it was closed and never opened")
        return None
    rebuilt = _opened(entries, _structure(entries), strategy, settings)
    closes = [order for order in orders if order.name.purpose == "close"]
    rolls = [order for order in orders if order.name.purpose == "roll"]
    happenings = [
        *_wholes_closed(closes, settings),
        *legs_traded([o for o in closes if o.filled and o.name.leg is not None], settings),
        *shares_traded([o for o in closes if o.filled and o.past.shares_sign], settings),
        *rolled(rolls, settings),
        *befallen(events, settings),
    ]
    return _numbered(live_through(rebuilt, happenings), closes, rolls)


def _wholes_closed(closes: Sequence[NamedOrder], settings: Settings) -> Iterable[Happening]:
    """Give what was closed of whole structures, an attempt at a time."""
    wholes = [order for order in closes if order.name.leg is None and order.past.legs]
    for _, group in groupby(
        sorted(wholes, key=lambda order: (order.name.attempt, order.name.rung)),
        key=lambda order: order.name.attempt,
    ):
        orders = list(group)
        filled = [order for order in orders if order.filled]
        if filled:
            step = partial(_closed, orders=orders, settings=settings)
            yield Happening(last_fill_at(filled), orders[0].name.intent_id, step)


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
    fills = sum_up(entries, structure)
    prices = fills.leg_prices or ()
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
    legs = opened_legs(
        trade.trade_id,
        structure,
        fills.contracts,
        prices,
        [None] * len(prices),
        name_of=partial(position_id, trade.trade_id),
    )
    return RebuiltTrade(trade, legs)


def _closed(
    rebuilt: RebuiltTrade, *, orders: Sequence[NamedOrder], settings: Settings
) -> RebuiltTrade:
    """Close whole units, or what a roll left; raises ValueError where it is not about these."""
    trade = rebuilt.trade
    structure, residue = trade.structure, trade.campaign.residue
    traded = {frozenset(order.past.legs) for order in orders}
    if residue is not None and traded == {frozenset(opposite(residue.structure.legs))}:
        return residue_closed(rebuilt, orders=orders, settings=settings)
    if traded != {frozenset(opposite(structure.legs))}:
        raise ValueError(f"{orders[0].name.intent_id} closed other legs than it has")
    fills = sum_up(orders, structure)
    if fills.contracts > trade.contracts_whole or fills.leg_prices is None:
        raise ValueError("more of it was closed than it held")
    held = trade.contracts_held - fills.contracts
    change = settle_close(
        trade.model_copy(update={"status": TradeStatus.CLOSING}),
        rebuilt.positions,
        past_intent(orders, IntentKind.CLOSE),
        fills,
        fees=fill_fees(
            structure, fills.leg_prices, fills.contracts, opening=False, fees=settings.fees
        ),
        max_loss=max_loss_at_entry(trade, trade.execution.credit or ZERO),
        release=(),
        risk=scaled_risk(trade.risk, units_at_stake(trade, held, trade.shares_held)),
        at=fills.filled_at or orders[0].past.order.submitted_at,
    )
    return after_change(rebuilt, change)


def _numbered(
    rebuilt: RebuiltTrade, closes: Sequence[NamedOrder], rolls: Sequence[NamedOrder]
) -> RebuiltTrade:
    """Count the attempts, so that the next ones have names of their own."""
    trade = rebuilt.trade
    attempts = max((order.name.attempt for order in rolls), default=0)
    numbered = trade.model_copy(
        update={
            "version": 1,
            "close_attempts": max((order.name.attempt for order in closes), default=0),
            "campaign": trade.campaign.model_copy(update={"attempts": attempts}),
        }
    )
    return RebuiltTrade(numbered, rebuilt.positions)
