"""A market made up from a seed: invented companies, their shares and their options."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np

from agent.options.contracts import OptionContract
from simulator.worlds.calendar import trading_sessions, weekly_expirations
from simulator.worlds.listings import (
    MONTHLY_LISTED_DAYS,
    ContractTable,
    IntArray,
    ListingBook,
    Popularity,
    popularity_of,
    prior_volume_of,
)
from simulator.worlds.paths import PricePath, Shock, session_clock, session_minutes
from simulator.worlds.pricing import american_value
from simulator.worlds.profiles import DEFAULT_PROFILES, SymbolProfile
from simulator.worlds.quoting import dollars, option_quote_cents, shown_sizes, stock_quote_cents
from simulator.worlds.randomness import FloatArray, uniforms_of
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
SAMPLE_HORIZON_YEARS = 30.0 / 365.0
SAMPLE_MINUTES_BEFORE_CLOSE = 15
RISK_PREMIUM_FRACTION = 0.09
"""By how much implied volatility exceeds what the price process is expected to realise."""
SECONDS_PER_YEAR = 365.0 * 86_400.0
SHORTEST_LIFE_YEARS = 60.0 / SECONDS_PER_YEAR


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
    popularity: dict[int, tuple[Popularity, IntArray]]


class SyntheticWorld:
    """A market whose every price follows from a seed, at any minute, in whatever order it is asked.

    Prices are those of `paths`, options are worth what `pricing` says under a volatility
    `RISK_PREMIUM_FRACTION` above the expected one, and quotes are those of `quoting`. Outside
    session hours the last close stands. The first session played is `first_session` or the next
    day on which the market opens; prices reach 300 sessions further back.
    """

    def __init__(
        self,
        seed: int,
        session_count: int = 30,
        first_session: date = date(2026, 1, 5),
        *,
        profiles: Sequence[SymbolProfile] = DEFAULT_PROFILES,
        risk_free_rate: float = 0.04,
        shocks: Sequence[Shock] = (),
    ) -> None:
        """Make the market; raise ValueError where there is nothing to play."""
        if session_count < 1 or not profiles:
            raise ValueError("a synthetic market needs at least one session and one symbol")
        self._seed = seed
        self._risk_free_rate = risk_free_rate
        days_back = timedelta(days=HISTORY_SESSIONS * 7 // 5 + 40)
        days_on = timedelta(days=session_count * 7 // 5 + 40 + MONTHLY_LISTED_DAYS)
        known = trading_sessions(first_session - days_back, first_session + days_on)
        first = bisect_right([each.session for each in known], first_session - timedelta(days=1))
        self._sessions = known[first - HISTORY_SESSIONS : first + session_count]
        self._opens = [session.opens_at for session in self._sessions]
        self._position_of = {each.session: row for row, each in enumerate(self._sessions)}
        expirations = weekly_expirations(known)
        self._markets: dict[str, SymbolMarket] = {}
        for profile in profiles:
            path = PricePath(seed, profile, self._sessions, HISTORY_SESSIONS, tuple(shocks))
            self._markets[profile.symbol] = SymbolMarket(path, ListingBook(path, expirations), {})

    @property
    def name(self) -> str:
        return f"synthetic-{self._seed}"

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
        seen = market.path.minutes(moment.position).prices[: moment.minute + 1]
        bid, ask = stock_quote_cents(market.path.profile, float(seen[-1]), moment.minute)
        traded = market.path.share_count(moment.position) * self._clock(moment)
        return StockQuote(
            symbol=symbol,
            at=moment.stamp,
            bid=dollars(bid),
            ask=dollars(ask),
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
        return self._listings(market, table, rows, moment) if len(rows) else ()

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
        horizon = np.array([SAMPLE_HORIZON_YEARS])
        samples = []
        first = HISTORY_SESSIONS - IMPLIED_VOLATILITY_SESSIONS
        for position in range(first, HISTORY_SESSIONS):
            log_variances = market.path.minutes(position).log_variances
            log_variance = float(log_variances[-1 - SAMPLE_MINUTES_BEFORE_CLOSE])
            volatility = _at_the_money(market.path, log_variance, horizon)
            samples.append(
                ImpliedVolatilitySample(self._sessions[position].session, float(volatility[0]))
            )
        return tuple(samples)

    def _moment(self, at: datetime) -> Moment | None:
        position = bisect_right(self._opens, at) - 1
        if position < 0:
            return None
        session = self._sessions[position]
        stamp = min(at, session.closes_at).astimezone(UTC)
        return Moment(position, int((stamp - session.opens_at).total_seconds()) // 60, stamp)

    def _clock(self, moment: Moment) -> float:
        return float(session_clock(session_minutes(self._sessions[moment.position]))[moment.minute])

    def _listings(
        self, market: SymbolMarket, table: ContractTable, rows: IntArray, moment: Moment
    ) -> tuple[OptionListing, ...]:
        path, keys = market.path, table.keys[rows]
        spot = float(path.minutes(moment.position).prices[moment.minute])
        is_call, strikes = table.is_call[rows], table.strikes[rows]
        value = self._values(market, table, rows, moment)
        session = self._sessions[moment.position].session
        names = (self._seed, path.profile.symbol, session)
        bids, asks = option_quote_cents(
            path.profile,
            value=value,
            intrinsic=np.maximum(np.where(is_call, spot - strikes, strikes - spot), 0.0),
            minute=moment.minute,
            luck=uniforms_of(keys, *names, "width"),
            side_luck=uniforms_of(keys, *names, "bidders"),
        )
        bid_sizes = shown_sizes(path.profile, uniforms_of(keys, *names, "bid", moment.minute))
        ask_sizes = shown_sizes(path.profile, uniforms_of(keys, *names, "ask", moment.minute))
        popularity, prior_volume = self._popularity(market, moment.position)
        volume = np.floor(popularity.session_volume[rows] * self._clock(moment)).astype(np.int64)
        columns = zip(
            rows.tolist(),
            bids.tolist(),
            asks.tolist(),
            bid_sizes.tolist(),
            ask_sizes.tolist(),
            volume.tolist(),
            prior_volume[rows].tolist(),
            popularity.open_interest[rows].tolist(),
            strict=True,
        )
        return tuple(
            OptionListing(
                contract=table.contracts[row],
                at=moment.stamp,
                bid=dollars(bid) if bid else None,
                ask=dollars(ask),
                bid_size=bid_size if bid else 0,
                ask_size=ask_size,
                volume=traded,
                prior_volume=traded_before,
                open_interest=interest,
            )
            for row, bid, ask, bid_size, ask_size, traded, traded_before, interest in columns
        )

    def _values(
        self, market: SymbolMarket, table: ContractTable, rows: IntArray, moment: Moment
    ) -> FloatArray:
        minutes = market.path.minutes(moment.position)
        spot = float(minutes.prices[moment.minute])
        ends, which = np.unique(table.closing_seconds[rows], return_inverse=True)
        years = np.maximum(
            (ends - moment.stamp.timestamp()) / SECONDS_PER_YEAR, SHORTEST_LIFE_YEARS
        )
        level = _at_the_money(market.path, float(minutes.log_variances[moment.minute]), years)
        discount = np.exp(-self._risk_free_rate * years)
        forward = spot / discount
        strikes = table.strikes[rows]
        return american_value(
            is_call=table.is_call[rows],
            spot=spot,
            forward=forward[which],
            strike=strikes,
            years=years[which],
            discount=discount[which],
            volatility=market.path.profile.smile.volatility(
                level[which], np.log(strikes / forward[which]), years[which]
            ),
        )

    def _popularity(self, market: SymbolMarket, position: int) -> tuple[Popularity, IntArray]:
        known = market.popularity.get(position)
        if known is None:
            table = market.book.table(position)
            known = (
                popularity_of(market.path, table, position),
                prior_volume_of(market.book, position),
            )
            market.popularity[position] = known
        return known


def _at_the_money(path: PricePath, log_variance: float, years: FloatArray) -> FloatArray:
    variance = path.dynamics.expected_variance(log_variance, years) + path.jump_variance
    volatility: FloatArray = np.sqrt(variance) * (1.0 + RISK_PREMIUM_FRACTION)
    return volatility


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
