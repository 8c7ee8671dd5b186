"""What of a trade is certainly there where the broker lacks something of it unexplained.

What became of the missing part is not guessed: only what is left is reckoned, and whether the
broker still holds a short leg whose cover is gone.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.book.covering import is_written_call
from agent.book.records import Trade
from agent.options.contracts import OptionType
from agent.options.structures import LegSide


@dataclass(frozen=True)
class CertainHolding:
    """Count what is certainly held of a trade, in contracts."""

    missing: Mapping[str, int]
    """By OCC symbol, what the book has and the broker has not."""
    whole: int
    """Units of the structure of which every leg is there."""
    uncovered: Mapping[str, int]
    """By OCC symbol, shorts whose long leg is gone."""
    is_even: bool
    """Whether nothing is there but these units."""


def certain_holdings(
    trades: Sequence[Trade], missing: Mapping[str, int]
) -> dict[str, CertainHolding]:
    """Say of each trade with a leg in `missing` what is there of it, by the trade's id.

    `missing` counts contracts by OCC symbol. Where several trades hold one, what is there is
    counted to the first of them by id: no contract is counted twice.
    """
    left = _there(trades, missing)
    found: dict[str, CertainHolding] = {}
    for trade in sorted(trades, key=lambda each: each.trade_id):
        booked = {symbol: abs(count) for symbol, count in trade.leg_quantities.items()}
        if not any(booked.get(symbol) for symbol in missing):
            continue
        there = dict(booked)
        for symbol in booked.keys() & missing.keys():
            there[symbol] = min(booked[symbol], left[symbol])
            left[symbol] -= there[symbol]
        found[trade.trade_id] = _holding(trade, booked, there)
    return found


def uncovered_calls(trades: Sequence[Trade], held: Mapping[str, int]) -> dict[str, int]:
    """Count, by the trade's id, written calls that are held and whose shares are gone.

    `held` is what the broker holds: shares by their ticker. Those of an account cover the calls of
    the first trade by id first; a call is uncovered where not all of its shares are there.
    """
    shares = {trade.symbol: max(held.get(trade.symbol, 0), 0) for trade in trades}
    found: dict[str, int] = {}
    for trade in sorted(trades, key=lambda each: each.trade_id):
        if not (trade.contracts_held and is_written_call(trade.structure)):
            continue
        symbol, multiplier = trade.structure.symbols[0], trade.structure.multiplier
        calls = min(-trade.leg_quantities[symbol], max(-held.get(symbol, 0), 0))
        covered = min(calls, shares[trade.symbol] // multiplier)
        shares[trade.symbol] -= covered * multiplier
        if calls > covered:
            found[trade.trade_id] = calls - covered
    return found


def as_held(trade: Trade, holding: CertainHolding) -> Trade:
    """Show a trade with what is missing of it as gone; nothing of it is to be stored."""
    gone = Counter(trade.holdings.legs_gone)
    gone.update(holding.missing)
    holdings = trade.holdings.model_copy(update={"legs_gone": dict(gone)})
    return trade.model_copy(update={"holdings": holdings})


def _there(trades: Sequence[Trade], missing: Mapping[str, int]) -> Counter[str]:
    booked: Counter[str] = Counter()
    for trade in trades:
        booked.update({s: abs(count) for s, count in trade.leg_quantities.items()})
    return Counter({symbol: max(0, booked[symbol] - missing[symbol]) for symbol in missing})


def _holding(trade: Trade, booked: Mapping[str, int], there: Mapping[str, int]) -> CertainHolding:
    legs = trade.structure.legs
    whole = min(there[leg.contract.symbol] // leg.ratio for leg in legs)
    return CertainHolding(
        missing={s: booked[s] - there[s] for s in booked if booked[s] > there[s]},
        whole=whole,
        uncovered=_uncovered(trade, booked, there),
        is_even=all(there[leg.contract.symbol] == whole * leg.ratio for leg in legs),
    )


def _uncovered(trade: Trade, booked: Mapping[str, int], there: Mapping[str, int]) -> dict[str, int]:
    """Count the shorts that have lost the longs of their type; a put sold alone never had any."""
    found: dict[str, int] = {}
    for option_type in OptionType:
        legs = [leg for leg in trade.structure.legs if leg.contract.option_type is option_type]
        shorts = [leg.contract.symbol for leg in legs if leg.side is LegSide.SHORT]
        longs = [leg.contract.symbol for leg in legs if leg.side is LegSide.LONG]
        by_design = max(0, sum(booked[s] for s in shorts) - sum(booked[s] for s in longs))
        left = sum(there[s] for s in shorts) - sum(there[s] for s in longs) - by_design
        for symbol in shorts:
            count = min(left, there[symbol])
            if count > 0:
                found[symbol] = count
                left -= count
    return found
