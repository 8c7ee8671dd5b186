"""What the book holds: trades, positions, alerts, events."""

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
    exit_reason: ExitReason | None = ExitReason.ROLL
    """Why it was left; None where a rebuilt book does not know why a call was bought back."""


class RollResidue(Record):
    """Hold contracts of the former structure that a roll could not close: they go at once."""

    structure: Structure
    contracts: int = Field(ge=1)
    opened: int
    """Contracts of that structure that were opened."""
    sizing_loss_per_contract: Decimal
    capital_per_contract: Decimal
    legs_gone: dict[str, int] = Field(default_factory=dict)
    """Contracts of a leg, by OCC symbol, that have gone while others of their unit are held."""


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
        residue = self.campaign.residue
        of_residue = {} if residue is None else residue.legs_gone
        for symbol, gone in (*self.holdings.legs_gone.items(), *of_residue.items()):
            held[symbol] -= gone if held[symbol] > 0 else -gone
        return dict(held)

    @property
    def symbols_ever(self) -> set[str]:
        """Name by OCC symbol all that it has, or once had, before its rolls and before splits."""
        former = [symbol for part in self.campaign.parts for symbol in part.structure.symbols]
        return {*former, *self.holdings.former_symbols, *self.leg_quantities}

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
    underlying_price: Decimal | None = None
    """The stock when that volatility was seen, in dollars."""
    unrealized_pnl: Decimal | None = None
    realized_pnl: Decimal | None = None
    status: PositionStatus = PositionStatus.OPEN


class PositionMark(Record):
    """Keep what a pass saw of an open position; None leaves what was seen before."""

    position_id: str
    current_delta: float | None = None
    implied_volatility: float | None = None
    underlying_price: Decimal | None = None
    """The stock when that volatility was seen; they are known together."""
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
    """Keep what happened, in the transaction that made it happen."""

    event_id: str
    at: datetime
    kind: str
    trade_id: str | None
    """None for what happened to the account alone."""
    details: dict[str, JsonValue] = Field(default_factory=dict)
