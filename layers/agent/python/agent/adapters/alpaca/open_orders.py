"""Every open order in the account, whoever sent it."""

from agent.adapters.alpaca.answers import Answer
from agent.adapters.alpaca.session import PAGES_MAX, AlpacaSession
from agent.options.contracts import OCC_SYMBOL_PATTERN
from agent.ports import BrokerMisunderstood, WorkingOrder

_SIDES = {"buy": True, "sell": False}
PAGE_SIZE = 500
"""The most that Alpaca gives at a time."""


def open_orders(trading: AlpacaSession, *, page_size: int = PAGE_SIZE) -> tuple[WorkingOrder, ...]:
    """List the orders that have not ended, newest first.

    Raises as AlpacaSession does, and BrokerMisunderstood where the pages do not end.
    """
    return tuple(
        _open_order(row) for row in order_rows(trading, status="open", page_size=page_size)
    )


def open_option_orders(
    trading: AlpacaSession, *, page_size: int = PAGE_SIZE
) -> tuple[WorkingOrder, ...]:
    """List those of them that trade an option contract, newest first; raises as `open_orders`."""
    orders = open_orders(trading, page_size=page_size)
    return tuple(
        order
        for order in orders
        if any(OCC_SYMBOL_PATTERN.fullmatch(symbol) for symbol in order.symbols)
    )


def order_rows(
    trading: AlpacaSession, *, status: str, page_size: int = PAGE_SIZE
) -> tuple[Answer, ...]:
    """Read the orders of a status, of any asset, legs within them, newest first, page by page.

    Raises as AlpacaSession does, and BrokerMisunderstood where the pages do not end.
    """
    found: dict[str, Answer] = {}
    asked = {"status": status, "nested": "true", "direction": "desc", "limit": str(page_size)}
    for _ in range(PAGES_MAX):
        page = trading.read_objects("/orders", asked)
        known = len(found)
        found.update({row.text("id"): row for row in page})
        if len(page) < page_size:
            return tuple(found.values())
        if len(found) == known:
            raise BrokerMisunderstood(f"{page[-1].source}: a page repeats the one before")
        # Orders of one instant may straddle two pages: the bound is included, the known is known.
        asked["until"] = page[-1].text("created_at")
    raise BrokerMisunderstood(f"the {status} orders fill more than {PAGES_MAX} pages")


def _open_order(row: Answer) -> WorkingOrder:
    parts = row.parts("legs") if row.has("legs") else []
    symbols = [part.optional_text("symbol") for part in (row, *parts)]
    return WorkingOrder(
        order_id=row.text("id"),
        client_order_id=row.text("client_order_id"),
        symbols=tuple(symbol for symbol in symbols if symbol),
        buys=None if parts else _SIDES.get(row.optional_text("side") or ""),
        limit_price=None if parts else row.optional_number("limit_price"),
    )
