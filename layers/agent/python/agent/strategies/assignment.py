"""What would make the owner of an option that we owe exercise it early."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import expm1

from agent.book.records import Trade
from agent.market.calendar import years_to_expiration
from agent.market.dividends import ExDividend
from agent.options.contracts import OptionType
from agent.options.structures import LegSide, Structure
from agent.strategies.marks import TradeMark

ZERO = Decimal(0)


@dataclass(frozen=True)
class ShortLeg:
    """Split the price of an option that is owed, in dollars a share."""

    strike: Decimal
    intrinsic: Decimal
    extrinsic: Decimal | None
    """What it is worth beyond its intrinsic value; None where its price is unknown."""

    @property
    def is_in_the_money(self) -> bool:
        return self.intrinsic > 0


def owes_calls(structure: Structure) -> bool:
    """Say whether a structure has a short call: only such a one is exercised for a dividend."""
    return any(
        leg.side is LegSide.SHORT and leg.contract.option_type is OptionType.CALL
        for leg in structure.legs
    )


def short_legs(trade: Trade, mark: TradeMark, option_type: OptionType) -> tuple[ShortLeg, ...]:
    """Split the price of each short leg of one type; none where the stock has no price."""
    spot = mark.underlying_price
    if spot is None:
        return ()
    sign = 1 if option_type is OptionType.CALL else -1
    legs = trade.structure.legs
    prices = mark.leg_prices or (None,) * len(legs)
    found: list[ShortLeg] = []
    for leg, price in zip(legs, prices, strict=True):
        if leg.side is not LegSide.SHORT or leg.contract.option_type is not option_type:
            continue
        intrinsic = max(sign * (spot - leg.contract.strike), ZERO)
        extrinsic = None if price is None else price - intrinsic
        found.append(ShortLeg(leg.contract.strike, intrinsic, extrinsic))
    return tuple(found)


def owes_call_in_the_money(trade: Trade, mark: TradeMark) -> bool:
    """Say whether a short call is in the money."""
    return any(leg.is_in_the_money for leg in short_legs(trade, mark, OptionType.CALL))


def dividend_risk(
    trade: Trade, mark: TradeMark, dividends: Sequence[ExDividend], following_session: date | None
) -> str | None:
    """Say for which dividend a call that we owe would be exercised tonight; None for none.

    That is the next one, oldest first, where it goes ex by the next session and is more than what
    an in-the-money call is worth beyond its intrinsic value. Where the next session is unknown,
    the next dividend is taken to be near.
    """
    if not dividends:
        return None
    upcoming = dividends[0]
    if following_session is not None and upcoming.ex_date > following_session:
        return None
    for leg in short_legs(trade, mark, OptionType.CALL):
        if leg.is_in_the_money and leg.extrinsic is not None and leg.extrinsic < upcoming.amount:
            return (
                f"The short {leg.strike} call is worth {leg.extrinsic:.2f} beyond its intrinsic"
                f" value, less than the dividend of {upcoming.amount} that goes ex on"
                f" {upcoming.ex_date:%Y-%m-%d}."
            )
    return None


def puts_better_exercised(trade: Trade, mark: TradeMark, rate: float) -> tuple[str, ...]:
    """Name the in-the-money short puts that are worth less than their strike earns, each in a
    sentence: extrinsic value below K (1 - exp(-r T)), `rate` being annual.
    """
    years = years_to_expiration(trade.structure.expiration, mark.as_of)
    earned = Decimal(repr(-expm1(-rate * years)))
    return tuple(
        f"The short {leg.strike} put is worth {leg.extrinsic:.2f} beyond its intrinsic value, less"
        f" than the {leg.strike * earned:.2f} that its strike earns until expiration: it may be"
        " assigned any night."
        for leg in short_legs(trade, mark, OptionType.PUT)
        if leg.is_in_the_money and leg.extrinsic is not None and leg.extrinsic < leg.strike * earned
    )
