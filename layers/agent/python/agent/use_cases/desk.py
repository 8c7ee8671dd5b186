"""The desk: every port a use case may need, under one name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from agent.config.settings import Settings
from agent.ports import (
    AlertOutbox,
    Alerts,
    Beats,
    Book,
    Broker,
    Calendar,
    Clock,
    Control,
    JournalArchive,
    LearningLog,
    MarketData,
    Metrics,
    ReportDates,
    VolatilityHistory,
    Workflows,
)

if TYPE_CHECKING:
    # Strategies bring numpy and scipy, which most steps never need.
    from agent.strategies.strategy import Strategy


class Desk(Protocol):
    """What use cases ask for; `bootstrap` builds it lazily, tests assemble it from memory."""

    @property
    def settings(self) -> Settings: ...
    @property
    def strategies(self) -> "Mapping[str, Strategy]": ...
    @property
    def broker(self) -> Broker: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def calendar(self) -> Calendar: ...
    @property
    def market(self) -> MarketData: ...
    @property
    def book(self) -> Book: ...
    @property
    def volatility(self) -> VolatilityHistory: ...
    @property
    def reports(self) -> ReportDates: ...
    @property
    def control(self) -> Control: ...
    @property
    def beats(self) -> Beats: ...
    @property
    def workflows(self) -> Workflows: ...
    @property
    def alerts(self) -> Alerts: ...
    @property
    def outbox(self) -> AlertOutbox: ...
    @property
    def metrics(self) -> Metrics: ...
    @property
    def archive(self) -> JournalArchive: ...
    @property
    def learning_log(self) -> LearningLog: ...


@dataclass(frozen=True)
class AssembledDesk:
    """Hold ports that were made beforehand."""

    settings: Settings
    strategies: "Mapping[str, Strategy]"
    broker: Broker
    clock: Clock
    calendar: Calendar
    market: MarketData
    book: Book
    volatility: VolatilityHistory
    reports: ReportDates
    control: Control
    beats: Beats
    workflows: Workflows
    alerts: Alerts
    outbox: AlertOutbox
    metrics: Metrics
    archive: JournalArchive
    learning_log: LearningLog
