"""Rule 2 in each record: what the book keeps of a trade is what the broker did for it.

Sums may agree where records do not. Every settled trade is reckoned here anew from the broker's
own orders and fills: its credit, its cash, its legs, its risk, its end.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from agent.book.intents import OrderStatus
from agent.book.records import Position, PositionStatus, Trade
from agent.book.states import ExitReason, TradeStatus
from agent.options.structures import LegSide
from simulator.exchange import Fill, Order
from simulator.exchange.calendar import new_york_date
from simulator.exchange.records import Side
from simulator.storm.checkers_limits import DOLLARS_PER_POINT, Stake, stakes_of
from simulator.storm.view import DayView, is_touched, trade_id_of, units_left_alone, units_moved

PRICE_TOLERANCE = Decimal("0.0001")
CASH_TOLERANCE = Decimal("0.01")
ZERO = Decimal(0)
FRACTION_TOLERANCE = Decimal("0.0001")
FEES_PER_UNIT_MAX = Decimal(5)
"""More than the fees of opening and closing one unit can come to, in dollars."""
SECOND = timedelta(seconds=1)
ENTERED = frozenset({TradeStatus.OPEN, TradeStatus.CLOSED})
UNENTERED = frozenset({TradeStatus.REJECTED, TradeStatus.CANCELLED})
Found = Iterable[str]


class RecordsAreTrue:
    """2: the record of every settled trade says what its orders and fills came to."""

    name = "records_are_true"

    def __init__(self) -> None:
        self._seen: set[tuple[str, str, int, int]] = set()
        self._commits = -1

    def check(self, view: DayView) -> list[str]:
        if view.book.commits == self._commits:
            return []
        self._commits = view.book.commits
        busy = {intent.trade_id for intent in view.book.unfinished_intents()}
        found: list[str] = []
        for trade in view.book.all_trades():
            execution = trade.execution
            key = (
                trade.trade_id,
                trade.status.value,
                execution.contracts_closed,
                trade.close_attempts,
            )
            if trade.trade_id in busy or key in self._seen:
                continue
            self._seen.add(key)
            found += [f"{trade.trade_id} {text}" for text in _untrue(view, trade)]
        return found

    def check_end(self, view: DayView) -> list[str]:
        return self.check(view)


def _untrue(view: DayView, trade: Trade) -> Found:
    orders = [o for o in view.own_orders if trade_id_of(o.client_order_id) == trade.trade_id]
    if trade.status in UNENTERED:
        yield from _unentered(view, trade, orders)
    if trade.status not in ENTERED:
        return
    if is_touched(trade):
        yield from _touched(view, trade)
        return
    fills = [f for f in view.own_fills if trade_id_of(f.client_order_id) == trade.trade_id]
    entries = [order for order in orders if "-entry-" in order.client_order_id]
    exits = [order for order in orders if "-entry-" not in order.client_order_id]
    if any("-roll-" in order.client_order_id and order.filled_units for order in orders):
        yield from _rolled(trade, orders)
    else:
        yield from _entered(view, trade, entries)
        alone = units_left_alone(orders)
        yield from _left(trade, exits, alone - sum(units_moved(o) * o.filled_units for o in exits))
    for position in view.book.positions(trade.trade_id):
        yield from _leg(trade, position, [f for f in fills if f.symbol == position.option_symbol])
    stake = stakes_of(orders)[trade.trade_id]
    if trade.status is TradeStatus.OPEN:
        yield from _at_stake(trade, stake)
    else:
        last = max(fill.at for fill in fills if "-entry-" not in fill.client_order_id)
        yield from _ended(view, trade, stake, last)


def _unentered(view: DayView, trade: Trade, orders: list[Order]) -> Found:
    if sum(order.filled_units for order in orders):
        yield f"is {trade.status}, but its orders filled"
    intent = view.book.intent(f"{trade.trade_id}-entry-1")
    attempts = () if intent is None else intent.orders
    was_refused = any(attempt.status is OrderStatus.REJECTED for attempt in attempts)
    if was_refused is not (trade.status is TradeStatus.REJECTED):
        yield f"is {trade.status}, its orders were {'' if was_refused else 'not '}refused"


def _entered(view: DayView, trade: Trade, entries: list[Order]) -> Found:
    execution = trade.execution
    units = sum(order.filled_units for order in entries)
    received = -sum((order.filled_net for order in entries), Decimal(0))
    if execution.contracts != units:
        yield f"was opened with {execution.contracts} contracts, the broker filled {units}"
        return
    if abs(execution.entry_cash - received * DOLLARS_PER_POINT) > CASH_TOLERANCE:
        yield f"took in {execution.entry_cash}, the broker paid {received * DOLLARS_PER_POINT}"
    if execution.credit is None or abs(execution.credit - received / units) > PRICE_TOLERANCE:
        yield f"has a credit of {execution.credit}, it received {received / units}"
        return
    intent = view.book.intent(f"{trade.trade_id}-entry-1")
    if intent is not None:
        slippage = intent.orders[0].mid_cash - received / units
        if abs((execution.entry_slippage or Decimal(0)) - slippage) > PRICE_TOLERANCE:
            yield f"notes a slippage of {execution.entry_slippage}, not {slippage}"


def _rolled(trade: Trade, orders: list[Order]) -> Found:
    """Hold a campaign's cash against that of all its orders, whichever way they went."""
    execution = trade.execution
    received = -sum((order.filled_net for order in orders), Decimal(0)) * DOLLARS_PER_POINT
    if abs(execution.entry_cash + execution.exit_cash - received) > CASH_TOLERANCE:
        yield f"took in {execution.entry_cash + execution.exit_cash}, the broker paid {received}"
    units = sum(units_moved(order) * order.filled_units for order in orders)
    units -= units_left_alone(orders)
    held = sum(contracts for _, contracts in trade.structures_held)
    if units != held:
        yield f"holds {held} contracts, the broker {units}"


def _left(trade: Trade, exits: list[Order], units: int) -> Found:
    execution = trade.execution
    paid = sum((order.filled_net for order in exits), Decimal(0))
    if execution.contracts_closed != units:
        yield f"closed {execution.contracts_closed} contracts, the broker {units}"
        return
    if abs(execution.exit_cash + paid * DOLLARS_PER_POINT) > CASH_TOLERANCE:
        yield f"paid {-execution.exit_cash} to leave, the broker took {paid * DOLLARS_PER_POINT}"
    # Cash of legs whose unit is not all gone is not a debit of any unit yet.
    if (
        trade.is_whole
        and units
        and abs((execution.exit_debit or Decimal(0)) - paid / units) > PRICE_TOLERANCE
    ):
        yield f"has an exit debit of {execution.exit_debit}, it paid {paid / units}"


def _leg(trade: Trade, position: Position, fills: list[Fill]) -> Found:
    symbol = position.option_symbol
    is_closed = position.status is PositionStatus.CLOSED
    held = trade.leg_quantities.get(symbol, 0)
    if is_closed is not (held == 0):
        yield f"holds {held}, and its {symbol} is {position.status}"
    opened_by = Side.BUY if position.side is LegSide.LONG else Side.SELL
    entered = _average([f for f in fills if f.side is opened_by])
    if _differ(position.entry_price, entered):
        yield f"entered {symbol} at {position.entry_price}, the broker filled at {entered}"
    left = _average([f for f in fills if f.side is not opened_by])
    if is_closed and _differ(position.exit_price, left):
        yield f"left {symbol} at {position.exit_price}, the broker filled at {left}"


def _average(fills: list[Fill]) -> Decimal | None:
    count = sum(fill.quantity for fill in fills)
    return sum((f.price * f.quantity for f in fills), Decimal(0)) / count if count else None


def _differ(kept: Decimal | None, true: Decimal | None) -> bool:
    if kept is None or true is None:
        return kept is not true
    return abs(kept - true) > PRICE_TOLERANCE


def _touched(view: DayView, trade: Trade) -> Found:
    """Hold a trade that something befell to its own sums: what of it is whose, the book decides."""
    execution, holdings = trade.execution, trade.holdings
    received = (execution.credit or ZERO) * execution.contracts * DOLLARS_PER_POINT
    if not trade.campaign.parts and abs(received - execution.entry_cash) > CASH_TOLERANCE:
        yield f"took in {execution.entry_cash}, its credit says {received}"
    if trade.status is TradeStatus.OPEN:
        own = {p.option_symbol: p.quantity for p in view.book.positions(trade.trade_id)}
        for symbol, quantity in trade.leg_quantities.items():
            if quantity and own.get(symbol) != abs(quantity):
                yield f"holds {quantity} {symbol}, as a position {own.get(symbol)}"
        if not trade.risk.capital_cents:
            yield "has something left and reserves nothing"
        return
    legs = sum((p.realized_pnl or Decimal(0) for p in view.book.positions(trade.trade_id)), ZERO)
    flows = execution.entry_cash + execution.exit_cash
    if abs(legs + holdings.shares_realized - flows) > CASH_TOLERANCE:
        yield f"took in {flows}, its legs {legs} and its shares {holdings.shares_realized}"
    if trade.pnl != flows - execution.fees or trade.timestamp_exit is None:
        yield f"ended with a P&L of {trade.pnl} at {trade.timestamp_exit}"


def _at_stake(trade: Trade, stake: Stake) -> Found:
    capital = Decimal(trade.risk.capital_cents) / 100
    heat = Decimal(trade.risk.heat_cents) / 100
    if trade.campaign.residue is not None:
        return  # Two structures are held: what both risk is checked once one of them is gone.
    units, width = trade.contracts_held, trade.structure.width
    if abs(capital - stake.capital) > CASH_TOLERANCE * (1 + units):
        yield f"reserves {capital} of capital, what it holds is {stake.capital}"
    each = stake.capital_per_unit if width is None else width * DOLLARS_PER_POINT
    most = (each + FEES_PER_UNIT_MAX) * units
    if not stake.heat - CASH_TOLERANCE * (1 + units) <= heat <= most:
        yield f"reserves {heat} of heat, what it holds risks {stake.heat} to {most}"


def _ended(view: DayView, trade: Trade, stake: Stake, last: datetime) -> Found:
    ended_at = trade.timestamp_exit
    if ended_at is None or not last - SECOND <= ended_at <= view.now:
        yield f"ended at {ended_at}, its last fill was at {last}"
        return
    days = (new_york_date(last) - new_york_date(trade.timestamp_enter)).days
    if trade.days_held != days:
        yield f"was held for {trade.days_held} days, not {days}"
    most = stake.max_loss_per_unit * trade.execution.contracts
    if trade.campaign.max_loss is not None:
        most = trade.campaign.max_loss
    if trade.pnl is None or trade.pnl_pct is None:
        yield f"ended with a P&L of {trade.pnl}, {trade.pnl_pct} of its risk"
    elif abs(trade.pnl_pct - trade.pnl / most) > FRACTION_TOLERANCE:
        yield f"earned {trade.pnl_pct} of its risk, not {trade.pnl / most}"
    # A roll that could reopen nothing ends a trade too, whatever exits were tried before.
    by_roll = trade.exit_reason is ExitReason.ROLL
    attempt = f"roll-{trade.campaign.attempts}" if by_roll else f"close-{trade.close_attempts}"
    intent = view.book.intent(f"{trade.trade_id}-{attempt}")
    if intent is not None and intent.exit_reason is not trade.exit_reason:
        yield f"says it was closed for {trade.exit_reason}, its intent for {intent.exit_reason}"
