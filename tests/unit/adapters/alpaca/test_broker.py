"""The broker's account, orders, positions and fees, from answers as Alpaca spells them."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from agent.adapters.alpaca.broker import ACTIVITIES_PAGE_SIZE, AlpacaBroker
from agent.adapters.alpaca.open_orders import PAGE_SIZE
from agent.adapters.alpaca.session import AlpacaSession
from agent.book.account_cash import AccountEntryKind
from agent.book.intents import OrderStatus
from agent.ports import (
    Account,
    BrokerMisunderstood,
    BrokerPosition,
    BrokerRefused,
    BrokerUnavailable,
    FeeCharge,
    OptionEventKind,
)
from tests.unit.adapters.alpaca.builders import (
    account_json,
    filled_spread_json,
    put,
    request,
    short,
    spread_json,
)
from tests.unit.adapters.alpaca.canned_server import CannedServer

BY_CLIENT_ID = "GET /v2/orders:by_client_order_id"
FEES = "GET /v2/account/activities/FEE"
ACTIVITIES = "GET /v2/account/activities"
DUPLICATE = {"code": 40010001, "message": "client_order_id must be unique"}


@pytest.fixture
def broker(session: AlpacaSession) -> AlpacaBroker:
    return AlpacaBroker(session)


def test_the_account_is_read_in_dollars(server: CannedServer, broker: AlpacaBroker) -> None:
    server.says("GET /v2/account", account_json())
    assert broker.account() == Account(
        account_number="PA1",
        can_trade_options=True,
        equity=Decimal("100060.5"),
        last_equity=Decimal(100_000),
        cash=Decimal(100_000),
        options_buying_power=Decimal(99_500),
        accrued_fees=Decimal("0.12"),
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "ACCOUNT_UPDATED"},
        {"trading_blocked": True},
        {"account_blocked": True},
        {"trade_suspended_by_user": True},
        {"options_trading_level": 2},
        {"options_trading_level": None},
    ],
)
def test_an_account_that_may_not_place_spreads_cannot_trade_options(
    server: CannedServer, broker: AlpacaBroker, fields: dict[str, Any]
) -> None:
    server.says("GET /v2/account", account_json(**fields))
    assert not broker.account().can_trade_options


@pytest.mark.parametrize("name", ["cash", "equity", "last_equity", "accrued_fees"])
def test_unknown_money_is_not_zero(server: CannedServer, broker: AlpacaBroker, name: str) -> None:
    server.says("GET /v2/account", account_json(**{name: None}))
    with pytest.raises(BrokerMisunderstood, match=name):
        broker.account()


def test_an_order_is_sent_once_and_its_answer_given(
    server: CannedServer, broker: AlpacaBroker
) -> None:
    server.says("POST /v2/orders", spread_json(status="pending_new"))
    order = broker.submit(request(cash="0.60", contracts=2))
    assert (order.status, order.contracts) == (OrderStatus.WORKING, 2)
    (sent,) = server.requests
    assert sent.body["limit_price"] == "-0.60"
    assert sent.body["client_order_id"] == "entry-1"


def test_a_duplicate_id_gives_the_order_that_has_it(
    server: CannedServer, broker: AlpacaBroker
) -> None:
    server.says("POST /v2/orders", DUPLICATE, status=422)
    server.says(BY_CLIENT_ID, filled_spread_json())
    assert broker.submit(request(cash="0.60")).status is OrderStatus.FILLED
    assert server.calls() == ["POST /v2/orders", BY_CLIENT_ID]


def test_a_duplicate_id_that_is_not_shown_leaves_the_fate_unknown(
    server: CannedServer, broker: AlpacaBroker
) -> None:
    server.says("POST /v2/orders", DUPLICATE, status=422)
    with pytest.raises(BrokerUnavailable, match="does not show it"):
        broker.submit(request(cash="0.60"))


def test_another_refusal_of_the_same_code_is_a_refusal(
    server: CannedServer, broker: AlpacaBroker
) -> None:
    reason = {"code": 40010001, "message": "qty must be > 0"}
    server.says("POST /v2/orders", reason, status=422)
    with pytest.raises(BrokerRefused, match="qty must be > 0"):
        broker.submit(request(cash="0.60"))
    assert len(server.requests) == 1


@pytest.mark.parametrize("raw", [b"", b"<html>", b"{}", b"[]", b'{"id": "1"}'])
def test_an_unreadable_answer_to_an_order_leaves_its_fate_unknown(
    server: CannedServer, broker: AlpacaBroker, raw: bytes
) -> None:
    server.says("POST /v2/orders", raw=raw)
    with pytest.raises(BrokerUnavailable, match="the fate of order entry-1 is unknown"):
        broker.submit(request(cash="0.60"))
    assert len(server.requests) == 1


def test_an_order_that_cannot_be_meant_is_never_sent(
    server: CannedServer, broker: AlpacaBroker
) -> None:
    with pytest.raises(ValueError, match="one leg at a limit"):
        broker.submit(request(short(100), cash="-1.40"))
    assert server.requests == []


def test_an_order_is_looked_up_by_our_own_id(server: CannedServer, broker: AlpacaBroker) -> None:
    server.says(BY_CLIENT_ID, filled_spread_json())
    found = broker.order_by_client_id("entry-1")
    assert found is not None
    assert found.filled_cash == Decimal("0.6")
    assert server.queries(BY_CLIENT_ID) == [{"client_order_id": "entry-1"}]


def test_an_order_nobody_knows_is_none(server: CannedServer, broker: AlpacaBroker) -> None:
    server.says(BY_CLIENT_ID, {"code": 40410000, "message": "order not found"}, status=404)
    assert broker.order_by_client_id("entry-1") is None


def test_an_order_of_another_id_is_not_ours(server: CannedServer, broker: AlpacaBroker) -> None:
    server.says(BY_CLIENT_ID, filled_spread_json(client_order_id="entry-2"))
    with pytest.raises(BrokerMisunderstood, match="asked for entry-1, got entry-2"):
        broker.order_by_client_id("entry-1")


def test_a_cancel_that_is_taken_returns(server: CannedServer, broker: AlpacaBroker) -> None:
    server.says("DELETE /v2/orders/o1", raw=b"", status=204)
    broker.cancel("o1")
    assert server.calls() == ["DELETE /v2/orders/o1"]


@pytest.mark.parametrize("status", ["filled", "canceled", "expired", "rejected", "pending_cancel"])
def test_a_cancel_of_an_ended_order_is_no_error(
    server: CannedServer, broker: AlpacaBroker, status: str
) -> None:
    refusal = {"code": 42210000, "message": f'order is already in "{status}" state'}
    server.says("DELETE /v2/orders/o1", refusal, status=422)
    server.says("GET /v2/orders/o1", spread_json(status=status))
    broker.cancel("o1")


@pytest.mark.parametrize("status", ["new", "pending_replace"])
def test_a_cancel_that_is_refused_for_a_living_order_is_told(
    server: CannedServer, broker: AlpacaBroker, status: str
) -> None:
    refusal = {"code": 42210000, "message": "cannot cancel individual legs of a mleg order"}
    server.says("DELETE /v2/orders/o1", refusal, status=422)
    server.says("GET /v2/orders/o1", spread_json(status=status))
    with pytest.raises(BrokerRefused, match="individual legs"):
        broker.cancel("o1")


def test_a_cancel_of_no_order_is_refused(server: CannedServer, broker: AlpacaBroker) -> None:
    refusal = {"code": 40410000, "message": "order not found for o1"}
    server.says("DELETE /v2/orders/o1", refusal, status=404)
    with pytest.raises(BrokerRefused) as caught:
        broker.cancel("o1")
    assert caught.value.status == 404


def test_an_id_cannot_lead_to_another_path(server: CannedServer, broker: AlpacaBroker) -> None:
    with pytest.raises(BrokerRefused):
        broker.cancel("../positions?x=1")
    assert server.calls() == ["DELETE /v2/orders/..%2Fpositions%3Fx%3D1"]


def position(symbol: str, qty: str, **fields: Any) -> dict[str, Any]:
    side = "short" if qty.startswith("-") else "long"
    return {"symbol": symbol, "asset_class": "us_option", "qty": qty, "side": side, **fields}


def test_positions_are_signed_options_only(server: CannedServer, broker: AlpacaBroker) -> None:
    rows = [
        position(put(100).symbol, "-2"),
        position(put(95).symbol, "2"),
        position("ACME", "100", asset_class="us_equity"),
        position("NEWCO", "5", asset_class="ipo"),
    ]
    server.says("GET /v2/positions", rows)
    assert broker.positions() == (
        BrokerPosition(put(100).symbol, -2),
        BrokerPosition(put(95).symbol, 2),
    )


def test_a_short_side_makes_a_quantity_negative(server: CannedServer, broker: AlpacaBroker) -> None:
    server.says("GET /v2/positions", [position(put(100).symbol, "2", side="short")])
    assert broker.positions()[0].quantity == -2


@pytest.mark.parametrize(
    "row", [position(put(100).symbol, "1.5"), position("odd", "1"), {"asset_class": "us_option"}]
)
def test_an_option_position_that_cannot_be_read_is_not_left_out(
    server: CannedServer, broker: AlpacaBroker, row: dict[str, Any]
) -> None:
    server.says("GET /v2/positions", [row])
    with pytest.raises(BrokerMisunderstood):
        broker.positions()


def fee(number: int, net: str = "-0.05", day: str = "2026-06-15", **fields: Any) -> dict[str, Any]:
    row = {"id": f"f{number:04}", "date": day, "net_amount": net, "status": "executed"}
    return {**row, "activity_type": "FEE", **fields}


def test_a_fee_is_a_positive_amount(server: CannedServer, broker: AlpacaBroker) -> None:
    server.says(FEES, [fee(1)])
    assert broker.fee_charges(date(2026, 6, 15)) == (
        FeeCharge("f0001", date(2026, 6, 15), Decimal("0.05")),
    )


def test_a_refund_is_negative_and_a_canceled_fee_is_none(
    server: CannedServer, broker: AlpacaBroker
) -> None:
    server.says(FEES, [fee(1, "0.02"), fee(2, status="canceled")])
    assert [charge.amount for charge in broker.fee_charges(date(2026, 6, 1))] == [Decimal("-0.02")]


def test_fees_of_the_first_day_count_and_earlier_ones_do_not(
    server: CannedServer, broker: AlpacaBroker
) -> None:
    server.says(FEES, [fee(1, day="2026-06-14"), fee(2, day="2026-06-15T00:00:00Z")])
    charges = broker.fee_charges(date(2026, 6, 15))
    assert [charge.activity_id for charge in charges] == ["f0002"]
    assert server.queries(FEES)[0]["after"] == "2026-06-14"


def test_what_moves_cash_without_a_trade_is_read_with_its_kind_and_its_sign(
    server: CannedServer, broker: AlpacaBroker
) -> None:
    server.says(
        "GET /v2/account/activities",
        [
            fee(1),
            fee(2, "1000", activity_type="CSD"),
            fee(3, "-250", day="2026-06-16", activity_type="JNLC"),
            fee(4, "0.40", activity_type="DIVNRA"),
            fee(5, "0.02", activity_type="INT"),
            fee(6, "7", status="canceled", activity_type="CSD"),
            fee(7, day="2026-06-14"),
        ],
    )
    found = broker.cash_activities(date(2026, 6, 15))
    assert [(each.activity_id, each.kind, each.amount) for each in found] == [
        ("f0001", AccountEntryKind.FEE, Decimal("-0.05")),
        ("f0002", AccountEntryKind.TRANSFER, Decimal(1000)),
        ("f0004", AccountEntryKind.DIVIDEND, Decimal("0.40")),
        ("f0005", AccountEntryKind.INTEREST, Decimal("0.02")),
        ("f0003", AccountEntryKind.TRANSFER, Decimal(-250)),
    ]


def test_every_page_of_fees_is_read(server: CannedServer, broker: AlpacaBroker) -> None:
    for first in (0, ACTIVITIES_PAGE_SIZE):
        server.says(FEES, [fee(number) for number in range(first, first + ACTIVITIES_PAGE_SIZE)])
    server.says(FEES, [fee(200)])
    assert len(broker.fee_charges(date(2026, 6, 1))) == 201
    tokens = [query.get("page_token") for query in server.queries(FEES)]
    assert tokens == [None, "f0099", "f0199"]


def test_a_page_of_fees_that_comes_again_ends_in_an_error(
    server: CannedServer, broker: AlpacaBroker
) -> None:
    server.says(FEES, [fee(number) for number in range(ACTIVITIES_PAGE_SIZE)])
    with pytest.raises(BrokerMisunderstood, match="repeats the one before"):
        broker.fee_charges(date(2026, 6, 1))
    assert len(server.requests) == 2


def flow(number: int, net: str, **fields: Any) -> dict[str, Any]:
    return fee(number, net) | {"activity_type": "CSD"} | fields


def test_cash_flows_are_the_deposits_of_a_day_less_its_withdrawals(
    server: CannedServer, broker: AlpacaBroker
) -> None:
    rows = [flow(1, "5000"), flow(2, "-1200.50", activity_type="CSW")]
    others = [flow(3, "70", date="2026-06-14"), flow(4, "900", status="canceled")]
    server.says(ACTIVITIES, [*rows, *others])
    assert broker.cash_flows(date(2026, 6, 15)) == Decimal("3799.50")
    assert server.queries(ACTIVITIES)[0]["activity_types"] == "CSD,CSW,JNLC"


def test_a_day_without_cash_flows_moved_nothing(server: CannedServer, broker: AlpacaBroker) -> None:
    server.says(ACTIVITIES, [])
    assert broker.cash_flows(date(2026, 6, 15)) == 0


def option_event(number: int, kind: str, qty: str = "2", **fields: Any) -> dict[str, Any]:
    row = fee(number, "0") | {"activity_type": kind, "symbol": put(100).symbol, "qty": qty}
    return row | fields


def test_option_events_are_unsigned_and_oldest_first(
    server: CannedServer, broker: AlpacaBroker
) -> None:
    rows = [
        option_event(2, "OPEXC", "-2"),
        option_event(1, "OPASN"),
        option_event(3, "OPXRC", "-1"),
        option_event(4, "OPEXP", status="canceled"),
        option_event(5, "OPEXP", date="2026-06-14"),
        option_event(6, "OPCA", ""),
        option_event(7, "OPTRD"),
    ]
    server.says(ACTIVITIES, rows)
    events = broker.option_events(date(2026, 6, 15))
    assert [(event.activity_id, event.kind, event.contracts) for event in events] == [
        ("f0001", OptionEventKind.ASSIGNED, 2),
        ("f0002", OptionEventKind.EXERCISED, 2),
        ("f0003", OptionEventKind.EXERCISED, 1),
        ("f0006", OptionEventKind.ADJUSTED, 0),
    ]
    asked = server.queries(ACTIVITIES)[0]["activity_types"].split(",")
    assert {"OPEXP", "OPASN", "OPEXC", "OPXRC", "OPCA", "OPCSH"} == set(asked)


def test_holdings_are_options_and_whole_shares(server: CannedServer, broker: AlpacaBroker) -> None:
    rows = [
        position(put(100).symbol, "-2"),
        position("ACME", "100.75", asset_class="us_equity"),
        position("DLTQ", "-100", asset_class="us_equity"),
        position("NEWCO", "5", asset_class="ipo"),
    ]
    server.says("GET /v2/positions", rows)
    assert broker.holdings() == (
        BrokerPosition(put(100).symbol, -2),
        BrokerPosition("ACME", 100),
        BrokerPosition("DLTQ", -100),
    )


def ended(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"o{number:04}",
        "client_order_id": f"c{number}",
        "created_at": f"2026-06-15T16:{number % 60:02}:00Z",
        "symbol": put(100).symbol,
        "side": "buy",
        "filled_qty": "1",
        "filled_avg_price": "2.45",
        **fields,
    }


def test_orders_that_filled_nothing_have_no_fills(
    server: CannedServer, broker: AlpacaBroker
) -> None:
    rows = [ended(1, filled_qty="0", filled_avg_price=None), ended(2, side="sell")]
    server.says("GET /v2/orders", rows)
    (fill,) = broker.leg_fills(date(2026, 6, 15))
    assert (fill.client_order_id, fill.quantity, fill.price) == ("c2", -1, Decimal("2.45"))
    assert server.queries("GET /v2/orders")[0]["after"] == "2026-06-15T00:00:00Z"


def test_a_fill_without_a_side_is_not_guessed(server: CannedServer, broker: AlpacaBroker) -> None:
    server.says("GET /v2/orders", [ended(1, side="both")])
    with pytest.raises(BrokerMisunderstood, match="neither buy nor sell"):
        broker.leg_fills(date(2026, 6, 15))


def test_pages_of_ended_orders_are_read_to_their_end(
    server: CannedServer, broker: AlpacaBroker
) -> None:
    server.says("GET /v2/orders", [ended(number) for number in range(PAGE_SIZE)])
    server.says("GET /v2/orders", [ended(PAGE_SIZE - 1), ended(PAGE_SIZE)])
    assert len(broker.leg_fills(date(2026, 6, 15))) == PAGE_SIZE + 1


def test_a_page_of_ended_orders_that_comes_again_ends_in_an_error(
    server: CannedServer, broker: AlpacaBroker
) -> None:
    server.says("GET /v2/orders", [ended(number) for number in range(PAGE_SIZE)])
    with pytest.raises(BrokerMisunderstood, match="repeats the one before"):
        broker.leg_fills(date(2026, 6, 15))


EXERCISE = "POST /v2/positions/AAPL260717C00190000/exercise"


def test_an_exercise_is_asked_for_once_and_its_empty_answer_is_enough(
    server: CannedServer, broker: AlpacaBroker
) -> None:
    server.says(EXERCISE, raw=b"")
    broker.exercise("AAPL260717C00190000")
    assert server.calls() == [EXERCISE]


def test_an_exercise_of_unknown_fate_is_never_repeated(
    server: CannedServer, broker: AlpacaBroker
) -> None:
    server.says(EXERCISE, {"message": "internal"}, status=500)
    with pytest.raises(BrokerUnavailable):
        broker.exercise("AAPL260717C00190000")
    assert server.calls() == [EXERCISE]


def test_an_exercise_that_the_broker_refuses_says_why(
    server: CannedServer, broker: AlpacaBroker
) -> None:
    server.says(EXERCISE, {"code": 40310000, "message": "no qty available"}, status=403)
    with pytest.raises(BrokerRefused, match="no qty available"):
        broker.exercise("AAPL260717C00190000")
