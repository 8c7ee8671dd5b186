"""What the agent asks of the broker, and what it hears."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from agent.book.account_cash import AccountEntryKind
from agent.book.intents import OrderStatus, RefusalKind
from agent.options.structures import Leg


class BrokerUnavailable(Exception):
    """Raised where the broker did not answer, or answered that it cannot now.

    Whether a request took effect is unknown.
    """


class BrokerRefused(Exception):
    """Raised where the broker said no; it did nothing.

    `code` is the broker's own; `kind` says what the refusal of an order ends, and
    `blocking_order_id` names the order beside which the broker does not take another.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: int | None,
        kind: RefusalKind = RefusalKind.SIGNAL,
        blocking_order_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.kind = kind
        self.blocking_order_id = blocking_order_id


class BrokerMisunderstood(Exception):
    """Raised where the broker's answer does not have the shape that its documentation gives."""


class CredentialsRefused(Exception):
    """Raised where the broker does not accept the keys."""


@dataclass(frozen=True)
class Account:
    """Describe the brokerage account; money in dollars."""

    account_number: str
    can_trade_options: bool
    equity: Decimal
    last_equity: Decimal
    """Equity at the prior close."""
    cash: Decimal
    options_buying_power: Decimal
    accrued_fees: Decimal


@dataclass(frozen=True)
class OrderRequest:
    """Ask for `contracts` units of the legs at a net of `limit_cash` a share or better.

    `limit_cash` is signed: positive is money received (a credit), negative is money paid.
    """

    client_order_id: str
    legs: tuple[Leg, ...]
    opening: bool
    """True opens the legs as their sides say; False closes them by the opposite sides."""
    contracts: int
    limit_cash: Decimal
    closing_legs: tuple[Leg, ...] = ()
    """Legs held that the same order closes, by the opposite sides: so a roll is one order."""


@dataclass(frozen=True)
class ShareOrderRequest:
    """Ask to buy (positive) or sell `quantity` shares at a limit of `limit_price` a share."""

    client_order_id: str
    symbol: str
    quantity: int
    limit_price: Decimal


@dataclass(frozen=True)
class BrokerOrder:
    """Describe an order as the broker has it; cash signed as in OrderRequest."""

    order_id: str
    client_order_id: str
    status: OrderStatus
    contracts: int
    filled_contracts: int
    filled_cash: Decimal | None
    leg_prices: Mapping[str, Decimal]
    """OCC symbol to average fill price, unsigned; empty while nothing filled."""
    submitted_at: datetime
    filled_at: datetime | None


@dataclass(frozen=True)
class PastOrder:
    """An order of the past with what it traded."""

    order: BrokerOrder
    legs: tuple[Leg, ...]
    """Long where bought, short where sold, in the order of the request; empty for shares."""
    shares_sign: int = 0
    """1 for an order that bought shares, -1 for one that sold them; 0 for one of options."""


@dataclass(frozen=True)
class WorkingOrder:
    """Name an order that may still fill, whoever sent it, and what it is about."""

    order_id: str
    client_order_id: str
    symbols: tuple[str, ...]
    """OCC symbols, and tickers of shares."""
    buys: bool | None = None
    """Whether an order of one symbol buys it; None for one of several."""
    limit_price: Decimal | None = None
    """Dollars a share, of an order of one symbol; None where it has no limit."""


class OrderHistory(Protocol):
    """The broker's memory of orders; for rebuilding a book, not for decisions."""

    def past_orders(self, name_prefix: str) -> tuple[PastOrder, ...]:
        """Give every order whose client id begins so, ended or not, oldest first."""
        ...


@dataclass(frozen=True)
class BrokerPosition:
    symbol: str
    quantity: int
    """Signed: negative is short."""


class OptionEventKind(StrEnum):
    """Name what a broker reports of contracts that it did not trade."""

    EXPIRED = "expired"
    ASSIGNED = "assigned"
    EXERCISED = "exercised"
    ADJUSTED = "adjusted"
    """By a corporate action: what a contract delivers is another thing than before."""


@dataclass(frozen=True)
class OptionEvent:
    """Report what happened to `contracts` of `symbol` (OCC) on `session`, without a trade."""

    activity_id: str
    kind: OptionEventKind
    symbol: str
    contracts: int
    session: date


@dataclass(frozen=True)
class LegFill:
    """What one leg of an ended order traded; `price` is dollars a share, unsigned, on average."""

    order_id: str
    client_order_id: str
    """Of the order as it was sent: a leg shares it with the other legs."""
    symbol: str
    quantity: int
    """Signed: negative was sold."""
    price: Decimal
    filled_at: datetime


@dataclass(frozen=True)
class FeeCharge:
    """A fee the broker took from the account on `session`; `amount` in dollars, positive."""

    activity_id: str
    session: date
    amount: Decimal


@dataclass(frozen=True)
class CashActivity:
    """What moved the account's cash on `session` without a trade; `amount` in dollars, signed."""

    activity_id: str
    kind: AccountEntryKind
    session: date
    amount: Decimal


class Broker(Protocol):
    def account(self) -> Account: ...

    def submit(self, request: OrderRequest) -> BrokerOrder:
        """Send an order once; raise BrokerUnavailable where its fate is unknown."""
        ...

    def submit_shares(self, request: ShareOrderRequest) -> BrokerOrder:
        """Send an order for shares once; raise BrokerUnavailable where its fate is unknown."""
        ...

    def exercise(self, symbol: str) -> None:
        """Ask for the exercise of every contract that is held long of `symbol` (OCC), now.

        The broker gives it no name: where its fate is unknown, which raises BrokerUnavailable,
        positions tell. Asking again exercises whatever is held then.
        """
        ...

    def order_by_client_id(self, client_order_id: str) -> BrokerOrder | None: ...

    def cancel(self, order_id: str) -> None:
        """Ask for a cancel; returning means asked, not cancelled. An ended order is no error."""
        ...

    def working_orders(self) -> tuple[WorkingOrder, ...]:
        """List every order of the account that may still fill, newest first."""
        ...

    def positions(self) -> tuple[BrokerPosition, ...]:
        """List what is held of option contracts."""
        ...

    def holdings(self) -> tuple[BrokerPosition, ...]:
        """List what is held of option contracts and of shares, whole numbers alone."""
        ...

    def option_events(self, since: date) -> tuple[OptionEvent, ...]:
        """List expirations, assignments, exercises and adjustments from `since`, oldest first.

        A paper account reports them on the day after; positions move at once.
        """
        ...

    def leg_fills(self, since: date) -> tuple[LegFill, ...]:
        """List what ended orders sent on `since` and after traded, newest order first.

        Whoever sent them: the broker's liquidations are among them.
        """
        ...

    def cash_activities(self, since: date) -> tuple[CashActivity, ...]:
        """List what moved cash without a trade from `since`, fees included, oldest first."""
        ...

    def fee_charges(self, since: date) -> tuple[FeeCharge, ...]: ...

    def cash_flows(self, session: date) -> Decimal:
        """Give what was deposited in the account on a day less what was withdrawn, in dollars."""
        ...
