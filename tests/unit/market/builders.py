"""Quotes and chains of which a test names only what matters to it.

A chain is priced by Black's formula at a stated volatility, with a stated quote width around it.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from agent.market.calendar import years_to_expiration
from agent.market.chain import OptionChain
from agent.market.quotes import OptionQuote, UnderlyingSnapshot
from agent.options.black_scholes import spot_price
from agent.options.contracts import OptionContract, OptionType

AS_OF = datetime(2026, 6, 9, 19, 45, tzinfo=UTC)
SESSION = date(2026, 6, 9)
SPOT = 200.0
RATE = 0.04
STRIKES = tuple(range(160, 245, 5))
BOTH_TYPES = (OptionType.PUT, OptionType.CALL)

PriceLevel = str | float | None


def an_amount(value: PriceLevel) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def a_quote(
    bid: PriceLevel = "1.20",
    ask: PriceLevel = "1.30",
    *,
    strike: Decimal | int = 190,
    option_type: OptionType = OptionType.PUT,
    expiration: date = date(2026, 7, 17),
    quoted_at: datetime = AS_OF,
    volume: int | None = 100,
    open_interest: int | None = 500,
) -> OptionQuote:
    return OptionQuote(
        contract=OptionContract("AAPL", expiration, option_type, Decimal(strike)),
        quoted_at=quoted_at,
        bid=an_amount(bid),
        ask=an_amount(ask),
        volume=volume,
        open_interest=open_interest,
    )


def a_snapshot(
    bid: PriceLevel = "199.95",
    ask: PriceLevel = "200.05",
    last: PriceLevel = "200.00",
    *,
    average_volume_shares: int | None = 5_000_000,
) -> UnderlyingSnapshot:
    return UnderlyingSnapshot(
        symbol="AAPL",
        quoted_at=AS_OF,
        bid=an_amount(bid),
        ask=an_amount(ask),
        last=an_amount(last),
        average_volume_shares=average_volume_shares,
    )


def an_expiration(dte: int) -> date:
    return SESSION + timedelta(days=dte)


def flat(volatility: float) -> Callable[[int, float], float]:
    """Give the same volatility to every dte and strike."""
    return lambda _dte, _strike: volatility


def priced_quotes(
    dte: int,
    volatility: Callable[[int, float], float],
    *,
    half_width: float = 0.01,
    dividend_yield: float = 0.0,
    strikes: Sequence[int] = STRIKES,
    types: Sequence[OptionType] = BOTH_TYPES,
) -> tuple[OptionQuote, ...]:
    """Quote every strike around its model price, unrounded; bids at or below zero are absent."""
    expiration = an_expiration(dte)
    quotes: list[OptionQuote] = []
    for strike in strikes:
        for option_type in types:
            value = float(
                spot_price(
                    is_call=option_type is OptionType.CALL,
                    spot=SPOT,
                    strike=float(strike),
                    time_years=years_to_expiration(expiration, AS_OF),
                    volatility=volatility(dte, float(strike)),
                    rate=RATE,
                    dividend_yield=dividend_yield,
                )
            )
            bid = value - half_width
            quotes.append(
                a_quote(
                    bid if bid > 0 else None,
                    value + half_width,
                    strike=strike,
                    option_type=option_type,
                    expiration=expiration,
                )
            )
    return tuple(quotes)


def a_chain(*groups: Sequence[OptionQuote]) -> OptionChain:
    return OptionChain(
        underlying=a_snapshot(),
        as_of=AS_OF,
        quotes=tuple(quote for group in groups for quote in group),
    )
