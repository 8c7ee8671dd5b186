"""What the market bids and asks: one contract, one stock, one structure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from agent.options.contracts import OptionContract
from agent.options.structures import LegSide, Structure

ZERO = Decimal(0)
HALF = Decimal("0.5")


class TwoSided:
    """Answer for what has a best bid and a best ask, in dollars a share."""

    __slots__ = ()
    bid: Decimal | None
    ask: Decimal | None

    @property
    def mid(self) -> Decimal | None:
        """Give the mean of bid and ask; None unless both are above zero."""
        # Feeds write an absent side as zero; a mid of one side would be a guess.
        if self.bid is None or self.ask is None or self.bid <= 0 or self.ask <= 0:
            return None
        return (self.bid + self.ask) * HALF

    @property
    def quote_width_fraction(self) -> Decimal | None:
        """Give (ask - bid) / mid; negative where crossed, None where a side is absent."""
        mid = self.mid
        if mid is None or self.bid is None or self.ask is None:
            return None
        return (self.ask - self.bid) / mid

    @property
    def is_crossed(self) -> bool:
        """Say whether the bid is above the ask."""
        return self.bid is not None and self.ask is not None and self.bid > self.ask > 0


@dataclass(frozen=True, slots=True)
class OptionQuote(TwoSided):
    """Record the best bid and ask of one contract, in dollars a share.

    `quoted_at` is aware UTC. A side nobody quotes is None (zero counts as None). `volume` is the
    larger of today's and the prior session's, in contracts; None where unknown.
    """

    contract: OptionContract
    quoted_at: datetime
    bid: Decimal | None
    ask: Decimal | None
    volume: int | None
    open_interest: int | None

    def is_valid(
        self, as_of: datetime, *, age_max_seconds: float, width_fraction_max: Decimal
    ) -> bool:
        """Say whether a mark may rest on this quote.

        Both sides above zero, not crossed, width under the bound, and quoted within
        `age_max_seconds` of `as_of` (either way: clocks differ, but not by more than that).
        """
        width = self.quote_width_fraction
        if width is None or not ZERO <= width < width_fraction_max:
            return False
        return abs((as_of - self.quoted_at).total_seconds()) <= age_max_seconds


@dataclass(frozen=True, slots=True)
class UnderlyingSnapshot(TwoSided):
    """Record a stock's quote and last trade, in dollars a share.

    `average_volume_shares` is the 20-day average of consolidated daily volume.
    """

    symbol: str
    quoted_at: datetime
    bid: Decimal | None
    ask: Decimal | None
    last: Decimal | None
    average_volume_shares: int | None

    @property
    def price(self) -> Decimal | None:
        """Give the mid of a two-sided quote that is not crossed, else the last trade, else None."""
        mid = self.mid
        if mid is not None and not self.is_crossed:
            return mid
        return self.last if self.last is not None and self.last > 0 else None


@dataclass(frozen=True, slots=True)
class StructureQuote:
    """Price a whole structure from the quotes of its legs, in dollars a share.

    Credits and debits are positive for premium that is sold to open and bought to close; both are
    negative for a structure one pays to open. `natural` is what a marketable order gets, so
    credit_natural <= mid <= debit_natural while no leg is crossed. Unknown is None.
    """

    structure: Structure
    leg_quotes: tuple[OptionQuote, ...]
    credit_mid: Decimal | None
    credit_natural: Decimal | None
    debit_mid: Decimal | None
    debit_natural: Decimal | None

    @property
    def quoted_at(self) -> datetime:
        """Give the time of the oldest leg's quote."""
        return min(quote.quoted_at for quote in self.leg_quotes)

    @property
    def quote_width_fraction(self) -> Decimal | None:
        """Give (debit_natural - credit_natural) / |mid|; None where one is unknown or mid is 0."""
        if self.credit_natural is None or self.debit_natural is None or not self.credit_mid:
            return None
        return (self.debit_natural - self.credit_natural) / abs(self.credit_mid)

    def is_valid(
        self, as_of: datetime, *, age_max_seconds: float, width_fraction_max: Decimal
    ) -> bool:
        """Say whether every leg's quote is valid; `width_fraction_max` bounds each leg."""
        return all(
            quote.is_valid(
                as_of, age_max_seconds=age_max_seconds, width_fraction_max=width_fraction_max
            )
            for quote in self.leg_quotes
        )


def quote_structure(
    structure: Structure, quotes: Mapping[str, OptionQuote]
) -> StructureQuote | None:
    """Price `structure` from the quotes of its legs by OCC symbol; None where a leg has none.

    Opening sells the shorts at their bid and buys the longs at their ask. Closing buys the shorts
    at their ask and sells the longs at their bid, where a long nobody bids for is given away at 0.
    """
    found = [quotes.get(symbol) for symbol in structure.symbols]
    leg_quotes = tuple(quote for quote in found if quote is not None)
    if len(leg_quotes) != len(structure.legs):
        return None
    mids: list[Decimal | None] = []
    openings: list[Decimal | None] = []
    closings: list[Decimal | None] = []
    for leg, quote in zip(structure.legs, leg_quotes, strict=True):
        bid, ask = _positive(quote.bid), _positive(quote.ask)
        sign = -leg.signed_ratio
        is_short = leg.side is LegSide.SHORT
        mids.append(_times(quote.mid, sign))
        openings.append(_times(bid if is_short else ask, sign))
        closings.append(_times(ask if is_short else (bid or ZERO), sign))
    mid = _total(mids)
    return StructureQuote(
        structure=structure,
        leg_quotes=leg_quotes,
        credit_mid=mid,
        credit_natural=_total(openings),
        debit_mid=mid,
        debit_natural=_total(closings),
    )


def _positive(price: Decimal | None) -> Decimal | None:
    return price if price is not None and price > 0 else None


def _times(price: Decimal | None, factor: int) -> Decimal | None:
    return None if price is None else price * factor


def _total(prices: list[Decimal | None]) -> Decimal | None:
    known = [price for price in prices if price is not None]
    return sum(known, ZERO) if len(known) == len(prices) else None
