"""What the agent needs of the world, in its own words.

Every method either answers, or raises one of the errors named here. None blocks for ever.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from agent.book.analysis_records import LearningLogEntry, PerformanceMetric, PeriodType
from agent.book.changes import BookChange, Lease, LedgerEntry
from agent.book.records import Alert, Intent, OrderStatus, Position, RefusalKind, Trade
from agent.market.calendar import TradingSession
from agent.market.dividends import ExDividend
from agent.market.quotes import OptionQuote, UnderlyingSnapshot
from agent.options.contracts import OptionContract, OptionType
from agent.options.structures import Leg

if TYPE_CHECKING:
    # They bring numpy and scipy, which the steps of the state machines start faster without.
    from agent.market.chain import OptionChain
    from agent.market.volatility import ImpliedVolatilitySample


class BrokerUnavailable(Exception):
    """Raised where the broker did not answer, or answered that it cannot now.

    Whether a request took effect is unknown.
    """


class BrokerRefused(Exception):
    """Raised where the broker said no; it did nothing.

    `code` is the broker's own; `kind` says what the refusal of an order ends.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: int | None,
        kind: RefusalKind = RefusalKind.SIGNAL,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.kind = kind


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
class MarketClock:
    now: datetime
    is_open: bool
    next_open: datetime
    next_close: datetime


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
    """Long where bought, short where sold, in the order of the request."""


class OrderHistory(Protocol):
    """The broker's memory of orders; for rebuilding a book, not for decisions."""

    def past_orders(self, name_prefix: str) -> tuple[PastOrder, ...]:
        """Give every order of options whose client id begins so, ended or not, oldest first."""
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


class Broker(Protocol):
    def account(self) -> Account: ...

    def submit(self, request: OrderRequest) -> BrokerOrder:
        """Send an order once; raise BrokerUnavailable where its fate is unknown."""
        ...

    def submit_shares(self, request: ShareOrderRequest) -> BrokerOrder:
        """Send an order for shares once; raise BrokerUnavailable where its fate is unknown."""
        ...

    def order_by_client_id(self, client_order_id: str) -> BrokerOrder | None: ...

    def cancel(self, order_id: str) -> None:
        """Ask for a cancel; returning means asked, not cancelled. An ended order is no error."""
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

    def fee_charges(self, since: date) -> tuple[FeeCharge, ...]: ...

    def cash_flows(self, session: date) -> Decimal:
        """Give what was deposited in the account on a day less what was withdrawn, in dollars."""
        ...


class Clock(Protocol):
    def market_clock(self) -> MarketClock: ...


class Calendar(Protocol):
    def sessions(self, start: date, end: date) -> tuple[TradingSession, ...]: ...


@dataclass(frozen=True)
class ChainRequest:
    """Bound a chain; each bound is inclusive."""

    expiration_min: date
    expiration_max: date
    strike_min: Decimal | None = None
    strike_max: Decimal | None = None
    option_type: OptionType | None = None


class MarketData(Protocol):
    def underlyings(self, symbols: Sequence[str]) -> Mapping[str, UnderlyingSnapshot]:
        """Give what is known; a symbol without any quote is absent."""
        ...

    def chain(
        self, underlying: UnderlyingSnapshot, request: ChainRequest, as_of: datetime
    ) -> "OptionChain": ...

    def dividends(
        self, symbols: Sequence[str], session: date
    ) -> Mapping[str, tuple[ExDividend, ...]]:
        """Give the dividends declared that go ex after `session`, oldest first, some months ahead.

        A symbol without any is absent.
        """
        ...

    def option_quotes(self, contracts: Sequence[OptionContract]) -> Mapping[str, OptionQuote]:
        """Give the latest quotes by OCC symbol, never from a cache; the unknown are absent."""
        ...


class PastSessions(Protocol):
    """What is still known of past sessions: no quotes, but contracts and last trades."""

    def contracts(self, symbol: str, first: date, last: date) -> tuple[OptionContract, ...]:
        """List the contracts that expire from `first` to `last`, expired ones too, in order."""
        ...

    def stock_closes(self, symbol: str, first: date, last: date) -> Mapping[date, Decimal]:
        """Give the closes of the sessions from `first` to `last`, as they were traded."""
        ...

    def option_closes(
        self, contracts: Sequence[OptionContract], first: date, last: date
    ) -> Mapping[OptionContract, Mapping[date, Decimal]]:
        """Give the closes of contracts by session; one that never traded has none."""
        ...


class Book(Protocol):
    """The store of trades, positions, intents, ledger and journal; reads are consistent."""

    def commit(self, change: BookChange) -> None:
        """Write all of `change` or nothing; raise BookConflict, LimitReached or BookBusy."""
        ...

    def trade(self, trade_id: str) -> Trade | None: ...

    def active_trades(self) -> tuple[Trade, ...]:
        """Give the trades whose status is not terminal, ordered by id."""
        ...

    def all_trades(self) -> tuple[Trade, ...]:
        """List every trade, ordered by id; for reports, not for decisions."""
        ...

    def positions(self, trade_id: str) -> tuple[Position, ...]: ...

    def positions_by_trade(self, trade_ids: Sequence[str]) -> Mapping[str, tuple[Position, ...]]:
        """Give the positions of each trade named, ordered by id, in a few requests for all."""
        ...

    def intent(self, intent_id: str) -> Intent | None: ...

    def unfinished_intents(self) -> tuple[Intent, ...]:
        """Give the intents not yet done, ordered by id."""
        ...

    def all_intents(self) -> tuple[Intent, ...]:
        """List every intent, ordered by id; for reports, not for decisions."""
        ...

    def ledger(self, key: str) -> LedgerEntry:
        """Give a ledger entry; a missing one is all zeros."""
        ...

    def acquire_lease(self, name: str, now: datetime, seconds: int) -> Lease | None:
        """Take the lease of a name for so long; None while another holder's has not expired."""
        ...

    def release_lease(self, lease: Lease) -> None:
        """Give a lease back; one that somebody else has taken since is left alone."""
        ...


class VolatilityHistory(Protocol):
    """The store of implied volatilities: each source has a series of its own."""

    def samples(
        self, symbol: str, sessions_max: int, *, source: str
    ) -> "tuple[ImpliedVolatilitySample, ...]":
        """Give the newest samples of one source, oldest first."""
        ...

    def record(self, symbol: str, samples: "Sequence[ImpliedVolatilitySample]") -> int:
        """Store the samples of sessions that have none of their source yet, and count them."""
        ...


class ReportDates(Protocol):
    """The store of the dates on which companies report, past and announced."""

    def reports(self, symbol: str) -> tuple[date, ...]:
        """Give the dates on record, oldest first; none where nobody recorded any."""
        ...

    def replace_reports(self, symbol: str, reports: Sequence[date]) -> None:
        """Put these dates on record in place of those that were."""
        ...


class TradingState(StrEnum):
    ACTIVE = "active"
    REDUCING = "reducing"
    HALTED = "halted"


class BlockScope(StrEnum):
    """Say how long a block of entries holds."""

    DAY = "day"
    """Until the session is over."""
    ACCOUNT = "account"
    """Until the owner lifts it."""


@dataclass(frozen=True)
class EntryBlock:
    """Say why nothing may be entered, and since when."""

    scope: BlockScope
    reason: str
    at: datetime


class Control(Protocol):
    def trading_state(self) -> TradingState: ...

    def block_entries(self, block: EntryBlock) -> bool:
        """Block entries; False where a block of this scope (and day) stands, which is kept."""
        ...

    def entry_block(self, session: date) -> EntryBlock | None:
        """Give what blocks entries on `session`: the account's block before the day's."""
        ...

    def lift_entry_block(self) -> None:
        """Lift the account's block; a day's ends with its session."""
        ...

    def set_trading_state(self, state: TradingState) -> None: ...

    def pause_entries(self) -> None:
        """Tighten trading from active to reducing; what the owner has tightened further stays."""
        ...

    def account_number(self) -> str | None:
        """Give the broker account this stage belongs to, or None before the first bind."""
        ...

    def bind_account(self, account_number: str) -> str:
        """Bind the stage to an account unless it is bound; give the one it is bound to."""
        ...

    def claim_slot(self, schedule: str, slot: datetime) -> bool:
        """Claim a schedule slot; False where it was claimed before."""
        ...


class Beats(Protocol):
    """The signs of life that the scheduled functions leave."""

    def beat(self, function: str, slot: datetime) -> None:
        """Remember that a function ran for a slot; one older than what is known moves nothing."""
        ...

    def last_beat(self, function: str) -> datetime | None:
        """Give the newest slot that a function ran for, as aware UTC; None where it never did."""
        ...


class ExecutionState(StrEnum):
    ABSENT = "absent"
    RUNNING = "running"
    ENDED = "ended"


class Workflows(Protocol):
    """The state machines; an execution bears the name of its intent."""

    def start(self, intent: Intent) -> None:
        """Start the machine for the intent; one started before is no error: it means started."""
        ...

    def state(self, intent: Intent) -> ExecutionState: ...


class AlertOutbox(Protocol):
    def unsent(self) -> tuple[Alert, ...]: ...

    def mark_sent(self, alert_id: str) -> None: ...


class Alerts(Protocol):
    def publish(self, alert: Alert) -> None:
        """Tell the owner; raise AlertUnavailable where nobody was told."""
        ...


class AlertUnavailable(Exception):
    """Raised where an alert could not be handed over."""


class Webhook(Protocol):
    """A place of the owner's that takes alerts over HTTP."""

    def post(self, notice: Mapping[str, str]) -> None:
        """Hand over one notice; raise WebhookUnavailable or WebhookRefused where it was not."""
        ...


class WebhookUnavailable(Exception):
    """Raised where the webhook did not answer; the notice may have arrived. No URL is named."""


class WebhookRefused(Exception):
    """Raised where the webhook does not take notices, or its secret holds no usable URL."""


class Metrics(Protocol):
    """The store of what periods came to."""

    def store(self, metric: PerformanceMetric) -> None:
        """Store a metric; the one of the same period, if any, is replaced in every attribute."""
        ...

    def metric(self, metric_id: str) -> PerformanceMetric | None: ...

    def metrics(
        self, period_type: PeriodType, start: date, end: date
    ) -> tuple[PerformanceMetric, ...]:
        """List the periods that start from `start` to `end`, oldest first.

        What was stored a moment ago may be missing.
        """
        ...


class LearningLog(Protocol):
    """The store of what the learner did; an entry is never changed."""

    def append(self, entry: LearningLogEntry) -> bool:
        """Store an entry; False where there is one with its id, which stands."""
        ...

    def entry(self, log_id: str) -> LearningLogEntry | None: ...
