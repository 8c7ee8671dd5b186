"""Whether the broker's own count of buying power bears an entry, orders in flight included."""

from collections.abc import Sequence
from decimal import Decimal

from agent.book.intents import TERMINAL_ORDER_STATUSES, Intent, IntentKind
from agent.book.records import Trade
from agent.book.states import TradeStatus
from agent.options.money import cents_down, from_cents
from agent.ports import Account
from agent.use_cases.desk import Desk

ZERO = Decimal(0)


def lacks_for_check(desk: Desk, account: Account, capital_cents: int) -> str | None:
    """Say so where what is left, after every entry on its way, does not bear another.

    An order that the broker has is in its count already; a reserved trade whose order it does not
    have yet is taken off here.
    """
    on_their_way = in_flight_cents(desk.book.active_trades(), desk.book.unfinished_intents())
    left_cents = cents_down(account.options_buying_power) - on_their_way
    if capital_cents <= left_cents:
        return None
    return (
        f"It needs {from_cents(capital_cents)} USD of buying power; the broker reports "
        f"{account.options_buying_power:.2f} USD, of which {from_cents(on_their_way)} USD is "
        "reserved for entries that it does not have yet."
    )


def in_flight_cents(trades: Sequence[Trade], intents: Sequence[Intent]) -> int:
    """Sum the capital of pending trades whose orders the broker does not count yet."""
    counted = {
        intent.trade_id
        for intent in intents
        if intent.kind is IntentKind.ENTRY
        and any(
            order.order_id is not None and order.status not in TERMINAL_ORDER_STATUSES
            for order in intent.orders
        )
    }
    return sum(
        trade.risk.capital_cents
        for trade in trades
        if trade.status is TradeStatus.PENDING and trade.trade_id not in counted
    )


def lacks_for_order(
    account: Account, trade: Trade, contracts: int, limit_cash: Decimal
) -> str | None:
    """Say so where the broker's count does not bear an opening order at its limit.

    Required are the most the structure can lose at that net: what a spread's margin and a put's
    secured strike come to, premium included.
    """
    structure = trade.structure
    required = structure.max_loss_per_share(limit_cash) * structure.multiplier * contracts
    if required <= account.options_buying_power:
        return None
    return (
        f"buying_power: the order needs {required:.2f} USD, the broker reports "
        f"{account.options_buying_power:.2f}"
    )
