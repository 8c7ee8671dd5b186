"""The HTTP face of an exchange: routes, keys, rate-limit headers, refusals as JSON."""

import json
from collections.abc import Awaitable, Callable
from hmac import compare_digest

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.exchange import data_endpoints, trading_endpoints
from simulator.exchange.calls import Call, Endpoint, Reply, without_code
from simulator.exchange.errors import UNAUTHORIZED, RefusalError, malformed
from simulator.exchange.exchange import Exchange
from simulator.exchange.rate_limit import RateLimit

TRADING: tuple[tuple[str, str, Endpoint], ...] = (
    ("GET", "/v2/account", trading_endpoints.get_account),
    ("GET", "/v2/account/activities", trading_endpoints.get_activities),
    ("GET", "/v2/account/activities/{activity_type}", trading_endpoints.get_activities),
    ("GET", "/v2/clock", trading_endpoints.get_clock),
    ("GET", "/v2/calendar", trading_endpoints.get_calendar),
    ("GET", "/v2/assets", trading_endpoints.get_assets),
    ("GET", "/v2/assets/{symbol_or_asset_id}", trading_endpoints.get_asset),
    ("GET", "/v2/positions", trading_endpoints.get_positions),
    ("GET", "/v2/positions/{symbol_or_asset_id}", trading_endpoints.get_position),
    ("POST", "/v2/orders", trading_endpoints.post_order),
    ("GET", "/v2/orders", trading_endpoints.get_orders),
    ("DELETE", "/v2/orders", trading_endpoints.delete_orders),
    ("GET", "/v2/orders:by_client_order_id", trading_endpoints.get_order_by_client_id),
    ("GET", "/v2/orders/{order_id}", trading_endpoints.get_order),
    ("DELETE", "/v2/orders/{order_id}", trading_endpoints.delete_order),
    ("GET", "/v2/options/contracts", data_endpoints.get_contracts),
    ("GET", "/v2/options/contracts/{symbol_or_id}", data_endpoints.get_contract),
)
MARKET_DATA: tuple[tuple[str, str, Endpoint], ...] = (
    ("GET", "/v1beta1/options/snapshots", data_endpoints.get_option_snapshots),
    ("GET", "/v1beta1/options/snapshots/{underlying_symbol}", data_endpoints.get_chain),
    ("GET", "/v1beta1/options/quotes/latest", data_endpoints.get_option_latest_quotes),
    ("GET", "/v2/stocks/snapshots", data_endpoints.get_stock_snapshots),
    ("GET", "/v2/stocks/quotes/latest", data_endpoints.get_stock_latest_quotes),
    ("GET", "/v2/stocks/bars", data_endpoints.get_stock_bars),
)

Handler = Callable[[Request], Awaitable[Response]]


def create_app(exchange: Exchange) -> Starlette:
    """Give the ASGI application that speaks Alpaca's API for `exchange`."""
    trading_limit = RateLimit(exchange.clock)
    data_limit = RateLimit(exchange.clock)
    routes = [
        Route(path, _handler(exchange, endpoint, trading_limit, is_data=False), methods=[method])
        for method, path, endpoint in TRADING
    ]
    routes += [
        Route(path, _handler(exchange, endpoint, data_limit, is_data=True), methods=[method])
        for method, path, endpoint in MARKET_DATA
    ]
    return Starlette(routes=routes)


def _handler(exchange: Exchange, endpoint: Endpoint, limit: RateLimit, *, is_data: bool) -> Handler:
    async def handle(request: Request) -> Response:
        body = await request.body()
        with exchange.lock:
            headers = limit.count_request()
            try:
                _check_keys(exchange, request)
                reply = endpoint(exchange, _call(request, body))
            except RefusalError as refusal:
                told = without_code(refusal) if is_data else refusal
                reply = Reply(told.body, status=told.status)
        if reply.body is None:
            return Response(status_code=reply.status, headers=headers)
        content = json.dumps(reply.body, separators=(",", ":"))
        return Response(
            content, status_code=reply.status, headers=headers, media_type="application/json"
        )

    return handle


def _check_keys(exchange: Exchange, request: Request) -> None:
    key_id = request.headers.get("APCA-API-KEY-ID", "")
    secret_key = request.headers.get("APCA-API-SECRET-KEY", "")
    known = compare_digest(key_id.encode(), exchange.key_id.encode())
    if not (known and compare_digest(secret_key.encode(), exchange.secret_key.encode())):
        raise RefusalError(401, UNAUTHORIZED, "request is not authorized")


def _call(request: Request, body: bytes) -> Call:
    decoded = None
    if body:
        try:
            decoded = json.loads(body)
        except ValueError as error:
            raise malformed("request body format is invalid") from error
    return Call(path=request.path_params, query=dict(request.query_params), body=decoded)
