"""Where the agent keeps its book, its figures and what it learned."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from agent.book.account_cash import AccountEntry, CashBaseline
from agent.book.analysis_records import LearningLogEntry, PerformanceMetric, PeriodType
from agent.book.changes import BookChange, Lease, LedgerEntry
from agent.book.intents import Intent
from agent.book.records import JournalEvent, Position, Trade


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

    def account_entries(self) -> tuple[AccountEntry, ...]:
        """List what moved the account's cash beside trades, ordered by id."""
        ...

    def cash_baseline(self) -> CashBaseline | None:
        """Give what the comparison of cash counts from; None where it has not begun."""
        ...

    def journal(self, day: date) -> tuple[JournalEvent, ...]:
        """Give the events of a UTC day, oldest first."""
        ...

    def acquire_lease(self, name: str, now: datetime, seconds: int) -> Lease | None:
        """Take the lease of a name for so long; None while another holder's has not expired."""
        ...

    def release_lease(self, lease: Lease) -> None:
        """Give a lease back; one that somebody else has taken since is left alone."""
        ...


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


class ArchiveUnavailable(Exception):
    """Raised where the archive did not take a day; whether it did is unknown."""


class JournalArchive(Protocol):
    """Where the journal is kept for good, outside of the tables."""

    def keep(self, day: date, events: Sequence[JournalEvent]) -> None:
        """Keep the events of a UTC day in place of what was kept of it.

        Raises ArchiveUnavailable.
        """
        ...
