"""The clock, the calendar and quotes, over HTTP and back."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from agent.adapters.alpaca.connection import AlpacaConnection
from agent.market.calendar import TradingSession
from agent.market.dividends import ExDividend
from agent.market.quotes import UnderlyingSnapshot
from agent.market.splits import StockSplit
from agent.options.contracts import OptionType, parse_occ_symbol
from agent.ports import ChainRequest, MarketClock
from simulator.exchange import Exchange
from simulator.worlds.events import CashDividend, CorporateAction, Split
from tests.contracts.broker.conftest import Opened
from tests.simulation.exchange.builders import CALL_110, NOON, PUT_95, PUT_100
from tests.simulation.exchange.small_world import FRIDAY, MONDAY, WEEK, SmallWorld, contract_symbol

WEEK_AHEAD = ChainRequest(expiration_min=MONDAY, expiration_max=FRIDAY)


def test_the_clock_is_the_exchanges(exchange: Exchange, connection: AlpacaConnection) -> None:
    assert connection.hours.market_clock() == MarketClock(
        now=NOON, is_open=True, next_open=WEEK[1].opens_at, next_close=WEEK[0].closes_at
    )
    exchange.clock.advance_to(WEEK[0].closes_at + timedelta(hours=1))
    evening = connection.hours.market_clock()
    assert not evening.is_open
    assert evening.now == WEEK[0].closes_at + timedelta(hours=1)


def test_the_calendar_has_every_session_between_two_days(connection: AlpacaConnection) -> None:
    assert connection.hours.sessions(MONDAY, FRIDAY) == tuple(
        TradingSession(day.session, day.opens_at, day.closes_at) for day in WEEK
    )
    assert connection.hours.sessions(MONDAY, MONDAY)[0].opens_at == datetime(
        2026, 6, 15, 13, 30, tzinfo=UTC
    )


def test_a_stock_is_quoted_with_its_average_volume(connection: AlpacaConnection) -> None:
    assert connection.market.underlyings(["ACME"]) == {
        "ACME": UnderlyingSnapshot(
            symbol="ACME",
            quoted_at=NOON,
            bid=Decimal("104.95"),
            ask=Decimal("105.05"),
            last=Decimal(105),
            average_volume_shares=2_000_000,
        )
    }


def chain_symbols(connection: AlpacaConnection, request: ChainRequest) -> list[str]:
    stock = connection.market.underlyings(["ACME"])["ACME"]
    chain = connection.market.chain(stock, request, NOON)
    assert (chain.underlying, chain.as_of) == (stock, NOON)
    return [quote.contract.symbol for quote in chain.quotes]


def test_a_chain_has_quotes_the_larger_volume_and_open_interest(
    open_exchange: Callable[..., Opened],
) -> None:
    tuesday = NOON + timedelta(days=1)
    _, connection = open_exchange(starts_at=tuesday)
    stock = connection.market.underlyings(["ACME"])["ACME"]
    quote = connection.market.chain(stock, WEEK_AHEAD, tuesday).by_symbol[PUT_100]
    assert quote.contract == parse_occ_symbol(PUT_100)
    assert (quote.bid, quote.ask) == (Decimal("1.4"), Decimal("1.6"))
    assert (quote.volume, quote.open_interest) == (90, 500)
    assert quote.quoted_at == tuesday


def test_open_interest_that_nobody_has_counted_yet_is_unknown(
    connection: AlpacaConnection,
) -> None:
    stock = connection.market.underlyings(["ACME"])["ACME"]
    quote = connection.market.chain(stock, WEEK_AHEAD, NOON).by_symbol[PUT_100]
    assert (quote.volume, quote.open_interest) == (70, None)


def test_a_chain_keeps_within_its_bounds(connection: AlpacaConnection) -> None:
    puts = ChainRequest(
        MONDAY,
        FRIDAY,
        strike_min=Decimal(96),
        strike_max=Decimal(110),
        option_type=OptionType.PUT,
    )
    assert chain_symbols(connection, puts) == [PUT_100]
    assert chain_symbols(connection, ChainRequest(MONDAY, FRIDAY - timedelta(days=1))) == []


def test_a_chain_of_several_pages_is_read_whole(open_exchange: Callable[..., Opened]) -> None:
    world = SmallWorld().with_stock("99.95", "100.05")
    wanted = [contract_symbol(right, strike) for right in ("C", "P") for strike in range(1, 626)]
    for symbol in wanted:
        world.with_option(symbol, "1.00", "1.10")
    _, connection = open_exchange(world)
    assert sorted(chain_symbols(connection, WEEK_AHEAD)) == sorted(wanted)
    quotes = connection.market.option_quotes([parse_occ_symbol(symbol) for symbol in wanted[:250]])
    assert sorted(quotes) == sorted(wanted[:250])


def test_a_side_that_nobody_quotes_is_none(open_exchange: Callable[..., Opened]) -> None:
    world = SmallWorld().with_stock("99.95", "100.05").with_option(PUT_95, None, "0.05")
    _, connection = open_exchange(world)
    quote = connection.market.option_quotes([parse_occ_symbol(PUT_95)])[PUT_95]
    assert (quote.bid, quote.ask, quote.mid) == (None, Decimal("0.05"), None)


def test_option_quotes_follow_the_market_and_leave_out_the_unknown(
    open_exchange: Callable[..., Opened],
) -> None:
    world = (
        SmallWorld()
        .with_stock("99.95", "100.05")
        .with_option(CALL_110, "1.00", "1.10")
        .with_option(CALL_110, "2.00", "2.10", since=NOON + timedelta(minutes=1))
    )
    exchange, connection = open_exchange(world)
    contracts = [parse_occ_symbol(CALL_110), parse_occ_symbol(PUT_100)]
    before = connection.market.option_quotes(contracts)
    exchange.clock.advance(60)
    after = connection.market.option_quotes(contracts)
    assert (set(before), set(after)) == ({CALL_110}, {CALL_110})
    assert (before[CALL_110].bid, after[CALL_110].bid) == (Decimal("1.0"), Decimal("2.0"))
    assert after[CALL_110].quoted_at == NOON + timedelta(minutes=1)


class PayingWorld(SmallWorld):
    """A small world whose stock pays two dividends, of which one is not declared yet."""

    def corporate_actions(self, symbol: str, start: date, end: date) -> Sequence[CorporateAction]:
        days = {MONDAY: None, FRIDAY: None, FRIDAY + timedelta(days=70): FRIDAY}
        return [
            CashDividend(symbol, ex, ex + timedelta(days=14), Decimal("0.42"), declared_on=told)
            for ex, told in days.items()
            if start <= ex <= end
        ]


def test_declared_dividends_ahead_are_known(open_exchange: Callable[..., Opened]) -> None:
    _, connection = open_exchange(PayingWorld().with_stock("104.95", "105.05"))
    found = connection.market.dividends(["ACME", "NONE"], MONDAY)
    assert found == {"ACME": (ExDividend(FRIDAY, Decimal("0.42")),)}


def test_splits_are_known_from_their_announcement(open_exchange: Callable[..., Opened]) -> None:
    world = SmallWorld(
        actions=[
            Split("ACME", MONDAY, Decimal(2), Decimal(1)),
            Split("ACME", FRIDAY, Decimal(1), Decimal(4)),
            Split("ACME", FRIDAY + timedelta(days=1), Decimal(3), Decimal(1)),
        ]
    )
    _, connection = open_exchange(world.with_stock("104.95", "105.05"))
    assert connection.market.splits(["ACME", "NONE"], MONDAY, FRIDAY) == {
        "ACME": (
            StockSplit(MONDAY, Decimal(2), Decimal(1)),
            StockSplit(FRIDAY, Decimal(1), Decimal(4)),
        )
    }


def test_a_stock_without_dividends_is_absent(connection: AlpacaConnection) -> None:
    assert connection.market.dividends(["ACME"], MONDAY) == {}
