"""From screened legs to a ranked signal, the same for every structure that sells premium."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from pydantic import JsonValue

from agent.book.intents import Signal
from agent.config.section import Section
from agent.market.probability import (
    expected_value_per_share,
    is_too_good_to_be_true,
    probability_of_profit,
)
from agent.market.quotes import StructureQuote, quote_structure
from agent.market.rates import risk_free_rate
from agent.options.structures import Leg, LegSide, Structure
from agent.risk.exposure import Pricing, stress_debit
from agent.risk.fees import round_trip_fees
from agent.risk.sizing import ContractExposure, structure_exposure
from agent.strategies.scoring import assumed_credit, leg_mids, score_structure
from agent.strategies.screening import Rejection, ScreenedLeg, ScreenedSymbol
from agent.strategies.strategy import MarketView
from agent.strategies.strikes import unreachable_stop

ZERO = Decimal(0)


@dataclass(frozen=True)
class PremiumSale:
    """Say what a strategy asks of an entry; `credit_min` is a share."""

    strategy: str
    credit_min: Decimal
    stop_loss: Decimal
    """The loss that ends the trade, as a multiple of the credit."""
    parameters: dict[str, JsonValue]


def parameters_of(section: Section) -> dict[str, JsonValue]:
    """Keep a strategy's parameters as they stand, for the record of the trade."""
    return dict(section.model_dump(mode="json"))


def propose(
    legs: Sequence[tuple[LegSide, ScreenedLeg]],
    sale: PremiumSale,
    symbol: ScreenedSymbol,
    view: MarketView,
) -> Signal | Rejection:
    """Make a signal of a structure, or say why it is none.

    The least credit of the signal is the larger of the strategy's minimum and natural now: its
    order never goes below either, and the risk is sized for that worst fill.
    """
    structure = Structure(tuple(Leg(leg.quote.contract, side) for side, leg in legs))
    quote = quote_structure(structure, {leg.quote.contract.symbol: leg.quote for _, leg in legs})
    if quote is None or quote.credit_mid is None or quote.credit_natural is None:
        return Rejection.QUOTE_MISSING
    if quote.credit_mid < sale.credit_min:
        return Rejection.CREDIT_BELOW_MINIMUM
    max_loss = structure.max_loss_per_share(quote.credit_mid)
    if max_loss <= 0:
        return Rejection.CREDIT_EXCEEDS_WIDTH
    credit_floor = max(sale.credit_min, quote.credit_natural)
    volatilities = _volatilities(structure, view)
    if volatilities is None:
        return Rejection.IMPLIED_VOLATILITY_UNKNOWN
    rate = risk_free_rate(view.settings.market, view.chain.session)
    pricing = Pricing(symbol.spot, volatilities, view.as_of, rate)
    under_stress = stress_debit(structure, pricing, view.settings.risk)
    exposure = structure_exposure(
        structure,
        credit_min=credit_floor,
        credit_max=quote.credit_mid,
        underlying_price=symbol.spot,
        settings=view.settings,
        stress_debit=under_stress,
    )
    credit = max(
        assumed_credit(quote.credit_mid, quote.credit_natural, view.settings), credit_floor
    )
    doubt = _doubt_of_value(quote, credit, exposure, view)
    if doubt is not None:
        return doubt
    out_of_reach = unreachable_stop(structure, quote.credit_mid, sale.stop_loss)
    return Signal(
        symbol=structure.underlying,
        strategy=sale.strategy,
        structure=structure,
        as_of=view.as_of,
        dte=(structure.expiration - view.chain.session).days,
        underlying_price=symbol.spot,
        credit_mid=quote.credit_mid,
        credit_natural=quote.credit_natural,
        credit_min=credit_floor,
        max_loss=max_loss,
        leg_deltas=tuple(leg.delta for _, leg in legs),
        implied_volatility=symbol.iv30,
        iv_rank=symbol.iv_rank,
        liquidity_score=min(leg.liquidity for _, leg in legs),
        score=score_structure(quote, credit=credit, exposure=exposure, iv30=symbol.iv30, view=view),
        probability_of_profit=probability_of_profit(structure, credit, view.analytics),
        parameters=sale.parameters,
        stress_debit=under_stress,
        leg_volatilities=volatilities,
        warnings=() if out_of_reach is None else (out_of_reach,),
    )


def _volatilities(structure: Structure, view: MarketView) -> tuple[float, ...] | None:
    found = [view.analytics.of(symbol).implied_volatility for symbol in structure.symbols]
    known = tuple(each for each in found if each is not None)
    return known if len(known) == len(found) else None


def _doubt_of_value(
    quote: StructureQuote, credit: Decimal, exposure: ContractExposure, view: MarketView
) -> Rejection | None:
    """Doubt quotes by which the market gives money away, or whose neighbours say nothing.

    A structure without a width is measured by what sizing takes it to lose.
    """
    structure = quote.structure
    fees = round_trip_fees(structure, leg_mids(quote), view.settings.fees) / structure.multiplier
    value = expected_value_per_share(structure, credit, fees, view.analytics)
    if value is None:
        return Rejection.EXPECTED_VALUE_UNKNOWN
    width = structure.width or exposure.sizing_loss / structure.multiplier
    if is_too_good_to_be_true(value, width):
        return Rejection.EXPECTED_VALUE_IMPLAUSIBLE
    return None


def ranked(signals: Sequence[Signal]) -> tuple[Signal, ...]:
    """Order signals best first; equal scores by expiration, short strikes, width, all legs."""
    return tuple(
        sorted(
            signals,
            key=lambda signal: (
                -signal.score,
                signal.structure.expiration,
                signal.structure.short_strikes,
                signal.structure.width or ZERO,
                signal.structure.symbols,
            ),
        )
    )
