"""A light market for storms: two stocks on drawn paths, options by formula, quotes that go bad."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from math import erf, exp, log, sqrt

from agent.options.contracts import OptionContract, OptionType
from simulator.exchange.calendar import regular_session
from simulator.exchange.fills import CENT, ConcessionFillModel, PackageQuote
from simulator.storm.dice import Dice
from simulator.worlds.events import Split, contract_after
from simulator.worlds.world import (
    DailyBar,
    ImpliedVolatilitySample,
    ListingFilter,
    OptionListing,
    StockQuote,
    TradingSession,
)

RATE = 0.04
DAYS_PER_YEAR = 365
SECONDS_PER_YEAR = DAYS_PER_YEAR * 86_400.0
STRIKE_STEP = Decimal("2.5")
STRIKE_REACH_FRACTION = 0.23
LISTED_DAYS_MAX = 52
DAILY_SHARES = 3_000_000
SKEW_PER_LOG = 0.25
HALF_WIDTH_FRACTION = 0.012
HALF_WIDTH_MIN = 0.01
WIDE_HALF_WIDTH_FRACTION = 0.45
FICKLE_SECONDS = 2
ABSENT_SECONDS = 15
ABSENT_SHARE = 0.3
"""Of the fickleness: how often nobody comes for so long that an order filled in part stays so."""


class Disturbance(StrEnum):
    """Name what is wrong with a stock's option quotes for a while."""

    STALE = "stale_quotes"
    CROSSED = "crossed_quotes"
    VANISHED = "vanished_quotes"
    WIDE = "wide_quotes"
    HALTED = "halt"


@dataclass(frozen=True)
class Window:
    """Disturb the options of `symbol` in [since, until); `HALTED` also takes the stock's quote."""

    symbol: str
    kind: Disturbance
    since: datetime
    until: datetime

    def holds(self, at: datetime) -> bool:
        return self.since <= at < self.until


@dataclass(frozen=True)
class Path:
    """Draw a value through knots of (Unix seconds, value), straight between them."""

    times: tuple[float, ...]
    values: tuple[float, ...]

    def at(self, moment: float) -> float:
        index = bisect_right(self.times, moment)
        if index == 0:
            return self.values[0]
        if index == len(self.times):
            return self.values[-1]
        before, after = self.times[index - 1], self.times[index]
        share = (moment - before) / (after - before)
        return self.values[index - 1] * (1 - share) + self.values[index] * share


@dataclass(frozen=True)
class Stock:
    symbol: str
    price: Path
    volatility: Path
    listed_around: float
    """The price around which strikes are listed."""


class StormMarket:
    """Answer for a few stocks and their options; every answer is a function of the moment."""

    name = "storm"
    quote_times: tuple[datetime, ...] | None = None

    def __init__(
        self,
        stocks: Sequence[Stock],
        sessions: Sequence[TradingSession],
        expirations: Sequence[date],
        windows: Sequence[Window],
        *,
        is_thin: Callable[[date, datetime], bool],
        splits: Sequence[Split] = (),
    ) -> None:
        """`is_thin` says of an expiration whether it is too thin to be entered at a moment.

        Paths of stocks that split, one time at most each, go on in the shares from before.
        """
        self._stocks = {stock.symbol: stock for stock in stocks}
        self.sessions = tuple(sessions)
        self.windows = tuple(windows)
        self._contracts = {stock.symbol: _contracts(stock, expirations) for stock in stocks}
        self._splits = {split.symbol: split for split in splits}
        self._restruck = {
            symbol: tuple(contract_after(each, split) for each in self._contracts[symbol])
            for symbol, split in self._splits.items()
        }
        self._is_thin = is_thin
        self._expirations = {day: regular_session(day).closes_at.timestamp() for day in expirations}
        self._levels: dict[str, tuple[datetime, float, float]] = {}

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(sorted(self._stocks))

    # What the storm's checkers ask: the truth behind the quotes

    def spot(self, symbol: str, at: datetime) -> float:
        return self._stocks[symbol].price.at(at.timestamp()) / self.shares_for_one(symbol, at)

    def shares_for_one(self, symbol: str, at: datetime) -> int:
        """Say how many shares one from before all splits has become."""
        split = self._splits.get(symbol)
        if split is None or at < regular_session(split.ex_date).opens_at:
            return 1
        return int(split.new_rate / split.old_rate)

    def value(self, contract: OptionContract, at: datetime) -> float:
        """Give what a contract is worth, in dollars a share, whatever its quotes show."""
        return self.value_if(contract, at)

    def value_if(
        self,
        contract: OptionContract,
        at: datetime,
        *,
        spot_factor: float = 1.0,
        volatility_factor: float = 1.0,
        volatility_added: float = 0.0,
    ) -> float:
        """Give what a contract would be worth with the stock and its volatility elsewhere."""
        spot, volatility = self._level(contract.underlying, at)
        years = max(self._expirations[contract.expiration] - at.timestamp(), 0.0)
        return black_scholes(
            is_call=contract.option_type is OptionType.CALL,
            spot=spot * spot_factor,
            strike=float(contract.strike),
            years=years / SECONDS_PER_YEAR,
            volatility=volatility * volatility_factor + volatility_added,
        )

    def _level(self, symbol: str, at: datetime) -> tuple[float, float]:
        """Give a stock's price and volatility; a chain asks for the same ones again and again."""
        known = self._levels.get(symbol)
        if known is None or known[0] != at:
            stock, moment = self._stocks[symbol], at.timestamp()
            known = (at, self.spot(symbol, at), stock.volatility.at(moment))
            self._levels[symbol] = known
        return known[1], known[2]

    def disturbed(self, symbol: str, at: datetime) -> Window | None:
        """Give what disturbs a stock's options now."""
        return next((w for w in self.windows if w.symbol == symbol and w.holds(at)), None)

    def deviations_above(self, contract: OptionContract, deviations: float, at: datetime) -> float:
        """Give the price so many deviations, to its expiration, above a contract's strike."""
        stock = self._stocks[contract.underlying]
        days = max((contract.expiration - at.date()).days, 1)
        deviation = stock.volatility.at(at.timestamp()) * sqrt(days / DAYS_PER_YEAR)
        return float(contract.strike) * (1 + deviations * deviation)

    def pin(self, symbol: str, opening: float, since: datetime) -> None:
        """Move a stock's whole course from `since` on, so that it opens there."""
        stock = self._stocks[symbol]
        path, moment = stock.price, since.timestamp()
        factor = opening / path.at(moment)
        values = tuple(
            value * factor if at >= moment else value
            for at, value in zip(path.times, path.values, strict=True)
        )
        self._stocks[symbol] = replace(stock, price=Path(path.times, values))
        self._levels.clear()

    # What the exchange asks

    def stock(self, symbol: str, at: datetime) -> StockQuote | None:
        price = Decimal(round(self.spot(symbol, at) * 100)) / 100
        window = self.disturbed(symbol, at)
        is_halted = window is not None and window.kind is Disturbance.HALTED
        return StockQuote(
            symbol=symbol,
            at=at,
            bid=None if is_halted else price - Decimal("0.02"),
            ask=None if is_halted else price + Decimal("0.02"),
            last=price,
            open=price,
            high=price,
            low=price,
            volume=DAILY_SHARES // 2,
        )

    def option(self, contract: OptionContract, at: datetime) -> OptionListing | None:
        if contract.underlying not in self._stocks or contract.expiration not in self._expirations:
            return None
        return self._shown(contract, at, self.disturbed(contract.underlying, at))

    def _shown(
        self, contract: OptionContract, at: datetime, window: Window | None
    ) -> OptionListing:
        if window is None:
            return self._listing(contract, at)
        if window.kind is Disturbance.STALE:
            return self._listing(contract, window.since)
        shown = self._listing(contract, at)
        if window.kind in {Disturbance.VANISHED, Disturbance.HALTED}:
            return replace(shown, bid=None, ask=None)
        if window.kind is Disturbance.CROSSED:
            return replace(shown, bid=shown.ask, ask=shown.bid) if shown.bid else shown
        value = self.value(contract, at)
        half = max(value * WIDE_HALF_WIDTH_FRACTION, 0.05)
        return replace(shown, bid=_cents(value - half), ask=_cents(value + half))

    def chain(self, symbol: str, at: datetime, bounds: ListingFilter) -> Sequence[OptionListing]:
        window = self.disturbed(symbol, at)
        first = at.date()
        last = first + timedelta(days=LISTED_DAYS_MAX)
        is_split = self.shares_for_one(symbol, at) > 1
        return [
            self._shown(contract, at, window)
            for contract in (self._restruck if is_split else self._contracts)[symbol]
            if first <= contract.expiration <= last and _within(contract, bounds)
        ]

    def daily_bars(self, symbol: str, start: date, at: datetime) -> Sequence[DailyBar]:
        before = self._stocks[symbol].price.values[0]
        bars = []
        day = start
        while regular_session(day).closes_at <= at:
            if day.weekday() < 5:
                shares = self.shares_for_one(symbol, regular_session(day).closes_at)
                price = Decimal(round(before / shares * 100)) / 100
                bars.append(DailyBar(day, price, price, price, price, DAILY_SHARES))
            day += timedelta(days=1)
        return bars

    def close_price(self, symbol: str, session: date) -> Decimal | None:
        closes_at = regular_session(session).closes_at
        return Decimal(round(self.spot(symbol, closes_at) * 100)) / 100

    def corporate_actions(self, symbol: str, start: date, end: date) -> Sequence[Split]:
        """List the stock's split, if it has an ex-date in start..end: storms pay no dividends."""
        split = self._splits.get(symbol)
        return [split] if split is not None and start <= split.ex_date <= end else []

    def implied_volatility_history(self, symbol: str) -> Sequence[ImpliedVolatilitySample]:
        """Give none: a storm hands its samples to the agent's own history."""
        del symbol
        return ()

    def _listing(self, contract: OptionContract, at: datetime) -> OptionListing:
        value = self.value(contract, at)
        half = max(value * HALF_WIDTH_FRACTION, HALF_WIDTH_MIN)
        # Somebody always bids a cent here: a leg without a bid cannot be closed in one order, and
        # the agent does not yet close leg by leg.
        return OptionListing(
            contract=contract,
            at=at,
            bid=_cents(max(value - half, 0.01)),
            ask=_cents(max(value + half + 0.005, 0.02)),
            bid_size=20,
            ask_size=20,
            volume=400,
            prior_volume=400,
            open_interest=10 if self._is_thin(contract.expiration, at) else 2_000,
        )


class FickleFills:
    """Fill as an order's concession earns it, but not at any time, and now and then for less.

    What is marketable fills at once. Chance belongs to the seconds and the limit, so that the
    same order meets the same fate in every run. Before `since` nobody is fickle.
    """

    def __init__(
        self, dice: Dice, fickleness: float, now: Callable[[], datetime], since: datetime
    ) -> None:
        self._right = ConcessionFillModel()
        self._generous = ConcessionFillModel(Decimal(0))
        self._dice = dice
        self._fickleness = fickleness
        self._now = now
        self._since = since

    def net_price(self, limit: Decimal | None, package: PackageQuote) -> Decimal | None:
        """Give the net of a fill, None where nobody takes the order now."""
        net = self._right.net_price(limit, package)
        is_marketable = limit is None or limit >= package.natural
        if limit is None or is_marketable or self._now() < self._since:
            return net
        second = self._now().timestamp()
        absent = f"absent/{limit}/{int(second / ABSENT_SECONDS)}"
        if self._dice.chance(absent, self._fickleness * ABSENT_SHARE):
            return None
        name = f"fill/{limit}/{int(second / FICKLE_SECONDS)}"
        if net is None and self._dice.chance(f"{name}/generous", self._fickleness / 4):
            net = self._generous.net_price(limit, package)
        if net is None or self._dice.chance(name, self._fickleness):
            return None
        better = net - CENT
        improves = self._fickleness > 0 and self._dice.chance(f"{name}/better", 0.3)
        return better if improves and better >= package.mid else net


def black_scholes(
    *, is_call: bool, spot: float, strike: float, years: float, volatility: float
) -> float:
    """Price an option a share, at least what exercising at once would pay; wings a little dear."""
    sign = 1.0 if is_call else -1.0
    intrinsic = max(sign * (spot - strike), 0.0)
    if years <= 0.0:
        return intrinsic
    smiled = volatility * (1.0 + SKEW_PER_LOG * log(spot / strike))
    deviation = smiled * sqrt(years)
    first = (log(spot / strike) + RATE * years) / deviation + deviation / 2.0
    discounted = strike * exp(-RATE * years)
    european = sign * (
        spot * _normal(sign * first) - discounted * _normal(sign * (first - deviation))
    )
    return max(european, intrinsic)


def _normal(x: float) -> float:
    return 0.5 * (1.0 + erf(x / sqrt(2.0)))


@lru_cache(maxsize=20_000)
def _dollars(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def _cents(price: float) -> Decimal | None:
    cents = int(price * 100)
    return _dollars(cents) if cents > 0 else None


def _contracts(stock: Stock, expirations: Sequence[date]) -> tuple[OptionContract, ...]:
    step = float(STRIKE_STEP)
    first = int(stock.listed_around * (1 - STRIKE_REACH_FRACTION) / step)
    last = int(stock.listed_around * (1 + STRIKE_REACH_FRACTION) / step)
    return tuple(
        OptionContract(stock.symbol, expiration, option_type, STRIKE_STEP * number)
        for expiration in expirations
        for option_type in OptionType
        for number in range(first, last + 1)
    )


def _within(contract: OptionContract, bounds: ListingFilter) -> bool:
    return (
        (bounds.expiration_min is None or contract.expiration >= bounds.expiration_min)
        and (bounds.expiration_max is None or contract.expiration <= bounds.expiration_max)
        and (bounds.strike_min is None or contract.strike >= bounds.strike_min)
        and (bounds.strike_max is None or contract.strike <= bounds.strike_max)
        and (bounds.option_type is None or contract.option_type is bounds.option_type)
    )


def straight(knots: Mapping[datetime, float]) -> Path:
    """Make a path of moments and values."""
    ordered = sorted(knots.items())
    return Path(tuple(at.timestamp() for at, _ in ordered), tuple(value for _, value in ordered))
