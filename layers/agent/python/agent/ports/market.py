"""What the agent knows of the market: its hours, its quotes, and what it keeps of both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from agent.market.calendar import TradingSession
from agent.market.dividends import ExDividend
from agent.market.quotes import OptionQuote, UnderlyingSnapshot
from agent.market.splits import StockSplit
from agent.options.contracts import OptionContract, OptionType

if TYPE_CHECKING:
    # They bring numpy and scipy, which the steps of the state machines start faster without.
    from agent.market.chain import OptionChain
    from agent.market.volatility import ImpliedVolatilitySample


@dataclass(frozen=True)
class MarketClock:
    now: datetime
    is_open: bool
    next_open: datetime
    next_close: datetime


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

    def splits(
        self, symbols: Sequence[str], first: date, last: date
    ) -> Mapping[str, tuple[StockSplit, ...]]:
        """Give the splits with an ex-date in `first`..`last`, oldest first.

        A symbol without any is absent. Nothing is kept: what is asked for is what is known now.
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
