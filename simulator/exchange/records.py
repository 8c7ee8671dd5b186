"""What the exchange keeps: orders and their legs, positions, fills, activities."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from typing import Any

from agent.options.contracts import OptionContract
from simulator.exchange.fees import CENT, FeeType

ZERO = Decimal(0)


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """Give +1 for a buy and -1 for a sell."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        return Side.SELL if self is Side.BUY else Side.BUY


class PositionIntent(StrEnum):
    BUY_TO_OPEN = "buy_to_open"
    BUY_TO_CLOSE = "buy_to_close"
    SELL_TO_OPEN = "sell_to_open"
    SELL_TO_CLOSE = "sell_to_close"

    @property
    def side(self) -> Side:
        return Side.BUY if self.value.startswith("buy") else Side.SELL

    @property
    def opens(self) -> bool:
        return self.value.endswith("open")


class OrderStatus(StrEnum):
    ACCEPTED = "accepted"
    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    PENDING_CANCEL = "pending_cancel"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REPLACED = "replaced"
    HELD = "held"
    """Attached to an order that has not filled yet; it does nothing until then."""


WORKING_STATUSES = frozenset(
    {
        OrderStatus.ACCEPTED,
        OrderStatus.NEW,
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.PENDING_CANCEL,
        OrderStatus.HELD,
    }
)


class OrderClass(StrEnum):
    SIMPLE = "simple"
    MULTILEG = "mleg"
    BRACKET = "bracket"
    ONE_CANCELS_OTHER = "oco"
    ONE_TRIGGERS_OTHER = "oto"


class OrderType(StrEnum):
    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"

    @property
    def has_limit(self) -> bool:
        return self in {OrderType.LIMIT, OrderType.STOP_LIMIT}

    @property
    def has_stop(self) -> bool:
        return self in {OrderType.STOP, OrderType.STOP_LIMIT}


class TimeInForce(StrEnum):
    DAY = "day"
    GOOD_TILL_CANCELED = "gtc"
    IMMEDIATE_OR_CANCEL = "ioc"
    FILL_OR_KILL = "fok"

    @property
    def is_immediate(self) -> bool:
        return self in {TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL}


@dataclass(frozen=True, slots=True)
class Trail:
    """How far a trailing stop stays behind the best price seen: in dollars or in per cent of it."""

    price: Decimal | None = None
    percent: Decimal | None = None

    def behind(self, best: Decimal, side: Side) -> Decimal:
        """Give the stop that follows `best`: below it for a sell, above it for a buy."""
        distance = best * (self.percent or ZERO) / 100 if self.price is None else self.price
        return (best + side.sign * distance).quantize(CENT)


@dataclass(slots=True)
class OrderLeg:
    """One contract or stock of an order; a simple order is its own and only leg."""

    order_id: str
    client_order_id: str
    symbol: str
    contract: OptionContract | None
    side: Side
    position_intent: PositionIntent | None
    ratio: int
    filled_quantity: int = 0
    filled_value: Decimal = ZERO
    """Sum of price times quantity over the fills, always positive."""


@dataclass(slots=True)
class Order:
    """An order for `units` of its legs.

    `limit_price` is as the client sent it: for a multi-leg order positive is the debit paid
    and negative the credit received; for a simple order it is the contract's own price.
    """

    order_id: str
    client_order_id: str
    order_class: OrderClass
    order_type: OrderType
    time_in_force: TimeInForce
    limit_price: Decimal | None
    units: int
    legs: tuple[OrderLeg, ...]
    created_at: datetime
    expires_at: datetime
    eligible_at: datetime | None
    """The earliest moment of a fill; None until the session it works in has opened."""
    reservation: Decimal
    """The buying power that the whole order claims, in dollars."""
    stop_price: Decimal | None = None
    """Where a stop order begins to trade; None for one that trades from the start."""
    triggered_at: datetime | None = None
    trail: Trail | None = None
    best_price: Decimal | None = None
    """Where a trailing stop has seen its stock at best since it works."""
    parent_id: str | None = None
    """The order that this one is attached to."""
    attached_ids: tuple[str, ...] = ()
    """The orders attached to this one, shown as its legs."""
    rival_id: str | None = None
    """The order that is cancelled when this one fills, and the other way round."""
    is_second_rival: bool = False
    """Whether it claims nothing of its own: the rival claims the same shares."""
    status: OrderStatus = OrderStatus.ACCEPTED
    updated_at: datetime | None = None
    filled_units: int = 0
    filled_net: Decimal = ZERO
    """Sum of signed net price times units over the fills; paid is positive."""
    filled_at: datetime | None = None
    canceled_at: datetime | None = None
    cancel_due_at: datetime | None = None
    expired_at: datetime | None = None
    replaced_at: datetime | None = None
    replaced_by: str | None = None
    replaces: str | None = None
    partial_in_move: int | None = None
    """The move of the clock in which a first part was filled; the rest waits for another."""
    fills_late: bool = False
    """Set by a fault: the order fills at its limit although its cancel was answered."""
    remainder_due_at: datetime | None = None
    """When the rest trades even within that move."""

    @property
    def is_multileg(self) -> bool:
        return self.order_class is OrderClass.MULTILEG

    @property
    def is_working(self) -> bool:
        return self.status in WORKING_STATUSES

    @property
    def is_waiting_for_stop(self) -> bool:
        has_stop = self.stop_price is not None or self.trail is not None
        return has_stop and self.triggered_at is None

    @property
    def claims_quantity(self) -> bool:
        """Say whether what it closes is kept for it."""
        return self.status is not OrderStatus.HELD and not self.is_second_rival

    @property
    def remaining_units(self) -> int:
        return self.units - self.filled_units

    @property
    def reserved(self) -> Decimal:
        """Give the buying power that the unfilled units claim, rounded up to the cent."""
        if self.filled_units == 0:
            return self.reservation
        share = self.reservation * self.remaining_units / self.units
        return share.quantize(CENT, rounding=ROUND_CEILING)

    @property
    def signed_limit(self) -> Decimal | None:
        """Give the most that one unit may cost; a credit is negative."""
        if self.limit_price is None or self.is_multileg:
            return self.limit_price
        return self.limit_price * self.legs[0].side.sign


@dataclass(slots=True)
class Position:
    """What is held of one contract or stock; a short quantity is negative."""

    symbol: str
    contract: OptionContract | None
    quantity: int = 0
    cost: Decimal = ZERO
    """What the held quantity was bought for in dollars; negative where it was sold short."""
    last_mark: Decimal | None = None
    lastday_mark: Decimal | None = None
    """The mark at the last session close, None where the position is younger."""
    do_not_exercise: bool = False

    @property
    def multiplier(self) -> int:
        return 1 if self.contract is None else self.contract.multiplier

    @property
    def average_entry_price(self) -> Decimal:
        return self.cost / (self.quantity * self.multiplier)


@dataclass(frozen=True, slots=True)
class Fill:
    """One leg's execution, for reports; `price` and `mid` per share, `fees` not rounded."""

    order_id: str
    client_order_id: str
    symbol: str
    side: Side
    position_intent: PositionIntent | None
    quantity: int
    price: Decimal
    mid: Decimal
    at: datetime
    fees: dict[FeeType, Decimal]


@dataclass(frozen=True, slots=True)
class Activity:
    """One row of the account's activities; hidden until `visible_at`."""

    activity_id: str
    activity_type: str
    at: datetime
    visible_at: datetime
    cash_change: Decimal
    body: dict[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True)
class SessionEquity:
    """The account at one session's close."""

    session: date
    at: datetime
    equity: Decimal
    maintenance_margin: Decimal
