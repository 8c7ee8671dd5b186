"""A small market: one stock at 200 dollars, quoted by Black-Scholes at one volatility."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from agent.config.settings import Settings
from agent.market.calendar import years_to_expiration
from agent.market.chain import OptionChain, analyze_chain
from agent.market.outlook import ReportOutlook
from agent.market.quotes import OptionQuote, UnderlyingSnapshot
from agent.market.volatility import IvRankBand
from agent.options.black_scholes import spot_price
from agent.options.contracts import OptionContract, OptionType
from agent.strategies.strategy import MarketView
from tests.builders import AS_OF, SESSION, SYMBOL, a_contract

VOLATILITY = 0.30
RATE = 0.04
STRIKES = tuple(Decimal(strike) for strike in range(140, 265, 5))
NEAR = SESSION + timedelta(days=31)
FAR = SESSION + timedelta(days=45)
CENT = Decimal("0.01")
FAR_REPORT = ReportOutlook(known=SESSION + timedelta(days=80))


def a_stock(**changes: Any) -> UnderlyingSnapshot:
    stock = UnderlyingSnapshot(
        symbol=SYMBOL,
        quoted_at=AS_OF,
        bid=Decimal("199.99"),
        ask=Decimal("200.01"),
        last=Decimal("200.00"),
        average_volume_shares=40_000_000,
    )
    return replace(stock, **changes)


def put(strike: int, expiration: date = NEAR) -> OptionContract:
    return a_contract(strike=Decimal(strike), expiration=expiration)


def call(strike: int, expiration: date = NEAR) -> OptionContract:
    return a_contract(strike=Decimal(strike), expiration=expiration, option_type=OptionType.CALL)


def model_mid(contract: OptionContract, spot: float = 200.0) -> Decimal:
    """Price a contract by model, in whole cents."""
    value = spot_price(
        is_call=contract.option_type is OptionType.CALL,
        spot=spot,
        strike=float(contract.strike),
        time_years=years_to_expiration(contract.expiration, AS_OF),
        volatility=VOLATILITY,
        rate=RATE,
    )
    return Decimal(repr(float(value))).quantize(CENT)


def a_quote(contract: OptionContract, *, spot: float = 200.0, **changes: Any) -> OptionQuote:
    """Quote a contract two cents on each side of its model price."""
    mid = max(model_mid(contract, spot), 3 * CENT)
    quote = OptionQuote(
        contract=contract,
        quoted_at=AS_OF,
        bid=mid - 2 * CENT,
        ask=mid + 2 * CENT,
        volume=500,
        open_interest=2_000,
    )
    return replace(quote, **changes)


def quotes_of(
    expirations: Sequence[date] = (NEAR, FAR),
    strikes: Sequence[Decimal] = STRIKES,
    spot: float = 200.0,
) -> list[OptionQuote]:
    return [
        a_quote(a_contract(strike=strike, expiration=expiration, option_type=side), spot=spot)
        for expiration in expirations
        for strike in strikes
        for side in OptionType
    ]


def a_view(
    quotes: Sequence[OptionQuote] | None = None,
    *,
    changes: Mapping[OptionContract, Mapping[str, Any]] | None = None,
    stock: UnderlyingSnapshot | None = None,
    iv30: float | None = VOLATILITY,
    iv_rank: float | None = 50.0,
    iv_rank_band: IvRankBand | None = None,
    report: ReportOutlook = FAR_REPORT,
    settings: Settings | None = None,
) -> MarketView:
    """Show the small market; `changes` alters the quotes of single contracts."""
    altered = changes or {}
    shown = [
        replace(quote, **altered.get(quote.contract, {}))
        for quote in (quotes_of() if quotes is None else quotes)
    ]
    underlying = a_stock() if stock is None else stock
    chain = OptionChain(underlying, AS_OF, tuple(shown))
    return MarketView(
        underlying=underlying,
        chain=chain,
        analytics=analyze_chain(chain, rate=RATE),
        iv30=iv30,
        iv_rank_band=iv_rank_band or IvRankBand(iv_rank, iv_rank, iv_rank),
        report=report,
        as_of=AS_OF,
        settings=Settings() if settings is None else settings,
    )
