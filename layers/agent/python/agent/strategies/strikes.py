"""Where the stock stands against the strikes of a trade, and what its stop can reach."""

from decimal import Decimal
from math import sqrt

from agent.book.records import Trade
from agent.config.settings import ExitSettings
from agent.market.calendar import new_york_date
from agent.options.contracts import OptionType
from agent.options.structures import LegSide, Structure
from agent.strategies.marks import TradeMark

ONE = Decimal(1)
DAYS_PER_YEAR = 365


def breached_strike(structure: Structure, underlying_price: Decimal) -> Decimal | None:
    """Find a short strike that the underlying is through, put or call; None where it is not."""
    for leg in structure.legs:
        if (
            leg.side is LegSide.SHORT
            and _distance_to(leg.contract.option_type, leg.contract.strike, underlying_price) < 0
        ):
            return leg.contract.strike
    return None


def threatened_strike(trade: Trade, mark: TradeMark, exits: ExitSettings) -> Decimal | None:
    """Find a short strike that the underlying is near or through.

    Near is within `threatened_deviations` x sigma x sqrt(dte / 365) x spot, sigma being the
    implied volatility of the mark. Where that is unknown, only through counts.
    """
    spot = mark.underlying_price
    if spot is None:
        return None
    days = max((trade.structure.expiration - new_york_date(mark.as_of)).days, 0)
    deviation = (mark.implied_volatility or 0.0) * sqrt(days / DAYS_PER_YEAR)
    reach = exits.threatened_deviations * Decimal(repr(deviation)) * spot
    for leg in trade.structure.legs:
        if leg.side is LegSide.SHORT:
            distance = _distance_to(leg.contract.option_type, leg.contract.strike, spot)
            if distance < 0 or distance <= reach:
                return leg.contract.strike
    return None


def stop_level(credit: Decimal, stop_loss: Decimal) -> Decimal:
    """Give the debit a share at which the loss is `stop_loss` times the credit."""
    return credit * (ONE + stop_loss)


def unreachable_stop(structure: Structure, credit: Decimal, stop_loss: Decimal) -> str | None:
    """Warn where a stop can never be reached, because closing cannot cost that much."""
    width = structure.width
    level = stop_level(credit, stop_loss)
    if width is None or level <= width:
        return None
    return (
        f"The stop at a debit of {level:.2f} is out of reach: "
        f"a spread {width} wide never costs more than that to close."
    )


def _distance_to(option_type: OptionType, strike: Decimal, spot: Decimal) -> Decimal:
    """Measure how far the underlying is on the safe side of a strike; negative when through."""
    return spot - strike if option_type is OptionType.PUT else strike - spot
