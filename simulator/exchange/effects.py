"""Requests that changed an exchange, spelled so that they can be repeated on another."""

from datetime import datetime

from simulator.exchange.calls import Call, Endpoint
from simulator.exchange.errors import RefusalError
from simulator.exchange.exchange import Effect, Exchange
from simulator.exchange.routes import TRADING

READS = frozenset({"GET", "HEAD"})
_ROUTES: dict[tuple[str, str], Endpoint] = {
    (method, route): endpoint for method, route, endpoint in TRADING
}


class NotRepeatableError(Exception):
    """Raised where an effect is none of this exchange's, or does not come out as it did before."""


def request_effect(method: str, route: str, call: Call) -> Effect:
    """Spell a request that was granted; `route` is its path with the parameters' names in it."""
    return {
        "method": method,
        "route": route,
        "path": dict(call.path),
        "query": dict(call.query),
        "body": call.body,
    }


def repeat(exchange: Exchange, effect: Effect) -> None:
    """Do an effect again; raises NotRepeatableError."""
    if "moved_to" in effect:
        exchange.clock.advance_to(datetime.fromisoformat(effect["moved_to"]))
        return
    name = (str(effect.get("method")), str(effect.get("route")))
    endpoint = _ROUTES.get(name)
    if endpoint is None:
        raise NotRepeatableError(f"no request of this exchange: {' '.join(name)}")
    call = Call(path=effect["path"], query=effect["query"], body=effect["body"])
    try:
        with exchange.lock:
            endpoint(exchange, call)
    except RefusalError as refusal:
        raise NotRepeatableError(
            f"{' '.join(name)} was granted and is refused now: {refusal.message}"
        ) from refusal
