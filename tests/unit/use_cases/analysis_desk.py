"""A desk in memory on which nobody trades: what analyses are made of."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from agent.adapters.memory.alerts import MemoryAlerts
from agent.adapters.memory.archive import MemoryJournalArchive
from agent.adapters.memory.beats import MemoryBeats
from agent.adapters.memory.book import MemoryBook
from agent.adapters.memory.clock import MemoryCalendar, MemoryClock
from agent.adapters.memory.control import MemoryControl
from agent.adapters.memory.learning_log import MemoryLearningLog
from agent.adapters.memory.metrics import MemoryMetrics
from agent.adapters.memory.reports import MemoryReportDates
from agent.adapters.memory.volatility import MemoryVolatilityHistory
from agent.adapters.memory.workflows import MemoryWorkflows
from agent.book.changes import BookChange, TradeWrite
from agent.book.records import Position, Trade
from agent.config.settings import Settings
from agent.market.calendar import NEW_YORK, TradingSession
from agent.ports import (
    Account,
    Broker,
    BrokerPosition,
    CashActivity,
    LegFill,
    MarketData,
    OptionEvent,
)
from agent.use_cases.desk import AssembledDesk
from agent.use_cases.schedule import ScheduledEvent
from tests.builders import SESSION

HOLIDAY = date(2026, 6, 19)


class QuietAccount:
    """Be a broker in whose account nothing moves."""

    def account(self) -> Account:
        return Account(
            account_number="PA-TEST",
            can_trade_options=True,
            equity=Decimal(100_000),
            last_equity=Decimal(100_000),
            cash=Decimal(100_000),
            options_buying_power=Decimal(100_000),
            accrued_fees=Decimal(0),
        )

    def holdings(self) -> tuple[BrokerPosition, ...]:
        return ()

    def leg_fills(self, since: date) -> tuple[LegFill, ...]:
        return ()[: since.day]

    def cash_activities(self, since: date) -> tuple[CashActivity, ...]:
        return ()[: since.day]

    def option_events(self, since: date) -> tuple[OptionEvent, ...]:
        return ()[: since.day]


class Untouched:
    """Fail a test that asks anything of what an analysis must leave alone."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"an analysis asked for {name}")


def new_york(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=NEW_YORK).astimezone(UTC)


def sessions() -> list[TradingSession]:
    """Give the sessions of June 2026 and a few more."""
    days = (SESSION + timedelta(days=number) for number in range(40))
    return [
        TradingSession(day, new_york(day, 9, 30), new_york(day, 16))
        for day in days
        if day.weekday() < 5 and day != HOLIDAY
    ]


@dataclass
class AnalysisDesk:
    """Hold the desk and what a test may look at or push."""

    settings: Settings = field(default_factory=Settings)
    book: MemoryBook = field(default_factory=MemoryBook)
    metrics: MemoryMetrics = field(default_factory=MemoryMetrics)
    learning_log: MemoryLearningLog = field(default_factory=MemoryLearningLog)
    archive: MemoryJournalArchive = field(default_factory=MemoryJournalArchive)
    alerts: MemoryAlerts = field(default_factory=MemoryAlerts)

    def __post_init__(self) -> None:
        self.clock = MemoryClock(new_york(SESSION, 17), sessions())
        self.desk = AssembledDesk(
            settings=self.settings,
            strategies={},
            broker=cast("Broker", QuietAccount()),
            clock=self.clock,
            calendar=MemoryCalendar(sessions()),
            market=cast("MarketData", Untouched()),
            book=self.book,
            volatility=MemoryVolatilityHistory(),
            reports=MemoryReportDates(),
            control=MemoryControl(),
            beats=MemoryBeats(),
            workflows=MemoryWorkflows(),
            alerts=self.alerts,
            outbox=self.book.outbox,
            metrics=self.metrics,
            archive=self.archive,
            learning_log=self.learning_log,
        )

    def at(self, day: date, hour: int, minute: int = 0) -> ScheduledEvent:
        """Let the time of a slot come."""
        self.clock.set(new_york(day, hour, minute))
        return ScheduledEvent(slot=new_york(day, hour, minute))

    def keep(self, trade: Trade, positions: tuple[Position, ...] = ()) -> None:
        """Put a trade into the book, or replace it there, whatever its status was."""
        stored = self.book.trade(trade.trade_id)
        if stored is None:
            write = TradeWrite(trade, None, None)
        else:
            moved = trade.model_copy(update={"version": stored.version + 1})
            write = TradeWrite(moved, stored.status, stored.version)
        self.book.commit(BookChange(trade=write, positions=positions))
