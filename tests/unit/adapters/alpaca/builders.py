"""Answers as Alpaca spells them, and the requests they belong to."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from agent.adapters.alpaca.answers import Answer
from agent.adapters.alpaca.credentials import Credentials
from agent.market.quotes import UnderlyingSnapshot
from agent.options.contracts import OptionContract, OptionType
from agent.options.structures import Leg, LegSide
from agent.ports import OrderRequest

KEY_ID = "PKTESTKEY"
SECRET_KEY = "s3cr3t-and-long-enough"
EXPIRATION = date(2026, 7, 17)
NOON = datetime(2026, 6, 15, 16, 0, tzinfo=UTC)
ACME = UnderlyingSnapshot("ACME", NOON, Decimal("104.95"), Decimal("105.05"), None, None)


def credentials() -> Credentials:
    return Credentials.model_validate({"key_id": KEY_ID, "secret_key": SECRET_KEY})


def put(strike: int | str, underlying: str = "ACME") -> OptionContract:
    return OptionContract(underlying, EXPIRATION, OptionType.PUT, Decimal(strike))


def short(strike: int | str, ratio: int = 1) -> Leg:
    return Leg(put(strike), LegSide.SHORT, ratio)


def long(strike: int | str, ratio: int = 1) -> Leg:
    return Leg(put(strike), LegSide.LONG, ratio)


def request(
    *legs: Leg,
    cash: str,
    opening: bool = True,
    contracts: int = 1,
    client_order_id: str = "entry-1",
) -> OrderRequest:
    """Ask for a put spread unless other legs are named."""
    return OrderRequest(
        client_order_id=client_order_id,
        legs=legs or (short(100), long(95)),
        opening=opening,
        contracts=contracts,
        limit_cash=Decimal(cash),
    )


def answer(**fields: Any) -> Answer:
    return Answer(fields, "GET somewhere")


def leg_json(symbol: str, side: str, price: str | None, filled: str = "0", **fields: Any) -> Any:
    return {
        "id": f"leg-{symbol}",
        "client_order_id": f"auto-{symbol}",
        "symbol": symbol,
        "asset_class": "us_option",
        "side": side,
        "ratio_qty": "1",
        "qty": "2",
        "filled_qty": filled,
        "filled_avg_price": price,
        "type": "",
        "order_type": "",
        "limit_price": None,
        "legs": None,
        **fields,
    }


def spread_json(
    *,
    status: str = "new",
    filled: str = "0",
    net: str | None = None,
    short_price: str | None = None,
    long_price: str | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """Spell a multi-leg order of two put spreads, as sent to open."""
    return {
        "id": "61e69015-8549-4bfd-b9c3-01e75843f47d",
        "client_order_id": "entry-1",
        "created_at": "2026-06-15T16:00:00.123456789Z",
        "submitted_at": "2026-06-15T16:00:00.223456789Z",
        "filled_at": "2026-06-15T16:00:02.5Z" if status == "filled" else None,
        "symbol": "",
        "asset_class": "",
        "side": "",
        "order_class": "mleg",
        "type": "limit",
        "qty": "2",
        "filled_qty": filled,
        "filled_avg_price": net,
        "limit_price": "-0.6",
        "status": status,
        "legs": [
            leg_json(put(100).symbol, "sell", short_price, filled),
            leg_json(put(95).symbol, "buy", long_price, filled),
        ],
        **fields,
    }


def filled_spread_json(**fields: Any) -> dict[str, Any]:
    """Spell two put spreads filled for a credit of 0.60."""
    return spread_json(
        **{
            "status": "filled",
            "filled": "2",
            "net": "-0.6",
            "short_price": "1.45",
            "long_price": "0.85",
            **fields,
        }
    )


def single_json(side: str, price: str | None, **fields: Any) -> dict[str, Any]:
    """Spell an order of one contract."""
    return {
        **spread_json(status="filled", filled="2", net=price),
        "symbol": put(100).symbol,
        "asset_class": "us_option",
        "side": side,
        "order_class": "simple",
        "limit_price": "1.4",
        "legs": None,
        **fields,
    }


def account_json(**fields: Any) -> dict[str, Any]:
    return {
        "account_number": "PA1",
        "status": "ACTIVE",
        "cash": "100000",
        "equity": "100060.5",
        "last_equity": "100000",
        "options_buying_power": "99500",
        "accrued_fees": "0.12",
        "options_trading_level": 3,
        "trading_blocked": False,
        "account_blocked": False,
        "trade_suspended_by_user": False,
        **fields,
    }


def quote_json(bid: float, ask: float, at: str = "2026-06-15T15:59:59.987654321Z") -> Any:
    return {"t": at, "bp": bid, "bs": 10, "bx": "C", "ap": ask, "as": 12, "ax": "C", "c": " "}


def bar_json(day: str, volume: float) -> dict[str, Any]:
    """Spell a daily bar; the broker stamps it with midnight in New York."""
    return {"t": f"{day}T04:00:00Z", "o": 1.0, "h": 1.0, "l": 1.0, "c": 1.0, "v": volume}


def quoted(bid: float = 1.4, ask: float = 1.6, **fields: Any) -> dict[str, Any]:
    return {"latestQuote": quote_json(bid, ask), **fields}
