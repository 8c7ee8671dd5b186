"""Rules about orders: each has its intent, none is doubled, none is anybody else's."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from decimal import Decimal

from agent.book.intents import (
    Intent,
    IntentKind,
    IntentStatus,
    OrderAttempt,
    OrderPart,
    Signal,
    Urgency,
)
from agent.options.contracts import OCC_SYMBOL_PATTERN, parse_occ_symbol
from agent.ports import TradingState
from simulator.exchange import Order, OrderStatus
from simulator.storm.market import Disturbance
from simulator.storm.mishaps import underlying_of
from simulator.storm.scenario import SYMBOLS
from simulator.storm.view import (
    DayView,
    intent_id_of,
    is_of_one_leg,
    is_put_sold_alone,
    trade_id_of,
    units_moved,
)

ZERO = Decimal(0)
SHARES = 100
IN_FLIGHT_SECONDS = 60.0
"""How long after the owner's word an order of before may still land."""
ON_ITS_WAY_SECONDS = 40.0
"""How long an order may take from the clock it went by to the quotes it was priced on."""


class OrdersHaveIntents:
    """1: every order at the broker is one that an intent wrote down first, and as it wrote it."""

    name = "orders_have_intents"

    def __init__(self) -> None:
        self._seen = 0

    def check(self, view: DayView) -> list[str]:
        orders = view.exchange.orders
        found = [
            message
            for order in orders[self._seen :]
            if view.is_ours(order)
            for message in _strange(view, order)
        ]
        self._seen = len(orders)
        working = view.own_working
        found += _doubled(working)
        for order in working:
            intent = view.intent_of(order.client_order_id)
            if intent is not None and intent.status is IntentStatus.DONE:
                found.append(f"{order.client_order_id} works though its intent is done")
        return found + _overfilled(view)

    def check_end(self, view: DayView) -> list[str]:
        return self.check(view)


def _strange(view: DayView, order: Order) -> list[str]:
    intent = view.intent_of(order.client_order_id)
    if intent is None:
        return [f"{order.client_order_id} is at the broker, and no intent names it"]
    attempts = [a for a in intent.orders if a.client_order_id == order.client_order_id]
    if not attempts:
        return [f"{order.client_order_id} was sent before it was written down"]
    return _differs(order, intent, attempts[0])


def _differs(order: Order, intent: Intent, attempt: OrderAttempt) -> list[str]:
    found = []
    if order.units != attempt.contracts:
        found.append(f"{order.client_order_id} is for {order.units}, not {attempt.contracts}")
    if order.signed_limit != -attempt.limit_cash:
        found.append(
            f"{order.client_order_id} has the limit {order.signed_limit}, "
            f"written down as {attempt.limit_cash} received"
        )
    if [leg.position_intent is not None and leg.position_intent.opens for leg in order.legs] != (
        _opens(intent, attempt, len(order.legs))
    ):
        found.append(f"{order.client_order_id} does not say that it {intent.kind}s")
    return found


def _opens(intent: Intent, attempt: OrderAttempt, legs: int) -> list[bool]:
    """Say of each leg of an order whether it is to open: a roll closes first."""
    if intent.kind is not IntentKind.ROLL:
        return [intent.kind is IntentKind.ENTRY] * legs
    if attempt.part is not OrderPart.WHOLE:
        return [attempt.part is OrderPart.OPEN] * legs
    return [False] * (legs // 2) + [True] * (legs // 2)


def _doubled(working: list[Order]) -> list[str]:
    live = Counter(trade_id_of(order.client_order_id) for order in working)
    return [f"{trade} has {count} live orders" for trade, count in live.items() if count > 1]


def _overfilled(view: DayView) -> list[str]:
    filled: defaultdict[tuple[str, int], int] = defaultdict(int)
    wanted: dict[tuple[str, int], int] = {}
    by_trade: defaultdict[str, int] = defaultdict(int)
    for order in view.own_orders:
        if is_of_one_leg(order):
            continue  # What it may close, the broker knows: more would open, and says so.
        moved = units_moved(order)
        key = (intent_id_of(order.client_order_id), moved)
        wanted.setdefault(key, order.units)
        filled[key] += order.filled_units
        units = order.filled_units * view.units_since(order)
        by_trade[trade_id_of(order.client_order_id)] += moved * units
    found = [
        f"{key[0]} filled {count} of {wanted[key]} wanted"
        for key, count in filled.items()
        if count > wanted[key]
    ]
    return found + [
        f"{trade} closed {-left} more than it had" for trade, left in by_trade.items() if left < 0
    ]


class ForeignUntouched:
    """10: orders and positions of others stay as they are."""

    name = "foreign_untouched"

    def check(self, view: DayView) -> list[str]:
        return [
            f"the foreign order {order.client_order_id} is {order.status}"
            for order in view.exchange.orders
            if order.client_order_id in view.foreign_client_ids
            and order.status
            in {OrderStatus.CANCELED, OrderStatus.PENDING_CANCEL, OrderStatus.REPLACED}
        ]

    def check_end(self, view: DayView) -> list[str]:
        foreign: defaultdict[str, int] = defaultdict(int)
        for fill in view.exchange.book.fills:
            if fill.client_order_id in view.foreign_client_ids:
                foreign[fill.symbol] += fill.side.sign * fill.quantity
        held = {p.symbol: p.quantity for p in view.exchange.positions}
        own = view.own_held
        return self.check(view) + [
            f"{quantity} {symbol} of somebody else are now {held.get(symbol, 0) - own[symbol]}"
            for symbol, quantity in foreign.items()
            if quantity != held.get(symbol, 0) - own[symbol]
        ]


class PricesAreSane:
    """3, the collar: entries at the market's terms and on good quotes, exits within the width."""

    name = "prices_are_sane"

    def __init__(self) -> None:
        self._seen = 0
        self._priced_at: dict[str, datetime] = {}
        """When each order was first written down: sent again, it is not priced again."""

    def check(self, view: DayView) -> list[str]:
        for intent in view.book.unfinished_intents():
            for attempt in intent.orders:
                # By a clock that may run ahead: it was priced before it was written down.
                at = min(attempt.submitted_at, view.now)
                self._priced_at.setdefault(attempt.client_order_id, at)
        orders = view.exchange.orders
        found = []
        for order in orders[self._seen :]:
            known = view.intent_of(order.client_order_id)
            limit = order.signed_limit
            if known is None or limit is None:
                continue
            if known.kind is IntentKind.ROLL:
                found += _roll(order, known)
                continue
            if known.signal is not None:
                found += self._entry(view, order, known, known.signal)
                continue
            trade = view.book.trade(known.trade_id)
            if is_of_one_leg(order):
                continue  # A leg alone has no width.
            width = None if trade is None else trade.structure.width
            if width is not None and not Decimal(0) < limit <= max(width, _cap(order, known)):
                found.append(f"{order.client_order_id} pays {limit} for a width of {width}")
        self._seen = len(orders)
        return found

    def check_end(self, view: DayView) -> list[str]:
        return self.check(view)

    def _entry(self, view: DayView, order: Order, intent: Intent, signal: Signal) -> list[str]:
        name = order.client_order_id
        naturals = [a.natural_cash for a in intent.orders if a.client_order_id == name]
        found = []
        if order.signed_limit is not None and -order.signed_limit < max(
            [signal.credit_min, *naturals]
        ):
            found.append(f"{name} sells for {-order.signed_limit}, too little")
        priced_at = self._priced_at.get(name)
        if priced_at is None:
            return found
        # Disturbed before it was priced and until long after: no quote it saw was good.
        window = view.scenario.market.disturbed(signal.symbol, priced_at)
        latest = priced_at + timedelta(seconds=ON_ITS_WAY_SECONDS)
        # A stale quote is good for entries until it has aged.
        if window and window.holds(latest) and window.kind is not Disturbance.STALE:
            found.append(f"{name} enters on {window.kind}")
        return found


def _cap(order: Order, intent: Intent) -> Decimal:
    """Give what a later rung of an urgent exit may pay: up to a part past its natural."""
    is_first = intent.orders[0].client_order_id == order.client_order_id
    if intent.urgency is not Urgency.URGENT or is_first:
        return ZERO
    written = [a for a in intent.orders if a.client_order_id == order.client_order_id]
    return max((-a.natural_cash + abs(a.mid_cash - a.natural_cash) for a in written), default=ZERO)


def _roll(order: Order, intent: Intent) -> list[str]:
    """Hold a roll as one order to a net that pays for it."""
    limit, least = order.signed_limit, intent.net_credit_min
    if units_moved(order) or limit is None or least is None or -limit >= least > 0:
        return []
    return [f"{order.client_order_id} rolls for {-limit}, the least is {least}"]


class OwnersWordHolds:
    """No entry reaches the broker once the owner has restricted trading."""

    name = "owners_word_holds"

    def __init__(self) -> None:
        self._seen = 0

    def check(self, view: DayView) -> list[str]:
        orders = view.exchange.orders
        found = []
        for order in orders[self._seen :]:
            if "-entry-" not in order.client_order_id:
                continue
            spoken = [entry for entry in view.trading_states if entry[0] <= order.created_at]
            if not spoken or spoken[-1][1] is TradingState.ACTIVE:
                continue
            if (order.created_at - spoken[-1][0]).total_seconds() > IN_FLIGHT_SECONDS:
                found.append(f"{order.client_order_id} enters while trading is {spoken[-1][1]}")
        self._seen = len(orders)
        return found

    def check_end(self, view: DayView) -> list[str]:
        return self.check(view)


class NoUncoveredShort:
    """4: what is short is covered by what is long, contract type by contract type, or by cash.

    Cash covers puts: those that were sold alone, and what somebody else's hand left of a spread
    until the agent has closed it. Nothing covers a short call but a long one, or its shares, which
    are not sold before it.
    """

    name = "no_uncovered_short"

    def __init__(self) -> None:
        self._seen = (0, 0)
        self._closes = 0

    def check(self, view: DayView) -> list[str]:
        closes = len(view.exchange.book.closes)
        seen = (len(view.exchange.book.fills), len(view.exchange.book.activities))
        if seen == self._seen and closes == self._closes:
            return []
        is_over, self._seen, self._closes = closes > self._closes, seen, closes
        return _uncovered(view, is_over=is_over)

    def check_end(self, view: DayView) -> list[str]:
        return _uncovered(view, is_over=True)


def _cover_by_shares(held: dict[str, int], own_held: Counter[str]) -> None:
    """Take the calls whose shares are held from what is short, by contract type."""
    lots = {symbol: max(own_held[symbol], 0) // SHARES for symbol in SYMBOLS}
    for group in [each for each in held if each.endswith("C") and held[each] < 0]:
        stock = underlying_of(f"{group}00001000")
        by_shares = min(lots[stock], -held[group])
        held[group] += by_shares
        lots[stock] -= by_shares


def _uncovered(view: DayView, *, is_over: bool) -> list[str]:
    held: defaultdict[str, int] = defaultdict(int)
    alone: Counter[str] = Counter()
    strikes: dict[str, Decimal] = {}
    own_held = view.own_held
    for symbol, quantity in own_held.items():
        if quantity and OCC_SYMBOL_PATTERN.fullmatch(symbol):
            group = symbol[:-8]
            held[group] += quantity
            if quantity < 0:
                strike = parse_occ_symbol(symbol).strike
                strikes[group] = max(strikes.get(group, ZERO), strike)
    _cover_by_shares(held, own_held)
    if not any(net < 0 for net in held.values()):
        return []
    for trade in view.book.active_trades():
        if is_put_sold_alone(trade.trade_id):
            alone.update({symbol[:-8]: 1 for symbol in trade.structure.symbols})
    needed, found = ZERO, []
    for group, net in held.items():
        is_put = group.endswith("P")
        by_cash = alone[group] or (not is_over and any(m.symbol[:-8] == group for m in view.hands))
        if net < 0 and not (is_put and by_cash):
            found.append(f"{-net} short {group} uncovered")
        needed += strikes.get(group, ZERO) * max(-net, 0) * SHARES
    if needed > view.exchange.cash:
        found.append(f"puts need {needed} of cash, there are {view.exchange.cash}")
    return found
