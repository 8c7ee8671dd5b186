"""Dividends and splits, for worlds that know some."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Protocol, runtime_checkable

from simulator.worlds.events import CashDividend, CorporateAction, Split
from simulator.worlds.world import DailyBar, World

__all__ = [
    "CashDividend",
    "CorporateAction",
    "CorporateActionWorld",
    "Split",
    "actions_between",
    "adjusted_bars",
]

PRICE_PLACES = Decimal("0.0001")


@runtime_checkable
class CorporateActionWorld(Protocol):
    """A world that knows corporate actions; one that does not simply lacks the method."""

    def corporate_actions(self, symbol: str, start: date, end: date) -> Sequence[CorporateAction]:
        """List a stock's actions with an ex-date in start..end, oldest first."""
        ...


def actions_between(
    world: World, symbols: Iterable[str], start: date, end: date
) -> list[CorporateAction]:
    """List the actions of these stocks with an ex-date in start..end, oldest first."""
    if not isinstance(world, CorporateActionWorld):
        return []
    known = [
        action
        for symbol in symbols
        if symbol in world.symbols
        for action in world.corporate_actions(symbol, start, end)
    ]
    return sorted(known, key=lambda action: (action.ex_date, action.symbol))


def adjusted_bars(
    world: World, symbol: str, bars: Sequence[DailyBar], adjustment: str, today: date
) -> list[DailyBar]:
    """Restate raw bars for the splits and dividends known since.

    `adjustment` is raw, split, dividend or all. Bars before a split's ex-date are divided by
    its ratio; bars before a dividend's are multiplied by 1 - rate / the close before it.
    """
    if not bars or adjustment == "raw":
        return list(bars)
    adjusted = list(bars)
    first = bars[0].session
    # Newest first, so that a dividend is measured against a close in its own shares.
    for action in reversed(actions_between(world, [symbol], first + timedelta(days=1), today)):
        before = [bar for bar in bars if bar.session < action.ex_date]
        if not before:
            continue
        if isinstance(action, Split) and adjustment in {"split", "all"}:
            price_factor = action.old_rate / action.new_rate
        elif isinstance(action, CashDividend) and adjustment in {"dividend", "all"}:
            price_factor = 1 - action.rate / before[-1].close
        else:
            continue
        is_split = isinstance(action, Split)
        adjusted = [
            _scaled(bar, price_factor, is_split=is_split) if bar.session < action.ex_date else bar
            for bar in adjusted
        ]
    return adjusted


def _scaled(bar: DailyBar, price_factor: Decimal, *, is_split: bool) -> DailyBar:
    return replace(
        bar,
        open=(bar.open * price_factor).quantize(PRICE_PLACES),
        high=(bar.high * price_factor).quantize(PRICE_PLACES),
        low=(bar.low * price_factor).quantize(PRICE_PLACES),
        close=(bar.close * price_factor).quantize(PRICE_PLACES),
        volume=int(bar.volume / price_factor) if is_split else bar.volume,
    )
