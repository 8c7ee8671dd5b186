"""Bars of any length: of looks at a price through a session, or of daily bars."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from agent.options.contracts import OptionContract
from simulator.exchange.calendar import NEW_YORK
from simulator.exchange.errors import bad_query
from simulator.exchange.market import mark_of
from simulator.worlds.world import DailyBar, TradingSession, World

DAILY_TIMEFRAMES = ("1Day", "1D")
LONG_TIMEFRAME = re.compile(r"(\d{1,2})(Week|W|Month|M)")
MONTHS_ALLOWED = (1, 2, 3, 4, 6, 12)
TIMEFRAME = re.compile(r"(\d{1,2})(Min|T|Hour|H)")
LENGTHS_MAX = {"M": 59, "T": 59, "H": 23}
LOOKS_MAX = 12
"""How often a bar looks at the price between its first and its last."""
SHORTEST_STEP = timedelta(seconds=15)
MOMENT = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Interval:
    """A part of a session that one bar covers; `stamp` is where its clock hour or minutes begin."""

    stamp: datetime
    first: datetime
    last: datetime
    session: TradingSession
    is_recording: bool = False
    """Whether it stands for a recorded session, whose volume is all its own."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A price in dollars a share, and what was traded in the session by then."""

    price: Decimal
    volume: int


Look = Callable[[datetime], Sight | None]
"""Tell what is seen at a moment of a session; None where nothing is quoted, as in a halt."""


def look_at_stock(world: World, symbol: str) -> Look:
    """Watch a stock's last trade."""

    def look(at: datetime) -> Sight | None:
        quote = world.stock(symbol, at)
        # A quote of an earlier day is what a world shows before its first of the session.
        if quote is None or quote.at.date() < at.date():
            return None
        return Sight(quote.last, quote.volume)

    return look


def look_at_option(world: World, contract: OptionContract) -> Look:
    """Watch a contract's mid: worlds know no prices at which options traded."""

    def look(at: datetime) -> Sight | None:
        listing = world.option(contract, at)
        if listing is None or listing.at.date() < at.date():
            return None
        mid = mark_of(listing.bid, listing.ask)
        return None if mid is None else Sight(mid, listing.volume)

    return look


@dataclass(frozen=True, slots=True)
class Days:
    """The length of a bar that is made of daily ones: a day, or some weeks or months."""

    weeks: int = 0
    months: int = 0

    def first_of(self, day: date) -> date:
        """Give the day that the bar with `day` in it is stamped with."""
        if self.weeks:
            return day - timedelta(days=day.weekday())
        if self.months:
            return date(day.year, (day.month - 1) // self.months * self.months + 1, 1)
        return day

    def joined(self, bars: Sequence[DailyBar]) -> list[DailyBar]:
        """Make longer bars of daily ones, oldest first."""
        parts: dict[date, list[DailyBar]] = {}
        for bar in bars:
            parts.setdefault(self.first_of(bar.session), []).append(bar)
        return [
            DailyBar(
                session=first,
                open=part[0].open,
                high=max(bar.high for bar in part),
                low=min(bar.low for bar in part),
                close=part[-1].close,
                volume=sum(bar.volume for bar in part),
            )
            for first, part in parts.items()
        ]


def read_timeframe(text: str | None) -> timedelta | Days:
    """Read the length of a bar; raises RefusalError where it is none of Alpaca's."""
    if text in DAILY_TIMEFRAMES:
        return Days()
    long = LONG_TIMEFRAME.fullmatch(text or "")
    if long and long[2][0] == "W" and long[1] == "1":
        return Days(weeks=1)
    if long and long[2][0] == "M" and int(long[1]) in MONTHS_ALLOWED:
        return Days(months=int(long[1]))
    found = TIMEFRAME.fullmatch(text or "")
    count = int(found[1]) if found else 0
    if not found or not 1 <= count <= LENGTHS_MAX[found[2][0]]:
        raise bad_query(f"invalid timeframe: {text}")
    return timedelta(hours=count) if found[2].startswith("H") else timedelta(minutes=count)


def intervals_between(
    world: World, length: timedelta, start: datetime, end: datetime, now: datetime
) -> list[Interval]:
    """List the parts of the world's sessions stamped within [start, end] that have begun by now.

    A recorded session shows the same prices throughout: it has the part that opens it alone.
    """
    return [
        interval
        for session in world.sessions
        if session.opens_at <= min(end, now) and session.closes_at >= start
        for interval in _intervals_of(world, session, length, now)
        if start <= interval.stamp <= end
    ]


def moments_between(world: World, start: datetime, end: datetime, now: datetime) -> list[datetime]:
    """List the minutes of sessions in [start, end] up to now; of recorded ones the opening."""
    found = []
    for session in world.sessions:
        at = session.opens_at
        if world.quote_times is not None:
            found += [at] if start <= at <= min(end, now) else []
            continue
        while at < session.closes_at and at <= min(end, now):
            if at >= start:
                found.append(at)
            at += MINUTE
    return found


def _intervals_of(
    world: World, session: TradingSession, length: timedelta, now: datetime
) -> Iterator[Interval]:
    midnight = datetime.combine(session.session, time(0), NEW_YORK)
    stamp = midnight + (session.opens_at - midnight) // length * length
    while stamp < session.closes_at and stamp <= now:
        first = max(stamp, session.opens_at)
        last = min(stamp + length - MOMENT, session.closes_at - MOMENT, now)
        is_recording = world.quote_times is not None
        if is_recording and first == session.opens_at:
            yield Interval(stamp, first, first, session, is_recording=True)
        elif not is_recording and first <= last:
            yield Interval(stamp, first, last, session)
        stamp += length


def bar_of(look: Look, interval: Interval) -> DailyBar | None:
    """Look at a price through an interval; None where it was not quoted, as in a halt."""
    step = max((interval.last - interval.first) / LOOKS_MAX, SHORTEST_STEP)
    moments = [interval.first]
    while moments[-1] < interval.last:
        moments.append(min(moments[-1] + step, interval.last))
    seen = [sight for moment in moments if (sight := look(moment)) is not None]
    if not seen:
        return None
    before = None
    if interval.first > interval.session.opens_at and not interval.is_recording:
        before = look(interval.first - MOMENT)
    prices = [sight.price for sight in seen]
    return DailyBar(
        session=interval.session.session,
        open=prices[0],
        high=max(prices),
        low=min(prices),
        close=prices[-1],
        volume=max(seen[-1].volume - (0 if before is None else before.volume), 0),
    )
