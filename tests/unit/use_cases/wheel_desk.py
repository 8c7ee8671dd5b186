"""A put that was assigned over the exchange, and a chain of calls to write on its shares."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from agent.book.covering import is_written_call
from agent.book.records import Trade
from agent.market.calendar import years_to_expiration
from agent.options.black_scholes import spot_price
from agent.options.contracts import OptionType, parse_occ_symbol
from tests.simulation.exchange.small_world import MONDAY, contract_symbol
from tests.unit.use_cases.conftest import EXPIRATION, TestDesk
from tests.unit.use_cases.test_four_legs_and_one import CHEAP_PUT, open_put

EXPIRATIONS = (date(2026, 7, 10), EXPIRATION)
STRIKES = range(23, 39)
VOLATILITY = 0.40
CENT = Decimal("0.01")
OVERNIGHT = timedelta(hours=22)


def set_settings(desk: TestDesk, section: str, **changes: object) -> None:
    """Change settings of one section for whatever comes."""
    settings = desk.desk.settings
    changed = getattr(settings, section).model_copy(update=changes)
    desk.desk = replace(desk.desk, settings=settings.model_copy(update={section: changed}))


def quote_chain(desk: TestDesk, spot: float = 32.0) -> None:
    """Quote a stock and its options by model, a cent or 3 % on each side."""
    desk.exchange.clock.advance(1)
    now = desk.exchange.now
    price = Decimal(str(spot))
    desk.world.with_stock(str(price - 3 * CENT), str(price + 3 * CENT), since=now)
    for expiration in EXPIRATIONS:
        for strike in STRIKES:
            for right in ("P", "C"):
                symbol = contract_symbol(right, strike, expiration)
                value = spot_price(
                    is_call=parse_occ_symbol(symbol).option_type is OptionType.CALL,
                    spot=spot,
                    strike=float(strike),
                    time_years=years_to_expiration(expiration, now),
                    volatility=VOLATILITY,
                    rate=0.04,
                )
                mid = max(Decimal(repr(float(value))).quantize(CENT), 2 * CENT)
                side = max((mid * Decimal("0.03")).quantize(CENT), CENT)
                desk.world.with_option(symbol, str(mid - side), str(mid + side), since=now)


def assigned_put(desk: TestDesk) -> Trade:
    """Sell the 30 put, have all of it assigned a day later, and want calls on the shares.

    Open interest is that of the day before: on its first day the exchange knows none.
    """
    trade = open_put(desk)
    desk.exchange.clock.advance(OVERNIGHT.total_seconds())
    set_settings(desk, "exits", cover_assigned_shares=("cash_secured_put",))
    desk.exchange.assign(CHEAP_PUT)
    quote_chain(desk)
    return trade


def carry_all(desk: TestDesk) -> None:
    for intent in desk.book.unfinished_intents():
        desk.carry(intent)
        desk.workflows.end(intent.intent_id)


def stored(desk: TestDesk, trade: Trade) -> Trade:
    found = desk.book.trade(trade.trade_id)
    assert found is not None
    return found


def call_of(trade: Trade) -> str:
    """Give the call that a trade has written."""
    assert is_written_call(trade.structure)
    return trade.structure.symbols[0]


def at_the_broker(desk: TestDesk) -> dict[str, int]:
    return {held.symbol: held.quantity for held in desk.desk.broker.holdings()}


def cash_moved(desk: TestDesk) -> Decimal:
    """Give what trades moved of the broker's cash: the fees of a day are the account's."""
    broker = desk.desk.broker
    charged = sum(each.amount for each in broker.fee_charges(MONDAY))
    return broker.account().cash - Decimal(100_000) + charged
