"""Send the next order of an intent, at most once, having written it down first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from agent.book.changes import BookChange
from agent.book.identifiers import client_order_id
from agent.book.records import (
    TERMINAL_ORDER_STATUSES,
    Intent,
    IntentKind,
    IntentStatus,
    OrderAttempt,
    OrderStatus,
    Trade,
    Urgency,
)
from agent.book.transitions import note_outcome
from agent.config.settings import Settings
from agent.market.quotes import StructureQuote, quote_structure
from agent.options.money import Rounding, round_to_tick
from agent.options.ticks import NET_TICK
from agent.ports import BrokerRefused, MarketClock, OrderRequest, TradingState
from agent.use_cases.desk import Desk
from agent.use_cases.order_tracking import (
    as_found,
    contracts_left,
    ladder_of,
    refresh,
    store_orders,
)
from agent.use_cases.steps import PlacementResult, StepInput, intent_of, trade_of


class AccountMismatch(Exception):
    """Raised where the keys open another account than the one this stage belongs to."""


@dataclass(frozen=True)
class PricedOrder:
    """Price an order; cash a share, signed, positive where received."""

    limit_cash: Decimal
    mid_cash: Decimal
    natural_cash: Decimal


@dataclass(frozen=True)
class NoOrder:
    """Say why nothing is sent."""

    reason: str


def place_order(desk: Desk, event: StepInput) -> PlacementResult:
    """Send the next rung of the intent's ladder, or find that it was sent before."""
    intent = intent_of(desk.book, event.intent_id)
    if intent.status is IntentStatus.DONE:
        return _not_placed(desk, intent.intent_id, intent.outcome or "done")
    trade = trade_of(desk.book, intent)
    intent = refresh(desk, intent, trade)
    if intent.orders and intent.orders[-1].status not in TERMINAL_ORDER_STATUSES:
        last = intent.orders[-1]
        if last.status is OrderStatus.SENDING:
            return _send_again(desk, intent, trade, last)
        return _placed(desk, intent)
    clock = desk.clock.market_clock()
    refusal = _refusal(desk, intent, trade, clock)
    priced = NoOrder(refusal) if refusal else _price(desk, intent, trade, clock)
    if isinstance(priced, NoOrder):
        return _stopped(desk, intent, priced.reason)
    attempt = OrderAttempt(
        client_order_id=client_order_id(intent.intent_id, len(intent.orders) + 1),
        contracts=contracts_left(intent, trade),
        limit_cash=priced.limit_cash,
        mid_cash=priced.mid_cash,
        natural_cash=priced.natural_cash,
        submitted_at=clock.now,
    )
    intent = store_orders(desk, intent, [*intent.orders, attempt])
    return _send(desk, intent, trade, attempt)


def _refusal(desk: Desk, intent: Intent, trade: Trade, clock: MarketClock) -> str | None:
    if not clock.is_open:
        return "the market is closed"
    if contracts_left(intent, trade) < 1:
        return "nothing is left to trade"
    if len(intent.orders) >= ladder_of(intent, desk.settings.execution):
        return "the ladder is used up"
    if any(order.status is OrderStatus.REJECTED for order in intent.orders):
        return "the broker refused an order of this attempt"
    if intent.kind is IntentKind.ENTRY:
        state = desk.control.trading_state()
        if state is not TradingState.ACTIVE:
            return f"trading is {state}"
    account = desk.broker.account().account_number
    bound = desk.control.bind_account(account)
    if bound != account:
        raise AccountMismatch(
            f"the keys open account {account}, but this stage belongs to account {bound}"
        )
    return None


def _send(desk: Desk, intent: Intent, trade: Trade, attempt: OrderAttempt) -> PlacementResult:
    try:
        accepted = desk.broker.submit(_request(intent, trade, attempt))
    except BrokerRefused as refusal:
        refused = attempt.model_copy(
            update={"status": OrderStatus.REJECTED, "message": str(refusal)}
        )
        intent = store_orders(desk, intent, [*intent.orders[:-1], refused])
        return _stopped(desk, intent, f"the broker refused: {refusal}")
    intent = store_orders(desk, intent, [*intent.orders[:-1], as_found(attempt, accepted, trade)])
    return _placed(desk, intent)


def _send_again(desk: Desk, intent: Intent, trade: Trade, attempt: OrderAttempt) -> PlacementResult:
    """Send what was written down, perhaps sent, and is not known to the broker.

    The same id cannot trade twice. The time of this sending is written first: the order counts as
    lost only long after its last sending. A refusal says nothing of what is still on its way.
    """
    again = attempt.model_copy(update={"submitted_at": desk.clock.market_clock().now})
    intent = store_orders(desk, intent, [*intent.orders[:-1], again])
    try:
        accepted = desk.broker.submit(_request(intent, trade, again))
    except BrokerRefused:
        return _placed(desk, intent)
    intent = store_orders(desk, intent, [*intent.orders[:-1], as_found(again, accepted, trade)])
    return _placed(desk, intent)


def _request(intent: Intent, trade: Trade, attempt: OrderAttempt) -> OrderRequest:
    return OrderRequest(
        client_order_id=attempt.client_order_id,
        legs=trade.structure.legs,
        opening=intent.kind is IntentKind.ENTRY,
        contracts=attempt.contracts,
        limit_cash=attempt.limit_cash,
    )


def _price(desk: Desk, intent: Intent, trade: Trade, clock: MarketClock) -> PricedOrder | NoOrder:
    contracts = [leg.contract for leg in trade.structure.legs]
    quote = quote_structure(trade.structure, desk.market.option_quotes(contracts))
    rung = len(intent.orders)
    if intent.kind is IntentKind.ENTRY:
        floor = intent.signal.credit_min if intent.signal is not None else None
        if quote is None or floor is None:
            return NoOrder("a leg has no quote")
        return price_entry(quote, rung, floor, desk.settings, clock.now)
    if quote is None:
        return NoOrder("a leg has no quote")
    return price_exit(quote, rung, intent.urgency, desk.settings)


def price_entry(
    quote: StructureQuote, rung: int, credit_min: Decimal, settings: Settings, as_of: datetime
) -> PricedOrder | NoOrder:
    """Price an entry: from mid towards natural, never below natural or the least credit."""
    market = settings.market
    if not quote.is_valid(
        as_of,
        age_max_seconds=market.quote_age_max_seconds,
        width_fraction_max=market.option_quote_width_max_fraction,
    ):
        return NoOrder("a leg's quote is stale, crossed, one-sided or too wide")
    mid, natural = quote.credit_mid, quote.credit_natural
    if mid is None or natural is None:
        return NoOrder("a leg has no two-sided quote")
    if mid < credit_min:
        return NoOrder(f"the credit at mid, {mid:.2f}, is below the least of {credit_min:.2f}")
    wanted = _rung(settings.execution.entry_ladder, rung, mid, natural)
    # A seller rounds up to the tick, so that no rounding goes below the floor.
    limit = round_to_tick(max(wanted, natural, credit_min), NET_TICK, Rounding.UP)
    return PricedOrder(limit_cash=limit, mid_cash=mid, natural_cash=natural)


def price_exit(
    quote: StructureQuote, rung: int, urgency: Urgency, settings: Settings
) -> PricedOrder | NoOrder:
    """Price an exit: from mid towards natural; an urgent one ends past natural, within its cap.

    Without a mid the order starts at natural: exits do not wait for good quotes.
    """
    natural = quote.debit_natural
    if natural is None:
        return NoOrder("nobody offers a leg that must be bought back")
    mid = natural if quote.debit_mid is None else quote.debit_mid
    execution = settings.execution
    ladder = execution.urgent_ladder if urgency is Urgency.URGENT else execution.patient_ladder
    wanted = _rung(ladder, rung, mid, natural)
    width = quote.structure.width
    # A spread is never worth more than its width: paying more would be paying for nothing.
    capped = wanted if width is None else min(wanted, width)
    limit = max(round_to_tick(capped, NET_TICK, Rounding.UP), NET_TICK)
    return PricedOrder(limit_cash=-limit, mid_cash=-mid, natural_cash=-natural)


def _rung(ladder: Sequence[Decimal], rung: int, mid: Decimal, natural: Decimal) -> Decimal:
    return mid + (natural - mid) * ladder[rung]


def _placed(desk: Desk, intent: Intent) -> PlacementResult:
    execution = desk.settings.execution
    return PlacementResult(
        intent_id=intent.intent_id,
        placed=True,
        polls_left=execution.polls_per_rung,
        wait_seconds=execution.rung_wait_seconds,
        reason=None,
    )


def _stopped(desk: Desk, intent: Intent, reason: str) -> PlacementResult:
    desk.book.commit(BookChange(intents=(note_outcome(intent, reason),)))
    return _not_placed(desk, intent.intent_id, reason)


def _not_placed(desk: Desk, intent_id: str, reason: str) -> PlacementResult:
    return PlacementResult(
        intent_id=intent_id,
        placed=False,
        polls_left=0,
        wait_seconds=desk.settings.execution.rung_wait_seconds,
        reason=reason,
    )
