"""The exchange behind the agent's own Alpaca adapters, without a network between them.

The adapters and the exchange's endpoints are the real ones: what is left out is the socket. So
a lost answer, a gateway's page or half a JSON body meets the very code that it would meet live.
"""

import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import requests

from agent.adapters.alpaca.broker import AlpacaBroker
from agent.adapters.alpaca.credentials import Credentials, parse_credentials
from agent.adapters.alpaca.hours import AlpacaHours
from agent.adapters.alpaca.market_data import AlpacaMarketData
from agent.adapters.alpaca.session import AlpacaSession
from simulator.exchange import Exchange, RefusalError
from simulator.exchange.app import GATEWAY_PAGE, JSON
from simulator.exchange.calls import Call, Endpoint, Reply, without_code
from simulator.exchange.routes import MARKET_DATA, TRADING
from simulator.storm.faults import (
    HTTP_CANCEL,
    HTTP_CLOCK,
    HTTP_ORDER,
    HTTP_READ,
    Fault,
    FaultKind,
    Menu,
)
from simulator.storm.sandbox import Sandbox

BASE_URL = "http://127.0.0.1:1"
READ_TIMEOUT_SECONDS = 5.0
CLOCK_PATH = "/clock"
SKEW_SECONDS_MAX = 3.0
"""How far the broker's clock may be off in one answer, either way."""
LANDING_SECONDS_MAX = 25.0
"""How much later than its client gave up an order may still land. With the 30 s that a function
runs, it stays under the 60 s after which the agent takes an unknown order for lost."""


@dataclass(frozen=True)
class DirectConnection:
    """Hold the agent's adapters over one exchange."""

    broker: AlpacaBroker
    hours: AlpacaHours
    market: AlpacaMarketData


def connect_directly(exchange: Exchange, sandbox: Sandbox) -> DirectConnection:
    """Make the adapters of one sandbox."""
    credentials = _credentials(exchange.key_id, exchange.secret_key)
    transport = DirectTransport(exchange, sandbox)
    trading, data = (
        AlpacaSession(
            BASE_URL,
            credentials,
            transport=transport,
            sleep=sandbox.pause,
            now=lambda: exchange.now,
        )
        for _ in range(2)
    )
    return DirectConnection(
        AlpacaBroker(trading), AlpacaHours(trading), AlpacaMarketData(trading, data)
    )


class DirectTransport:
    """Answer requests by the exchange's own endpoints; a fault may come between."""

    def __init__(self, exchange: Exchange, sandbox: Sandbox) -> None:
        self._exchange = exchange
        self._sandbox = sandbox

    def exchange(
        self, method: str, path: str, data: Mapping[str, Any] | None, version: str
    ) -> requests.Response:
        """Give the answer to one request, or raise as requests does."""

        def act() -> requests.Response:
            return self._answer(method, f"/{version}{path}", data)

        fault = self._sandbox.fault_at(f"{method} {_family(path)}", _menu(method, path))
        if fault is None:
            return act()

        def special(fault: Fault, act: Callable[[], requests.Response]) -> requests.Response:
            return self._strike(fault, act, data)

        return self._sandbox.meet(fault, act, special)

    def close(self) -> None:
        """Close nothing: there is no connection."""

    def _strike(
        self,
        fault: Fault,
        act: Callable[[], requests.Response],
        data: Mapping[str, Any] | None,
    ) -> requests.Response:
        kind = fault.kind
        if kind is FaultKind.CLOCK_SKEWED:
            return self._skewed(fault, act())
        if kind is FaultKind.FILL_AFTER_CANCEL:
            self._exchange.faults.late_fills_after_cancel = 1
            answer = act()
            self._exchange.faults.late_fills_after_cancel = 0
            return answer
        if kind is FaultKind.CLOSE_REFUSED:
            self._exchange.faults.multileg_closes_refused = 1
            answer = act()
            self._exchange.faults.multileg_closes_refused = 0
            return answer
        if kind is FaultKind.LATE_LANDING:
            self._land_later(fault, data)
        if kind in {
            FaultKind.SERVER_ERROR_AFTER,
            FaultKind.GATEWAY_AFTER,
            FaultKind.GARBAGE_AFTER,
            FaultKind.TIMEOUT_AFTER,
        }:
            act()
        return self._failed(kind)

    def _failed(self, kind: FaultKind) -> requests.Response:
        if kind in {FaultKind.TIMEOUT_BEFORE, FaultKind.TIMEOUT_AFTER, FaultKind.LATE_LANDING}:
            self._sandbox.pause(READ_TIMEOUT_SECONDS)
            raise requests.ReadTimeout(f"no answer within {READ_TIMEOUT_SECONDS:g} s")
        if kind is FaultKind.RESET_BEFORE:
            raise requests.ConnectionError("the connection was reset")
        if kind is FaultKind.THROTTLED:
            resets_at = self._exchange.now + timedelta(seconds=2)
            headers = {"X-RateLimit-Reset": f"{resets_at.timestamp():.0f}"}
            return _response(429, b'{"code":42910000,"message":"rate limit exceeded"}', headers)
        if kind in {FaultKind.GATEWAY_BEFORE, FaultKind.GATEWAY_AFTER}:
            return _response(504, GATEWAY_PAGE.encode())
        if kind is FaultKind.ORDER_REFUSED:
            return _response(422, b'{"code":42210000,"message":"contract is not tradable"}')
        if kind is FaultKind.GARBAGE_AFTER:
            return _response(200, b'{"id":')
        # A careless server repeats what it was sent, the keys included.
        message = f"failed for {self._exchange.key_id} {self._exchange.secret_key}"
        return _response(500, json.dumps({"code": 50010000, "message": message}).encode())

    def _skewed(self, fault: Fault, answer: requests.Response) -> requests.Response:
        body = answer.json()
        seconds = self._sandbox.plan.dice.between(
            f"skew/{fault.key}", -SKEW_SECONDS_MAX, SKEW_SECONDS_MAX
        )
        shown = datetime.fromisoformat(body["timestamp"]) + timedelta(seconds=seconds)
        return _response(200, json.dumps({**body, "timestamp": shown.isoformat()}).encode())

    def _land_later(self, fault: Fault, data: Mapping[str, Any] | None) -> None:
        body = json.loads(json.dumps(data))
        seconds = self._sandbox.plan.dice.between(
            f"landing/{fault.key}", READ_TIMEOUT_SECONDS, LANDING_SECONDS_MAX
        )

        def land() -> None:
            try:
                self._exchange.place_order(body)
            except RefusalError:
                return  # Sent again meanwhile: the exchange refuses the id a second time.

        self._sandbox.scheduler.after(seconds, f"landing/{fault.key}", land)

    def _answer(self, method: str, path: str, data: Mapping[str, Any] | None) -> requests.Response:
        endpoint, parameters, is_data = _route(method, path)
        decoded = {} if data is None else json.loads(json.dumps(data))
        call = (
            Call(path=parameters, body=decoded)
            if method == "POST"
            else Call(path=parameters, query=decoded)
        )
        try:
            with self._exchange.lock:
                reply = endpoint(self._exchange, call)
        except RefusalError as refusal:
            told = without_code(refusal) if is_data else refusal
            reply = Reply(told.body, status=told.status)
        body = b"" if reply.body is None else JSON.dump_json(reply.body)
        return _response(reply.status, body)


def _response(
    status: int, body: bytes, headers: Mapping[str, str] | None = None
) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response.raw = io.BytesIO(body)
    response.headers.update(headers or {})
    return response


def _menu(method: str, path: str) -> Menu:
    if path == CLOCK_PATH:
        return HTTP_CLOCK
    if method == "POST":
        return HTTP_ORDER
    return HTTP_CANCEL if method == "DELETE" else HTTP_READ


def _family(path: str) -> str:
    """Name a path without the ids in it."""
    return path if path.startswith("/orders:") else "/".join(path.split("/")[:3])


@lru_cache(maxsize=1)
def _table() -> tuple[tuple[str, re.Pattern[str], Endpoint, bool], ...]:
    return tuple(
        (method, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path) + "$"), endpoint, is_data)
        for routes, is_data in ((TRADING, False), (MARKET_DATA, True))
        for method, path, endpoint in routes
    )


@lru_cache(maxsize=4_096)
def _route(method: str, path: str) -> tuple[Endpoint, Mapping[str, str], bool]:
    for known, pattern, endpoint, is_data in _table():
        match = pattern.match(path) if known == method else None
        if match is not None:
            found = {name: unquote(text) for name, text in match.groupdict().items()}
            return endpoint, found, is_data
    raise LookupError(f"the exchange has no {method} {path}")


@lru_cache(maxsize=8)
def _credentials(key_id: str, secret_key: str) -> Credentials:
    secret = {"key_id": key_id, "secret_key": secret_key, "endpoint": BASE_URL}
    return parse_credentials(json.dumps(secret))
