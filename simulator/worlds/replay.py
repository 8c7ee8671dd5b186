"""A market that really was: recorded chains played back, one set of quotes a session."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import ceil, floor
from pathlib import Path
from typing import Self

import numpy as np

from agent.options.contracts import OptionContract, OptionType
from simulator.worlds.calendar import trading_sessions
from simulator.worlds.quoting import dollars
from simulator.worlds.recordings import (
    IntArray,
    RecordedChain,
    WorldDataError,
    read_bars,
    read_chains,
    read_closes,
    read_earnings,
    read_ex_dividends,
)
from simulator.worlds.world import (
    DailyBar,
    ImpliedVolatilitySample,
    ListingFilter,
    OptionListing,
    StockQuote,
    TradingSession,
)

__all__ = ["ReplayWorld", "WorldDataError"]

QUOTED_BEFORE_CLOSE = timedelta(minutes=15)
VOLUME_MEAN_SESSIONS = 20
ASSUMED_SIZE_CONTRACTS = 10
"""What each quoted side is taken to show: the recordings have no sizes."""
MILLS_PER_DOLLAR = 1000
CALENDAR_BEYOND_DAYS = 100


@dataclass(slots=True)
class ReplayWorld:
    """Play back recorded end-of-day chains.

    Quotes are stamped 15 minutes before the close of their session (15:45 in New York on a full
    day), though recorded after it; asked at another moment of the session, the same quotes are
    given with that moment's stamp, and after the close with the close's, until the next session
    recorded. Recordings hold no stock quotes: a bid and an ask one cent around the recorded price
    of the underlying stand in. Volume is that of the session's bar, and the mean of the 20 bars
    before where there is none. Bars end before the chains do: later ones are made of the recorded
    close alone, or of the underlying's price where that too is missing. Of events only dates are
    recorded: of reports, and of ex-dividend days as known at the time; no amounts, no splits.
    """

    _chains: Mapping[tuple[str, date], RecordedChain]
    _bars: Mapping[str, Mapping[date, DailyBar]]
    _sessions: tuple[TradingSession, ...]
    _earnings: Mapping[str, tuple[date, ...]]
    _ex_dividends: Mapping[str, tuple[tuple[date, date], ...]]
    _bar_days: Mapping[str, tuple[date, ...]] = field(init=False)
    _opens: tuple[datetime, ...] = field(init=False)
    _closes_at: Mapping[date, datetime] = field(init=False)
    _symbols: tuple[str, ...] = field(init=False)
    _contracts: dict[tuple[str, int, bool, int], OptionContract] = field(
        init=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        self._symbols = tuple(sorted({symbol for symbol, _ in self._chains}))
        self._bar_days = {symbol: tuple(sorted(bars)) for symbol, bars in self._bars.items()}
        self._opens = tuple(session.opens_at for session in self._sessions)
        days = [day for bars in self._bars.values() for day in bars]
        # Time may run on after the last recording, into the expirations it quotes.
        calendar = trading_sessions(min(days), max(days) + timedelta(days=CALENDAR_BEYOND_DAYS))
        self._closes_at = {each.session: each.closes_at for each in calendar}

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read the recordings of `directory`; raise WorldDataError where they are unusable."""
        chains = read_chains(directory)
        bars = read_bars(directory)
        quoted = {day for _, day in chains}
        calendar = trading_sessions(min(quoted), max(quoted))
        _refuse_closed_days(directory, quoted)
        _refuse_closed_days(directory, {day for each in bars.values() for day in each})
        merged = _merged_bars(chains, bars, read_closes(directory), calendar)
        return cls(
            chains,
            merged,
            tuple(each for each in calendar if each.session in quoted),
            read_earnings(directory),
            read_ex_dividends(directory),
        )

    @property
    def name(self) -> str:
        return "replay"

    @property
    def symbols(self) -> tuple[str, ...]:
        return self._symbols

    @property
    def sessions(self) -> tuple[TradingSession, ...]:
        return self._sessions

    @property
    def quote_times(self) -> tuple[datetime, ...] | None:
        return tuple(session.closes_at - QUOTED_BEFORE_CLOSE for session in self._sessions)

    def stock(self, symbol: str, at: datetime) -> StockQuote | None:
        found = self._quoted(symbol, at)
        if found is None:
            return None
        session, chain, stamp = found
        last = chain.underlying_price
        bar = self._bars[symbol][session.session]
        cent = dollars(1)
        return StockQuote(
            symbol=symbol,
            at=stamp,
            bid=max(last - cent, cent),
            ask=last + cent,
            last=last,
            open=bar.open,
            high=bar.high,
            low=bar.low,
            volume=bar.volume,
        )

    def chain(self, symbol: str, at: datetime, bounds: ListingFilter) -> Sequence[OptionListing]:
        found = self._quoted(symbol, at)
        if found is None:
            return ()
        session, chain, stamp = found
        rows = self._rows_within(chain, bounds, at)
        prior = self._prior_volume(symbol, session, chain.keys[rows])
        columns = zip(
            chain.expiration_days[rows].tolist(),
            chain.is_call[rows].tolist(),
            chain.strike_mills[rows].tolist(),
            chain.bid_cents[rows].tolist(),
            chain.ask_cents[rows].tolist(),
            chain.volume[rows].tolist(),
            prior.tolist(),
            chain.open_interest[rows].tolist(),
            strict=True,
        )
        return tuple(
            OptionListing(
                contract=self._contract(symbol, day, is_call, mills),
                at=stamp,
                bid=dollars(bid) if bid else None,
                ask=dollars(ask) if ask else None,
                bid_size=ASSUMED_SIZE_CONTRACTS if bid else 0,
                ask_size=ASSUMED_SIZE_CONTRACTS if ask else 0,
                volume=volume,
                prior_volume=prior_volume,
                open_interest=open_interest,
            )
            for day, is_call, mills, bid, ask, volume, prior_volume, open_interest in columns
        )

    def option(self, contract: OptionContract, at: datetime) -> OptionListing | None:
        bounds = ListingFilter(
            expiration_min=contract.expiration,
            expiration_max=contract.expiration,
            strike_min=contract.strike,
            strike_max=contract.strike,
            option_type=contract.option_type,
        )
        return next(iter(self.chain(contract.underlying, at, bounds)), None)

    def daily_bars(self, symbol: str, start: date, at: datetime) -> Sequence[DailyBar]:
        days = self._bar_days.get(symbol, ())
        bars = self._bars.get(symbol, {})
        later = days[bisect_left(days, start) :]
        return tuple(bars[day] for day in later if self._closes_at[day] <= at)

    def close_price(self, symbol: str, session: date) -> Decimal | None:
        bar = self._bars.get(symbol, {}).get(session)
        return None if bar is None else bar.close

    def implied_volatility_history(
        self,
        symbol: str,  # noqa: ARG002 - every world is asked by symbol
    ) -> Sequence[ImpliedVolatilitySample]:
        """Give nothing: no options were recorded before the first session."""
        return ()

    def earnings_dates(self, symbol: str, start: date, end: date) -> Sequence[date]:
        """List the recorded report days in start..end; the recording may lack some."""
        return tuple(day for day in self._earnings.get(symbol, ()) if start <= day <= end)

    def next_ex_dividend(self, symbol: str, known_on: date) -> date | None:
        """Give the next ex-date as it was last known on `known_on`, None where that has passed."""
        pairs = self._ex_dividends.get(symbol, ())
        position = bisect_right(pairs, known_on, key=lambda pair: pair[0]) - 1
        if position < 0 or pairs[position][1] <= known_on:
            return None
        return pairs[position][1]

    def _quoted(
        self, symbol: str, at: datetime
    ) -> tuple[TradingSession, RecordedChain, datetime] | None:
        """Find the last session that had opened at `at`, its chain, and the stamp of its quotes.

        A symbol left out of that session's recording has no quote then, rather than an old one.
        """
        position = bisect_right(self._opens, at) - 1
        if position < 0:
            return None
        session = self._sessions[position]
        chain = self._chains.get((symbol, session.session))
        if chain is None:
            return None
        return session, chain, min(at.astimezone(UTC), session.closes_at)

    def _rows_within(self, chain: RecordedChain, bounds: ListingFilter, at: datetime) -> IntArray:
        kept = chain.expiration_days >= self._first_living_day(at).toordinal()
        if bounds.expiration_min is not None:
            kept &= chain.expiration_days >= bounds.expiration_min.toordinal()
        if bounds.expiration_max is not None:
            kept &= chain.expiration_days <= bounds.expiration_max.toordinal()
        if bounds.strike_min is not None:
            kept &= chain.strike_mills >= ceil(bounds.strike_min * MILLS_PER_DOLLAR)
        if bounds.strike_max is not None:
            kept &= chain.strike_mills <= floor(bounds.strike_max * MILLS_PER_DOLLAR)
        if bounds.option_type is not None:
            kept &= chain.is_call == (bounds.option_type is OptionType.CALL)
        return np.flatnonzero(kept)

    def _first_living_day(self, at: datetime) -> date:
        """Give the first expiration day that has not ended at `at`."""
        day = at.astimezone(UTC).date()
        ends_at = self._closes_at.get(day)
        return day if ends_at is None or at < ends_at else day + timedelta(days=1)

    def _prior_volume(self, symbol: str, session: TradingSession, keys: IntArray) -> IntArray:
        position = bisect_left(self._opens, session.opens_at)
        before = self._sessions[position - 1].session if position else None
        chain = self._chains.get((symbol, before)) if before else None
        if chain is None:
            return np.zeros(len(keys), dtype=np.int64)
        known = chain.keys
        rows = np.minimum(np.searchsorted(known, keys), len(known) - 1)
        return np.where(known[rows] == keys, chain.volume[rows], 0)

    def _contract(self, symbol: str, day: int, is_call: bool, mills: int) -> OptionContract:
        key = (symbol, day, is_call, mills)
        known = self._contracts.get(key)
        if known is None:
            known = self._contracts[key] = OptionContract(
                underlying=symbol,
                expiration=date.fromordinal(day),
                option_type=OptionType.CALL if is_call else OptionType.PUT,
                strike=(Decimal(mills) / MILLS_PER_DOLLAR).normalize() + Decimal(0),
            )
        return known


def _refuse_closed_days(directory: Path, days: set[date]) -> None:
    if not days:
        raise WorldDataError(f"{directory} holds no daily bar in its bar files")
    closed = days - {each.session for each in trading_sessions(min(days), max(days))}
    if closed:
        raise WorldDataError(
            f"{directory} has prices of {min(closed)}, a day on which the market was closed"
        )


def _merged_bars(
    chains: Mapping[tuple[str, date], RecordedChain],
    bars: Mapping[str, Mapping[date, DailyBar]],
    closes: Mapping[str, Mapping[date, Decimal]],
    calendar: Sequence[TradingSession],
) -> dict[str, dict[date, DailyBar]]:
    """Give every symbol with chains a bar for each session of which any price is known."""
    merged: dict[str, dict[date, DailyBar]] = {}
    for symbol in sorted({symbol for symbol, _ in chains}):
        own = dict(bars.get(symbol, {}))
        for day in (each.session for each in calendar):
            if day in own:
                continue
            chain = chains.get((symbol, day))
            close = closes.get(symbol, {}).get(day)
            if close is None and chain is not None:
                close = chain.underlying_price
            if close is not None:
                volume = _mean_volume(bars.get(symbol, {}), day)
                own[day] = DailyBar(day, close, close, close, close, volume)
        merged[symbol] = own
    return merged


def _mean_volume(bars: Mapping[date, DailyBar], before: date) -> int:
    """Average the volumes of the last 20 bars before `before`; 0 where there never was a bar."""
    days = sorted(day for day in bars if day < before)[-VOLUME_MEAN_SESSIONS:]
    return sum(bars[day].volume for day in days) // len(days) if days else 0
