"""What the book holds: signals, intents with their orders, trades, positions, alerts, events."""

from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import Field, JsonValue

from agent.book.holdings import Holdings
from agent.book.record import Record
from agent.book.states import ExitReason, TradeStatus
from agent.options.contracts import OptionType
from agent.options.structures import LegSide, Structure


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
    iv_rank: float
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
    """How many contracts a roll rolls; None where the trade says how many."""
    net_credit_min: Decimal | None = None
    """The least net credit of a roll, a share: what it costs in fees and more; None for others."""
    leg: str | None = None
    """The OCC symbol of the one leg that a close closes alone; None where it closes all."""
    shares: int | None = None
    """The shares that a close buys (positive) or sells instead; None where it trades options."""
    of_residue: bool = False
    """True for a close of what a roll left behind, not of what its trade holds."""
    status: IntentStatus = IntentStatus.WRITTEN
    outcome: str | None = None
    orders: tuple[OrderAttempt, ...] = ()
    version: int = 1


class FillQuality(Record):
    """Keep how well orders were filled; slippage is dollars a share, positive where given up."""

    slippage_on_arrival: Decimal
    """Against the mid when the first order was priced."""
    slippage_at_fill: Decimal
    """Against the mids at which the orders that filled were priced, weighted by contracts."""
    conceded_fraction: Decimal | None = None
    """That over the way from those mids to natural; None where there was no way to go."""
    fill_seconds: float | None = None
    """From the first order's sending to the last fill; None where the broker did not say when."""
    reprices: int = 0


class TradeExecution(Record):
    """Keep what was done; cash is in dollars for the whole trade, positive when received."""

    contracts: int = 0
    """Contracts a leg opened of the structure that is held now."""
    contracts_closed: int = 0
    credit: Decimal | None = None
    """Average net credit a share at entry, and of every roll since; None before a fill."""
    exit_debit: Decimal | None = None
    """Average net debit a share at exit; None before a fill."""
    entry_cash: Decimal = Decimal(0)
    exit_cash: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    """Fees attributed to the trade's fills, positive."""
    entry_slippage: Decimal | None = None
    """Dollars a share given up against the mid of the first entry order."""
    exit_slippage: Decimal | None = None
    reprices: int = 0
    entry_quality: FillQuality | None = None
    """How well the entry was filled; None before a fill."""
    exit_quality: FillQuality | None = None
    """How well the last exit that filled was; None before one, and for one leg by leg."""


class TradeRisk(Record):
    """Keep what was reserved; cents, for the whole trade as it stands in the ledger."""

    contracts_reserved: int
    sizing_loss_per_contract: Decimal
    capital_per_contract: Decimal
    heat_cents: int
    capital_cents: int
    stress_loss_per_contract: Decimal = Decimal(0)
    """What it would lose under stress; heat counts the larger of this and the sizing loss."""


class MarketSnapshotAtEntry(Record):
    """Keep what the scan saw; all but the days are None in a trade rebuilt from the broker."""

    as_of: datetime
    underlying_price: Decimal | None
    credit_mid: Decimal | None
    credit_natural: Decimal | None
    implied_volatility: float | None
    iv_rank: float | None
    liquidity_score: float | None
    dte: int
    probability_of_profit: float | None = None
    """Risk-neutral, 0-1, at expiration and before management; None where unknown."""
    stress_debit: Decimal | None = None
    """What closing would have cost a share under stress; None where not measured."""


class StopWatch(Record):
    """Remember consecutive passes that saw the stop, so that one bad quote is no stop."""

    passes: int = 0
    last_slot: datetime | None = None


class RolledPart(Record):
    """Keep the part of a campaign that a roll closed."""

    structure: Structure
    contracts: int
    credit: Decimal
    """The campaign's net credit a share when it was closed."""
    debit: Decimal
    """What closing it cost a share."""
    rolled_at: datetime
    exit_reason: ExitReason = ExitReason.ROLL


class RollResidue(Record):
    """Hold contracts of the former structure that a roll could not close: they go at once."""

    structure: Structure
    contracts: int = Field(ge=1)
    opened: int
    """Contracts of that structure that were opened."""
    sizing_loss_per_contract: Decimal
    capital_per_contract: Decimal


class Campaign(Record):
    """Keep what a trade was before its rolls; they share one stop and one P&L."""

    rolls: int = 0
    attempts: int = 0
    """Rolls begun, whether or not anything filled."""
    sought_at: datetime | None = None
    """When a roll was last looked for."""
    budget_per_contract: Decimal | None = None
    """Sizing loss at entry: no roll may put more at stake at its stop. None before a roll."""
    max_loss: Decimal | None = None
    """At entry, in dollars for the whole trade; None before a roll."""
    parts: tuple[RolledPart, ...] = ()
    residue: RollResidue | None = None


class Trade(Record):
    """Hold one whole structure from intent to last cent."""

    trade_id: str
    symbol: str
    strategy: str
    status: TradeStatus
    structure: Structure
    timestamp_enter: datetime
    """When the trade was decided; the fill time is on the entry order."""
    params: dict[str, JsonValue]
    market_snapshot: MarketSnapshotAtEntry
    execution: TradeExecution = TradeExecution()
    risk: TradeRisk
    timestamp_exit: datetime | None = None
    pnl: Decimal | None = None
    """Dollars, fees included; None while the trade is not closed."""
    pnl_pct: Decimal | None = None
    """P&L over max loss at entry, as a fraction."""
    days_held: int | None = None
    exit_reason: ExitReason | None = None
    reason_tags: tuple[str, ...] = ()
    notes: str = ""
    close_attempts: int = 0
    campaign: Campaign = Campaign()
    stop_watch: StopWatch = StopWatch()
    manual_exit_requested: bool = False
    automation_suspended: bool = False
    """True leaves the trade to its owner, but for what protects it."""
    stop_debit: Decimal | None = None
    """Dollars a share to close at which the owner wants the stop; None where the rules say."""
    holdings: Holdings = Holdings()
    version: int = 1

    @property
    def contracts_held(self) -> int:
        """Count the units of the structure of which at least one leg is held."""
        return self.execution.contracts - self.execution.contracts_closed

    @property
    def structures_held(self) -> tuple[tuple[Structure, int], ...]:
        """Give each structure held, with its contracts: one, or two where a roll left a residue."""
        residue = self.campaign.residue
        own = (self.structure, self.contracts_held)
        return (own,) if residue is None else (own, (residue.structure, residue.contracts))

    @property
    def contracts_whole(self) -> int:
        """Count the units of the structure of which every leg is held."""
        return self.contracts_held - max(
            -(-self.holdings.legs_gone.get(leg.contract.symbol, 0) // leg.ratio)
            for leg in self.structure.legs
        )

    @property
    def leg_quantities(self) -> dict[str, int]:
        """Count the contracts held by OCC symbol, signed, a roll's residue too; 0 where none is."""
        held: Counter[str] = Counter()
        for structure, contracts in self.structures_held:
            for leg in structure.legs:
                held[leg.contract.symbol] += leg.signed_ratio * contracts
        for symbol, gone in self.holdings.legs_gone.items():
            held[symbol] -= gone if held[symbol] > 0 else -gone
        return dict(held)

    @property
    def shares_held(self) -> int:
        """Count the shares held through assignment; negative is short."""
        return 0 if self.holdings.shares is None else self.holdings.shares.quantity

    @property
    def is_whole(self) -> bool:
        """Say whether all that is held are whole structures."""
        return not self.holdings.legs_gone and not self.shares_held

    @property
    def is_flat(self) -> bool:
        """Say whether neither a contract nor a share is held."""
        return not (self.contracts_held or self.shares_held or self.campaign.residue)


class PositionStatus(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class Position(Record):
    """Hold one leg of a trade; `quantity` is unsigned contracts, `side` says which way."""

    position_id: str
    trade_id: str
    option_symbol: str
    option_type: OptionType
    strike: Decimal
    expiration: date
    side: LegSide
    quantity: int
    entry_price: Decimal | None = None
    exit_price: Decimal | None = None
    entry_delta: float | None = None
    current_delta: float | None = None
    """Signed, per contract."""
    implied_volatility: float | None = None
    """The last good one, an annual fraction: it marks the leg while its quote is no good."""
    unrealized_pnl: Decimal | None = None
    realized_pnl: Decimal | None = None
    status: PositionStatus = PositionStatus.OPEN


class PositionMark(Record):
    """Keep what a pass saw of an open position; None leaves what was seen before."""

    position_id: str
    current_delta: float | None = None
    implied_volatility: float | None = None
    unrealized_pnl: Decimal | None = None


class AlertKind(StrEnum):
    TRADE_EXECUTED = "trade_executed"
    POSITION_CLOSED = "position_closed"
    DAILY_LOSS_LIMIT = "daily_loss_limit"
    SYSTEM_ERROR = "system_error"
    DAILY_REPORT = "daily_report"


class Alert(Record):
    """Tell the owner something once; the id makes the second telling visible."""

    alert_id: str
    kind: AlertKind
    at: datetime
    subject: str
    message: str


class JournalEvent(Record):
    """Keep what happened to a trade, in the transaction that made it happen."""

    event_id: str
    at: datetime
    kind: str
    trade_id: str
    details: dict[str, JsonValue] = Field(default_factory=dict)
