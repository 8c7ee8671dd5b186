"""A desk that scans the small market of the strategies' tests, with everything in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import cast

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
from agent.book.intents import Intent
from agent.config.settings import Settings
from agent.market.chain import OptionChain
from agent.market.dividends import ExDividend
from agent.market.quotes import OptionQuote, UnderlyingSnapshot
from agent.market.splits import StockSplit
from agent.options.contracts import OptionContract
from agent.ports import (
    Account,
    Broker,
    BrokerPosition,
    BrokerUnavailable,
    ChainRequest,
    MarketData,
)
from agent.strategies.registry import strategies_for
from agent.use_cases.desk import AssembledDesk
from agent.use_cases.scan_market import ScanReport, scan_market
from agent.use_cases.schedule import ScheduledEvent
from tests.builders import AS_OF, SESSION, SYMBOL, a_sample
from tests.unit.strategies.market import FAR, NEAR, a_stock, quotes_of
from tests.unit.use_cases.analysis_desk import sessions

EARLIER = NEAR - timedelta(days=7)
LATER = NEAR + timedelta(days=28)
LOW_VOLATILITY, HIGH_VOLATILITY = 0.20, 0.35
"""The bounds of the history: the small market's 0.30 ranks at two thirds."""


@dataclass
class QuotedMarket:
    """Answer with the quotes given, within what is asked for."""

    stocks: dict[str, UnderlyingSnapshot]
    quotes: dict[str, list[OptionQuote]]
    requests: list[ChainRequest] = field(default_factory=list)
    failures: dict[str, Exception] = field(default_factory=dict)
    declared: dict[str, tuple[ExDividend, ...]] = field(default_factory=dict)

    def underlyings(self, symbols: Sequence[str]) -> Mapping[str, UnderlyingSnapshot]:
        return {symbol: self.stocks[symbol] for symbol in symbols if symbol in self.stocks}

    def chain(
        self, underlying: UnderlyingSnapshot, request: ChainRequest, as_of: datetime
    ) -> OptionChain:
        if underlying.symbol in self.failures:
            raise self.failures[underlying.symbol]
        self.requests.append(request)
        return OptionChain(
            underlying,
            as_of,
            tuple(
                quote
                for quote in self.quotes[underlying.symbol]
                if request.expiration_min <= quote.contract.expiration <= request.expiration_max
            ),
        )

    def dividends(
        self, symbols: Sequence[str], session: date
    ) -> Mapping[str, tuple[ExDividend, ...]]:
        if "dividends" in self.failures:
            raise self.failures["dividends"]
        known = {symbol: self.declared.get(symbol, ()) for symbol in symbols}
        return {symbol: ahead for symbol, ahead in known.items() if ahead and session}

    def splits(
        self, symbols: Sequence[str], first: date, last: date
    ) -> Mapping[str, tuple[StockSplit, ...]]:
        raise AssertionError(f"a scan asked for splits of {symbols} in {first}..{last}")

    def option_quotes(self, contracts: Sequence[OptionContract]) -> Mapping[str, OptionQuote]:
        raise AssertionError(f"a scan asked for the quotes of {contracts}")


@dataclass
class AccountOnly:
    """Be a broker of whom nothing is wanted but the account, and what it holds."""

    equity: Decimal = Decimal(100_000)
    can_trade_options: bool = True
    held: tuple[BrokerPosition, ...] | BrokerUnavailable = ()

    def holdings(self) -> tuple[BrokerPosition, ...]:
        if isinstance(self.held, BrokerUnavailable):
            raise self.held
        return self.held

    def account(self) -> Account:
        return Account(
            account_number="PA-TEST",
            can_trade_options=self.can_trade_options,
            equity=self.equity,
            last_equity=self.equity,
            cash=self.equity,
            options_buying_power=self.equity,
            accrued_fees=Decimal(0),
        )


@dataclass
class ScanDesk:
    """Hold the desk and what a test may look at or push."""

    settings: Settings
    market: QuotedMarket = field(
        default_factory=lambda: QuotedMarket(
            {SYMBOL: a_stock()}, {SYMBOL: quotes_of((EARLIER, NEAR, FAR))}
        )
    )
    account: AccountOnly = field(default_factory=AccountOnly)
    book: MemoryBook = field(default_factory=MemoryBook)
    volatility: MemoryVolatilityHistory = field(default_factory=MemoryVolatilityHistory)
    reports: MemoryReportDates = field(default_factory=MemoryReportDates)

    def __post_init__(self) -> None:
        self.clock = MemoryClock(AS_OF, sessions())
        self.control = MemoryControl()
        self.workflows = MemoryWorkflows()
        days = [SESSION - timedelta(days=number) for number in range(1, 121)]
        levels = [LOW_VOLATILITY, HIGH_VOLATILITY] * 60
        for symbol in self.market.stocks:
            self.volatility.record(
                symbol,
                [a_sample(day, level) for day, level in zip(days, levels, strict=True)],
            )
            self.reports.replace_reports(symbol, [SESSION + timedelta(days=80)])
        self.desk = AssembledDesk(
            settings=self.settings,
            strategies=strategies_for(self.settings),
            broker=cast("Broker", self.account),
            clock=self.clock,
            calendar=MemoryCalendar(sessions()),
            market=cast("MarketData", self.market),
            book=self.book,
            volatility=self.volatility,
            reports=self.reports,
            control=self.control,
            beats=MemoryBeats(),
            workflows=self.workflows,
            alerts=MemoryAlerts(),
            outbox=self.book.outbox,
            metrics=MemoryMetrics(),
            archive=MemoryJournalArchive(),
            learning_log=MemoryLearningLog(),
        )

    def scan(self, slot: datetime = AS_OF) -> ScanReport:
        """Let the schedule fire for a slot, at once."""
        self.clock.set(slot)
        return scan_market(self.desk, ScheduledEvent(slot=slot))

    @property
    def entries(self) -> list[Intent]:
        return list(self.workflows.started)


def settings_for(*strategies: str, **changes: object) -> Settings:
    """Watch the one stock of the small market."""
    values = {"watchlist": (SYMBOL,), "strategies": strategies or ("bull_put_spread",)}
    return Settings.model_validate(values | changes)


def another_stock(symbol: str) -> tuple[UnderlyingSnapshot, list[OptionQuote]]:
    """Give a stock like that of the small market under another name, with its options."""
    quotes = [
        replace(quote, contract=replace(quote.contract, underlying=symbol))
        for quote in quotes_of((EARLIER, NEAR, FAR))
    ]
    return replace(a_stock(), symbol=symbol), quotes
