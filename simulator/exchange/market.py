"""The world as the exchange reads it at the clock's moment."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from agent.options.contracts import OCC_SYMBOL_PATTERN, OptionContract, parse_occ_symbol
from simulator.exchange.clock import SimulatedClock
from simulator.exchange.faults import Faults
from simulator.worlds.world import ListingFilter, OptionListing, StockQuote, World

TWO = Decimal(2)


def option_contract(symbol: str) -> OptionContract | None:
    """Read a contract from its OCC symbol, None where the text is none."""
    try:
        return parse_occ_symbol(symbol)
    except ValueError:
        return None


def looks_like_a_contract(symbol: str) -> bool:
    """Say whether a symbol is spelled as OCC's are, be there such a contract or not."""
    return OCC_SYMBOL_PATTERN.fullmatch(symbol) is not None


def two_sided(bid: Decimal | None, ask: Decimal | None) -> tuple[Decimal, Decimal] | None:
    """Give both sides of a quote where both are there and do not cross."""
    if bid is None or ask is None or bid <= 0 or ask < bid:
        return None
    return bid, ask


def mark_of(bid: Decimal | None, ask: Decimal | None) -> Decimal | None:
    """Give the mid; without a bid that is half the ask, without an ask it is unknown."""
    if ask is None or ask <= 0:
        return None
    return ((bid or Decimal(0)) + ask) / TWO


class MarketView:
    """Read the world at the clock's moment, asking it each question once a moment."""

    def __init__(self, world: World, clock: SimulatedClock, faults: Faults) -> None:
        self.world = world
        self._clock = clock
        self._faults = faults
        self._hidden = faults.hidden
        self._at: datetime | None = None
        self._stocks: dict[str, StockQuote | None] = {}
        self._options: dict[str, OptionListing | None] = {}
        self._chains: dict[tuple[str, ListingFilter], Sequence[OptionListing]] = {}

    def _moment(self) -> datetime:
        now = self._clock.now
        if now != self._at or self._faults.hidden != self._hidden:
            self._hidden = self._faults.hidden
            self._stocks.clear()
            self._options.clear()
            self._chains.clear()
            self._at = now
        return now

    def stock(self, symbol: str) -> StockQuote | None:
        """Give a stock's quote now."""
        now = self._moment()
        if symbol not in self._stocks:
            known = symbol in self.world.symbols
            quote = self.world.stock(symbol, now) if known else None
            if quote is not None and symbol in self._hidden:
                quote = replace(quote, bid=None, ask=None)
            self._stocks[symbol] = quote
        return self._stocks[symbol]

    def option(self, symbol: str) -> OptionListing | None:
        """Give a contract's listing now, None where it is not listed."""
        now = self._moment()
        if symbol not in self._options:
            contract = option_contract(symbol)
            known = contract is not None and contract.underlying in self.world.symbols
            listing = None
            if contract is not None and known:
                listing = self.world.option(contract, now)
            self._options[symbol] = None if listing is None else self._as_shown(listing)
        return self._options[symbol]

    def chain(self, symbol: str, bounds: ListingFilter) -> Sequence[OptionListing]:
        """List the contracts of an underlying within bounds now."""
        now = self._moment()
        key = (symbol, bounds)
        if key not in self._chains:
            known = symbol in self.world.symbols
            listings = self.world.chain(symbol, now, bounds) if known else ()
            if self._hidden:
                listings = [self._as_shown(listing) for listing in listings]
            self._chains[key] = listings
        return self._chains[key]

    def _as_shown(self, listing: OptionListing) -> OptionListing:
        if listing.contract.symbol not in self._hidden:
            return listing
        return replace(listing, bid=None, ask=None)

    def quote(self, symbol: str) -> tuple[Decimal, Decimal, datetime] | None:
        """Give bid, ask and the moment of a valid two-sided quote, else None."""
        shown = self.stock(symbol) if symbol in self.world.symbols else self.option(symbol)
        if shown is None:
            return None
        sides = two_sided(shown.bid, shown.ask)
        return None if sides is None else (*sides, shown.at)

    def offer(self, symbol: str) -> tuple[Decimal, Decimal, datetime] | None:
        """Give bid, ask and the moment of a quote that is not crossed; a missing bid is zero.

        None where nobody offers.
        """
        shown = self.stock(symbol) if symbol in self.world.symbols else self.option(symbol)
        if shown is None or shown.ask is None or shown.ask <= 0:
            return None
        bid = shown.bid or Decimal(0)
        return None if bid > shown.ask else (bid, shown.ask, shown.at)

    def mark(self, symbol: str) -> Decimal | None:
        """Give the mid of a contract or stock; a stock without one is worth its last trade."""
        if symbol in self.world.symbols:
            stock = self.stock(symbol)
            if stock is None:
                return None
            sides = two_sided(stock.bid, stock.ask)
            return stock.last if sides is None else (sides[0] + sides[1]) / TWO
        listing = self.option(symbol)
        return None if listing is None else mark_of(listing.bid, listing.ask)
