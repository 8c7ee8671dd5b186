"""What an open trade would cost to close: at mid where quotes are valid, else by model."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from agent.book.records import Trade
from agent.config.settings import MarketSettings
from agent.market.calendar import years_to_expiration
from agent.market.quotes import StructureQuote
from agent.options.black_scholes import spot_price
from agent.options.contracts import OptionType
from agent.options.structures import Structure

MODEL_STEP = Decimal("0.0001")


class MarkSource(StrEnum):
    """Say where a mark came from."""

    MID = "mid"
    MODEL = "model"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class TradeMark:
    """Value an open trade as of one instant (aware UTC); prices are dollars a share."""

    as_of: datetime
    underlying_price: Decimal | None
    source: MarkSource
    debit: Decimal | None
    """What closing costs at the mark; None where the source is unknown."""
    debit_natural: Decimal | None
    """What closing costs as a marketable order; None where stale, crossed or not offered."""
    pnl: Decimal | None
    """P&L in dollars if all that is held were closed at the mark; fees paid so far included."""
    implied_volatility: float | None
    """Of the underlying, an annual fraction: the last good one."""
    leg_prices: tuple[Decimal | None, ...] = ()
    """Of each leg of the structure: at mid where its quote is valid, else by model, else None."""

    @property
    def is_valid(self) -> bool:
        """Say whether the mark rests on valid quotes of every leg."""
        return self.source is MarkSource.MID


def mark_trade(
    trade: Trade,
    quote: StructureQuote | None,
    underlying_price: Decimal | None,
    as_of: datetime,
    market: MarketSettings,
    *,
    model_prices: Sequence[Decimal] | None = None,
    implied_volatility: float | None = None,
) -> TradeMark:
    """Mark a trade at mid where every leg's quote is valid, else at its model prices, else not.

    A quote is valid where both sides are above zero, it is not crossed, not stale, and narrower
    than `mark_quote_width_max_fraction`. Where `implied_volatility` is unknown, that at entry is
    the last good one. `model_prices` are those of the legs, for a leg whose quote is not valid.
    """
    source, debit = MarkSource.UNKNOWN, None
    if quote is not None and quote.is_valid(
        as_of,
        age_max_seconds=market.quote_age_max_seconds,
        width_fraction_max=market.mark_quote_width_max_fraction,
    ):
        source, debit = MarkSource.MID, quote.debit_mid
    elif model_prices is not None:
        source, debit = MarkSource.MODEL, debit_of(trade.structure, model_prices)
    return TradeMark(
        as_of=as_of,
        underlying_price=underlying_price,
        source=source,
        debit=debit,
        debit_natural=_tradable_debit(quote, as_of, market),
        pnl=None if debit is None else _pnl_at(trade, debit, underlying_price),
        implied_volatility=implied_volatility or trade.market_snapshot.implied_volatility,
        leg_prices=_leg_prices(trade, quote, model_prices, as_of, market),
    )


def debit_of(structure: Structure, prices: Sequence[Decimal]) -> Decimal:
    """Add up what closing costs a share where the legs, in their order, cost `prices`."""
    owed = (-leg.signed_ratio * price for leg, price in zip(structure.legs, prices, strict=True))
    return sum(owed, Decimal(0))


def model_prices(
    structure: Structure,
    underlying_price: Decimal,
    implied_volatilities: Sequence[float],
    as_of: datetime,
    rate: float,
) -> tuple[Decimal, ...]:
    """Price each leg by Black-Scholes, in dollars a share, in the order of the legs.

    `implied_volatilities` are annual fractions, one a leg in their order: the last good ones.
    Raises ValueError where they and the legs differ in number.
    """
    if len(implied_volatilities) != len(structure.legs):
        raise ValueError(
            f"{len(implied_volatilities)} volatilities do not fit {len(structure.legs)} legs"
        )
    values = spot_price(
        is_call=[leg.contract.option_type is OptionType.CALL for leg in structure.legs],
        spot=float(underlying_price),
        strike=[float(leg.contract.strike) for leg in structure.legs],
        time_years=years_to_expiration(structure.expiration, as_of),
        volatility=list(implied_volatilities),
        rate=rate,
    )
    return tuple(Decimal(repr(float(value))).quantize(MODEL_STEP) for value in values)


def _leg_prices(
    trade: Trade,
    quote: StructureQuote | None,
    model: Sequence[Decimal] | None,
    as_of: datetime,
    market: MarketSettings,
) -> tuple[Decimal | None, ...]:
    legs = len(trade.structure.legs)
    mids: list[Decimal | None] = [None] * legs
    if quote is not None:
        mids = [
            leg.mid
            if leg.is_valid(
                as_of,
                age_max_seconds=market.quote_age_max_seconds,
                width_fraction_max=market.mark_quote_width_max_fraction,
            )
            else None
            for leg in quote.leg_quotes
        ]
    fallback: Sequence[Decimal | None] = [None] * legs if model is None else model
    return tuple(other if mid is None else mid for mid, other in zip(mids, fallback, strict=True))


def _tradable_debit(
    quote: StructureQuote | None, as_of: datetime, market: MarketSettings
) -> Decimal | None:
    """Give the natural debit, provided that it is of now and that no leg is crossed."""
    if quote is None or any(leg.is_crossed for leg in quote.leg_quotes):
        return None
    age_seconds = abs((as_of - quote.quoted_at).total_seconds())
    return quote.debit_natural if age_seconds <= market.quote_age_max_seconds else None


def _pnl_at(trade: Trade, debit: Decimal, underlying_price: Decimal | None) -> Decimal | None:
    execution = trade.execution
    closing = -debit * trade.contracts_held * trade.structure.multiplier
    if trade.shares_held:
        if underlying_price is None:
            return None
        closing += trade.shares_held * underlying_price
    return execution.entry_cash + execution.exit_cash + closing - execution.fees
