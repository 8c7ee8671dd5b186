"""Splits of stocks, as Alpaca's corporate actions tell of them."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from agent.adapters.alpaca.answers import Answer
from agent.adapters.alpaca.dividends import (
    CORPORATE_ACTIONS_VERSION,
    PAGE_SIZE,
    SYMBOLS_PER_CALL,
)
from agent.adapters.alpaca.session import AlpacaSession
from agent.market.splits import StockSplit
from agent.ports import BrokerMisunderstood

KINDS = ("forward_splits", "reverse_splits")
PROCESSED_WITHIN = timedelta(days=4)
"""How far the day on which a split is processed may be from its ex-date."""


def read_splits(
    data: AlpacaSession, symbols: Sequence[str], first: date, last: date
) -> Mapping[str, tuple[StockSplit, ...]]:
    """Give the splits with an ex-date in `first`..`last`, oldest first; the others are absent."""
    found: dict[str, list[StockSplit]] = {}
    wanted = sorted(set(symbols))
    for start in range(0, len(wanted), SYMBOLS_PER_CALL):
        batch = wanted[start : start + SYMBOLS_PER_CALL]
        pages = data.read_pages(
            "/corporate-actions",
            {
                "symbols": ",".join(batch),
                "types": "forward_split,reverse_split",
                # The bounds are of the day on which an action is processed, not of its ex-date.
                "start": (first - PROCESSED_WITHIN).isoformat(),
                "end": (last + PROCESSED_WITHIN).isoformat(),
                "limit": str(PAGE_SIZE),
            },
            version=CORPORATE_ACTIONS_VERSION,
        )
        for page in pages:
            actions = page.optional_part("corporate_actions")
            for kind in KINDS:
                if actions is None or not actions.has(kind):
                    continue
                for row in actions.parts(kind):
                    symbol, split = row.text("symbol"), _split(row)
                    if symbol in batch and first <= split.ex_date <= last:
                        found.setdefault(symbol, []).append(split)
    return {
        symbol: tuple(sorted(splits, key=lambda split: split.ex_date))
        for symbol, splits in found.items()
    }


def _split(row: Answer) -> StockSplit:
    new, old = row.number("new_rate"), row.number("old_rate")
    if new <= 0 or old <= 0:
        raise BrokerMisunderstood(f"{row.source}: a split of {new} for {old}")
    return StockSplit(row.day("ex_date"), new, old)
