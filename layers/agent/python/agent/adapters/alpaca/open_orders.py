"""Every open order of option contracts in the account, whoever sent it."""

from dataclasses import dataclass

from agent.adapters.alpaca.answers import Answer
from agent.adapters.alpaca.session import PAGES_MAX, AlpacaSession
from agent.options.contracts import OCC_SYMBOL_PATTERN
from agent.ports import BrokerMisunderstood

PAGE_SIZE = 500
"""The most that Alpaca gives at a time."""


@dataclass(frozen=True)
class OpenOrder:
    """Name an order that may still fill, and the contracts it is about."""

    order_id: str
    client_order_id: str
    symbols: tuple[str, ...]
    """OCC symbols; a stock among the legs is left out."""


def open_option_orders(
    trading: AlpacaSession, *, page_size: int = PAGE_SIZE
) -> tuple[OpenOrder, ...]:
    """List the orders that have not ended and trade an option contract, newest first.

    Raises as AlpacaSession does, and BrokerMisunderstood where the pages do not end.
    """
    rows = order_rows(trading, status="open", page_size=page_size)
    orders = [_open_order(row) for row in rows]
    return tuple(order for order in orders if order.symbols)


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


def _open_order(row: Answer) -> OpenOrder:
    parts = row.parts("legs") if row.has("legs") else []
    symbols = [part.optional_text("symbol") for part in (row, *parts)]
    return OpenOrder(
        order_id=row.text("id"),
        client_order_id=row.text("client_order_id"),
        symbols=tuple(
            symbol for symbol in symbols if symbol and OCC_SYMBOL_PATTERN.fullmatch(symbol)
        ),
    )
