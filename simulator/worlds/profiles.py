"""The invented companies of the synthetic market."""

from dataclasses import dataclass
from decimal import Decimal

from simulator.worlds.pricing import Smile


@dataclass(frozen=True, slots=True)
class SymbolProfile:
    """What sets one underlying apart from the others.

    `price` in dollars is where it trades on the eve of the first session played, before the seed
    moves it; `annual_volatility` its long-run level as a fraction; `market_share` the fraction of
    its variance that is the whole market's; `daily_shares` and `option_activity` scale stock
    volume, and option volume and open interest; `width_factor` scales every quote's width.
    """

    symbol: str
    price: float
    annual_volatility: float
    market_share: float
    daily_shares: int
    option_activity: float
    width_factor: float
    penny_program: bool
    strike_step: Decimal
    smile: Smile
    annual_dividend_yield: float = 0.0
    """The dividends of a year as a fraction of `price`, paid quarterly."""


_USUAL_SMILE = Smile(skew=-0.09, curvature=0.12)
_STEEP_SMILE = Smile(skew=-0.12, curvature=0.12)
_ROUND_SMILE = Smile(skew=-0.06, curvature=0.14)

DEFAULT_PROFILES: tuple[SymbolProfile, ...] = (
    # Eight that a seller of premium may trade, 30 to 410 dollars ...
    SymbolProfile(
        "ALFA", 172.0, 0.29, 0.50, 52_000_000, 5.0, 0.8, True, Decimal("2.5"), _USUAL_SMILE, 0.006
    ),
    SymbolProfile(
        "BRVO", 64.0, 0.27, 0.35, 9_000_000, 1.2, 1.1, True, Decimal(1), _USUAL_SMILE, 0.024
    ),
    SymbolProfile(
        "CHLY", 410.0, 0.25, 0.50, 22_000_000, 3.0, 0.9, True, Decimal(5), _STEEP_SMILE, 0.008
    ),
    SymbolProfile(
        "DLTQ", 118.0, 0.46, 0.40, 160_000_000, 8.0, 0.7, True, Decimal("2.5"), _ROUND_SMILE
    ),
    SymbolProfile(
        "EKKO", 236.0, 0.33, 0.40, 31_000_000, 2.5, 1.0, True, Decimal("2.5"), _USUAL_SMILE
    ),
    SymbolProfile(
        "FXTT", 96.0, 0.31, 0.30, 14_000_000, 1.5, 1.1, True, Decimal(1), _USUAL_SMILE, 0.032
    ),
    SymbolProfile(
        "GLFO", 31.0, 0.38, 0.30, 40_000_000, 2.0, 1.0, True, Decimal("0.5"), _ROUND_SMILE, 0.012
    ),
    SymbolProfile(
        "HTEL", 318.0, 0.23, 0.45, 4_000_000, 1.0, 1.4, False, Decimal(5), _STEEP_SMILE, 0.020
    ),
    # ... and three that a careful one leaves alone: too dear, hardly traded, too cheap.
    SymbolProfile("JLET", 690.0, 0.30, 0.50, 12_000_000, 1.5, 1.2, True, Decimal(5), _USUAL_SMILE),
    SymbolProfile(
        "KYLO", 88.0, 0.40, 0.25, 260_000, 0.04, 6.0, False, Decimal("2.5"), _USUAL_SMILE
    ),
    SymbolProfile(
        "LMNA", 12.5, 0.60, 0.25, 18_000_000, 1.0, 1.3, True, Decimal("0.5"), _ROUND_SMILE
    ),
)
