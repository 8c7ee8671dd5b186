"""Orders and exchanges as the tests of this folder need them."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from simulator.exchange import Exchange
from tests.simulation.exchange.small_world import WEEK, SmallWorld, contract_symbol

NOON = WEEK[0].opens_at + timedelta(hours=2, minutes=30)
PUT_100 = contract_symbol("P", 100)
PUT_95 = contract_symbol("P", 95)
CALL_110 = contract_symbol("C", 110)
CALL_115 = contract_symbol("C", 115)


def usual_world() -> SmallWorld:
    """Quote a put spread worth 0.70 at mid and 0.50 at natural, and a call spread beside it."""
    return (
        SmallWorld()
        .with_stock("104.95", "105.05")
        .with_option(PUT_100, "1.40", "1.60")
        .with_option(PUT_95, "0.70", "0.90")
        .with_option(CALL_110, "1.00", "1.10")
        .with_option(CALL_115, "0.30", "0.40")
    )


def exchange_at_noon(world: SmallWorld | None = None, **options: Any) -> Exchange:
    """Open an exchange on Monday noon that never fills in part, unless told otherwise."""
    settings: dict[str, Any] = {
        "starts_at": NOON,
        "partial_fill_probability": Decimal(0),
        "fees": "none",
        "shows_greeks": True,
        **options,
    }
    return Exchange(world or usual_world(), **settings)


def leg(symbol: str, intent: str, ratio: int = 1) -> dict[str, Any]:
    """Spell a leg as the SDK does."""
    return {
        "symbol": symbol,
        "ratio_qty": float(ratio),
        "side": intent.split("_", maxsplit=1)[0],
        "position_intent": intent,
    }


def multileg_order(
    legs: list[dict[str, Any]], limit: str | float | None, qty: float = 1.0, **fields: Any
) -> dict[str, Any]:
    """Spell a multi-leg day order; a limit of None makes it a market order."""
    body: dict[str, Any] = {
        "order_class": "mleg",
        "type": "market" if limit is None else "limit",
        "time_in_force": "day",
        "qty": qty,
        "legs": legs,
        **fields,
    }
    if limit is not None:
        body["limit_price"] = limit
    return body


def put_spread(limit: str | float | None = "-0.60", qty: float = 1.0, **fields: Any) -> Any:
    """Sell the 100/95 put spread; a credit is negative."""
    legs = [leg(PUT_100, "sell_to_open"), leg(PUT_95, "buy_to_open")]
    return {**multileg_order(legs, limit, qty), **fields}


def put_spread_close(limit: str | float | None = "0.80", qty: float = 1.0, **fields: Any) -> Any:
    """Buy the 100/95 put spread back; a debit is positive."""
    legs = [leg(PUT_100, "buy_to_close"), leg(PUT_95, "sell_to_close")]
    return {**multileg_order(legs, limit, qty), **fields}


def single_order(
    symbol: str, side: str, limit: str | None = None, qty: float = 1, **fields: Any
) -> dict[str, Any]:
    """Spell a simple day order of a contract or stock."""
    body: dict[str, Any] = {
        "symbol": symbol,
        "side": side,
        "type": "market" if limit is None else "limit",
        "time_in_force": "day",
        "qty": qty,
        **fields,
    }
    if limit is not None:
        body["limit_price"] = limit
    return body


def filled(exchange: Exchange, body: dict[str, Any]) -> Any:
    """Place an order and let it fill."""
    order = exchange.place_order(body)
    exchange.clock.advance(5)
    assert order.status == "filled", order.status
    return order


def at_close(day: int = 0) -> datetime:
    """Give the close of a day of the week."""
    return WEEK[day].closes_at
