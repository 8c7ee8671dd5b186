"""Bars of minutes and hours, for worlds that know a stock's price at any moment of a session."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal

from simulator.exchange.calendar import NEW_YORK
from simulator.exchange.errors import bad_query
from simulator.worlds.world import DailyBar, StockQuote, TradingSession, World

DAILY_TIMEFRAMES = ("1Day", "1D")
TIMEFRAME = re.compile(r"(\d{1,2})(Min|T|Hour|H)")
LENGTHS_MAX = {"M": 59, "T": 59, "H": 23}
LOOKS_MAX = 12
"""How often a bar looks at the price between its first and its last."""
MOMENT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Interval:
    """A part of a session that one bar covers; `stamp` is where its clock hour or minutes begin."""

    stamp: datetime
    first: datetime
    last: datetime
    session: TradingSession


def read_timeframe(text: str | None) -> timedelta | None:
    """Read the length of a bar, None for a day; raises RefusalError for what is neither."""
    if text in DAILY_TIMEFRAMES:
        return None
    found = TIMEFRAME.fullmatch(text or "")
    count = int(found[1]) if found else 0
    if not found or not 1 <= count <= LENGTHS_MAX[found[2][0]]:
        raise bad_query(f"invalid timeframe: {text}: this exchange has minutes, hours and 1Day")
    return timedelta(hours=count) if found[2].startswith("H") else timedelta(minutes=count)


def intervals_between(
    world: World, length: timedelta, start: datetime, end: datetime, now: datetime
) -> list[Interval]:
    """List the parts of the world's sessions stamped within [start, end] that have begun by now."""
    if world.quote_times is not None:
        raise bad_query("recorded sessions have daily bars only: timeframe must be 1Day")
    return [
        interval
        for session in world.sessions
        if session.opens_at <= min(end, now) and session.closes_at >= start
        for interval in _intervals_of(session, length, now)
        if start <= interval.stamp <= end
    ]


def _intervals_of(session: TradingSession, length: timedelta, now: datetime) -> Iterator[Interval]:
    midnight = datetime.combine(session.session, time(0), NEW_YORK)
    stamp = midnight + (session.opens_at - midnight) // length * length
    while stamp < session.closes_at and stamp <= now:
        first = max(stamp, session.opens_at)
        last = min(stamp + length - MOMENT, session.closes_at - MOMENT, now)
        if first <= last:
            yield Interval(stamp, first, last, session)
        stamp += length


def bar_of(world: World, symbol: str, interval: Interval) -> DailyBar | None:
    """Look at a stock through an interval; None where it was not quoted, as in a halt."""
    step = max((interval.last - interval.first) / LOOKS_MAX, MOMENT)
    moments = [interval.first]
    while moments[-1] < interval.last:
        moments.append(min(moments[-1] + step, interval.last))
    quotes = [
        quote
        for moment in moments
        if (quote := _quote(world, symbol, moment, interval.session)) is not None
    ]
    if not quotes:
        return None
    before = _quote(world, symbol, interval.first - MOMENT, interval.session)
    prices: list[Decimal] = [quote.last for quote in quotes]
    return DailyBar(
        session=interval.session.session,
        open=prices[0],
        high=max(prices),
        low=min(prices),
        close=prices[-1],
        volume=max(quotes[-1].volume - (0 if before is None else before.volume), 0),
    )


def _quote(world: World, symbol: str, at: datetime, session: TradingSession) -> StockQuote | None:
    if at < session.opens_at:
        return None
    quote = world.stock(symbol, at)
    # A quote of an earlier session is what a world shows before its first of the day.
    return None if quote is None or quote.at < session.opens_at else quote
