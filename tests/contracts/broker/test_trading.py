"""Orders, positions, fees and the account, over HTTP and back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from agent.adapters.alpaca.broker import AlpacaBroker
from agent.adapters.alpaca.connection import AlpacaConnection
from agent.book.intents import OrderStatus
from agent.options.contracts import parse_occ_symbol
from agent.options.structures import Leg, LegSide
from agent.ports import (
    BrokerPosition,
    BrokerRefused,
    OptionEventKind,
    OrderRequest,
    ShareOrderRequest,
)
from simulator.exchange import Exchange
from tests.contracts.broker.conftest import Opened
from tests.simulation.exchange.builders import (
    CALL_110,
    CALL_115,
    NOON,
    PUT_95,
    PUT_100,
    at_close,
    filled,
    single_order,
    usual_world,
)
from tests.simulation.exchange.small_world import contract_symbol

CALL_100 = contract_symbol("C", 100)

SPREAD = (
    Leg(parse_occ_symbol(PUT_100), LegSide.SHORT),
    Leg(parse_occ_symbol(PUT_95), LegSide.LONG),
)
CONDOR = (
    *SPREAD,
    Leg(parse_occ_symbol(CALL_110), LegSide.SHORT),
    Leg(parse_occ_symbol(CALL_115), LegSide.LONG),
)


@pytest.fixture
def broker(connection: AlpacaConnection) -> AlpacaBroker:
    return connection.broker


def entry(cash: str = "0.60", contracts: int = 1, name: str = "entry-1") -> OrderRequest:
    return OrderRequest(name, SPREAD, opening=True, contracts=contracts, limit_cash=Decimal(cash))


def exit_of(cash: str = "-0.80", contracts: int = 1, name: str = "exit-1") -> OrderRequest:
    return OrderRequest(name, SPREAD, opening=False, contracts=contracts, limit_cash=Decimal(cash))


def test_a_put_spread_is_placed_polled_and_filled_for_the_credit_it_asked(
    exchange: Exchange, broker: AlpacaBroker
) -> None:
    placed = broker.submit(entry("0.60", contracts=2))
    assert (placed.status, placed.contracts) == (OrderStatus.WORKING, 2)
    assert (placed.filled_contracts, placed.filled_cash) == (0, None)
    assert placed.submitted_at == NOON
    exchange.clock.advance(2)
    filled = broker.order_by_client_id("entry-1")
    assert filled is not None
    assert (filled.order_id, filled.status) == (placed.order_id, OrderStatus.FILLED)
    assert (filled.filled_contracts, filled.filled_cash) == (2, Decimal("0.60"))
    assert filled.filled_at == NOON + timedelta(seconds=2)
    assert filled.leg_prices[PUT_100] - filled.leg_prices[PUT_95] == Decimal("0.60")
    assert broker.account().cash == Decimal("100120.00")
    assert set(broker.positions()) == {BrokerPosition(PUT_100, -2), BrokerPosition(PUT_95, 2)}


def test_closing_pays_and_leaves_nothing(exchange: Exchange, broker: AlpacaBroker) -> None:
    broker.submit(entry("0.60"))
    exchange.clock.advance(2)
    broker.submit(exit_of("-0.80"))
    exchange.clock.advance(2)
    closed = broker.order_by_client_id("exit-1")
    assert closed is not None
    assert (closed.status, closed.filled_cash) == (OrderStatus.FILLED, Decimal("-0.80"))
    assert broker.positions() == ()
    assert broker.account().cash == Decimal("99980.00")


def test_a_credit_that_nobody_pays_keeps_working_and_is_never_sold_for_less(
    exchange: Exchange, broker: AlpacaBroker
) -> None:
    # With the sign lost, this limit would read "pay up to 2.50" and fill at any credit at once.
    broker.submit(entry("2.50"))
    exchange.clock.advance(600)
    order = broker.order_by_client_id("entry-1")
    assert order is not None
    assert (order.status, order.filled_contracts) == (OrderStatus.WORKING, 0)
    assert broker.positions() == ()


def test_an_iron_condor_is_one_order(exchange: Exchange, broker: AlpacaBroker) -> None:
    broker.submit(replace(entry("1.25"), legs=CONDOR))
    exchange.clock.advance(2)
    order = broker.order_by_client_id("entry-1")
    assert order is not None
    assert (order.status, order.filled_cash) == (OrderStatus.FILLED, Decimal("1.25"))
    assert set(order.leg_prices) == {PUT_100, PUT_95, CALL_110, CALL_115}


def test_a_single_put_is_sold_to_open_and_bought_to_close(
    exchange: Exchange, broker: AlpacaBroker
) -> None:
    put = replace(entry("1.40"), legs=SPREAD[:1])
    broker.submit(put)
    exchange.clock.advance(2)
    sold = broker.order_by_client_id("entry-1")
    assert sold is not None
    assert (sold.status, sold.filled_cash) == (OrderStatus.FILLED, Decimal("1.40"))
    assert sold.leg_prices == {PUT_100: Decimal("1.40")}
    broker.submit(replace(exit_of("-1.60"), legs=SPREAD[:1]))
    exchange.clock.advance(2)
    bought = broker.order_by_client_id("exit-1")
    assert bought is not None
    assert bought.filled_cash == Decimal("-1.60")
    assert broker.positions() == ()


def test_a_cancelled_order_is_canceled_and_cancelling_it_again_is_no_error(
    exchange: Exchange, broker: AlpacaBroker
) -> None:
    placed = broker.submit(entry("0.90"))
    broker.cancel(placed.order_id)
    exchange.clock.advance(1)
    order = broker.order_by_client_id("entry-1")
    assert order is not None
    assert order.status is OrderStatus.CANCELED
    broker.cancel(placed.order_id)


def test_cancelling_a_filled_order_is_no_error(exchange: Exchange, broker: AlpacaBroker) -> None:
    placed = broker.submit(entry("0.60"))
    exchange.clock.advance(2)
    broker.cancel(placed.order_id)
    order = broker.order_by_client_id("entry-1")
    assert order is not None
    assert order.status is OrderStatus.FILLED


def test_a_cancel_that_takes_its_time_is_working_until_it_is_confirmed(
    open_exchange: Callable[..., Opened],
) -> None:
    exchange, connection = open_exchange(cancel_delay_seconds=5)
    placed = connection.broker.submit(entry("0.90"))
    for _ in range(2):
        connection.broker.cancel(placed.order_id)
        order = connection.broker.order_by_client_id("entry-1")
        assert order is not None
        assert order.status is OrderStatus.WORKING
    exchange.clock.advance(5)
    order = connection.broker.order_by_client_id("entry-1")
    assert order is not None
    assert order.status is OrderStatus.CANCELED


def test_the_working_orders_of_the_account_are_listed_whoever_sent_them(
    exchange: Exchange, broker: AlpacaBroker
) -> None:
    ours = broker.submit(entry("4.90"))
    shares = broker.submit_shares(ShareOrderRequest("shares-1", "ACME", 1, Decimal("1.00")))
    assert [
        (each.order_id, each.client_order_id, each.symbols) for each in broker.working_orders()
    ] == [
        (shares.order_id, "shares-1", ("ACME",)),
        (ours.order_id, "entry-1", (PUT_100, PUT_95)),
    ]
    broker.cancel(ours.order_id)
    exchange.clock.advance(5)
    assert [each.client_order_id for each in broker.working_orders()] == ["shares-1"]


def test_cancelling_what_never_was_is_refused(broker: AlpacaBroker) -> None:
    with pytest.raises(BrokerRefused, match="order not found") as caught:
        broker.cancel("00000000-0000-0000-0000-000000000000")
    assert caught.value.status == 404


def test_the_same_id_twice_is_one_order(exchange: Exchange, broker: AlpacaBroker) -> None:
    first = broker.submit(entry("0.60"))
    exchange.clock.advance(2)
    again = broker.submit(entry("0.55"))
    assert again.order_id == first.order_id
    assert (again.status, again.filled_cash) == (OrderStatus.FILLED, Decimal("0.60"))
    assert set(broker.positions()) == {BrokerPosition(PUT_100, -1), BrokerPosition(PUT_95, 1)}


def test_an_unknown_id_is_none(broker: AlpacaBroker) -> None:
    assert broker.order_by_client_id("never-sent") is None


def test_a_day_order_expires_at_the_close(exchange: Exchange, broker: AlpacaBroker) -> None:
    broker.submit(entry("0.90"))
    exchange.clock.advance_to(at_close())
    order = broker.order_by_client_id("entry-1")
    assert order is not None
    assert (order.status, order.filled_contracts) == (OrderStatus.EXPIRED, 0)


def test_a_partial_fill_counts_whole_spreads(open_exchange: Callable[..., Opened]) -> None:
    exchange, connection = open_exchange(partial_fill_probability=Decimal(1))
    connection.broker.submit(entry("0.60", contracts=10))
    exchange.clock.advance(2)
    partly = connection.broker.order_by_client_id("entry-1")
    assert partly is not None
    assert partly.status is OrderStatus.WORKING
    assert 0 < partly.filled_contracts < 10
    assert partly.filled_cash == Decimal("0.60")
    assert BrokerPosition(PUT_100, -partly.filled_contracts) in connection.broker.positions()


def test_closing_what_is_not_held_is_refused_with_the_brokers_reason(
    broker: AlpacaBroker,
) -> None:
    with pytest.raises(BrokerRefused, match="position intent mismatch") as caught:
        broker.submit(exit_of())
    assert (caught.value.status, caught.value.code) == (422, 42210000)
    assert broker.order_by_client_id("exit-1") is None


def test_more_than_the_account_bears_is_refused(broker: AlpacaBroker) -> None:
    with pytest.raises(BrokerRefused, match="insufficient") as caught:
        broker.submit(entry("0.60", contracts=1000))
    assert (caught.value.status, caught.value.code) == (403, 40310000)


def test_the_account_is_the_exchanges(exchange: Exchange, broker: AlpacaBroker) -> None:
    account = broker.account()
    assert account.account_number == exchange.account_number
    assert account.can_trade_options
    assert account.cash == account.equity == account.last_equity == Decimal(100_000)
    assert account.options_buying_power == Decimal(100_000)
    assert account.accrued_fees == 0


def test_an_account_below_the_spreads_level_cannot_trade_options(
    open_exchange: Callable[..., Opened],
) -> None:
    _, connection = open_exchange(options_level=2)
    assert not connection.broker.account().can_trade_options


def test_fees_accrue_and_are_charged_once_the_session_is_over(
    open_exchange: Callable[..., Opened],
) -> None:
    exchange, connection = open_exchange(fees="regulatory")
    broker = connection.broker
    broker.submit(entry("0.60", contracts=10))
    exchange.clock.advance(2)
    today = NOON.date()
    assert broker.account().accrued_fees > 0
    assert broker.fee_charges(today) == ()
    cash_before = broker.account().cash
    exchange.clock.advance_to(at_close() + timedelta(hours=1))
    charges = broker.fee_charges(today)
    assert charges
    assert {charge.session for charge in charges} == {today}
    assert sum(charge.amount for charge in charges) == cash_before - broker.account().cash > 0
    assert broker.account().accrued_fees == 0
    assert broker.fee_charges(today + timedelta(days=1)) == ()


def test_an_assignment_shows_in_holdings_at_once_and_in_activities_on_the_next_day(
    exchange: Exchange, broker: AlpacaBroker
) -> None:
    broker.submit(entry("0.60", contracts=2))
    exchange.clock.advance(2)
    exchange.assign(PUT_100, 1)

    assert set(broker.holdings()) == {
        BrokerPosition("ACME", 100),
        BrokerPosition(PUT_100, -1),
        BrokerPosition(PUT_95, 2),
    }
    assert broker.option_events(NOON.date()) == ()
    exchange.clock.advance(timedelta(hours=20).total_seconds())
    (event,) = broker.option_events(NOON.date())
    assert (event.kind, event.symbol) == (OptionEventKind.ASSIGNED, PUT_100)
    assert (event.contracts, event.session) == (1, NOON.date())
    assert broker.option_events(NOON.date() + timedelta(days=1)) == ()


def test_assigned_shares_are_sold_like_any_order_by_our_own_id(
    exchange: Exchange, broker: AlpacaBroker
) -> None:
    broker.submit(entry("0.60"))
    exchange.clock.advance(2)
    exchange.assign(PUT_100)
    cash = broker.account().cash
    sale = ShareOrderRequest("sale-1", "ACME", -100, Decimal("90.00"))
    placed = broker.submit_shares(sale)
    assert broker.submit_shares(sale).order_id == placed.order_id
    exchange.clock.advance(2)

    sold = broker.order_by_client_id("sale-1")
    assert sold is not None
    assert (sold.status, sold.filled_contracts) == (OrderStatus.FILLED, 100)
    assert sold.filled_cash is not None
    assert sold.filled_cash >= 90
    assert sold.leg_prices == {"ACME": sold.filled_cash}
    assert broker.account().cash == cash + 100 * sold.filled_cash
    assert broker.holdings() == (BrokerPosition(PUT_95, 1),)


def test_fills_are_listed_leg_by_leg_under_the_id_of_their_order_whoever_sent_it(
    exchange: Exchange, broker: AlpacaBroker
) -> None:
    placed = broker.submit(entry("0.60", contracts=2))
    exchange.clock.advance(2)
    order = {"symbol": PUT_100, "qty": "1", "side": "buy", "type": "market"}
    exchange.place_order({**order, "time_in_force": "day"})
    broker.submit(entry("2.50", name="entry-2"))
    exchange.clock.advance(2)

    by_hand, *own = broker.leg_fills(NOON.date())

    assert (by_hand.symbol, by_hand.quantity) == (PUT_100, 1)
    assert by_hand.client_order_id not in {"entry-1", "entry-2"}
    assert {(fill.symbol, fill.quantity) for fill in own} == {(PUT_100, -2), (PUT_95, 2)}
    assert {(fill.client_order_id, fill.order_id) for fill in own} == {("entry-1", placed.order_id)}
    assert broker.leg_fills(NOON.date() + timedelta(days=1)) == ()


def hold_call(exchange: Exchange, broker: AlpacaBroker, contracts: int = 2) -> None:
    """Buy calls struck at 100 on a stock at 105; they are worth what they pay."""
    filled(exchange, single_order(CALL_100, "buy", qty=contracts))
    assert broker.positions() == (BrokerPosition(CALL_100, contracts),)


def test_an_exercise_takes_every_contract_and_brings_its_shares_at_the_strike(
    open_exchange: Callable[..., Opened],
) -> None:
    exchange, connection = open_exchange(usual_world().with_option(CALL_100, "4.90", "5.20"))
    broker = connection.broker
    hold_call(exchange, broker)
    cash = broker.account().cash

    broker.exercise(CALL_100)

    assert broker.holdings() == (BrokerPosition("ACME", 200),)
    assert cash - broker.account().cash == Decimal(20_000)
    exchange.clock.advance(timedelta(hours=22).total_seconds())
    (event,) = broker.option_events(NOON.date())
    assert (event.kind, event.symbol, event.contracts) == (OptionEventKind.EXERCISED, CALL_100, 2)


def test_what_is_not_held_is_refused_an_exercise(exchange: Exchange, broker: AlpacaBroker) -> None:
    with pytest.raises(BrokerRefused):
        broker.exercise(CALL_110)


def test_a_call_out_of_the_money_is_refused_an_exercise(
    exchange: Exchange, broker: AlpacaBroker
) -> None:
    filled(exchange, single_order(CALL_110, "buy"))
    with pytest.raises(BrokerRefused, match="out of the money"):
        broker.exercise(CALL_110)
    assert broker.positions() == (BrokerPosition(CALL_110, 1),)


def test_an_exercise_asked_for_twice_finds_nothing_the_second_time(
    open_exchange: Callable[..., Opened],
) -> None:
    exchange, connection = open_exchange(usual_world().with_option(CALL_100, "4.90", "5.20"))
    hold_call(exchange, connection.broker)
    connection.broker.exercise(CALL_100)
    with pytest.raises(BrokerRefused):
        connection.broker.exercise(CALL_100)
    assert connection.broker.holdings() == (BrokerPosition("ACME", 200),)
