"""What a market is to the exchange: prices as they stand at any moment of simulated time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from agent.options.contracts import OptionContract, OptionType


@dataclass(frozen=True, slots=True)
class TradingSession:
    """One day on which the market opens; both times are aware and in UTC."""

    session: date
    opens_at: datetime
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class StockQuote:
    """An underlying as the market shows it; prices in dollars, None where there is no side."""

    symbol: str
    at: datetime
    bid: Decimal | None
    ask: Decimal | None
    last: Decimal
    open: Decimal
    high: Decimal
    low: Decimal
    volume: int
    """Shares traded in the session so far."""


@dataclass(frozen=True, slots=True)
class OptionListing:
    """A listed contract as the market shows it; a side that nobody quotes is None."""

    contract: OptionContract
    at: datetime
    bid: Decimal | None
    ask: Decimal | None
    bid_size: int
    ask_size: int
    volume: int
    """Contracts traded in the session so far."""
    prior_volume: int
    """Contracts traded in the session before."""
    open_interest: int


@dataclass(frozen=True, slots=True)
class DailyBar:
    session: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int


@dataclass(frozen=True, slots=True)
class ListingFilter:
    """Bounds of a chain request, each inclusive; None leaves that side open."""

    expiration_min: date | None = None
    expiration_max: date | None = None
    strike_min: Decimal | None = None
    strike_max: Decimal | None = None
    option_type: OptionType | None = None


@dataclass(frozen=True, slots=True)
class ImpliedVolatilitySample:
    """The 30-day at-the-money implied volatility of one past session, as an annual fraction."""

    session: date
    implied_volatility: float
    without_reports: float | None = None
    """The same without the variance of an earnings report ahead; None where it is not known."""


class World(Protocol):
    """A market whose every answer is a pure function of its construction and of `at`."""

    @property
    def name(self) -> str: ...

    @property
    def symbols(self) -> tuple[str, ...]: ...

    @property
    def sessions(self) -> tuple[TradingSession, ...]:
        """The sessions that can be played, oldest first."""
        ...

    @property
    def quote_times(self) -> tuple[datetime, ...] | None:
        """The moments at which quotes are known, or None where any moment of a session is."""
        ...

    def stock(self, symbol: str, at: datetime) -> StockQuote | None: ...

    def chain(self, symbol: str, at: datetime, bounds: ListingFilter) -> Sequence[OptionListing]:
        """List the contracts within `bounds` not yet expired at `at`, ordered by contract."""
        ...

    def option(self, contract: OptionContract, at: datetime) -> OptionListing | None: ...

    def daily_bars(self, symbol: str, start: date, at: datetime) -> Sequence[DailyBar]:
        """Give the bars from `start` to the last session completed before `at`."""
        ...

    def close_price(self, symbol: str, session: date) -> Decimal | None:
        """Give the official close of `session`, or None where the market has none."""
        ...

    def implied_volatility_history(self, symbol: str) -> Sequence[ImpliedVolatilitySample]:
        """Give the samples of the sessions before the first one played, oldest first."""
        ...
