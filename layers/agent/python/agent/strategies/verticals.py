"""Vertical credit spreads: a short leg nearer to the money, a long leg further out."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from agent.market.quotes import OptionQuote
from agent.options.contracts import OptionType
from agent.strategies.screening import (
    DeltaRange,
    Rejection,
    ScreenedLeg,
    ScreenedSymbol,
    screen_expiration,
    screen_leg,
)
from agent.strategies.strategy import ChainBounds, MarketView

ONE = Decimal(1)
PUT_REACH_FRACTION = Decimal("0.35")
CALL_REACH_FRACTION = Decimal("0.40")
"""Short strikes are looked for this far out of the money: a delta of 0.15 at 45 days lies within
it up to a volatility of 150 % for puts and of 80 % for calls, which run further."""
IN_THE_MONEY_REACH_FRACTION = Decimal("0.10")


@dataclass(frozen=True)
class VerticalRules:
    """Describe one side: its type, its short delta, and the points between its strikes."""

    option_type: OptionType
    short_delta: DeltaRange
    width_min: Decimal
    width_max: Decimal
    width_max_fraction_of_spot: Decimal

    def allows_width(self, width: Decimal, spot: Decimal) -> bool:
        """Say whether a width is within its bounds in points and as a share of spot."""
        return (
            self.width_min <= width <= self.width_max
            and width <= self.width_max_fraction_of_spot * spot
        )


@dataclass(frozen=True)
class Vertical:
    """Pair two screened legs of one type and one expiration."""

    short: ScreenedLeg
    long: ScreenedLeg


def put_strike_bounds(spot: Decimal) -> tuple[Decimal, Decimal]:
    """Bound the strikes at which a put may be sold."""
    return spot * (ONE - PUT_REACH_FRACTION), spot * (ONE + IN_THE_MONEY_REACH_FRACTION)


def call_strike_bounds(spot: Decimal) -> tuple[Decimal, Decimal]:
    """Bound the strikes at which a call may be sold."""
    return spot * (ONE - IN_THE_MONEY_REACH_FRACTION), spot * (ONE + CALL_REACH_FRACTION)


def strike_bounds(spot: Decimal, rules: VerticalRules) -> tuple[Decimal, Decimal]:
    """Bound the strikes that a vertical may need, long leg included."""
    width = min(rules.width_max, rules.width_max_fraction_of_spot * spot)
    if rules.option_type is OptionType.PUT:
        lowest, highest = put_strike_bounds(spot)
        return lowest - width, highest
    lowest, highest = call_strike_bounds(spot)
    return lowest, highest + width


def quotes_within(
    view: MarketView, bounds: ChainBounds, option_type: OptionType
) -> dict[date, list[OptionQuote]]:
    """Group the quotes of one type within bounds by expiration, each by ascending strike."""
    found: dict[date, list[OptionQuote]] = {}
    for expiration in view.chain.expirations():
        side = view.chain.puts if option_type is OptionType.PUT else view.chain.calls
        quotes = [quote for quote in side(expiration) if bounds.contains(quote.contract)]
        if quotes:
            found[expiration] = quotes
    return found


def admitted(
    chain: Mapping[date, list[OptionQuote]],
    view: MarketView,
    *,
    earnings_in_life: bool,
    rejections: Counter[str],
) -> dict[date, list[OptionQuote]]:
    """Keep the expirations that no earnings report speaks against; count what is dropped."""
    kept: dict[date, list[OptionQuote]] = {}
    for expiration, quotes in chain.items():
        refused = screen_expiration(expiration, view, earnings_in_life=earnings_in_life)
        if refused is None:
            kept[expiration] = quotes
        else:
            rejections[refused] += len(quotes)
    return kept


def find_verticals(
    quotes: Sequence[OptionQuote],
    rules: VerticalRules,
    symbol: ScreenedSymbol,
    view: MarketView,
    rejections: Counter[str],
) -> Iterator[Vertical]:
    """Find the verticals among quotes of one expiration and type, counting what is dropped.

    Every contract is a candidate for the short leg and is dropped for one reason, or stands in for
    its pairs: each contract further out of the money within the width bounds is then a candidate
    pair. A short leg without such a contract is dropped for its width.
    """
    longs: dict[str, ScreenedLeg | Rejection] = {}
    for quote in quotes:
        short = screen_leg(quote, view, rules.short_delta)
        if isinstance(short, Rejection):
            rejections[short] += 1
            continue
        partners = [other for other in quotes if _pairs(quote, other, rules, symbol.spot)]
        if not partners:
            rejections[Rejection.WIDTH_OUT_OF_RANGE] += 1
        for partner in partners:
            name = partner.contract.symbol
            if name not in longs:
                longs[name] = screen_leg(partner, view)
            long = longs[name]
            if isinstance(long, Rejection):
                rejections[long] += 1
            else:
                yield Vertical(short, long)


def _pairs(short: OptionQuote, long: OptionQuote, rules: VerticalRules, spot: Decimal) -> bool:
    width = short.contract.strike - long.contract.strike
    if rules.option_type is OptionType.CALL:
        width = -width
    return rules.allows_width(width, spot)
