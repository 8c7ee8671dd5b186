"""Price and phrase the orders of a roll: both halves as one, or the close and then the opening."""

from datetime import datetime
from decimal import Decimal

from agent.book.intents import Intent, OrderAttempt, OrderPart
from agent.book.records import Trade
from agent.book.roll_fills import RollStep, part_symbols, roll_signal_of, summarize_roll
from agent.market.quotes import StructureQuote, quote_structure
from agent.options.money import Rounding, round_to_tick
from agent.options.ticks import NET_TICK
from agent.ports import OrderRequest, TradingState
from agent.risk.order_prices import NoOrder, PricedOrder, price_entry, price_exit
from agent.use_cases.cover_orders import price_cover
from agent.use_cases.desk import Desk
from agent.use_cases.order_tracking import roll_step


def roll_is_barred(desk: Desk) -> str | None:
    """Say so where the owner wants no rolls: what was begun sends no further order."""
    state = desk.control.trading_state()
    return f"trading is {state}" if state is TradingState.HALTED else None


def price_roll(
    desk: Desk, intent: Intent, trade: Trade, as_of: datetime
) -> tuple[RollStep, PricedOrder] | NoOrder:
    """Price the next order of a roll from quotes of this moment.

    As one order, and where it reopens, it never nets less than the roll's least credit.
    """
    step = roll_step(intent, desk.settings.execution)
    if step is None:
        return NoOrder("the roll is over")
    if intent.of_shares:
        return price_cover(desk, intent, trade, step, as_of)
    following = roll_signal_of(intent).structure
    legs = [*trade.structure.legs, *following.legs]
    quotes = desk.market.option_quotes([leg.contract for leg in legs])
    held = quote_structure(trade.structure, quotes)
    target = quote_structure(following, quotes)
    if held is None or target is None:
        return NoOrder("a leg has no quote")
    settings = desk.settings
    if step.part is OrderPart.CLOSE:
        priced = price_exit(held, step.rung, intent.urgency, settings, as_of)
    elif step.part is OrderPart.OPEN:
        priced = price_entry(target, step.rung, _reopening_floor(intent, trade), settings, as_of)
    else:
        priced = _price_whole(desk, intent, step.rung, held=held, target=target, as_of=as_of)
    return priced if isinstance(priced, NoOrder) else (step, priced)


def _reopening_floor(intent: Intent, trade: Trade) -> Decimal:
    """Give the least credit of the reopened part: what closing has cost, and what a roll earns."""
    closed = summarize_roll(intent, trade.structure).closed
    if closed.cash_per_share is None or intent.net_credit_min is None:
        raise ValueError(f"{intent.intent_id} reopens what it has not closed")
    return intent.net_credit_min - closed.cash_per_share


def _price_whole(
    desk: Desk,
    intent: Intent,
    rung: int,
    *,
    held: StructureQuote,
    target: StructureQuote,
    as_of: datetime,
) -> PricedOrder | NoOrder:
    """Price a roll as one order: its net walks from mid towards natural, down to its floor."""
    market, ladder = desk.settings.market, desk.settings.execution.patient_ladder
    floor = intent.net_credit_min
    if not target.is_valid(
        as_of,
        age_max_seconds=market.quote_age_max_seconds,
        width_fraction_max=market.option_quote_width_max_fraction,
    ):
        return NoOrder("a leg to be opened has a stale, crossed, one-sided or wide quote")
    debit, debit_natural = held.debit_mid, held.debit_natural
    credit, credit_natural = target.credit_mid, target.credit_natural
    if (
        floor is None
        or debit is None
        or debit_natural is None
        or credit is None
        or credit_natural is None
    ):
        return NoOrder("a leg has no two-sided quote")
    mid, natural = credit - debit, credit_natural - debit_natural
    if mid < floor:
        return NoOrder(f"the net credit at mid, {mid:.2f}, is below the least of {floor:.2f}")
    least = max(natural, floor)
    wanted = mid + (natural - mid) * ladder[rung]
    # A net that is received rounds up to the tick, so that no rounding goes below the floor.
    limit = round_to_tick(max(wanted, least), NET_TICK, Rounding.UP)
    return PricedOrder(limit_cash=limit, mid_cash=mid, natural_cash=natural, cap_cash=least)


def roll_legs(intent: Intent, trade: Trade, part: OrderPart) -> tuple[str, ...]:
    """List the OCC symbols of an order of a roll, in the order of its leg prices."""
    return part_symbols(part, trade.structure, roll_signal_of(intent).structure)


def roll_request(intent: Intent, trade: Trade, attempt: OrderAttempt) -> OrderRequest:
    """Phrase an order of a roll."""
    following = roll_signal_of(intent).structure
    closes = attempt.part is OrderPart.CLOSE
    return OrderRequest(
        client_order_id=attempt.client_order_id,
        legs=trade.structure.legs if closes else following.legs,
        opening=not closes,
        contracts=attempt.contracts,
        limit_cash=attempt.limit_cash,
        closing_legs=trade.structure.legs if attempt.part is OrderPart.WHOLE else (),
    )
