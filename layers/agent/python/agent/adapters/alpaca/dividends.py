"""Dividends declared, as Alpaca's corporate actions tell of them."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from agent.adapters.alpaca.session import AlpacaSession
from agent.market.dividends import ExDividend

CORPORATE_ACTIONS_VERSION = "v1"
DAYS_AHEAD = 100
"""A quarter and some days: the next regular dividend is among them, once it is declared."""
PAGE_SIZE = 1000
SYMBOLS_PER_CALL = 100


class DividendCache:
    """Keep the dividends ahead of one session, for the life of the object. Not thread-safe."""

    def __init__(self, data: AlpacaSession) -> None:
        self._data = data
        self._session: date | None = None
        self._known: dict[str, tuple[ExDividend, ...]] = {}

    def dividends(
        self, symbols: Sequence[str], session: date
    ) -> Mapping[str, tuple[ExDividend, ...]]:
        """Give what goes ex in the days after `session`, oldest first; the others are absent."""
        if session != self._session:
            self._session = session
            self._known = {}
        missing = sorted(set(symbols) - self._known.keys())
        for start in range(0, len(missing), SYMBOLS_PER_CALL):
            self._fetch(missing[start : start + SYMBOLS_PER_CALL], session)
        return {symbol: self._known[symbol] for symbol in symbols if self._known[symbol]}

    def _fetch(self, symbols: Sequence[str], session: date) -> None:
        pages = self._data.read_pages(
            "/corporate-actions",
            {
                "symbols": ",".join(symbols),
                "types": "cash_dividend",
                "start": (session + timedelta(days=1)).isoformat(),
                "end": (session + timedelta(days=DAYS_AHEAD)).isoformat(),
                "limit": str(PAGE_SIZE),
            },
            version=CORPORATE_ACTIONS_VERSION,
        )
        found: dict[str, list[ExDividend]] = {symbol: [] for symbol in symbols}
        for page in pages:
            actions = page.optional_part("corporate_actions")
            if actions is None or not actions.has("cash_dividends"):
                continue
            for row in actions.parts("cash_dividends"):
                symbol, ex_date = row.text("symbol"), row.day("ex_date")
                # The bounds are of the day on which an action is processed, not of its ex-date.
                if symbol in found and ex_date > session:
                    found[symbol].append(ExDividend(ex_date, row.number("rate")))
        for symbol, dividends in found.items():
            ordered = sorted(dividends, key=lambda dividend: dividend.ex_date)
            self._known[symbol] = tuple(ordered)
