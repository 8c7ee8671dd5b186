"""What the list of contracts tells of a chain: open interest, and which contracts are adjusted."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from agent.adapters.alpaca.answers import Answer
from agent.adapters.alpaca.session import AlpacaSession
from agent.options.contracts import OptionType
from agent.ports import ChainRequest

CONTRACTS_PAGE_SIZE = 10_000
STANDARD_MULTIPLIER = 100
STRIKE_MARGIN_FRACTION = Decimal("0.1")
"""How much wider than asked strikes are fetched, so that a drifting stock needs no new list."""


@dataclass(frozen=True)
class ListedContracts:
    """Hold what a list of contracts says by OCC symbol, for the bounds it was asked with."""

    bounds: ChainRequest
    open_interest: dict[str, int | None]
    adjusted: frozenset[str]


class OpenInterestCache:
    """Keep the contract lists of one session, for the life of the object.

    Open interest changes once a day, so each underlying is asked for once a session, and again
    where a request goes beyond the bounds of the last. Not thread-safe.
    """

    def __init__(self, trading: AlpacaSession) -> None:
        self._trading = trading
        self._session: date | None = None
        self._lists: dict[str, ListedContracts] = {}

    def listed(self, underlying: str, bounds: ChainRequest, session: date) -> ListedContracts:
        """Give a list that covers `bounds`; raises as AlpacaSession does."""
        if session != self._session:
            self._session = session
            self._lists = {}
        known = self._lists.get(underlying)
        if known is None or not _covers(known.bounds, bounds):
            wanted = _widened(bounds)
            known = self._fetch(
                underlying, wanted if known is None else _hull(known.bounds, wanted)
            )
            self._lists[underlying] = known
        return known

    def _fetch(self, underlying: str, bounds: ChainRequest) -> ListedContracts:
        parameters = {
            "underlying_symbols": underlying,
            "limit": str(CONTRACTS_PAGE_SIZE),
            **chain_parameters(bounds),
        }
        pages = self._trading.read_pages("/options/contracts", parameters)
        rows = [
            (row.text("symbol"), row) for page in pages for row in page.parts("option_contracts")
        ]
        return ListedContracts(
            bounds=bounds,
            open_interest={symbol: row.optional_whole("open_interest") for symbol, row in rows},
            adjusted=frozenset(symbol for symbol, row in rows if is_adjusted(row, underlying)),
        )


def chain_parameters(bounds: ChainRequest) -> dict[str, str]:
    """Spell the bounds of a chain as query parameters.

    The first expiration is always among them: without it the broker's own default applies, which
    is the coming weekend for contracts and expired contracts too for snapshots.
    """
    parameters = {
        "expiration_date_gte": bounds.expiration_min.isoformat(),
        "expiration_date_lte": bounds.expiration_max.isoformat(),
    }
    if bounds.strike_min is not None:
        parameters["strike_price_gte"] = f"{bounds.strike_min:f}"
    if bounds.strike_max is not None:
        parameters["strike_price_lte"] = f"{bounds.strike_max:f}"
    if bounds.option_type is not None:
        parameters["type"] = str(bounds.option_type)
    return parameters


def is_adjusted(row: Answer, underlying: str) -> bool:
    """Say whether a listed contract delivers something else than 100 shares of its underlying."""
    root = row.optional_text("root_symbol")
    sizes = (row.optional_number("multiplier"), row.optional_number("size"))
    return (root is not None and root != underlying) or any(
        size is not None and size != STANDARD_MULTIPLIER for size in sizes
    )


def _covers(known: ChainRequest, asked: ChainRequest) -> bool:
    return (
        known.expiration_min <= asked.expiration_min
        and known.expiration_max >= asked.expiration_max
        and (
            known.strike_min is None
            or (asked.strike_min is not None and known.strike_min <= asked.strike_min)
        )
        and (
            known.strike_max is None
            or (asked.strike_max is not None and known.strike_max >= asked.strike_max)
        )
        and known.option_type in {None, asked.option_type}
    )


def _widened(bounds: ChainRequest) -> ChainRequest:
    margin = STRIKE_MARGIN_FRACTION
    low, high = bounds.strike_min, bounds.strike_max
    return replace(
        bounds,
        strike_min=None if low is None else low * (1 - margin),
        strike_max=None if high is None else high * (1 + margin),
    )


def _hull(first: ChainRequest, second: ChainRequest) -> ChainRequest:
    lows, highs = (first.strike_min, second.strike_min), (first.strike_max, second.strike_max)
    same_type: OptionType | None = (
        first.option_type if first.option_type is second.option_type else None
    )
    return ChainRequest(
        expiration_min=min(first.expiration_min, second.expiration_min),
        expiration_max=max(first.expiration_max, second.expiration_max),
        strike_min=None if None in lows else min(low for low in lows if low is not None),
        strike_max=None if None in highs else max(high for high in highs if high is not None),
        option_type=same_type,
    )
