"""A change of the book: everything that is written in one transaction, or not at all."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from agent.book.account_cash import AccountEntry, CashBaseline
from agent.book.intents import Intent
from agent.book.records import Alert, JournalEvent, Position, PositionMark, Trade
from agent.book.states import TradeStatus


class LedgerField(StrEnum):
    HEAT_CENTS = "heat_cents"
    CAPITAL_CENTS = "capital_cents"
    POSITIONS = "positions"
    ENTRIES = "entries"
    RESERVATIONS = "reservations"
    LOSSES = "losses"
    LOSSES_FORGIVEN = "losses_forgiven"


@dataclass(frozen=True)
class LedgerMove:
    """Add `deltas` to one ledger entry, provided no sum in `bounds` is exceeded.

    `key` is `portfolio`, `day#YYYY-MM-DD`, `symbol#SYMBOL` or `streak`. A missing entry
    counts as zeros. Bounds bind increases only; a release always succeeds.
    """

    key: str
    deltas: Mapping[LedgerField, int]
    bounds: Mapping[LedgerField, int] = field(default_factory=dict)


@dataclass(frozen=True)
class LedgerEntry:
    key: str
    heat_cents: int = 0
    capital_cents: int = 0
    positions: int = 0
    entries: int = 0
    reservations: int = 0
    """Reservations ever made: what was measured of the book holds while this stands."""
    losses: int = 0
    """Trades ever closed at a loss."""
    losses_forgiven: int = 0
    """How many of these lie before the last trade that was none, or the last pause."""

    @property
    def losing_streak(self) -> int:
        """Count the trades closed at a loss since."""
        return self.losses - self.losses_forgiven


@dataclass(frozen=True)
class TradeWrite:
    """Store `trade` if the stored one is as expected; `None` expects that there is none.

    `trade.version` is one above the expected version.
    """

    trade: Trade
    expected_status: TradeStatus | None
    expected_version: int | None


@dataclass(frozen=True)
class IntentWrite:
    """Store `intent` if the stored one has the expected version; `None` expects none."""

    intent: Intent
    expected_version: int | None


@dataclass(frozen=True)
class Lease:
    """Hold the right to act alone under a name until `expires_at`, or until it is given back.

    Whoever takes the lease next gets a greater `token`: a change that bears this one as its fence
    is then refused, however late it comes.
    """

    name: str
    token: int
    expires_at: datetime


@dataclass(frozen=True)
class BookChange:
    """Gather writes that happen together. At most one write an item."""

    trade: TradeWrite | None = None
    intents: tuple[IntentWrite, ...] = ()
    positions: tuple[Position, ...] = ()
    """Stored as they are: their trade's condition guards them."""
    marks: tuple[PositionMark, ...] = ()
    """Laid over positions that are there and open; any other is a conflict."""
    ledger: tuple[LedgerMove, ...] = ()
    events: tuple[JournalEvent, ...] = ()
    alerts: tuple[Alert, ...] = ()
    account_entries: tuple[AccountEntry, ...] = ()
    """One that is stored already stands: each is booked once."""
    cash_baseline: CashBaseline | None = None
    fence: Lease | None = None
    """Where given, nothing is written once somebody else has taken this lease."""


class BookConflict(Exception):
    """Raised where the stored state is not what a change expected: read again and decide."""


class LimitReached(Exception):
    """Raised where a ledger bound refuses a change; `keys` names the entries."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        super().__init__(f"the ledger refuses: {', '.join(keys)}")
        self.keys = keys


class BookBusy(Exception):
    """Raised where the store kept refusing or did not answer: the fate of the change is unknown.

    Trying the same change again is safe: if it was written, its versions have moved on.
    """
