"""Which symbols and which legs may be traded, and the one reason where they may not.

A symbol is asked about its price, its volume, its quote, the age of that quote, its implied
volatility and its IV rank; an expiration about earnings reports; a leg about its quote (there, not
crossed, not stale), its delta, its quote's width, its open interest and its volume. The first
reason that applies is the one counted. What is unknown does not pass.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from agent.config.settings import MarketSettings
from agent.market.filters import UnderlyingLimits, underlying_rejections
from agent.market.liquidity import liquidity_score
from agent.market.outlook import ReportRisk
from agent.market.quotes import OptionQuote
from agent.market.volatility import IvRankBand
from agent.strategies.strategy import MarketView


class Rejection(StrEnum):
    """Name why a candidate was dropped; the value is what reports count."""

    UNDERLYING_QUOTE_STALE = "underlying_quote_stale"
    IMPLIED_VOLATILITY_UNKNOWN = "implied_volatility_unknown"
    IV_RANK_UNKNOWN = "iv_rank_unknown"
    IV_RANK_STRADDLES = "iv_rank_straddles"
    """It is above the least at the ask of today's volatility, and not at its bid."""
    IV_RANK_LOW = "iv_rank_low"
    NOT_WILLING_TO_OWN = "not_willing_to_own"
    CHAIN_EMPTY = "chain_empty"
    EARNINGS_IN_LIFE = "earnings_in_life"
    EARNINGS_UNKNOWN = "earnings_unknown"
    QUOTE_MISSING = "quote_missing"
    QUOTE_CROSSED = "quote_crossed"
    QUOTE_STALE = "quote_stale"
    DELTA_UNKNOWN = "delta_unknown"
    SHORT_DELTA_OUT_OF_RANGE = "short_delta_out_of_range"
    QUOTE_WIDE = "quote_wide"
    OPEN_INTEREST_UNKNOWN = "open_interest_unknown"
    OPEN_INTEREST_LOW = "open_interest_low"
    VOLUME_UNKNOWN = "volume_unknown"
    VOLUME_LOW = "volume_low"
    STRIKE_BELOW_BASIS = "strike_below_basis"
    """Of a call on shares: assignment would sell them for less than the put's strike."""
    WIDTH_OUT_OF_RANGE = "width_out_of_range"
    OTHER_SIDE_MISSING = "other_side_missing"
    CREDIT_BELOW_MINIMUM = "credit_below_minimum"
    CREDIT_EXCEEDS_WIDTH = "credit_exceeds_width"
    EXPECTED_VALUE_UNKNOWN = "expected_value_unknown"
    EXPECTED_VALUE_IMPLAUSIBLE = "expected_value_implausible"


@dataclass(frozen=True)
class ScreenedSymbol:
    """Hold what is known of a symbol that passed."""

    spot: Decimal
    iv30: float
    iv_rank: float


@dataclass(frozen=True)
class ScreenedLeg:
    """Hold what is known of a leg that passed."""

    quote: OptionQuote
    delta: float
    liquidity: float


@dataclass(frozen=True)
class DeltaRange:
    """Bound a signed delta, inclusive."""

    delta_min: float
    delta_max: float

    def contains(self, delta: float) -> bool:
        return self.delta_min <= delta <= self.delta_max


def screen_symbol(view: MarketView) -> ScreenedSymbol | str:
    """Pass a symbol, or give the reason against it."""
    market = view.settings.market
    limits = UnderlyingLimits(
        price_min=market.price_min,
        price_max=market.price_max,
        average_volume_shares_min=market.average_volume_min_shares,
        quote_width_fraction_max=market.stock_quote_width_max_fraction,
    )
    found = underlying_rejections(view.underlying, limits)
    spot = view.underlying.price
    if found or spot is None:
        return found[0]
    age_seconds = abs((view.as_of - view.underlying.quoted_at).total_seconds())
    if age_seconds > market.quote_age_max_seconds:
        return Rejection.UNDERLYING_QUOTE_STALE
    if view.iv30 is None:
        return Rejection.IMPLIED_VOLATILITY_UNKNOWN
    rank = _screen_rank(view.iv_rank_band, market.iv_rank_min)
    if isinstance(rank, Rejection):
        return rank
    return ScreenedSymbol(spot=spot, iv30=view.iv30, iv_rank=rank)


def _screen_rank(band: IvRankBand, least: float) -> float | Rejection:
    if band.mid is None or band.bid is None or band.ask is None:
        return Rejection.IV_RANK_UNKNOWN
    is_above = band.is_above(least)
    if is_above is None:
        return Rejection.IV_RANK_STRADDLES
    return band.mid if is_above else Rejection.IV_RANK_LOW


def screen_expiration(
    expiration: date, view: MarketView, *, earnings_in_life: bool
) -> Rejection | None:
    """Say what earnings reports have against a life until `expiration`, if anything.

    `earnings_in_life` lets a trade live through a report on record; one that is not ruled out is
    the settings' own question.
    """
    risk = view.report.risk(view.chain.session, expiration)
    if risk is ReportRisk.KNOWN and not earnings_in_life:
        return Rejection.EARNINGS_IN_LIFE
    if risk is ReportRisk.UNKNOWN and view.settings.market.earnings_unknown == "block":
        return Rejection.EARNINGS_UNKNOWN
    return None


def screen_leg(
    quote: OptionQuote, view: MarketView, short_delta: DeltaRange | None = None
) -> ScreenedLeg | Rejection:
    """Pass a leg, or give the reason against it; `short_delta` bounds a leg to be sold."""
    market = view.settings.market
    liquidity = liquidity_score(quote)
    if liquidity is None:
        return Rejection.QUOTE_CROSSED if quote.is_crossed else Rejection.QUOTE_MISSING
    if abs((view.as_of - quote.quoted_at).total_seconds()) > market.quote_age_max_seconds:
        return Rejection.QUOTE_STALE
    delta = view.analytics.of(quote.contract.symbol).delta
    if delta is None:
        return Rejection.DELTA_UNKNOWN
    if short_delta is not None and not short_delta.contains(delta):
        return Rejection.SHORT_DELTA_OUT_OF_RANGE
    return _thinness(quote, market) or ScreenedLeg(quote=quote, delta=delta, liquidity=liquidity)


def _thinness(quote: OptionQuote, market: MarketSettings) -> Rejection | None:
    if not quote.is_valid(
        quote.quoted_at,
        age_max_seconds=market.quote_age_max_seconds,
        width_fraction_max=market.option_quote_width_max_fraction,
    ):
        return Rejection.QUOTE_WIDE
    if quote.open_interest is None:
        return Rejection.OPEN_INTEREST_UNKNOWN
    if quote.open_interest <= market.option_open_interest_min:
        return Rejection.OPEN_INTEREST_LOW
    if quote.volume is None:
        return Rejection.VOLUME_UNKNOWN
    if quote.volume <= market.option_volume_min:
        return Rejection.VOLUME_LOW
    return None
