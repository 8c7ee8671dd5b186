"""When a synthetic company reports, pays, splits and is halted."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np

from simulator.worlds.events import CashDividend, Halt, Split
from simulator.worlds.plans import MarketPlan
from simulator.worlds.pricing import SESSIONS_PER_YEAR
from simulator.worlds.profiles import SymbolProfile
from simulator.worlds.randomness import generator_of
from simulator.worlds.world import TradingSession

QUARTER_DAYS = 91
DECLARED_BEFORE_DAYS = 30
PAID_AFTER_DAYS = 14
EARNINGS_MOVE_FRACTION = 0.16
"""The deviation of the overnight move after a report, as a multiple of annual volatility."""
HALT_MINUTES = (5, 31)
LATEST_HALT_MINUTE = 330


@dataclass(frozen=True, slots=True)
class EarningsReport:
    """A report after the close of `session`, and the log-return of the night that follows."""

    session: TradingSession
    overnight_return: float


@dataclass(frozen=True, slots=True)
class SymbolSchedule:
    """All that is scheduled for one symbol, each kind oldest first."""

    dividends: tuple[CashDividend, ...] = ()
    earnings: tuple[EarningsReport, ...] = ()
    splits: tuple[Split, ...] = ()
    halts: tuple[Halt, ...] = ()


def schedule_of(
    seed: int,
    profile: SymbolProfile,
    plan: MarketPlan,
    known: Sequence[TradingSession],
    first_played: int,
) -> SymbolSchedule:
    """Draw up what happens to a symbol over the `known` sessions.

    `first_played` is where in `known` the positions of the plan begin to count.
    """
    dividends: list[CashDividend] = []
    if plan.dividends and profile.annual_dividend_yield > 0:
        dividends += _quarterly_dividends(seed, profile, known)
    dividends += _special_dividends(profile, plan, known, first_played)
    reports = _reports(seed, profile, known) if plan.earnings else ()
    halts = [*_planned_halts(profile, plan, known, first_played)]
    halts += _chance_halts(seed, profile, plan, known)
    return SymbolSchedule(
        dividends=tuple(sorted(dividends, key=lambda each: each.ex_date)),
        earnings=tuple(reports),
        splits=tuple(
            Split(profile.symbol, known[position].session, Decimal(split.ratio), Decimal(1))
            for split in sorted(plan.splits, key=lambda each: each.position)
            if split.symbol == profile.symbol
            and (position := first_played + split.position) < len(known)
        ),
        halts=tuple(sorted(halts, key=lambda each: each.starts_at)),
    )


def minutes_after_opening(session: TradingSession, minutes: int) -> datetime:
    """Give the time so many minutes into a session, at most its close."""
    return min(session.opens_at + timedelta(minutes=minutes), session.closes_at)


def _quarters(
    seed: int, profile: SymbolProfile, known: Sequence[TradingSession], name: str
) -> Iterator[TradingSession]:
    """Pick a session each quarter, beginning somewhere in the first."""
    days = [each.session for each in known]
    phase = int(generator_of(seed, profile.symbol, name).integers(QUARTER_DAYS))
    day = days[0] + timedelta(days=phase)
    while day <= days[-1]:
        yield known[bisect_left(days, day)]
        day += timedelta(days=QUARTER_DAYS)


def _quarterly_dividends(
    seed: int, profile: SymbolProfile, known: Sequence[TradingSession]
) -> Iterator[CashDividend]:
    rate = _cents(profile.price * profile.annual_dividend_yield / 4.0)
    for session in _quarters(seed, profile, known, "dividends"):
        yield CashDividend(
            symbol=profile.symbol,
            ex_date=session.session,
            payable_date=session.session + timedelta(days=PAID_AFTER_DAYS),
            rate=rate,
            declared_on=session.session - timedelta(days=DECLARED_BEFORE_DAYS),
        )


def _special_dividends(
    profile: SymbolProfile, plan: MarketPlan, known: Sequence[TradingSession], first_played: int
) -> Iterator[CashDividend]:
    for dividend in plan.special_dividends:
        position = first_played + dividend.position
        if _concerns(dividend.symbols, profile.symbol) and position < len(known):
            ex_date = known[position].session
            yield CashDividend(
                symbol=profile.symbol,
                ex_date=ex_date,
                payable_date=ex_date + timedelta(days=PAID_AFTER_DAYS),
                rate=_cents(profile.price * dividend.fraction),
                special=True,
                declared_on=known[position - dividend.declared_before].session,
            )


def _reports(
    seed: int, profile: SymbolProfile, known: Sequence[TradingSession]
) -> Iterator[EarningsReport]:
    for session in _quarters(seed, profile, known, "earnings"):
        surprise = generator_of(seed, profile.symbol, "surprise", session.session)
        move = EARNINGS_MOVE_FRACTION * profile.annual_volatility
        yield EarningsReport(session, move * float(surprise.standard_normal()))


def _planned_halts(
    profile: SymbolProfile, plan: MarketPlan, known: Sequence[TradingSession], first_played: int
) -> Iterator[Halt]:
    for halt in plan.halts:
        position = first_played + halt.position
        if _concerns(halt.symbols, profile.symbol) and position < len(known):
            yield _halt(profile.symbol, known[position], halt.start_minute, halt.minutes)


def _chance_halts(
    seed: int, profile: SymbolProfile, plan: MarketPlan, known: Sequence[TradingSession]
) -> Iterator[Halt]:
    generator = generator_of(seed, profile.symbol, "halts")
    struck = generator.random(len(known)) < plan.halts_per_year / SESSIONS_PER_YEAR
    for position in np.flatnonzero(struck).tolist():
        session = known[position]
        draw = generator_of(seed, profile.symbol, "halt", session.session)
        start = int(draw.integers(1, LATEST_HALT_MINUTE))
        length = int(draw.integers(*HALT_MINUTES))
        if minutes_after_opening(session, start + length) < session.closes_at:
            yield _halt(profile.symbol, session, start, length)


def _halt(symbol: str, session: TradingSession, start_minute: int, minutes: int) -> Halt:
    return Halt(
        symbol=symbol,
        starts_at=minutes_after_opening(session, start_minute),
        ends_at=minutes_after_opening(session, start_minute + minutes),
    )


def _concerns(symbols: frozenset[str] | None, symbol: str) -> bool:
    return symbols is None or symbol in symbols


def _cents(amount: float) -> Decimal:
    return Decimal(max(round(amount * 100.0), 1)).scaleb(-2)
