"""The HTTP face of an exchange: keys, rate limits, faults, refusals as JSON."""

import asyncio
import base64
import binascii
import json
from collections.abc import Awaitable, Callable
from hmac import compare_digest
from typing import Any

from pydantic import TypeAdapter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from simulator.exchange.calls import Call, Endpoint, Reply, without_code
from simulator.exchange.effects import READS, request_effect
from simulator.exchange.errors import (
    TOO_MANY_REQUESTS,
    UNAUTHORIZED,
    RefusalError,
    malformed,
    not_found,
)
from simulator.exchange.exchange import Exchange
from simulator.exchange.faults import HttpFault, HttpFaultKind
from simulator.exchange.rate_limit import RateLimit
from simulator.exchange.routes import MARKET_DATA, TRADING
from simulator.exchange.stream import Stream

Handler = Callable[[Request], Awaitable[Response]]
Headers = dict[str, str]
JSON: TypeAdapter[Any] = TypeAdapter(Any)
"""Writes a chain in a fifth of the time that `json` takes."""
METHOD_NOT_ALLOWED = 40510000
INTERNAL_ERROR = {"code": 50010000, "message": "internal server error occurred"}
GATEWAY_PAGE = "<html><body><h1>504 Gateway Time-out</h1></body></html>"


def create_app(exchange: Exchange) -> Starlette:
    """Give the ASGI application that speaks Alpaca's API for `exchange`."""
    routes: list[BaseRoute] = [WebSocketRoute("/stream", _stream_of(exchange))]
    # Trading and market data have independent limits, as two hosts have.
    for table, is_data in ((TRADING, False), (MARKET_DATA, True)):
        limit = RateLimit(exchange.clock, exchange.rate_limit_per_minute)
        face = _Face(exchange, limit, is_data=is_data)
        routes += [
            Route(path, face.handler(endpoint, path), methods=[method])
            for method, path, endpoint in table
        ]
    return Starlette(routes=routes, exception_handlers=dict(UNANSWERED))


def _stream_of(exchange: Exchange) -> Callable[[WebSocket], Awaitable[None]]:
    async def serve_stream(websocket: WebSocket) -> None:
        await Stream(exchange, websocket).run()

    return serve_stream


class _Face:
    """One of the two API hosts: what is common to all its endpoints."""

    def __init__(self, exchange: Exchange, limit: RateLimit, *, is_data: bool) -> None:
        self._exchange = exchange
        self._limit = limit
        self._is_data = is_data

    def handler(self, endpoint: Endpoint, route: str) -> Handler:
        """Give the handler that answers with what the endpoint replies."""

        async def handle(request: Request) -> Response:
            body = await request.body()
            with self._exchange.lock:
                headers = self._limit.count_request()
                fault = self._exchange.faults.take_http(
                    request.method, request.url.path, self._exchange.now
                )
            if fault is not None and fault.is_before:
                return await _faulty(fault, headers)
            response = self._answer(endpoint, route, request, body, headers)
            return response if fault is None else await _faulty(fault, headers)

        return handle

    def _answer(
        self, endpoint: Endpoint, route: str, request: Request, body: bytes, headers: Headers
    ) -> Response:
        with self._exchange.lock:
            try:
                self._check_keys(request)
                self._limit.check()
                call = _call(request, body)
                reply = endpoint(self._exchange, call)
                if request.method not in READS:
                    self._exchange.tell(request_effect(request.method, route, call))
            except RefusalError as refusal:
                told = without_code(refusal) if self._is_data else refusal
                reply = Reply(told.body, status=told.status)
        return _response(reply, headers)

    def _check_keys(self, request: Request) -> None:
        exchange = self._exchange
        key_id, secret_key = _keys_of(request)
        known = compare_digest(key_id.encode(), exchange.key_id.encode())
        if not (known and compare_digest(secret_key.encode(), exchange.secret_key.encode())):
            message = "unauthorized." if self._is_data else "request is not authorized"
            raise RefusalError(401, UNAUTHORIZED, message)


def _response(reply: Reply, headers: Headers) -> Response:
    if reply.body is None:
        return Response(status_code=reply.status, headers=headers)
    return Response(
        JSON.dump_json(reply.body),
        status_code=reply.status,
        headers=headers,
        media_type="application/json",
    )


async def _faulty(fault: HttpFault, headers: Headers) -> Response:
    if fault.kind in {HttpFaultKind.HANG_BEFORE, HttpFaultKind.HANG_AFTER}:
        await asyncio.sleep(fault.seconds)
    if fault.kind is HttpFaultKind.TOO_MANY_REQUESTS:
        body = {"code": TOO_MANY_REQUESTS, "message": "rate limit exceeded"}
        return _response(Reply(body, status=429), headers)
    if fault.kind is HttpFaultKind.SERVER_ERROR:
        return _response(Reply(INTERNAL_ERROR, status=500), headers)
    if fault.kind is HttpFaultKind.GARBAGE_AFTER:
        return Response('{"id":', headers=headers, media_type="application/json")
    return Response(GATEWAY_PAGE, status_code=504, headers=headers, media_type="text/html")


async def _unknown_path(request: Request, _: Exception) -> Response:
    refusal = not_found(f"endpoint not found: {request.url.path}")
    return _response(Reply(refusal.body, status=refusal.status), {})


async def _unknown_method(request: Request, _: Exception) -> Response:
    body = {"code": METHOD_NOT_ALLOWED, "message": f"method not allowed: {request.method}"}
    return _response(Reply(body, status=405), {})


async def _failure(_: Request, __: Exception) -> Response:
    return _response(Reply(INTERNAL_ERROR, status=500), {})


UNANSWERED = {404: _unknown_path, 405: _unknown_method, Exception: _failure}


def _keys_of(request: Request) -> tuple[str, str]:
    """Read key and secret from Alpaca's headers, or from those of basic authentication."""
    headers = request.headers
    scheme, _, told = headers.get("Authorization", "").partition(" ")
    if "APCA-API-KEY-ID" not in headers and scheme.lower() == "basic":
        try:
            key_id, _, secret_key = base64.b64decode(told, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return key_id, secret_key
    return headers.get("APCA-API-KEY-ID", ""), headers.get("APCA-API-SECRET-KEY", "")


def _call(request: Request, body: bytes) -> Call:
    decoded = None
    if body:
        try:
            decoded = json.loads(body)
        except ValueError as error:
            raise malformed("request body format is invalid") from error
    return Call(path=request.path_params, query=dict(request.query_params), body=decoded)
