"""What every ended order of the account traded, leg by leg, whoever sent it."""

from datetime import date

from agent.adapters.alpaca.answers import Answer
from agent.adapters.alpaca.open_orders import PAGE_SIZE
from agent.adapters.alpaca.session import PAGES_MAX, AlpacaSession
from agent.ports import BrokerMisunderstood, LegFill

SIGNS = {"buy": 1, "sell": -1}


def read_leg_fills(
    trading: AlpacaSession, since: date, *, page_size: int = PAGE_SIZE
) -> tuple[LegFill, ...]:
    """List the fills of orders sent on `since` and after that have ended, newest order first.

    Raises as AlpacaSession does, and BrokerMisunderstood where the pages do not end.
    """
    found: dict[str, Answer] = {}
    asked = {
        "status": "closed",
        "nested": "true",
        "direction": "desc",
        "limit": str(page_size),
        "after": f"{since.isoformat()}T00:00:00Z",
    }
    for _ in range(PAGES_MAX):
        page = trading.read_objects("/orders", asked)
        known = len(found)
        found.update({row.text("id"): row for row in page})
        if len(page) < page_size:
            return tuple(fill for row in found.values() for fill in _fills(row))
        if len(found) == known:
            raise BrokerMisunderstood(f"{page[-1].source}: a page repeats the one before")
        # Orders of one instant may straddle two pages: the bound is included, the known is known.
        asked["until"] = page[-1].text("created_at")
    raise BrokerMisunderstood(f"the orders since {since} fill more than {PAGES_MAX} pages")


def _fills(row: Answer) -> list[LegFill]:
    legs = row.parts("legs") if row.has("legs") else []
    return [fill for part in legs or [row] if (fill := _fill(row, part)) is not None]


def _fill(row: Answer, part: Answer) -> LegFill | None:
    price = part.optional_number("filled_avg_price")
    # A fraction of a share is nobody's who trades options.
    quantity = int(part.optional_number("filled_qty") or 0)
    if price is None or not quantity:
        return None
    side = part.text("side")
    if side not in SIGNS:
        raise BrokerMisunderstood(f"{part.source}: the side {side!r} is neither buy nor sell")
    return LegFill(
        order_id=row.text("id"),
        client_order_id=row.text("client_order_id"),
        symbol=part.text("symbol"),
        quantity=SIGNS[side] * quantity,
        price=price,
        filled_at=part.optional_instant("filled_at") or row.instant("created_at"),
    )
