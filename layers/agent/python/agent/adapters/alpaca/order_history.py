"""Every order of ours that the broker remembers."""

from agent.adapters.alpaca.answers import Answer
from agent.adapters.alpaca.open_orders import order_rows
from agent.adapters.alpaca.orders import parse_order
from agent.adapters.alpaca.session import AlpacaSession
from agent.options.contracts import OCC_SYMBOL_PATTERN, parse_occ_symbol
from agent.options.structures import Leg, LegSide
from agent.ports import BrokerMisunderstood, PastOrder


class AlpacaOrderHistory:
    """Read the account's orders back to its first one."""

    def __init__(self, trading: AlpacaSession) -> None:
        self._trading = trading

    def past_orders(self, name_prefix: str) -> tuple[PastOrder, ...]:
        """Give every order whose client id begins so, ended or not, oldest first.

        Raises as AlpacaSession does, and BrokerMisunderstood for what cannot be read.
        """
        rows = order_rows(self._trading, status="all")
        named = [row for row in rows if row.text("client_order_id").startswith(name_prefix)]
        found = [_past_order(row) for row in named]
        return tuple(
            sorted(found, key=lambda past: (past.order.submitted_at, past.order.client_order_id))
        )


def _past_order(row: Answer) -> PastOrder:
    if _is_of_options(row):
        return PastOrder(parse_order(row), _legs(row))
    return PastOrder(parse_order(row), (), 1 if _is_bought(row) else -1)


def _parts(row: Answer) -> list[Answer]:
    return (row.parts("legs") if row.has("legs") else []) or [row]


def _is_of_options(row: Answer) -> bool:
    symbols = [part.optional_text("symbol") or "" for part in _parts(row)]
    return all(OCC_SYMBOL_PATTERN.fullmatch(symbol) for symbol in symbols)


def _legs(row: Answer) -> tuple[Leg, ...]:
    parts = _parts(row)
    if len(parts) == 1:
        return (_leg(parts[0], ratio=1),)
    return tuple(_leg(part, ratio=part.whole("ratio_qty")) for part in parts)


def _leg(part: Answer, *, ratio: int) -> Leg:
    contract = parse_occ_symbol(part.text("symbol"))
    return Leg(contract, LegSide.LONG if _is_bought(part) else LegSide.SHORT, ratio)


def _is_bought(part: Answer) -> bool:
    side = part.text("side")
    if side not in {"buy", "sell"}:
        raise BrokerMisunderstood(f"{part.source}: the side {side!r} is neither buy nor sell")
    return side == "buy"
