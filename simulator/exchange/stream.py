"""The trading stream: a websocket that tells of an account's orders, as Alpaca's does."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from hmac import compare_digest
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from simulator.exchange.exchange import Exchange
from simulator.exchange.trade_updates import Update

TRADE_UPDATES = "trade_updates"
UNREAD_MAX = 10_000
"""Messages that a client may leave unread before it is cut off."""
POLICY_VIOLATION = 1008


class Stream:
    """One client's connection: it says who it is, then what it listens to."""

    def __init__(self, exchange: Exchange, websocket: WebSocket) -> None:
        self._exchange = exchange
        self._websocket = websocket
        self._loop = asyncio.get_running_loop()
        self._unread: asyncio.Queue[Update | None] = asyncio.Queue()
        self._is_authorized = False

    async def run(self) -> None:
        """Serve the client until it leaves."""
        await self._websocket.accept()
        sender = asyncio.create_task(self._send_updates())
        try:
            while True:
                await self._obey(await self._receive())
        except WebSocketDisconnect:
            pass
        finally:
            with self._exchange.lock:
                self._exchange.updates.stop_listening(self._put)
            sender.cancel()
            with suppress(asyncio.CancelledError, RuntimeError, WebSocketDisconnect):
                await sender

    async def _receive(self) -> Mapping[str, Any]:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", POLICY_VIOLATION))
        text = message.get("text") or message.get("bytes") or b""
        try:
            decoded = json.loads(text)
        except ValueError:
            return {}
        return decoded if isinstance(decoded, Mapping) else {}

    async def _obey(self, told: Mapping[str, Any]) -> None:
        action, data = told.get("action"), told.get("data")
        data = data if isinstance(data, Mapping) else {}
        if action == "authenticate":
            self._is_authorized = self._knows(data.get("key_id"), data.get("secret_key"))
        elif action == "auth":
            self._is_authorized = self._knows(told.get("key"), told.get("secret"))
        elif action == "listen" and self._is_authorized:
            await self._listen(data.get("streams"))
            return
        status = "authorized" if self._is_authorized else "unauthorized"
        answer = {"status": status, "action": "authenticate" if action == "auth" else action}
        await self._send({"stream": "authorization", "data": answer})

    async def _listen(self, streams: object) -> None:
        asked = streams if isinstance(streams, list) else []
        listened = [name for name in asked if name == TRADE_UPDATES]
        with self._exchange.lock:
            self._exchange.updates.stop_listening(self._put)
            if listened:
                self._exchange.updates.listen(self._put)
        await self._send({"stream": "listening", "data": {"streams": listened}})

    def _knows(self, key_id: object, secret_key: object) -> bool:
        if not (isinstance(key_id, str) and isinstance(secret_key, str)):
            return False
        exchange = self._exchange
        same_key = compare_digest(key_id.encode(), exchange.key_id.encode())
        return same_key and compare_digest(secret_key.encode(), exchange.secret_key.encode())

    def _put(self, update: Update) -> None:
        # Called from whichever thread moves the clock or answers a request.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._queue, update)

    def _queue(self, update: Update) -> None:
        if self._unread.qsize() < UNREAD_MAX:
            self._unread.put_nowait(update)
        else:
            self._unread.put_nowait(None)

    async def _send_updates(self) -> None:
        while (update := await self._unread.get()) is not None:
            await self._send({"stream": TRADE_UPDATES, "data": update})
        await self._websocket.close(POLICY_VIOLATION, "too slow a reader")

    async def _send(self, message: Mapping[str, Any]) -> None:
        # Alpaca sends JSON in binary frames.
        await self._websocket.send_bytes(json.dumps(message, separators=(",", ":")).encode())
