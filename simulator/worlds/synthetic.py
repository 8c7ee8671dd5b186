"""A market made up from a seed: invented companies, their shares and their options."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np

from agent.options.contracts import OptionContract, OptionType
from simulator.worlds.calendar import Expiration, trading_sessions, weekly_expirations
from simulator.worlds.events import CorporateAction, Halt, Outage
from simulator.worlds.listings import (
    MONTHLY_LISTED_DAYS,
    ContractTable,
    IntArray,
    ListingBook,
    Popularity,
    popularity_of,
    prior_volume_of,
)
from simulator.worlds.paths import PricePath
from simulator.worlds.plans import ORDINARY, MarketPlan
from simulator.worlds.profiles import DEFAULT_PROFILES, SymbolProfile
from simulator.worlds.quoting import (
    dollars,
    opening_factor,
    option_quote_cents,
    shown_sizes,
    stock_quote_cents,
)
from simulator.worlds.randomness import uniforms_of
from simulator.worlds.schedules import minutes_after_opening, schedule_of
from simulator.worlds.valuation import OptionValuation
from simulator.worlds.walks import Script
from simulator.worlds.world import (
    DailyBar,
    ImpliedVolatilitySample,
    ListingFilter,
    OptionListing,
    StockQuote,
    TradingSession,
)

HISTORY_SESSIONS = 300
IMPLIED_VOLATILITY_SESSIONS = 252
SAMPLE_BEFORE_CLOSE = timedelta(minutes=15)
NO_TIME_VALUE = 0.005
"""Dollars a share: under half a cent, holding on is worth no more than exercising."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A point of market time: a minute of a session, and the instant its quotes bear."""

    position: int
    minute: int
    stamp: datetime


@dataclass(frozen=True, slots=True)
class SymbolMarket:
    """All the market knows of one underlying."""

    path: PricePath
    book: ListingBook
    valuation: OptionValuation
    popularity: dict[int, tuple[Popularity, IntArray]] = field(default_factory=dict)


class SyntheticWorld:
    """A market whose every price follows from a seed, at any minute, in whatever order it is asked.

    Prices are those of `walks` and `paths`, options are worth what `valuation` says, quotes are
    those of `quoting`; `plan` says what is prescribed. Outside session hours the last close
    stands, while a stock is halted nobody quotes it or its options. The first session played is
    `first_session` or the next day on which the market opens; prices reach 300 sessions further
    back. It knows its `CorporateEvents`.
    """

    def __init__(
        self,
        seed: int,
        session_count: int = 30,
        first_session: date = date(2026, 1, 5),
        *,
        profiles: Sequence[SymbolProfile] = DEFAULT_PROFILES,
        risk_free_rate: float = 0.04,
        plan: MarketPlan = ORDINARY,
    ) -> None:
        """Make the market; raise ValueError where there is nothing to play."""
        if session_count < 1 or not profiles:
            raise ValueError("a synthetic market needs at least one session and one symbol")
        self._seed = seed
        self._plan = plan
        days_back = timedelta(days=HISTORY_SESSIONS * 7 // 5 + 40)
        days_on = timedelta(days=session_count * 7 // 5 + 40 + MONTHLY_LISTED_DAYS)
        known = trading_sessions(first_session - days_back, first_session + days_on)
        first = bisect_left([each.session for each in known], first_session)
        known = known[first - HISTORY_SESSIONS :]
        self._sessions = known[: HISTORY_SESSIONS + session_count]
        self._opens = [session.opens_at for session in self._sessions]
        self._position_of = {each.session: row for row, each in enumerate(self._sessions)}
        expirations = weekly_expirations(known)
        self._markets = {
            profile.symbol: self._market(profile, known, expirations, risk_free_rate)
            for profile in profiles
        }

    def _market(
        self,
        profile: SymbolProfile,
        known: Sequence[TradingSession],
        expirations: tuple[Expiration, ...],
        risk_free_rate: float,
    ) -> SymbolMarket:
        schedule = schedule_of(self._seed, profile, self._plan, known, HISTORY_SESSIONS)
        script = Script.of(
            profile.symbol, self._sessions, HISTORY_SESSIONS, self._plan.shocks, schedule
        )
        path = PricePath(self._seed, profile, self._sessions, schedule, script, HISTORY_SESSIONS)
        return SymbolMarket(
            path, ListingBook(path, expirations), OptionValuation(path, risk_free_rate)
        )

    @property
    def name(self) -> str:
        return f"{self._plan.name}-{self._seed}"

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(self._markets)

    @property
    def sessions(self) -> tuple[TradingSession, ...]:
        return self._sessions[HISTORY_SESSIONS:]

    @property
    def quote_times(self) -> tuple[datetime, ...] | None:
        return None

    def stock(self, symbol: str, at: datetime) -> StockQuote | None:
        moment = self._moment(at)
        market = self._markets.get(symbol)
        if moment is None or market is None:
            return None
        path = market.path
        minutes = path.minutes(moment.position)
        seen = minutes.prices[: moment.minute + 1]
        width = opening_factor(moment.minute) * path.script.width_factors[moment.position]
        bid, ask = stock_quote_cents(path.profile, float(seen[-1]), float(width))
        halted = minutes.halted[moment.minute]
        traded = path.walk.share_counts[moment.position] * minutes.activity[moment.minute]
        return StockQuote(
            symbol=symbol,
            at=moment.stamp,
            bid=None if halted else dollars(bid),
            ask=None if halted else dollars(ask),
            last=_price(seen[-1]),
            open=_price(seen[0]),
            high=_price(seen.max()),
            low=_price(seen.min()),
            volume=int(traded),
        )

    def chain(self, symbol: str, at: datetime, bounds: ListingFilter) -> Sequence[OptionListing]:
        moment = self._moment(at)
        market = self._markets.get(symbol)
        if moment is None or market is None:
            return ()
        table = market.book.table(moment.position)
        rows = table.rows_within(bounds, at.timestamp())
        return tuple(self._listings(market, table, rows, moment)) if len(rows) else ()

    def option(self, contract: OptionContract, at: datetime) -> OptionListing | None:
        return next(iter(self.chain(contract.underlying, at, only(contract))), None)

    def daily_bars(self, symbol: str, start: date, at: datetime) -> Sequence[DailyBar]:
        market = self._markets.get(symbol)
        if market is None:
            return ()
        return tuple(
            _daily_bar(market.path, position)
            for position, session in enumerate(self._sessions)
            if session.session >= start and session.closes_at <= at
        )

    def close_price(self, symbol: str, session: date) -> Decimal | None:
        market = self._markets.get(symbol)
        position = self._position_of.get(session)
        if market is None or position is None:
            return None
        return _price(market.path.minutes(position).prices[-1])

    def implied_volatility_history(self, symbol: str) -> Sequence[ImpliedVolatilitySample]:
        market = self._markets.get(symbol)
        if market is None:
            return ()
        samples = []
        for session in self._sessions[:HISTORY_SESSIONS][-IMPLIED_VOLATILITY_SESSIONS:]:
            moment = self._moment(session.closes_at - SAMPLE_BEFORE_CLOSE)
            assert moment is not None
            log_variance = market.path.minutes(moment.position).log_variances[moment.minute]
            levels = [
                market.valuation.thirty_days(
                    float(log_variance), moment.stamp, market.book.expirations, reports=reports
                )
                for reports in (True, False)
            ]
            samples.append(ImpliedVolatilitySample(session.session, *levels))
        return tuple(samples)

    @property
    def outages(self) -> tuple[Outage, ...]:
        played = self.sessions
        return tuple(
            Outage(
                minutes_after_opening(played[each.position], each.start_minute),
                minutes_after_opening(played[each.position], each.start_minute + each.minutes),
            )
            for each in sorted(self._plan.outages, key=lambda each: each.position)
            if each.position < len(played)
        )

    def corporate_actions(self, symbol: str, start: date, end: date) -> Sequence[CorporateAction]:
        market = self._markets.get(symbol)
        if market is None:
            return ()
        schedule = market.path.schedule
        actions: list[CorporateAction] = [*schedule.splits, *schedule.dividends]
        within = [each for each in actions if start <= each.ex_date <= end]
        return tuple(sorted(within, key=lambda each: each.ex_date))

    def next_ex_dividend(self, symbol: str, known_on: date) -> date | None:
        market = self._markets.get(symbol)
        dividends = () if market is None else market.path.schedule.dividends
        declared = (
            each.ex_date
            for each in dividends
            if each.declared_on is None or each.declared_on <= known_on
        )
        return min((day for day in declared if day > known_on), default=None)

    def earnings_dates(self, symbol: str, start: date, end: date) -> Sequence[date]:
        market = self._markets.get(symbol)
        reports = () if market is None else market.path.schedule.earnings
        days = (each.session.session for each in reports)
        return tuple(day for day in days if start <= day <= end)

    def halts(self, symbol: str, session: date) -> Sequence[Halt]:
        market = self._markets.get(symbol)
        position = self._position_of.get(session)
        if market is None or position is None:
            return ()
        hours = self._sessions[position]
        return tuple(
            halt
            for halt in market.path.schedule.halts
            if hours.opens_at <= halt.starts_at < hours.closes_at
        )

    def exercised_early(self, contract: OptionContract, session: date) -> bool:
        market = self._markets.get(contract.underlying)
        position = self._position_of.get(session)
        if market is None or position is None or contract.expiration <= session:
            return False
        closes_at = self._sessions[position].closes_at
        table = market.book.table(position)
        rows = table.rows_within(only(contract), closes_at.timestamp())
        if not len(rows):
            return False
        last_minute = len(market.path.minutes(position).prices) - 1
        values = market.valuation.values(table, rows, position, last_minute, closes_at)
        intrinsic = float(values.intrinsic[0])
        if intrinsic == 0 or float(values.european[0]) > intrinsic + NO_TIME_VALUE:
            return False
        if contract.option_type is OptionType.CALL:
            following = self.corporate_actions(
                contract.underlying, session + timedelta(days=1), self._day_after(position)
            )
            return bool(following)
        names = (self._seed, contract.underlying, "exercise", session)
        chance = float(uniforms_of(table.keys[rows], *names)[0])
        return chance < self._plan.put_exercise_chance

    def _day_after(self, position: int) -> date:
        """Give the session after the one at `position`; past the last one, some days later."""
        if position + 1 < len(self._sessions):
            return self._sessions[position + 1].session
        day = self._sessions[position].session
        return trading_sessions(day + timedelta(days=1), day + timedelta(days=7))[0].session

    def _moment(self, at: datetime) -> Moment | None:
        position = bisect_right(self._opens, at) - 1
        if position < 0:
            return None
        session = self._sessions[position]
        stamp = min(at, session.closes_at).astimezone(UTC)
        return Moment(position, int((stamp - session.opens_at).total_seconds()) // 60, stamp)

    def _listings(
        self, market: SymbolMarket, table: ContractTable, rows: IntArray, moment: Moment
    ) -> Iterator[OptionListing]:
        path, keys = market.path, table.keys[rows]
        position, minute = moment.position, moment.minute
        values = market.valuation.values(table, rows, position, minute, moment.stamp)
        names = (self._seed, path.profile.symbol, self._sessions[position].session)
        bids, asks = option_quote_cents(
            path.profile,
            value=values.american,
            intrinsic=values.intrinsic,
            width_factor=opening_factor(minute) * float(path.script.width_factors[position]),
            luck=uniforms_of(keys, *names, "width"),
            side_luck=uniforms_of(keys, *names, "bidders"),
        )
        minutes = path.minutes(position)
        if minutes.halted[minute]:
            bids, asks = np.zeros_like(bids), np.zeros_like(asks)
        busyness = path.profile.option_activity * float(path.script.activity_factors[position])
        bid_sizes = shown_sizes(busyness, uniforms_of(keys, *names, "bid", minute))
        ask_sizes = shown_sizes(busyness, uniforms_of(keys, *names, "ask", minute))
        popularity, prior_volume = _popularity(market, position)
        volume = popularity.session_volume[rows] * minutes.activity[minute]
        columns = zip(
            rows.tolist(),
            bids.tolist(),
            asks.tolist(),
            bid_sizes.tolist(),
            ask_sizes.tolist(),
            volume.astype(np.int64).tolist(),
            prior_volume[rows].tolist(),
            popularity.open_interest[rows].tolist(),
            strict=True,
        )
        for row, bid, ask, bid_size, ask_size, traded, traded_before, interest in columns:
            yield OptionListing(
                contract=table.contracts[row],
                at=moment.stamp,
                bid=dollars(bid) if bid else None,
                ask=dollars(ask) if ask else None,
                bid_size=bid_size if bid else 0,
                ask_size=ask_size if ask else 0,
                volume=traded,
                prior_volume=traded_before,
                open_interest=interest,
            )


def only(contract: OptionContract) -> ListingFilter:
    """Bound a chain to one contract."""
    return ListingFilter(
        expiration_min=contract.expiration,
        expiration_max=contract.expiration,
        strike_min=contract.strike,
        strike_max=contract.strike,
        option_type=contract.option_type,
    )


def _popularity(market: SymbolMarket, position: int) -> tuple[Popularity, IntArray]:
    known = market.popularity.get(position)
    if known is None:
        table = market.book.table(position)
        interest = popularity_of(market.path, table, position)
        known = interest, prior_volume_of(market.book, position)
        market.popularity[position] = known
    return known


def _daily_bar(path: PricePath, position: int) -> DailyBar:
    prices = path.minutes(position).prices
    return DailyBar(
        session=path.sessions[position].session,
        open=_price(prices[0]),
        high=_price(prices.max()),
        low=_price(prices.min()),
        close=_price(prices[-1]),
        volume=path.share_count(position),
    )


def _price(value: np.float64) -> Decimal:
    return dollars(round(float(value) * 100.0))
