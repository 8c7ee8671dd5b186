"""What checkers look at: the broker's truth, the book, and everything that was told and done."""

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from math import prod
from typing import Protocol

from agent.adapters.memory.alerts import MemoryAlerts
from agent.adapters.memory.control import MemoryControl
from agent.book.intents import Intent
from agent.book.records import Trade
from agent.ports import TradingState
from agent.strategies.cash_secured_put import CashSecuredPut
from simulator.exchange import Exchange, Fill, Order
from simulator.exchange.records import OrderType
from simulator.storm.executions import Executions
from simulator.storm.faults import FaultPlan, Profile
from simulator.storm.functions import Functions, Outcome
from simulator.storm.mishaps import BY_HAND, LIQUIDATED, Mishaps, Move, underlying_of
from simulator.storm.ports import StormBook
from simulator.storm.scenario import Scenario

_ORDER_SUFFIX = re.compile(r"(-leg\d+)?-o\d+$")
"""What an order adds to the name of its intent: the leg that it trades alone, and its rung."""


@dataclass(frozen=True)
class Violation:
    """Say what rule was broken, where and when."""

    seed: int
    step: int
    at: datetime
    checker: str
    message: str


@dataclass(frozen=True)
class MonitorPass:
    """One pass of the monitor, with the book as it stood when it began."""

    slot: datetime
    began_at: datetime
    ended_at: datetime
    outcome: Outcome
    close_attempts: dict[str, int]
    """Of the trades that were open when it began."""
    unfinished: int = 0
    """Intents under way when it began."""

    @property
    def is_clean(self) -> bool:
        """Say whether it watched, and nothing went wrong meanwhile."""
        outcome = self.outcome
        return (
            outcome.error is None
            and not outcome.faults
            and isinstance(outcome.payload, dict)
            and outcome.payload["status"] == "watched"
            and self.began_at == self.ended_at
        )


@dataclass
class DayView:
    """Hold one day as checkers see it."""

    scenario: Scenario
    profile: Profile
    exchange: Exchange
    book: StormBook
    control: MemoryControl
    alerts: MemoryAlerts
    functions: Functions
    executions: Executions
    plan: FaultPlan
    foreign_client_ids: set[str] = field(default_factory=set)
    passes: list[MonitorPass] = field(default_factory=list)
    trading_states: list[tuple[datetime, TradingState]] = field(default_factory=list)
    mishaps: Mishaps = field(init=False)
    _own_held: Counter[str] = field(default_factory=Counter)
    _fills_seen: int = 0

    def __post_init__(self) -> None:
        self.mishaps = Mishaps(self.exchange, self.foreign_client_ids, self.scenario.splits)

    @property
    def now(self) -> datetime:
        return self.exchange.now

    @property
    def own_orders(self) -> list[Order]:
        return [order for order in self.exchange.orders if self.is_ours(order)]

    @property
    def own_fills(self) -> list[Fill]:
        return [fill for fill in self.exchange.book.fills if self._is_own(fill)]

    @property
    def own_held(self) -> Counter[str]:
        """Give what the agent's fills and what befell them come to, by contract and by stock."""
        self.mishaps.refresh()
        for fill in self.exchange.book.fills[self._fills_seen :]:
            if self._is_own(fill):
                self._own_held[fill.symbol] += fill.side.sign * fill.quantity
        self._fills_seen = len(self.exchange.book.fills)
        held = Counter(self._own_held)
        held.update(self.mishaps.held)
        return held

    @property
    def hands(self) -> list[Move]:
        """List what somebody else's hand closed: the owner's, or the broker's own."""
        self.mishaps.refresh()
        return [move for move in self.mishaps.moves if move.kind in {BY_HAND, LIQUIDATED}]

    def booked(self) -> Counter[str]:
        """Give what the book holds, by contract and by stock."""
        held: Counter[str] = Counter()
        for trade in self.book.active_trades():
            held.update(trade.leg_quantities)
            held[trade.symbol] += trade.shares_held
        return held

    def unbooked_moves(self) -> list[Move]:
        """List what befell positions and is not in the book yet."""
        self.mishaps.refresh()
        if self.mishaps.pending:
            booked, held = self.booked(), self.own_held
            self.mishaps.settle(lambda symbol: booked[symbol] == held[symbol])
        return self.mishaps.pending

    def is_ours(self, order: Order) -> bool:
        """Say whether the agent sent an order: not a stranger, the owner or the broker."""
        name = order.client_order_id
        is_others = name in self.foreign_client_ids or name in self.mishaps.by_hand_client_ids
        return not is_others and order.order_type is not OrderType.MARKET

    def units_since(self, order: Order) -> int:
        """Say how many units one that an order opened or closed has become by a split since."""
        market, symbol = self.scenario.market, underlying_of(order.legs[0].symbol)
        then = market.shares_for_one(symbol, order.created_at)
        return market.shares_for_one(symbol, self.now) // then

    def _is_own(self, fill: Fill) -> bool:
        if fill.client_order_id in self.foreign_client_ids:
            return False
        return self.mishaps.kind_of(fill) is None

    @property
    def own_working(self) -> list[Order]:
        return [order for order in self.exchange.working_orders if self.is_ours(order)]

    def intent_of(self, client_order_id: str) -> Intent | None:
        return self.book.intent(intent_id_of(client_order_id))

    @property
    def is_quiescent(self) -> bool:
        """Say whether nothing is under way: what the book says must then be so."""
        return (
            not self.book.unfinished_intents()
            and not self.executions.running
            and not self.own_working
        )


class Checker(Protocol):
    """Watch one rule; every message given is a violation."""

    @property
    def name(self) -> str: ...

    def check(self, view: DayView) -> list[str]:
        """Look after a step in which something changed."""
        ...

    def check_end(self, view: DayView) -> list[str]:
        """Look once the day is over."""
        ...


def intent_id_of(client_order_id: str) -> str:
    return _ORDER_SUFFIX.sub("", client_order_id)


def trade_id_of(client_order_id: str) -> str:
    """Read the trade from the name of one of its orders."""
    for kind in ("-entry-", "-close-", "-roll-"):
        head, found, _ = client_order_id.rpartition(kind)
        if found:
            return head
    return ""


def is_touched(trade: Trade) -> bool:
    """Say whether something befell a trade that no order of its own did."""
    return any(not event.startswith(trade.trade_id) for event in trade.holdings.booked)


def split_factor(trade: Trade) -> int:
    """Give what the splits that a trade has booked have multiplied its contracts by."""
    booked = trade.holdings.booked.items()
    return prod(factor for name, factor in booked if name.startswith("split-"))


def is_of_one_leg(order: Order) -> bool:
    """Say whether an order trades one leg of a structure alone, or shares that came of one."""
    if len(order.legs) > 1:
        return False
    return order.legs[0].contract is None or not is_put_sold_alone(order.client_order_id)


def is_put_sold_alone(name: str) -> bool:
    """Say whether the trade of an id is a single leg as a whole."""
    return f"-{CashSecuredPut.code}-" in f"{name}-"


def units_left_alone(orders: list[Order]) -> int:
    """Count the units that have gone leg by leg, until none of their legs was held.

    A roll opens another structure: each is counted by its own legs.
    """
    alone: Counter[str] = Counter()
    structures: set[frozenset[tuple[str, int]]] = set()
    for order in orders:
        if is_of_one_leg(order):
            alone[order.legs[0].symbol] += order.filled_units
        else:
            structures.add(
                frozenset(
                    (leg.symbol, leg.ratio)
                    for leg in order.legs
                    if leg.position_intent is not None and leg.position_intent.opens
                )
            )
    return sum(
        min(alone[symbol] // ratio for symbol, ratio in structure)
        for structure in structures
        if structure
    )


def units_moved(order: Order) -> int:
    """Say what a unit of an order does to the units of its trade: 1 adds, -1 takes, 0 neither.

    A roll takes and adds at once; what one leg does alone, `units_left_alone` counts.
    """
    if is_of_one_leg(order):
        return 0
    opens = {leg.position_intent is not None and leg.position_intent.opens for leg in order.legs}
    return sum(1 if is_opened else -1 for is_opened in opens)


def cash_of(fill: Fill) -> Decimal:
    """Give what a fill brought, in dollars; negative where it cost."""
    return -fill.side.sign * fill.price * fill.quantity * (1 if len(fill.symbol) < 8 else 100)
