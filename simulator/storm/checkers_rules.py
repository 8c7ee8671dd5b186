"""Rules of conduct: stale slots are dropped, halts are kept, urgent exits end, fees are right."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from agent.book.identifiers import slot_name
from agent.book.intents import Intent, IntentKind, IntentStatus, OrderStatus, Urgency
from agent.book.states import ExitReason, TradeStatus
from agent.ports import TradingState
from simulator.exchange.fees import DEFAULT_SCHEDULE
from simulator.storm.view import DayView, is_touched, trade_id_of

WORD_HEARD_SECONDS = 45.0
"""How long after the owner's word a pass that began before may still act."""
PASS_SECONDS = 45.0
"""How long after its clock was read an invocation may write."""
FEE_TOLERANCE_FRACTION, FEE_TOLERANCE = Decimal("0.001"), Decimal("0.001")
NEW_RATES_TOLERANCE_FRACTION = Decimal(1)
"""Where the exchange's rates changed since the eve: the agent knows one set, of the day."""
DEFECT = re.compile(
    r"\b(ArithmeticError|AssertionError|AttributeError|IndexError|KeyError|LookupError|NameError|"
    r"NotImplementedError|OverflowError|RecursionError|RuntimeError|TransitionRefused|TypeError|"
    r"ValidationError|ValueError|ZeroDivisionError|InvalidOperation)\b"
)
NARROW = Decimal("0.05")
"""An exit whose natural price is nearer to the width than this may be capped below it."""


class NothingIsBroken:
    """What fails, fails by a name that stands for something of the world, never by a defect."""

    name = "nothing_is_broken"

    def __init__(self) -> None:
        self._lines = 0

    def check(self, view: DayView) -> list[str]:
        lines = view.functions.log[self._lines :]
        self._lines = len(view.functions.log)
        return [f"a defect: {line[:200]}" for line in lines if DEFECT.search(line)]

    def check_end(self, view: DayView) -> list[str]:
        return self.check(view)


class StaleSlotsAreDropped:
    """No entry is decided on for a slot that is older than its period."""

    name = "stale_slots_are_dropped"

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def check(self, view: DayView) -> list[str]:
        most = view.scenario.settings.schedule.scan_slot_age_max_seconds + PASS_SECONDS
        found = []
        for intent in view.book.unfinished_intents():
            if intent.kind is not IntentKind.ENTRY or intent.intent_id in self._seen:
                continue
            self._seen.add(intent.intent_id)
            slot = _slot_of(intent)
            if (intent.created_at - slot).total_seconds() > most:
                found.append(f"{intent.intent_id} acts on the slot of {slot_name(slot)}")
        return found

    def check_end(self, view: DayView) -> list[str]:
        return self.check(view)


def _slot_of(intent: Intent) -> datetime:
    text = next(part for part in intent.intent_id.split("-") if part.endswith("Z"))
    return datetime.strptime(text, "%Y%m%dT%H%MZ").replace(tzinfo=UTC)


class HaltsAreKept:
    """While trading is halted, no exit begins that could wait."""

    name = "halts_are_kept"

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def check(self, view: DayView) -> list[str]:
        found = []
        for intent in view.book.unfinished_intents():
            if intent.intent_id in self._seen:
                continue
            self._seen.add(intent.intent_id)
            heard_by = intent.created_at - timedelta(seconds=WORD_HEARD_SECONDS)
            # A word spoken while the pass ran may have come in time for it.
            words = [(at, state) for at, state in view.trading_states if at <= view.now]
            is_halted = words and words[-1][1] is TradingState.HALTED and words[-1][0] < heard_by
            if is_halted and intent.exit_reason is ExitReason.PROFIT_TARGET:
                found.append(f"{intent.intent_id} takes its profit while trading is halted")
            if is_halted and intent.kind is IntentKind.ROLL:
                found.append(f"{intent.intent_id} rolls while trading is halted")
        return found

    def check_end(self, view: DayView) -> list[str]:
        return self.check(view)


class UrgentExitsEnd:
    """An urgent exit that walked its whole ladder in a good market is filled."""

    name = "urgent_exits_end"

    def __init__(self) -> None:
        self._open: set[str] = set()

    def check(self, view: DayView) -> list[str]:
        found = []
        for intent_id in sorted(self._open):
            intent = view.book.intent(intent_id)
            if intent is not None and intent.status is IntentStatus.DONE:
                self._open.discard(intent_id)
                found += _unfilled(view, intent)
        for intent in view.book.unfinished_intents():
            if intent.urgency is Urgency.URGENT:
                self._open.add(intent.intent_id)
        return found

    def check_end(self, view: DayView) -> list[str]:
        return self.check(view)


def _unfilled(view: DayView, intent: Intent) -> list[str]:
    trade = view.book.trade(intent.trade_id)
    ladder = view.scenario.settings.execution.urgent_ladder
    if trade is None or intent.outcome != "unfilled" or len(intent.orders) < len(ladder):
        return []
    if any(order.leg is not None and order.filled_contracts for order in intent.orders):
        return []  # It went leg by leg; what of it is left, the next pass takes up.
    last = intent.orders[-1]
    width = trade.structure.width
    if last.status is OrderStatus.REJECTED or width is None or -last.natural_cash > width - NARROW:
        return []
    moments = (last.submitted_at, last.submitted_at + timedelta(seconds=10))
    if any(view.scenario.market.disturbed(trade.symbol, at) for at in moments):
        return []
    return [f"{intent.intent_id} walked its ladder in a good market and is unfilled"]


class FeesAndProfitsAreRight:
    """What a trade paid in fees is what the broker accrued, and its P&L is the sum of its cash."""

    name = "fees_and_profits_are_right"

    def __init__(self) -> None:
        self._seen: set[tuple[str, str, int]] = set()

    def check(self, view: DayView) -> list[str]:
        found = []
        for trade in view.book.all_trades():
            key = (trade.trade_id, trade.status.value, trade.execution.contracts_closed)
            if trade.status not in {TradeStatus.OPEN, TradeStatus.CLOSED} or key in self._seen:
                continue
            self._seen.add(key)
            accrued = sum(
                (
                    sum(fill.fees.values(), Decimal(0))
                    for fill in view.own_fills
                    if trade_id_of(fill.client_order_id) == trade.trade_id
                ),
                Decimal(0),
            )
            fees = trade.execution.fees
            tolerance = accrued * _tolerance_fraction(view) + FEE_TOLERANCE
            # Fees of what the owner or the broker closed are borne too: no order of ours has them.
            is_more = fees > accrued and is_touched(trade) and bool(view.hands)
            if abs(fees - accrued) > tolerance and not is_more:
                found.append(f"{trade.trade_id} bears fees of {fees}, the broker's are {accrued}")
            if trade.status is not TradeStatus.CLOSED:
                continue
            flows = trade.execution.entry_cash + trade.execution.exit_cash
            legs = [p.realized_pnl or Decimal(0) for p in view.book.positions(trade.trade_id)]
            if trade.pnl != flows - fees:
                found.append(f"{trade.trade_id} earned {trade.pnl}, not {flows - fees}")
            legs.append(trade.holdings.shares_realized)
            if abs(sum(legs, Decimal(0)) - flows) > Decimal("0.01"):
                found.append(f"the legs of {trade.trade_id} came to {sum(legs)}, not {flows}")
        return found

    def check_end(self, view: DayView) -> list[str]:
        return self.check(view)


def _tolerance_fraction(view: DayView) -> Decimal:
    sessions = [at.date() for at in view.scenario.opens_at]
    if any(DEFAULT_SCHEDULE.on(each) != DEFAULT_SCHEDULE.on(sessions[0]) for each in sessions):
        return NEW_RATES_TOLERANCE_FRACTION
    return FEE_TOLERANCE_FRACTION
