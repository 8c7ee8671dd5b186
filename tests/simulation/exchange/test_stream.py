"""The websocket that tells of orders, as alpaca-py's TradingStream and a bare client read it."""

import asyncio
import json
import time
from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest
from alpaca.trading.models import TradeUpdate
from alpaca.trading.stream import TradingStream
from websockets.sync.client import ClientConnection, connect

from simulator.exchange import Exchange, ExchangeServer
from simulator.exchange.trade_updates import TradeUpdates
from tests.simulation.exchange.alpaca_clients import Clients
from tests.simulation.exchange.builders import (
    PUT_95,
    PUT_100,
    at_close,
    exchange_at_noon,
    filled,
    put_spread,
    single_order,
)

PATIENCE_SECONDS = 20


def told_by(exchange: Exchange, act: Callable[[], object]) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []
    exchange.updates.listen(seen.append)
    act()
    exchange.updates.stop_listening(seen.append)
    return seen


def events(seen: list[dict[str, Any]]) -> list[str]:
    return [update["event"] for update in seen]


def test_an_order_is_told_from_its_birth_to_its_fill() -> None:
    exchange = exchange_at_noon()
    seen = told_by(exchange, lambda: filled(exchange, single_order(PUT_100, "buy", "1.60", qty=2)))
    assert events(seen) == ["pending_new", "new", "fill"]
    last = seen[-1]
    assert (last["price"], last["qty"], last["position_qty"]) == ("1.6", "2", "2")
    assert last["order"]["status"] == "filled"
    assert [update["order"]["status"] for update in seen] == ["accepted", "new", "filled"]


def test_a_multi_leg_fill_names_its_legs_and_what_is_held_of_them() -> None:
    exchange = exchange_at_noon()
    seen = told_by(exchange, lambda: filled(exchange, put_spread("-0.50", qty=2)))
    last = seen[-1]
    assert last["price"].startswith("-")
    assert last["position_qtys"] == {PUT_100: "-2", PUT_95: "2"}
    assert {leg["symbol"]: leg["qty"] for leg in last["legs"]} == {PUT_100: "2", PUT_95: "2"}


def test_parts_cancels_expirations_and_replacements_are_told() -> None:
    exchange = exchange_at_noon(partial_fill_probability=1)

    def act() -> None:
        exchange.place_order(single_order(PUT_100, "buy", "1.60", qty=5))
        exchange.clock.advance(60)
        working = exchange.place_order(single_order(PUT_100, "buy", "0.10"))
        exchange.clock.advance(5)
        new = exchange.replace_order(working.order_id, {"limit_price": "0.11"})
        exchange.cancel_order(new.order_id)
        exchange.place_order(single_order(PUT_100, "buy", "0.10"))
        exchange.clock.advance_to(at_close())

    assert events(told_by(exchange, act)) == [
        *("pending_new", "new", "partial_fill", "fill"),
        *("pending_new", "new", "pending_new", "replaced", "pending_cancel", "canceled"),
        *("pending_new", "new", "expired"),
    ]


def test_nobody_who_stopped_listening_is_told() -> None:
    exchange = exchange_at_noon()
    assert isinstance(exchange.updates, TradeUpdates)
    seen = told_by(exchange, lambda: None)
    filled(exchange, single_order(PUT_100, "buy", "1.60"))
    assert seen == []


def test_alpacas_own_stream_reads_what_happens(clients: Clients) -> None:
    seen: list[TradeUpdate] = []

    async def note(update: TradeUpdate) -> None:
        await asyncio.sleep(0)
        seen.append(update)

    address = clients.server.url.replace("http", "ws") + "/stream"
    keys = (clients.exchange.key_id, clients.exchange.secret_key)
    stream = TradingStream(*keys, url_override=address)
    stream.subscribe_trade_updates(note)
    thread = Thread(target=stream.run)
    thread.start()
    wait_for(lambda: clients.exchange.updates.has_listeners)
    filled(clients.exchange, single_order("ACME", "buy", "106", qty=3))
    wait_for(lambda: len(seen) == 3)
    stream.stop()
    thread.join(PATIENCE_SECONDS)
    assert [update.event for update in seen] == ["pending_new", "new", "fill"]
    assert (seen[-1].qty, seen[-1].position_qty, seen[-1].order.symbol) == (3, 3, "ACME")


def wait_for(done: Callable[[], bool]) -> None:
    for _ in range(PATIENCE_SECONDS * 100):
        if done():
            return
        time.sleep(0.01)
    pytest.fail("nothing came of it")


def opened(server: ExchangeServer) -> ClientConnection:
    return connect(server.url.replace("http", "ws") + "/stream", proxy=None)


def said(socket: ClientConnection, message: Any) -> Any:
    socket.send(message if isinstance(message, str | bytes) else json.dumps(message))
    answer = socket.recv(PATIENCE_SECONDS)
    assert isinstance(answer, bytes), "Alpaca sends binary frames"
    return json.loads(answer)


def test_who_does_not_know_the_keys_hears_nothing(clients: Clients) -> None:
    with opened(clients.server) as socket:
        wrong = {"action": "authenticate", "data": {"key_id": "a", "secret_key": "b"}}
        for message in (wrong, {"action": "listen", "data": {"streams": ["trade_updates"]}}):
            assert said(socket, message)["data"]["status"] == "unauthorized"
        for garbage in ("no json", b"\xff", "[]", {"action": "authenticate", "data": 7}):
            assert said(socket, garbage)["data"]["status"] == "unauthorized"
    assert not clients.exchange.updates.has_listeners


def test_only_trade_updates_can_be_listened_to_and_no_more_after_leaving(clients: Clients) -> None:
    exchange = clients.exchange
    with opened(clients.server) as socket:
        old = {"action": "auth", "key": exchange.key_id, "secret": exchange.secret_key}
        assert said(socket, old)["data"] == {"status": "authorized", "action": "authenticate"}
        both = {"action": "listen", "data": {"streams": ["trade_updates", "account_updates"]}}
        assert said(socket, both)["data"] == {"streams": ["trade_updates"]}
        assert exchange.updates.has_listeners
        assert said(socket, {"action": "listen", "data": {"streams": []}})["data"]["streams"] == []
        assert not exchange.updates.has_listeners
        said(socket, both)
    wait_for(lambda: not exchange.updates.has_listeners)
