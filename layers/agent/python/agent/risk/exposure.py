"""What a move of the market would do to what is held: stress, beta-weighted delta, vega."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import numpy as np

from agent.book.records import Trade
from agent.book.states import TradeStatus
from agent.config.settings import RiskSettings
from agent.market.calendar import years_to_expiration
from agent.options.black_scholes import FloatArray, spot_greeks, spot_price
from agent.options.contracts import OptionType
from agent.options.money import cents_up
from agent.options.structures import Structure

ZERO = Decimal(0)
ONE_PERCENT = 0.01
POINTS = 100.0
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Pricing:
    """Hold what prices the legs of one structure now: one volatility a leg, annual fractions."""

    spot: Decimal
    volatilities: Sequence[float]
    as_of: datetime
    rate: float
    """Annual, continuously compounded."""


@dataclass(frozen=True)
class Exposure:
    """Add up what is held or about to be, in dollars."""

    delta: Decimal
    """Gained when SPY rises by 1 %, by delta alone, each stock weighted by its beta."""
    vega: Decimal
    """Gained when every implied volatility rises by a point (0.01)."""
    stressed_heat_cents: int = 0
    """Sum over trades of the larger of what was reserved and the loss under stress as of now."""

    def __add__(self, other: "Exposure") -> "Exposure":
        return Exposure(
            self.delta + other.delta,
            self.vega + other.vega,
            self.stressed_heat_cents + other.stressed_heat_cents,
        )


NO_EXPOSURE = Exposure(ZERO, ZERO)


def stress_debit(structure: Structure, pricing: Pricing, risk: RiskSettings) -> Decimal:
    """Give what closing would cost a share in the worst of the falls, with volatility up.

    A leg is worth its Black-Scholes price, and no less than it pays when exercised.
    """
    falls = np.array([float(fall) for fall in risk.stress_falls], dtype=np.float64)
    spots = float(pricing.spot) * (1.0 - falls)[:, np.newaxis]
    is_call, strike = _columns(structure)
    prices = spot_price(
        is_call=is_call,
        spot=spots,
        strike=strike,
        time_years=years_to_expiration(structure.expiration, pricing.as_of),
        volatility=np.array(pricing.volatilities) * risk.stress_volatility_factor,
        rate=pricing.rate,
    )
    exercised = np.maximum(np.where(is_call, spots - strike, strike - spots), 0.0)
    debits = np.maximum(prices, exercised) @ -_ratios(structure)
    return _dollars(float(debits.max()))


def structure_exposure_now(
    structure: Structure, units: int, pricing: Pricing, risk: RiskSettings
) -> Exposure:
    """Give the delta and vega of so many units; positive where a rise gains."""
    is_call, strike = _columns(structure)
    greeks = spot_greeks(
        is_call=is_call,
        spot=float(pricing.spot),
        strike=strike,
        time_years=years_to_expiration(structure.expiration, pricing.as_of),
        volatility=np.array(pricing.volatilities),
        rate=pricing.rate,
    )
    shares = _ratios(structure) * units * structure.multiplier
    move = float(pricing.spot) * ONE_PERCENT * risk.betas.get(structure.underlying, 1.0)
    return Exposure(
        delta=_dollars(float(greeks.delta @ shares) * move),
        vega=_dollars(float(greeks.vega @ shares) / POINTS),
    )


def trade_exposure(trade: Trade, pricing: Pricing, risk: RiskSettings) -> Exposure:
    """Give what a trade adds to the book as of now, its shares included.

    A pending trade counts whole, as reserved.
    """
    structure = trade.structure
    is_pending = trade.status is TradeStatus.PENDING
    units = trade.risk.contracts_reserved if is_pending else trade.contracts_held
    own = structure_exposure_now(structure, units, pricing, risk)
    credit = trade.execution.credit
    if credit is None:
        credit = trade.market_snapshot.credit_natural
    # A credit that nobody knows is taken to have been nothing.
    lost = max(stress_debit(structure, pricing, risk) - (credit or ZERO), ZERO)
    stress_cents = cents_up(lost * structure.multiplier * units)
    held = trade.holdings.shares
    if held is not None and held.quantity:
        move = float(pricing.spot) * ONE_PERCENT * risk.betas.get(trade.symbol, 1.0)
        own += Exposure(delta=_dollars(held.quantity * move), vega=ZERO)
        fallen = pricing.spot * (1 - max(risk.stress_falls))
        stress_cents += cents_up(max((held.basis - fallen) * held.quantity, ZERO))
    return own + Exposure(ZERO, ZERO, max(trade.risk.heat_cents, stress_cents))


def _columns(structure: Structure) -> tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], FloatArray]:
    contracts = [leg.contract for leg in structure.legs]
    is_call = np.array([c.option_type is OptionType.CALL for c in contracts], dtype=np.bool_)
    return is_call, np.array([float(c.strike) for c in contracts], dtype=np.float64)


def _ratios(structure: Structure) -> FloatArray:
    return np.array([leg.signed_ratio for leg in structure.legs], dtype=np.float64)


def _dollars(value: float) -> Decimal:
    return Decimal(repr(value)).quantize(CENT)
