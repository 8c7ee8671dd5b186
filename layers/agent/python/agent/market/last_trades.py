"""Implied volatility of past sessions, from the last trades of stocks and options.

No broker keeps the quotes of past sessions, but daily bars it has: their closes are last trades,
hours apart from one another at times. What they imply is noisier than quotes, biased to wherever
the last trade was, and has no bid and ask. So it is a history of its own, under a source of its
own, until twenty sessions that both histories hold say how the one reads on the other's scale.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from math import exp, log
from statistics import median
from types import MappingProxyType

import numpy as np

from agent.market.events import DAYS_PER_YEAR, SOURCE_QUOTES_STRIPPED
from agent.market.outlook import report_outlook, without_event
from agent.market.volatility import (
    DTE_MIN,
    SOURCE_QUOTES,
    AtTheMoneyVolatility,
    ImpliedVolatilitySample,
    TermPoint,
    at_thirty_days,
)
from agent.options.contracts import OptionContract, OptionType
from agent.options.implied_volatility import implied_volatility

SOURCE_LAST_TRADES = "last-trades"
SOURCE_LAST_TRADES_STRIPPED = f"{SOURCE_LAST_TRADES}-event-stripped"
LAST_TRADES_OF: Mapping[str, str] = MappingProxyType(
    {
        SOURCE_QUOTES: SOURCE_LAST_TRADES,
        SOURCE_QUOTES_STRIPPED: SOURCE_LAST_TRADES_STRIPPED,
    }
)
"""The source of last trades that tells of the same measure as a source of quotes."""
DTE_MAX = 60
OVERLAP_SESSIONS_MIN = 20


@dataclass(frozen=True, slots=True)
class PastCloses:
    """Hold the closes of a stock and of its options by session, in dollars a share, as traded."""

    stock: Mapping[date, Decimal]
    options: Mapping[OptionContract, Mapping[date, Decimal]]


def contracts_around(
    closes: Mapping[date, Decimal], listed: Iterable[OptionContract]
) -> tuple[OptionContract, ...]:
    """Choose the contracts that some session needs: next to its close, 7 to 60 days away."""
    strikes, by_strike = _strikes_by_expiration(listed)
    needed = {
        contract
        for session, close in closes.items()
        for expiration in _expirations_of(session, strikes)
        for strike in _next_to(close, strikes[expiration])
        for contract in by_strike[expiration, strike].values()
    }
    return tuple(sorted(needed))


def samples_of(
    past: PastCloses, *, rate: float, reports: Sequence[date], never_reports: bool
) -> tuple[ImpliedVolatilitySample, ...]:
    """Measure each session's 30-day volatility, as it is and clear of the next report.

    `rate` is annual and continuously compounded, `reports` are all dates on record. A session
    without trades next to 30 days has no sample. Sources are those of last trades.
    """
    strikes, by_strike = _strikes_by_expiration(past.options)
    found: list[ImpliedVolatilitySample] = []
    for session in sorted(past.stock):
        points = [
            TermPoint(expiration, (expiration - session).days, volatility)
            for expiration in _expirations_of(session, strikes)
            if (
                volatility := _at_the_money(
                    past,
                    session,
                    [
                        by_strike[expiration, strike]
                        for strike in _next_to(past.stock[session], strikes[expiration])
                    ],
                    rate,
                )
            )
            is not None
        ]
        current = at_thirty_days(points)
        if current is None:
            continue
        outlook = report_outlook(reports, session, points, never_reports=never_reports)
        stripped = without_event(current, points, outlook)
        found.append(_sample(session, current, SOURCE_LAST_TRADES))
        if stripped is not None:
            found.append(_sample(session, stripped, SOURCE_LAST_TRADES_STRIPPED))
    return tuple(found)


def joined_history(
    quotes: Sequence[ImpliedVolatilitySample], last_trades: Sequence[ImpliedVolatilitySample]
) -> tuple[ImpliedVolatilitySample, ...]:
    """Complete a history of quotes by one of last trades, brought to the scale of quotes.

    The factor is the median ratio over the sessions that both hold. With fewer than 20 of them
    nothing is joined: the histories do not share a scale. Each session is told by its quotes where
    it has any.
    """
    by_session = {sample.session: sample for sample in quotes}
    ratios = [
        log(quoted.implied_volatility / sample.implied_volatility)
        for sample in last_trades
        if (quoted := by_session.get(sample.session)) is not None
    ]
    if len(ratios) < OVERLAP_SESSIONS_MIN:
        return tuple(quotes)
    factor, source = exp(median(ratios)), quotes[0].source
    scaled = {
        sample.session: replace(
            sample, implied_volatility=factor * sample.implied_volatility, source=source
        )
        for sample in last_trades
    }
    joined = scaled | by_session
    return tuple(joined[session] for session in sorted(joined))


_Sides = Mapping[OptionType, OptionContract]


def _strikes_by_expiration(
    contracts: Iterable[OptionContract],
) -> tuple[dict[date, list[Decimal]], dict[tuple[date, Decimal], _Sides]]:
    """Index contracts; a strike counts where both its call and its put are listed."""
    sides: dict[tuple[date, Decimal], dict[OptionType, OptionContract]] = {}
    for contract in contracts:
        sides.setdefault((contract.expiration, contract.strike), {})[contract.option_type] = (
            contract
        )
    whole: dict[tuple[date, Decimal], _Sides] = {
        key: both for key, both in sides.items() if len(both) == len(OptionType)
    }
    strikes: dict[date, list[Decimal]] = {}
    for expiration, strike in sorted(whole):
        strikes.setdefault(expiration, []).append(strike)
    return strikes, whole


def _expirations_of(session: date, strikes: Mapping[date, Sequence[Decimal]]) -> list[date]:
    return [day for day in strikes if DTE_MIN <= (day - session).days <= DTE_MAX]


def _next_to(close: Decimal, strikes: Sequence[Decimal]) -> Sequence[Decimal]:
    """Give the strike at or under a price and the one above it, ascending."""
    place = bisect_left(strikes, close)
    if place < len(strikes) and strikes[place] == close:
        place += 1
    return strikes[max(place - 1, 0) : place + 1] if 0 < place < len(strikes) else ()


def _at_the_money(
    past: PastCloses, session: date, strikes: Sequence[_Sides], rate: float
) -> AtTheMoneyVolatility | None:
    """Interpolate between the two strikes next to the close, straight in strike.

    Each counts the mean of its call's and its put's volatility: an error of the forward, here the
    stock's close with interest and without dividends, moves the two in opposite directions.
    """
    contracts = [sides[kind] for sides in strikes for kind in OptionType]
    closes = [past.options[contract].get(session) for contract in contracts]
    known = [float(close) for close in closes if close is not None]
    if not contracts or len(known) < len(contracts):
        return None
    spot = float(past.stock[session])
    years = (contracts[0].expiration - session).days / DAYS_PER_YEAR
    volatilities = implied_volatility(
        price=known,
        is_call=[contract.option_type is OptionType.CALL for contract in contracts],
        forward=spot * exp(rate * years),
        strike=[float(contract.strike) for contract in contracts],
        time_years=years,
        discount_factor=exp(-rate * years),
    )
    at_strikes = volatilities.reshape(len(strikes), len(OptionType)).mean(axis=1)
    if np.isnan(at_strikes).any():
        return None
    low, high = (float(sides[OptionType.CALL].strike) for sides in strikes)
    weight = (spot - low) / (high - low)
    return AtTheMoneyVolatility(
        implied_volatility=float((1.0 - weight) * at_strikes[0] + weight * at_strikes[1]),
        implied_volatility_bid=None,
        implied_volatility_ask=None,
        source=SOURCE_LAST_TRADES,
    )


def _sample(session: date, measured: AtTheMoneyVolatility, source: str) -> ImpliedVolatilitySample:
    return ImpliedVolatilitySample(session, measured.implied_volatility, None, None, source)
