"""What the broker still knows of past sessions: contracts that were listed, and daily closes."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from agent.adapters.alpaca.answers import Answer
from agent.adapters.alpaca.open_interest import CONTRACTS_PAGE_SIZE, is_adjusted
from agent.adapters.alpaca.session import AlpacaSession
from agent.market.calendar import NEW_YORK, new_york_date
from agent.options.contracts import OptionContract, parse_occ_symbol

OPTIONS_VERSION = "v1beta1"
BARS_PAGE_SIZE = 10_000
SYMBOLS_PER_CALL = 100
STATUSES = ("active", "inactive")
"""Contracts that expired are inactive; both are asked for, since neither answer holds all."""


class AlpacaPastSessions:
    """Read past sessions; raises as AlpacaSession does. Not thread-safe."""

    def __init__(self, trading: AlpacaSession, data: AlpacaSession) -> None:
        self._trading = trading
        self._data = data

    def contracts(self, symbol: str, first: date, last: date) -> tuple[OptionContract, ...]:
        """List the contracts that expire from `first` to `last`, expired ones too, in order."""
        found: set[OptionContract] = set()
        for status in STATUSES:
            parameters = {
                "underlying_symbols": symbol,
                "status": status,
                "expiration_date_gte": first.isoformat(),
                "expiration_date_lte": last.isoformat(),
                "limit": str(CONTRACTS_PAGE_SIZE),
            }
            for page in self._trading.read_pages("/options/contracts", parameters):
                for row in page.parts("option_contracts"):
                    if not is_adjusted(row, symbol):
                        found.add(parse_occ_symbol(row.text("symbol")))
        return tuple(sorted(found))

    def stock_closes(self, symbol: str, first: date, last: date) -> Mapping[date, Decimal]:
        """Give the closes of the sessions from `first` to `last`, as they were traded."""
        pages = self._data.read_pages(
            "/stocks/bars",
            # Strikes are those of their time, so splits since then must not move prices.
            {**_bars_of([symbol], first, last), "adjustment": "raw", "feed": "sip"},
        )
        return _closes(pages, [symbol]).get(symbol, {})

    def option_closes(
        self, contracts: Sequence[OptionContract], first: date, last: date
    ) -> Mapping[OptionContract, Mapping[date, Decimal]]:
        """Give the closes of contracts by session; one that never traded has none."""
        by_symbol = {contract.symbol: contract for contract in contracts}
        symbols = sorted(by_symbol)
        closes: dict[OptionContract, Mapping[date, Decimal]] = {
            contract: {} for contract in contracts
        }
        for start in range(0, len(symbols), SYMBOLS_PER_CALL):
            batch = symbols[start : start + SYMBOLS_PER_CALL]
            pages = self._data.read_pages(
                "/options/bars", _bars_of(batch, first, last), version=OPTIONS_VERSION
            )
            for symbol, by_session in _closes(pages, batch).items():
                closes[by_symbol[symbol]] = by_session
        return closes


def _bars_of(symbols: Sequence[str], first: date, last: date) -> dict[str, str]:
    return {
        "symbols": ",".join(symbols),
        "timeframe": "1Day",
        "start": _midnight(first),
        # A second before the day after: the bar of a running session is not its close yet.
        "end": _midnight(last + timedelta(days=1), seconds_before=1),
        "limit": str(BARS_PAGE_SIZE),
    }


def _closes(pages: Sequence[Answer], symbols: Sequence[str]) -> dict[str, dict[date, Decimal]]:
    closes: dict[str, dict[date, Decimal]] = {}
    for page in pages:
        bars = page.optional_part("bars")
        if bars is None:
            continue
        for symbol in symbols:
            for bar in bars.parts(symbol) if bars.has(symbol) else ():
                price = bar.optional_number("c")
                if price is not None and price > 0:
                    closes.setdefault(symbol, {})[new_york_date(bar.instant("t"))] = price
    return closes


def _midnight(day: date, *, seconds_before: int = 0) -> str:
    at = datetime.combine(day, time(0), tzinfo=NEW_YORK) - timedelta(seconds=seconds_before)
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
