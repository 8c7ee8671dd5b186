"""An option chain at one instant, and what its quotes imply."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

import numpy as np

from agent.market.calendar import new_york_date, years_to_expiration
from agent.market.dividends import ExDividend
from agent.market.forward import StrikePairs, forward_from_carry, forward_from_parity
from agent.market.quotes import OptionQuote, UnderlyingSnapshot
from agent.options.black_scholes import BoolArray, FloatArray, spot_greeks
from agent.options.contracts import OptionType
from agent.options.implied_volatility import implied_volatility

DAYS_PER_YEAR = 365.0
POINTS = 100.0


@dataclass(frozen=True, eq=False)
class ChainColumns:
    """Hold a chain's numbers as float64 arrays aligned to its quotes; NaN is unknown.

    Prices are in dollars a share, `time_years` runs to 16:00 New York on the expiration.
    """

    is_call: BoolArray
    strike: FloatArray
    bid: FloatArray
    ask: FloatArray
    mid: FloatArray
    width_fraction: FloatArray
    time_years: FloatArray


@dataclass(frozen=True)
class OptionChain:
    """Record a stock and quotes of its options as of one instant (aware UTC).

    Raises ValueError where a quote belongs to another underlying or a contract is quoted twice.
    """

    underlying: UnderlyingSnapshot
    as_of: datetime
    quotes: tuple[OptionQuote, ...]

    def __post_init__(self) -> None:
        symbol = self.underlying.symbol
        strangers = [
            quote.contract.symbol for quote in self.quotes if quote.contract.underlying != symbol
        ]
        if strangers:
            raise ValueError(f"not an option on {symbol}: {strangers[0]}")
        if len(self.by_symbol) != len(self.quotes):
            raise ValueError(f"the chain of {symbol} quotes a contract twice")

    @cached_property
    def by_symbol(self) -> Mapping[str, OptionQuote]:
        """Map OCC symbols to quotes."""
        return {quote.contract.symbol: quote for quote in self.quotes}

    @cached_property
    def index_by_symbol(self) -> Mapping[str, int]:
        """Map OCC symbols to places in `quotes` and in every aligned array."""
        return {quote.contract.symbol: index for index, quote in enumerate(self.quotes)}

    @cached_property
    def session(self) -> date:
        """Give the New York date of the chain."""
        return new_york_date(self.as_of)

    def quote(self, symbol: str) -> OptionQuote | None:
        """Find the quote of an OCC symbol; None where the chain has none."""
        return self.by_symbol.get(symbol)

    def expirations(self) -> tuple[date, ...]:
        """List the expirations quoted, ascending."""
        return tuple(self._indices_by_expiration)

    def puts(self, expiration: date) -> tuple[OptionQuote, ...]:
        """List the puts of one expiration by ascending strike."""
        return self._of_type(expiration, OptionType.PUT)

    def calls(self, expiration: date) -> tuple[OptionQuote, ...]:
        """List the calls of one expiration by ascending strike."""
        return self._of_type(expiration, OptionType.CALL)

    def indices(self, expiration: date) -> tuple[int, ...]:
        """List the places in `quotes` of one expiration, by ascending strike."""
        return self._indices_by_expiration.get(expiration, ())

    @cached_property
    def columns(self) -> ChainColumns:
        """Lay the quotes out as arrays."""
        years = {
            expiration: years_to_expiration(expiration, self.as_of)
            for expiration in self.expirations()
        }
        contracts = [quote.contract for quote in self.quotes]
        return ChainColumns(
            is_call=np.array([c.option_type is OptionType.CALL for c in contracts], dtype=np.bool_),
            strike=np.array([float(c.strike) for c in contracts], dtype=np.float64),
            bid=_float_column([quote.bid for quote in self.quotes]),
            ask=_float_column([quote.ask for quote in self.quotes]),
            mid=_float_column([quote.mid for quote in self.quotes]),
            width_fraction=_float_column([quote.quote_width_fraction for quote in self.quotes]),
            time_years=np.array([years[c.expiration] for c in contracts], dtype=np.float64),
        )

    @cached_property
    def _indices_by_expiration(self) -> dict[date, tuple[int, ...]]:
        order = sorted(
            range(len(self.quotes)),
            key=lambda index: (
                self.quotes[index].contract.expiration,
                self.quotes[index].contract.strike,
                self.quotes[index].contract.option_type,
            ),
        )
        found: dict[date, list[int]] = {}
        for index in order:
            found.setdefault(self.quotes[index].contract.expiration, []).append(index)
        return {expiration: tuple(indices) for expiration, indices in found.items()}

    def _of_type(self, expiration: date, option_type: OptionType) -> tuple[OptionQuote, ...]:
        quotes = (self.quotes[index] for index in self.indices(expiration))
        return tuple(quote for quote in quotes if quote.contract.option_type is option_type)


class ForwardSource(StrEnum):
    """Say where a forward price came from."""

    PARITY = "parity"
    CARRY = "carry"


@dataclass(frozen=True, slots=True)
class ForwardPrice:
    """Hold the forward of one expiration, in dollars a share, with its discounting."""

    forward: float
    discount_factor: float
    time_years: float
    source: ForwardSource


@dataclass(frozen=True, slots=True)
class ContractAnalytics:
    """Hold what a quote implies for one contract; None is unknown.

    `implied_volatility` is an annual fraction; `delta` (signed) and `gamma` are for one dollar of
    the stock, `vega` for one volatility point (0.01), `theta` for one calendar day, all in dollars
    a share.
    """

    implied_volatility: float | None
    delta: float | None
    gamma: float | None
    vega: float | None
    theta: float | None


@dataclass(frozen=True, eq=False)
class ChainAnalytics:
    """Hold what a chain's quotes imply, as arrays aligned to them; NaN is unknown.

    Units are those of ContractAnalytics. `forwards` has every expiration whose forward is known.
    """

    chain: OptionChain
    forwards: Mapping[date, ForwardPrice]
    implied_volatility: FloatArray
    delta: FloatArray
    gamma: FloatArray
    vega: FloatArray
    theta: FloatArray

    def of(self, symbol: str) -> ContractAnalytics:
        """Look one contract up; every field is None where the chain does not quote it."""
        index = self.chain.index_by_symbol.get(symbol)
        if index is None:
            return ContractAnalytics(None, None, None, None, None)
        return ContractAnalytics(
            implied_volatility=_known(self.implied_volatility[index]),
            delta=_known(self.delta[index]),
            gamma=_known(self.gamma[index]),
            vega=_known(self.vega[index]),
            theta=_known(self.theta[index]),
        )


def analyze_chain(
    chain: OptionChain,
    *,
    rate: float,
    width_fraction_max: float = 1.0,
    dividends: Sequence[ExDividend] = (),
) -> ChainAnalytics:
    """Imply forwards, volatilities from mids, and greeks from those, for a whole chain.

    `rate` is continuously compounded. A volatility is implied where both sides are quoted, not
    crossed, and the quote's width as a fraction of mid is at most `width_fraction_max`. Options
    are treated as European on the implied forward; the stock's dividend yield is the one that
    forward implies. Where quotes imply no forward, it is carried from spot, less the known
    `dividends`.
    """
    columns = chain.columns
    forwards = _forwards(chain, rate, dividends)
    by_quote = [forwards.get(quote.contract.expiration) for quote in chain.quotes]
    forward = np.array(
        [np.nan if found is None else found.forward for found in by_quote], dtype=np.float64
    )
    discount_factor = np.exp(-rate * columns.time_years)
    is_usable = (columns.width_fraction >= 0.0) & (columns.width_fraction <= width_fraction_max)
    volatility = implied_volatility(
        price=np.where(is_usable, columns.mid, np.nan),
        is_call=columns.is_call,
        forward=forward,
        strike=columns.strike,
        time_years=columns.time_years,
        discount_factor=discount_factor,
    )
    spot = _spot(chain)
    has_time = columns.time_years > 0.0
    drift = np.full(len(chain.quotes), np.nan)
    np.divide(np.log(forward / spot), columns.time_years, out=drift, where=has_time)
    greeks = spot_greeks(
        is_call=columns.is_call,
        spot=spot,
        strike=columns.strike,
        time_years=columns.time_years,
        volatility=volatility,
        rate=rate,
        dividend_yield=rate - drift,
    )
    return ChainAnalytics(
        chain=chain,
        forwards=forwards,
        implied_volatility=volatility,
        delta=greeks.delta,
        gamma=greeks.gamma,
        vega=greeks.vega / POINTS,
        theta=greeks.theta / DAYS_PER_YEAR,
    )


def _forwards(
    chain: OptionChain, rate: float, dividends: Sequence[ExDividend]
) -> dict[date, ForwardPrice]:
    spot = _spot(chain)
    paid = [
        ((dividend.ex_date - chain.session).days / DAYS_PER_YEAR, float(dividend.amount))
        for dividend in dividends
        if dividend.ex_date > chain.session
    ]
    found: dict[date, ForwardPrice] = {}
    if np.isnan(spot):
        return found
    for expiration in chain.expirations():
        time_years = years_to_expiration(expiration, chain.as_of)
        discount_factor = float(np.exp(-rate * time_years))
        implied = forward_from_parity(
            _strike_pairs(chain, expiration), spot=spot, discount_factor=discount_factor
        )
        carried = forward_from_carry(spot=spot, rate=rate, time_years=time_years, dividends=paid)
        found[expiration] = ForwardPrice(
            forward=carried if implied is None else implied,
            discount_factor=discount_factor,
            time_years=time_years,
            source=ForwardSource.CARRY if implied is None else ForwardSource.PARITY,
        )
    return found


def _strike_pairs(chain: OptionChain, expiration: date) -> StrikePairs:
    calls = {quote.contract.strike: quote for quote in chain.calls(expiration)}
    puts = {quote.contract.strike: quote for quote in chain.puts(expiration)}
    strikes = sorted(calls.keys() & puts.keys())
    return StrikePairs(
        strike=np.array([float(strike) for strike in strikes], dtype=np.float64),
        call_bid=_float_column([calls[strike].bid for strike in strikes]),
        call_ask=_float_column([calls[strike].ask for strike in strikes]),
        put_bid=_float_column([puts[strike].bid for strike in strikes]),
        put_ask=_float_column([puts[strike].ask for strike in strikes]),
    )


def _spot(chain: OptionChain) -> float:
    price = chain.underlying.price
    return np.nan if price is None else float(price)


def _float_column(values: list[Decimal | None]) -> FloatArray:
    return np.array([np.nan if value is None else float(value) for value in values], np.float64)


def _known(value: np.float64) -> float | None:
    return None if np.isnan(value) else float(value)
