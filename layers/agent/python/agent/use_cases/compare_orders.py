"""Compare the orders that work at the broker with those that the book has under way."""

from collections.abc import Sequence
from datetime import datetime

from agent.book.changes import BookChange
from agent.book.identifiers import OrderName, read_order_name
from agent.book.intents import TERMINAL_ORDER_STATUSES, Intent, IntentStatus
from agent.book.records import Alert, AlertKind
from agent.ports import WorkingOrder
from agent.use_cases.blocked_orders import is_of_stage
from agent.use_cases.desk import Desk


def compare_orders(desk: Desk, now: datetime) -> int:
    """Cancel orders of ours that no intent carries any more, and tell of them; count them.

    An order is written down before it is sent, so one that is listed and then not found in the
    book is nobody's. It is cancelled where the book knows its intent or its trade. One that bears
    this stage's name and that the book knows nothing of may be another deployment's: told, and
    left alone like all orders of others. What the book has under way and the broker does not know
    is settled with its intent.
    """
    working = desk.broker.working_orders()
    if not working:
        return 0
    carried = _carried(desk.book.unfinished_intents())
    unowned = 0
    alerts: list[Alert] = []
    for order in working:
        if order.client_order_id in carried:
            continue
        name = read_order_name(order.client_order_id)
        if name is None or not is_of_stage(desk, order):
            alerts.append(_foreign(order, now))
            continue
        intent = desk.book.intent(name.intent_id)
        if intent is not None and order.client_order_id in _carried([intent]):
            continue  # Stated since the list of intents was read.
        found = desk.broker.order_by_client_id(order.client_order_id)
        if found is None or found.status in TERMINAL_ORDER_STATUSES:
            continue  # It ended since the list was read, and was settled.
        unowned += 1
        is_known = intent is not None or desk.book.trade(name.trade_id) is not None
        if is_known:
            desk.broker.cancel(order.order_id)
        alerts.append(_unowned(order, name, is_known=is_known, now=now))
    if alerts:
        desk.book.commit(
            BookChange(alerts=tuple({each.alert_id: each for each in alerts}.values()))
        )
    return unowned


def _carried(intents: Sequence[Intent]) -> set[str]:
    return {
        order.client_order_id
        for intent in intents
        if intent.status is not IntentStatus.DONE
        for order in intent.orders
    }


def _foreign(order: WorkingOrder, now: datetime) -> Alert:
    """Tell once of a contract that somebody else's order is about, however many follow."""
    about = ", ".join(order.symbols)
    return Alert(
        alert_id=f"{order.symbols[0] if order.symbols else order.order_id}-order-is-foreign",
        kind=AlertKind.SYSTEM_ERROR,
        at=now,
        subject=f"An order of somebody else: {about}",
        message=(
            f"An order on {about} works in the account that the agent did not send"
            f" ({order.client_order_id}). It is left alone."
        ),
    )


def _unowned(order: WorkingOrder, name: OrderName, *, is_known: bool, now: datetime) -> Alert:
    done = (
        "It was given up, or never written down, and is being cancelled; what it filled is booked."
        if is_known
        else "The book knows neither its intent nor its trade, so it is left alone: another"
        " deployment of this name may have sent it, or the book is not what it was. See to it."
    )
    return Alert(
        alert_id=f"{order.client_order_id}-unowned",
        kind=AlertKind.SYSTEM_ERROR,
        at=now,
        subject=f"{name.symbol}: an order that nobody waits for",
        message=f"The order {order.client_order_id} works at the broker. {done}",
    )
