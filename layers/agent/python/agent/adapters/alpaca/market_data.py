"""Stock and option quotes behind the MarketData port."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from urllib.parse import quote

from agent.adapters.alpaca.answers import Answer, as_object
from agent.adapters.alpaca.average_volume import AverageVolumeCache
from agent.adapters.alpaca.dividends import DividendCache
from agent.adapters.alpaca.open_interest import OpenInterestCache, chain_parameters
from agent.adapters.alpaca.session import AlpacaSession
from agent.adapters.alpaca.stock_splits import read_splits
from agent.market.cache import MomentCache
from agent.market.calendar import new_york_date
from agent.market.chain import OptionChain
from agent.market.dividends import ExDividend
from agent.market.quotes import OptionQuote, UnderlyingSnapshot
from agent.market.splits import StockSplit
from agent.options.contracts import OptionContract, parse_occ_symbol
from agent.ports import ChainRequest

OPTIONS_VERSION = "v1beta1"
SNAPSHOTS_PAGE_SIZE = 1000
SYMBOLS_PER_CALL = 100
CHAIN_AGE_MAX_SECONDS = 60
CHAINS_KEPT_MAX = 200
VOLUME_BAR_AGE_DAYS_MAX = 5
"""How long before its quote an option's daily bar may be to tell of this session or the last.

The broker gives the latest bar there is, which for a contract that hardly trades is weeks old.
"""


@dataclass(frozen=True)
class DataFeeds:
    """Name the feeds asked for; None leaves the choice to the broker."""

    stocks: str | None = None
    options: str | None = None


def _of(feed: str | None) -> dict[str, str]:
    return {} if feed is None else {"feed": feed}


class AlpacaMarketData:
    """Read quotes from Alpaca's data endpoint, open interest from its trading endpoint.

    Chains are kept for a minute, which is for scanning; prices for orders and exits come from
    `option_quotes`, which keeps nothing. Average volumes, open interest and dividends are kept for
    a session. Every method raises as AlpacaSession does. Not thread-safe: use one object per
    thread.
    """

    def __init__(
        self, trading: AlpacaSession, data: AlpacaSession, feeds: DataFeeds | None = None
    ) -> None:
        self._data = data
        self._feeds = feeds or DataFeeds()
        self._open_interest = OpenInterestCache(trading)
        self._average_volume = AverageVolumeCache(data)
        self._dividends = DividendCache(data)
        self._chains: MomentCache[tuple[str, ChainRequest], tuple[OptionQuote, ...]] = MomentCache(
            CHAIN_AGE_MAX_SECONDS, CHAINS_KEPT_MAX
        )

    def underlyings(self, symbols: Sequence[str]) -> Mapping[str, UnderlyingSnapshot]:
        """Read the quote, last trade and average volume of each symbol; the unquoted are absent.

        The average is of the sessions before the New York date of the newest quote.
        """
        snapshots: dict[str, Answer] = {}
        for batch in _batches(sorted(set(symbols))):
            answer = self._data.read_object(
                "/stocks/snapshots",
                {"symbols": ",".join(batch), **_of(self._feeds.stocks)},
            )
            snapshots.update(_by_symbol(answer, batch))
        quotes = {
            symbol: latest
            for symbol, snapshot in snapshots.items()
            if (latest := snapshot.optional_part("latestQuote")) is not None
        }
        if not quotes:
            return {}
        session = new_york_date(max(latest.instant("t") for latest in quotes.values()))
        volumes = self._average_volume.shares(tuple(quotes), session)
        return {
            symbol: UnderlyingSnapshot(
                symbol=symbol,
                quoted_at=latest.instant("t"),
                bid=_side(latest, "bp"),
                ask=_side(latest, "ap"),
                last=_last(snapshots[symbol]),
                average_volume_shares=volumes[symbol],
            )
            for symbol, latest in quotes.items()
        }

    def chain(
        self, underlying: UnderlyingSnapshot, request: ChainRequest, as_of: datetime
    ) -> OptionChain:
        """Read the chain within the bounds; expired and adjusted contracts are left out.

        Quotes read under a minute before `as_of`, for the same bounds, are given again. Raises
        ValueError where `as_of` has no zone.
        """
        session = new_york_date(as_of)
        key = (underlying.symbol, request)
        kept = self._chains.get(key, as_of)
        if kept is None:
            kept = self._read_chain(underlying.symbol, request, session)
            self._chains.keep(key, kept, as_of)
        return OptionChain(underlying=underlying, as_of=as_of, quotes=kept)

    def _read_chain(
        self, underlying: str, request: ChainRequest, session: date
    ) -> tuple[OptionQuote, ...]:
        pages = self._data.read_pages(
            f"/options/snapshots/{quote(underlying, safe='')}",
            {
                "limit": str(SNAPSHOTS_PAGE_SIZE),
                **_of(self._feeds.options),
                **chain_parameters(request),
            },
            version=OPTIONS_VERSION,
        )
        listed = self._open_interest.listed(underlying, request, session)
        quotes: dict[str, OptionQuote] = {}
        for page in pages:
            for symbol, snapshot in _by_symbol(page.part("snapshots")).items():
                contract = _contract(symbol)
                if (
                    contract is not None
                    and symbol not in listed.adjusted
                    and _belongs(contract, underlying, request, session)
                    and (found := _option_quote(contract, snapshot, listed.open_interest))
                ):
                    quotes[symbol] = found
        return tuple(quotes.values())

    def dividends(
        self, symbols: Sequence[str], session: date
    ) -> Mapping[str, tuple[ExDividend, ...]]:
        """Read the dividends declared that go ex after `session`; a symbol without is absent."""
        return self._dividends.dividends(symbols, session)

    def splits(
        self, symbols: Sequence[str], first: date, last: date
    ) -> Mapping[str, tuple[StockSplit, ...]]:
        """Read the splits with an ex-date in `first`..`last`; a symbol without is absent."""
        return read_splits(self._data, symbols, first, last)

    def option_quotes(self, contracts: Sequence[OptionContract]) -> Mapping[str, OptionQuote]:
        """Read the latest quotes by OCC symbol; open interest is not asked for and unknown."""
        by_symbol = {contract.symbol: contract for contract in contracts}
        quotes: dict[str, OptionQuote] = {}
        for batch in _batches(sorted(by_symbol)):
            pages = self._data.read_pages(
                "/options/snapshots",
                {
                    "symbols": ",".join(batch),
                    "limit": str(SYMBOLS_PER_CALL),
                    **_of(self._feeds.options),
                },
                version=OPTIONS_VERSION,
            )
            for page in pages:
                for symbol, snapshot in _by_symbol(page.part("snapshots"), batch).items():
                    if found := _option_quote(by_symbol[symbol], snapshot, {}):
                        quotes[symbol] = found
        return quotes


def _batches(symbols: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(symbols), SYMBOLS_PER_CALL):
        yield symbols[start : start + SYMBOLS_PER_CALL]


def _by_symbol(answer: Answer, asked: Sequence[str] | None = None) -> dict[str, Answer]:
    return {
        symbol: as_object(snapshot, (answer.place, symbol))
        for symbol, snapshot in answer.fields.items()
        if snapshot is not None and (asked is None or symbol in asked)
    }


def _contract(symbol: str) -> OptionContract | None:
    try:
        return parse_occ_symbol(symbol)
    except ValueError:
        return None


def _belongs(
    contract: OptionContract, underlying: str, request: ChainRequest, session: date
) -> bool:
    # An adjusted contract bears another root, such as the underlying's name with a digit.
    first = max(request.expiration_min, session)
    return (
        contract.underlying == underlying
        and first <= contract.expiration <= request.expiration_max
        and (request.strike_min is None or contract.strike >= request.strike_min)
        and (request.strike_max is None or contract.strike <= request.strike_max)
        and request.option_type in {None, contract.option_type}
    )


def _option_quote(
    contract: OptionContract, snapshot: Answer, open_interest: Mapping[str, int | None]
) -> OptionQuote | None:
    latest = snapshot.optional_part("latestQuote")
    if latest is None:
        return None
    quoted_at = latest.instant("t")
    return OptionQuote(
        contract=contract,
        quoted_at=quoted_at,
        bid=_side(latest, "bp"),
        ask=_side(latest, "ap"),
        volume=_volume(snapshot, new_york_date(quoted_at)),
        open_interest=open_interest.get(contract.symbol),
    )


def _side(latest: Answer, name: str) -> Decimal | None:
    price = latest.optional_number(name)
    return price if price is not None and price > 0 else None


def _last(snapshot: Answer) -> Decimal | None:
    trade = snapshot.optional_part("latestTrade")
    return None if trade is None else _side(trade, "p")


def _volume(snapshot: Answer, quoted_on: date) -> int | None:
    volumes: list[int] = []
    for name in ("dailyBar", "prevDailyBar"):
        bar = snapshot.optional_part(name)
        volume = None if bar is None else bar.optional_whole("v")
        if bar is None or volume is None:
            continue
        age_days = (quoted_on - new_york_date(bar.instant("t"))).days
        if age_days <= VOLUME_BAR_AGE_DAYS_MAX:
            volumes.append(volume)
    return max(volumes, default=None)
