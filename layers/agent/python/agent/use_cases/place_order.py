"""Send the next order of an intent, at most once, having written it down first."""

from agent.book.changes import BookChange
from agent.book.identifiers import client_order_id
from agent.book.intents import (
    TERMINAL_ORDER_STATUSES,
    Intent,
    IntentKind,
    IntentStatus,
    OrderAttempt,
    OrderStatus,
    RefusalKind,
)
from agent.book.order_plan import NextOrder, ends_attempt, next_order, order_structure
from agent.book.records import Trade
from agent.book.transitions import note_outcome
from agent.market.quotes import quote_structure
from agent.ports import BrokerOrder, BrokerRefused, MarketClock, OrderRequest
from agent.risk.order_prices import (
    NoOrder,
    PricedOrder,
    collar_breach,
    moved_since,
    price_entry,
    price_exit,
)
from agent.use_cases.buying_power import lacks_for_order
from agent.use_cases.desk import Desk
from agent.use_cases.entry_blocks import block_entries_after, closes_soon, entry_bar
from agent.use_cases.exercise_leg import exercise_attempt
from agent.use_cases.order_tracking import (
    as_found,
    contracts_left,
    contracts_wanted,
    is_refused,
    refresh,
    roll_step,
    rungs_left,
    store_orders,
)
from agent.use_cases.remainder_orders import price_leg, price_remainder, share_request
from agent.use_cases.roll_orders import price_roll, roll_is_barred, roll_legs, roll_request
from agent.use_cases.steps import PlacementResult, StepInput, intent_of, trade_of


class AccountMismatch(Exception):
    """Raised where the keys open another account than the one this stage belongs to."""


def place_order(desk: Desk, event: StepInput) -> PlacementResult:
    """Send the next rung of the intent's ladder, or find that it was sent before."""
    intent = intent_of(desk.book, event.intent_id)
    if intent.status is IntentStatus.DONE:
        return _not_placed(desk, intent.intent_id, intent.outcome or "done")
    trade = trade_of(desk.book, intent)
    intent = refresh(desk, intent, trade)
    if intent.orders and intent.orders[-1].status not in TERMINAL_ORDER_STATUSES:
        last = intent.orders[-1]
        if last.status is OrderStatus.SENDING and not intent.exercises:
            return _send_again(desk, intent, trade, last)
        return _placed(desk, intent)
    clock = desk.clock.market_clock()
    refusal = _refusal(desk, intent, trade, clock)
    attempt = NoOrder(refusal) if refusal else _next_attempt(desk, intent, trade, clock)
    if isinstance(attempt, NoOrder):
        return _stopped(desk, intent, attempt.reason)
    intent = store_orders(desk, intent, [*intent.orders, attempt])
    return _send(desk, intent, trade, attempt)


def _next_attempt(
    desk: Desk, intent: Intent, trade: Trade, clock: MarketClock
) -> OrderAttempt | NoOrder:
    if intent.kind is IntentKind.ROLL:
        return _next_of_roll(desk, intent, trade, clock)
    following = next_order(intent, trade, contracts_wanted(intent, trade))
    if following is None:
        return NoOrder("nothing is left to trade")
    if intent.exercises:
        return exercise_attempt(desk, intent, following, clock.now)
    if intent.leg is not None or intent.shares is not None:
        priced = price_remainder(desk, intent, trade)
    elif following.leg is not None:
        priced = price_leg(desk, intent, following.leg, following.structure.legs[0], following.rung)
    else:
        priced = _price(desk, intent, following, clock)
    if isinstance(priced, NoOrder):
        return priced
    if intent.kind is IntentKind.ENTRY:
        # The broker's own count has what others of its orders hold in it.
        account = desk.broker.account()
        lacks = lacks_for_order(account, trade, following.contracts, priced.limit_cash)
        if lacks is not None:
            return NoOrder(lacks)
    return OrderAttempt(
        client_order_id=following.client_order_id,
        contracts=following.contracts,
        leg=following.leg,
        legs=() if intent.shares is None else (trade.symbol,),
        limit_cash=priced.limit_cash,
        mid_cash=priced.mid_cash,
        natural_cash=priced.natural_cash,
        submitted_at=clock.now,
    )


def _next_of_roll(
    desk: Desk, intent: Intent, trade: Trade, clock: MarketClock
) -> OrderAttempt | NoOrder:
    found = price_roll(desk, intent, trade, clock.now)
    if isinstance(found, NoOrder):
        return found
    step, priced = found
    return OrderAttempt(
        client_order_id=client_order_id(intent.intent_id, len(intent.orders) + 1),
        contracts=step.contracts,
        part=step.part,
        legs=roll_legs(intent, trade, step.part),
        limit_cash=priced.limit_cash,
        mid_cash=priced.mid_cash,
        natural_cash=priced.natural_cash,
        submitted_at=clock.now,
    )


def _refusal(desk: Desk, intent: Intent, trade: Trade, clock: MarketClock) -> str | None:
    refusal = _attempt_is_over(desk, intent, trade, clock) or _is_barred(desk, intent, clock)
    if refusal is not None:
        return refusal
    account = desk.broker.account().account_number
    bound = desk.control.bind_account(account)
    if bound != account:
        raise AccountMismatch(
            f"the keys open account {account}, but this stage belongs to account {bound}"
        )
    return None


def _attempt_is_over(desk: Desk, intent: Intent, trade: Trade, clock: MarketClock) -> str | None:
    if not clock.is_open:
        return "the market is closed"
    if contracts_left(intent, trade) < 1:
        return "nothing is left to trade"
    if is_refused(intent):
        return "the broker refused an order of this attempt"
    if not rungs_left(intent, trade, desk.settings.execution):
        return "the ladder is used up"
    return None


def _is_barred(desk: Desk, intent: Intent, clock: MarketClock) -> str | None:
    """Say so where no order of this kind may be sent now; exits are never barred."""
    if intent.kind is IntentKind.ROLL and not intent.of_shares:
        return roll_is_barred(desk)
    if intent.kind is IntentKind.CLOSE:
        return None
    bar = entry_bar(desk, clock.now)
    if bar is not None:
        return bar.sentence
    return "the session is about to close" if closes_soon(desk, clock) else None


def _send(desk: Desk, intent: Intent, trade: Trade, attempt: OrderAttempt) -> PlacementResult:
    try:
        if intent.exercises:
            desk.broker.exercise(intent.leg or "")
            return _placed(desk, refresh(desk, intent, trade))
        accepted = _submit(desk, intent, trade, attempt)
    except BrokerRefused as refusal:
        refused = attempt.model_copy(
            update={
                "status": OrderStatus.REJECTED,
                "message": str(refusal),
                "refusal": refusal.kind,
                "blocked_by": refusal.blocking_order_id,
            }
        )
        block_entries_after(desk, refusal, attempt.submitted_at)
        intent = store_orders(desk, intent, [*intent.orders[:-1], refused])
        if intent.kind is IntentKind.ROLL:
            goes_on = roll_step(intent, desk.settings.execution) is not None
        else:
            goes_on = not ends_attempt(intent, refused)
        if goes_on or refusal.kind is RefusalKind.RETRYABLE:
            return _placed(desk, intent)  # A poll finds it ended, and the next order follows.
        return _stopped(desk, intent, f"the broker refused ({refusal.kind}): {refusal}")
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
        accepted = _submit(desk, intent, trade, again)
    except BrokerRefused as refusal:
        block_entries_after(desk, refusal, again.submitted_at)
        return _placed(desk, intent)
    intent = store_orders(desk, intent, [*intent.orders[:-1], as_found(again, accepted, trade)])
    return _placed(desk, intent)


def _submit(desk: Desk, intent: Intent, trade: Trade, attempt: OrderAttempt) -> BrokerOrder:
    if intent.shares is not None:
        return desk.broker.submit_shares(share_request(intent, trade, attempt))
    if intent.kind is IntentKind.ROLL:
        return desk.broker.submit(roll_request(intent, trade, attempt))
    return desk.broker.submit(
        OrderRequest(
            client_order_id=attempt.client_order_id,
            legs=order_structure(attempt, trade).legs,
            opening=intent.kind is IntentKind.ENTRY,
            contracts=attempt.contracts,
            limit_cash=attempt.limit_cash,
        )
    )


def _price(
    desk: Desk, intent: Intent, following: NextOrder, clock: MarketClock
) -> PricedOrder | NoOrder:
    """Price the next rung from quotes of this moment, and hold the price against the collar."""
    contracts = [leg.contract for leg in following.structure.legs]
    quote = quote_structure(following.structure, desk.market.option_quotes(contracts))
    rung = following.rung
    signal = intent.signal
    if quote is None:
        return NoOrder("a leg has no quote")
    if intent.kind is IntentKind.ENTRY:
        if signal is None:
            return NoOrder("the entry has no signal")
        priced = price_entry(quote, rung, signal.credit_min, desk.settings, clock.now)
    else:
        priced = price_exit(quote, rung, intent.urgency, desk.settings, clock.now)
    if isinstance(priced, NoOrder):
        return priced
    moved = (
        None if signal is None else moved_since(signal.credit_mid, priced.mid_cash, desk.settings)
    )
    if moved is not None:
        return NoOrder(moved)
    opened = following.structure if intent.kind is IntentKind.ENTRY else None
    breach = collar_breach(priced, desk.settings, structure=opened)
    return priced if breach is None else NoOrder(f"{breach[0]}: {breach[1]}")


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
