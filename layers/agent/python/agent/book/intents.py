"""What is about to be done, and the orders that are to do it: signals, intents, order attempts."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import Field, JsonValue

from agent.book.record import Record
from agent.book.states import ExitReason
from agent.options.structures import Structure


class Signal(Record):
    """Propose an entry; prices are a share, positive for money received."""

    symbol: str
    strategy: str
    structure: Structure
    as_of: datetime
    dte: int
    underlying_price: Decimal
    credit_mid: Decimal
    credit_natural: Decimal
    credit_min: Decimal
    """The least credit the strategy accepts, a share."""
    max_loss: Decimal
    """A share, at the mid credit."""
    leg_deltas: tuple[float, ...]
    """Signed, per contract and unit long, in the order of the legs."""
    implied_volatility: float
    """IV30 of the underlying, an annual fraction."""
    iv_rank: float | None
    """0-100; None for a covered call where it is unknown: no entry goes without."""
    liquidity_score: float
    score: float
    """Higher is better; signals are comparable across symbols and strategies."""
    probability_of_profit: float | None = None
    """Risk-neutral, 0-1, at expiration and before management; None where unknown."""
    parameters: dict[str, JsonValue]
    """The strategy's parameters as they stood, for the record of the trade."""
    stress_debit: Decimal | None = None
    """What closing would cost a share under stress; None for signals that did not measure it."""
    leg_volatilities: tuple[float, ...] = ()
    """Implied, annual fractions, in the order of the legs; empty where not measured."""
    warnings: tuple[str, ...] = ()
    """What the owner should know of it, each a sentence."""


class IntentKind(StrEnum):
    ENTRY = "entry"
    CLOSE = "close"
    ROLL = "roll"


class IntentStatus(StrEnum):
    WRITTEN = "written"
    DONE = "done"


class Urgency(StrEnum):
    PATIENT = "patient"
    URGENT = "urgent"


class OrderStatus(StrEnum):
    """Say how an order of ours stands; `sending` means that the broker may or may not have it."""

    SENDING = "sending"
    WORKING = "working"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"


class RefusalKind(StrEnum):
    """Say what the broker's refusal of an order ends; from the least to the most."""

    RETRYABLE = "retryable"
    """Nothing: the same order may be taken in a moment."""
    LEGS = "legs"
    """The order as one of several legs: leg by leg it may be taken."""
    SIGNAL = "signal"
    """This attempt; another trade is not concerned."""
    DAY = "day"
    """Entries, for the rest of the session."""
    ACCOUNT = "account"
    """Entries, until the owner says otherwise."""


TERMINAL_ORDER_STATUSES = frozenset(
    {OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED}
)


class OrderPart(StrEnum):
    """Say which legs of its intent an order trades; only a roll is ever taken apart."""

    WHOLE = "whole"
    CLOSE = "close"
    """What a roll leaves, alone."""
    OPEN = "open"
    """What a roll moves on to, alone."""


class OrderAttempt(Record):
    """Keep one order that an intent sent or was about to send.

    Cash figures are a share and signed: positive is money received, negative is money paid.
    """

    client_order_id: str
    contracts: int = Field(ge=1)
    part: OrderPart = OrderPart.WHOLE
    legs: tuple[str, ...] = ()
    """OCC symbols of the legs, in their order; empty where they are those of the structure."""
    leg: int | None = Field(None, ge=1)
    """The one leg, from 1, that the order trades alone; None for all legs of its part."""
    limit_cash: Decimal
    mid_cash: Decimal
    """Net at mid when the order was priced: slippage is measured against it."""
    natural_cash: Decimal
    submitted_at: datetime
    status: OrderStatus = OrderStatus.SENDING
    order_id: str | None = None
    filled_contracts: int = 0
    filled_cash: Decimal | None = None
    """Average net a share over what filled; None while nothing has."""
    leg_prices: tuple[Decimal, ...] = ()
    """Average fill price of each leg, unsigned, in the order of the order's legs."""
    filled_at: datetime | None = None
    message: str | None = None
    refusal: RefusalKind | None = None
    """What the broker's refusal ends; None where it did not refuse when it was sent."""
    blocked_by: str | None = None
    """The broker's id of the order beside which it refused this one, as a wash trade."""

    @property
    def ends_attempt(self) -> bool:
        """Say whether the intent sends no further order after this one."""
        is_refused = self.status is OrderStatus.REJECTED
        return is_refused and self.refusal is not RefusalKind.RETRYABLE


class Intent(Record):
    """State what is about to be done, before it is done."""

    intent_id: str
    kind: IntentKind
    trade_id: str
    attempt: int = Field(ge=1)
    created_at: datetime
    urgency: Urgency = Urgency.PATIENT
    signal: Signal | None = None
    """What an entry enters and a roll moves on to; None for a close."""
    exit_reason: ExitReason | None = None
    """Why a close closes; None for an entry."""
    contracts: int | None = None
    """How many contracts a roll rolls, or a close at most; None where the trade says how many."""
    net_credit_min: Decimal | None = None
    """The least net credit of a roll, a share: what it costs in fees and more; None for others."""
    leg: str | None = None
    """The OCC symbol of the one leg that a close closes alone; None where it closes all."""
    shares: int | None = None
    """The shares that a close buys (positive) or sells instead; None where it trades options."""
    exercises: bool = False
    """True for a close that exercises its leg, which is long, instead of selling it."""
    shares_before: int | None = None
    """Shares of the underlying at the broker before an exercise: what comes of it is more."""
    of_shares: bool = False
    """True for a roll that closes nothing: it writes calls on the shares that its trade holds."""
    of_residue: bool = False
    """True for a close of what a roll left behind, not of what its trade holds."""
    status: IntentStatus = IntentStatus.WRITTEN
    outcome: str | None = None
    orders: tuple[OrderAttempt, ...] = ()
    version: int = 1
