"""A hand-made world: one or two stocks, a few contracts, prices set by the test."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from agent.options.contracts import OptionContract, parse_occ_symbol
from simulator.exchange.calendar import regular_session
from simulator.worlds.events import CorporateAction
from simulator.worlds.world import (
    DailyBar,
    ImpliedVolatilitySample,
    ListingFilter,
    OptionListing,
    StockQuote,
    TradingSession,
)

MONDAY = date(2026, 6, 15)
FRIDAY = date(2026, 6, 19)
WEEK = tuple(regular_session(MONDAY + timedelta(days=day)) for day in range(5))
ALWAYS = datetime(2020, 1, 1, tzinfo=UTC)


def contract_symbol(right: str, strike: int, expiration: date = FRIDAY, stock: str = "ACME") -> str:
    """Spell an OCC symbol."""
    return f"{stock}{expiration:%y%m%d}{right}{strike * 1000:08d}"


@dataclass(frozen=True)
class Quote:
    """A market from a moment on; a side of None is not quoted."""

    since: datetime
    bid: Decimal | None
    ask: Decimal | None


@dataclass
class SmallWorld:
    """Answer from a table of quotes, each holding from its moment on."""

    sessions: tuple[TradingSession, ...] = WEEK
    stocks: dict[str, list[Quote]] = field(default_factory=dict)
    options: dict[str, list[Quote]] = field(default_factory=dict)
    closes: dict[tuple[str, date], Decimal] = field(default_factory=dict)
    quote_times: tuple[datetime, ...] | None = None
    recorded_at: datetime | None = None
    """Where set, nothing but the quotes of that moment is known, as in a replay."""
    name: str = "small"
    actions: list[CorporateAction] = field(default_factory=list)

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(sorted(self.stocks))

    def with_stock(
        self, bid: str, ask: str, *, symbol: str = "ACME", since: datetime = ALWAYS
    ) -> "SmallWorld":
        self.stocks.setdefault(symbol, []).append(Quote(since, Decimal(bid), Decimal(ask)))
        return self

    def with_option(
        self, symbol: str, bid: str | None, ask: str | None, *, since: datetime = ALWAYS
    ) -> "SmallWorld":
        sides = [None if side is None else Decimal(side) for side in (bid, ask)]
        self.options.setdefault(symbol, []).append(Quote(since, *sides))
        return self

    def with_close(self, price: str, session: date, *, symbol: str = "ACME") -> "SmallWorld":
        self.closes[symbol, session] = Decimal(price)
        return self

    def corporate_actions(self, symbol: str, start: date, end: date) -> Sequence[CorporateAction]:
        return [
            action
            for action in self.actions
            if action.symbol == symbol and start <= action.ex_date <= end
        ]

    def stock(self, symbol: str, at: datetime) -> StockQuote | None:
        at = self.recorded_at or at
        quote = _in_force(self.stocks[symbol], at)
        if quote is None or quote.bid is None or quote.ask is None:
            return None
        last = (quote.bid + quote.ask) / 2
        return StockQuote(
            symbol=symbol,
            at=at,
            bid=quote.bid,
            ask=quote.ask,
            last=last,
            open=last,
            high=last,
            low=last,
            volume=1_000_000,
        )

    def option(self, contract: OptionContract, at: datetime) -> OptionListing | None:
        at = self.recorded_at or at
        quote = _in_force(self.options.get(contract.symbol, []), at)
        if quote is None:
            return None
        return OptionListing(
            contract=contract,
            at=at,
            bid=quote.bid,
            ask=quote.ask,
            bid_size=10,
            ask_size=12,
            volume=70,
            prior_volume=90,
            open_interest=500,
        )

    def chain(self, symbol: str, at: datetime, bounds: ListingFilter) -> Sequence[OptionListing]:
        contracts = sorted(parse_occ_symbol(text) for text in self.options)
        listings = [
            self.option(contract, at)
            for contract in contracts
            if contract.underlying == symbol and _within(contract, bounds)
        ]
        return [listing for listing in listings if listing is not None]

    def daily_bars(self, symbol: str, start: date, at: datetime) -> Sequence[DailyBar]:
        bars = []
        day = max(start, MONDAY - timedelta(days=28))
        while regular_session(day).closes_at <= at:
            if day.weekday() < 5:
                price = Decimal(100) + (day - MONDAY).days
                bars.append(DailyBar(day, price, price + 1, price - 1, price, 2_000_000))
            day += timedelta(days=1)
        return bars

    def close_price(self, symbol: str, session: date) -> Decimal | None:
        return self.closes.get((symbol, session))

    def implied_volatility_history(self, symbol: str) -> Sequence[ImpliedVolatilitySample]:
        return ()


def _in_force(quotes: list[Quote], at: datetime) -> Quote | None:
    begun = [quote for quote in quotes if quote.since <= at]
    return max(begun, key=lambda quote: quote.since) if begun else None


def _within(contract: OptionContract, bounds: ListingFilter) -> bool:
    return (
        (bounds.expiration_min is None or contract.expiration >= bounds.expiration_min)
        and (bounds.expiration_max is None or contract.expiration <= bounds.expiration_max)
        and (bounds.strike_min is None or contract.strike >= bounds.strike_min)
        and (bounds.strike_max is None or contract.strike <= bounds.strike_max)
        and (bounds.option_type is None or contract.option_type is bounds.option_type)
    )
