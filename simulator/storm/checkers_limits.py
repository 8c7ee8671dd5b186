"""Rule 3: no acceptance exceeds a limit, as valued then and measured from the broker.

What a trade puts at stake is reckoned here from the broker's own orders and fills, by plain
arithmetic that shares nothing with the agent's sizing.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from simulator.exchange import Order
from simulator.exchange.calendar import new_york_date
from simulator.storm.exposures import (
    at_broker,
    delta_and_vega,
    least_exposures,
    stressed_value,
)
from simulator.storm.view import (
    DayView,
    intent_id_of,
    is_put_sold_alone,
    is_touched,
    split_factor,
    trade_id_of,
    units_left_alone,
    units_moved,
)

VALUED_WITHIN = timedelta(seconds=180)
"""A limit is valued when risk is reserved; its first order follows within so long."""
DOLLARS_PER_POINT = 100
STOP_LOSS = 2
"""Of the credit: what a put sold alone loses at its stop, at least."""
STRESS_SEEN = Decimal("0.90")
"""Of the loss under stress: the agent measures it with the volatilities of its last good quotes."""
CAP_TOLERANCE_FRACTION, CAP_TOLERANCE = 0.15, 5.0
"""The agent's greeks come from quotes, and from volatilities of up to a pass before."""
DISTURBED_LATELY = timedelta(minutes=6)
PASSES_BETWEEN_LOOKS = 8
LOSS_TOLERANCE_FRACTION = 0.0002


@dataclass(frozen=True)
class Stake:
    """What one trade has at the broker: dollars at stake a unit, and units held or working.

    Fees are left out: the agent counts them in, so that its own figure is never below this one.
    """

    symbol: str
    loss_per_unit: Decimal
    capital_per_unit: Decimal
    units: int
    max_loss_per_unit: Decimal

    @property
    def heat(self) -> Decimal:
        return self.loss_per_unit * self.units

    @property
    def capital(self) -> Decimal:
        return self.capital_per_unit * self.units


class LimitsHold:
    """3: heat, capital, positions and entries, at each entry order the broker accepts."""

    name = "limits_hold"

    def __init__(self) -> None:
        self._seen = 0
        self._equities: list[tuple[datetime, Decimal]] = []
        self._commits = -1
        self._next_look = 1
        self.passive_breaches = 0
        """Looks at which a limit was passed, mostly because equity fell or the market moved."""

    def check(self, view: DayView) -> list[str]:
        if view.book.commits != self._commits:
            self._commits = view.book.commits
            self._equities.append((view.now, view.exchange.equity))
        orders = view.exchange.orders
        new = [
            order
            for order in orders[self._seen :]
            if "-entry-" in order.client_order_id
            and order.client_order_id not in view.foreign_client_ids
        ]
        self._seen = len(orders)
        self._watch_passively(view)
        if not new:
            return []
        equity = self._equity_then(view)
        stakes = _stakes_now(view)
        found = [message for order in new for message in _exceeded(view, order, stakes, equity)]
        found += _caps_exceeded(view, new[-1], equity)
        loss = _loss_of_day(view, equity)
        limit = float(view.scenario.settings.risk.daily_loss_max_fraction)
        if loss > limit + LOSS_TOLERANCE_FRACTION:
            found.append(f"{new[0].client_order_id} enters after a loss of {loss:.4f} on the day")
        return found

    def check_end(self, view: DayView) -> list[str]:
        return self.check(view)

    def _watch_passively(self, view: DayView) -> None:
        """Count how often the account stood beyond a limit that nobody entered past."""
        if len(view.passes) < self._next_look:
            return
        self._next_look = len(view.passes) + PASSES_BETWEEN_LOOKS
        equity, risk = view.exchange.equity, view.scenario.settings.risk
        heat = sum(stake.heat for stake in _stakes_now(view).values())
        delta, vega = delta_and_vega(view.scenario.market, at_broker(view), view.now)
        self.passive_breaches += (
            heat > equity * risk.heat_max_fraction
            or abs(delta) > float(equity * risk.delta_max_fraction)
            or abs(vega) > float(equity * risk.vega_max_fraction)
            or _loss_of_day(view, equity) > float(risk.daily_loss_max_fraction)
        )

    def _equity_then(self, view: DayView) -> Decimal:
        """Give the highest equity of the last minutes: limits may have been valued at it."""
        since = view.now - VALUED_WITHIN
        recent = [equity for at, equity in self._equities if at >= since]
        return max([view.exchange.equity, *recent])


def _loss_of_day(view: DayView, equity: Decimal) -> float:
    closes = view.exchange.book.closes
    return float((closes[-1].equity - equity) / closes[-1].equity) if closes else 0.0


def _exceeded(view: DayView, order: Order, stakes: dict[str, Stake], equity: Decimal) -> list[str]:
    risk = view.scenario.settings.risk
    trade_id = trade_id_of(order.client_order_id)
    own = stakes_of(view.own_orders)[trade_id]
    alike = [s for s in stakes.values() if s.symbol == own.symbol and s.units]
    today = new_york_date(order.created_at)
    entered = {
        trade_id_of(o.client_order_id)
        for o in view.own_orders
        if "-entry-" in o.client_order_id
        and new_york_date(o.created_at) == today
        and (o.is_working or o.filled_units)
    }
    measured = (
        ("heat", sum(s.heat for s in stakes.values()), equity * risk.heat_max_fraction),
        ("heat of the trade", own.heat, equity * risk.trade_risk_fraction),
        ("capital of the trade", own.capital, equity * risk.trade_capital_max_fraction),
        (
            f"capital in {own.symbol}",
            sum(s.capital for s in alike),
            equity * risk.symbol_capital_max_fraction,
        ),
        (f"trades in {own.symbol}", Decimal(len(alike)), Decimal(risk.symbol_positions_max)),
        ("entries of the day", Decimal(len(entered)), Decimal(risk.max_trades_per_day)),
    )
    return [
        f"{order.client_order_id} was accepted with a {what} of {actual:.2f} above {limit:.2f}"
        for what, actual, limit in measured
        if actual > limit
    ]


def _caps_exceeded(view: DayView, order: Order, equity: Decimal) -> list[str]:
    """Hold delta and vega to their caps, working orders included, where the market is plain."""
    market, since = view.scenario.market, view.now - DISTURBED_LATELY
    if any(w.since <= view.now and w.until >= since for w in market.windows):
        return []
    risk = view.scenario.settings.risk
    delta, vega = least_exposures(view)
    measured = (
        ("delta", delta, float(equity * risk.delta_max_fraction)),
        ("vega", vega, float(equity * risk.vega_max_fraction)),
    )
    return [
        f"{order.client_order_id} was accepted with a {what} of {actual:.2f} beyond {cap:.2f}"
        for what, actual, cap in measured
        if actual > cap * (1 + CAP_TOLERANCE_FRACTION) + CAP_TOLERANCE
    ]


def stakes_of(orders: list[Order]) -> dict[str, Stake]:
    """Measure each trade from its orders: what was opened, less what was closed."""
    by_trade: dict[str, list[Order]] = {}
    for order in orders:
        by_trade.setdefault(trade_id_of(order.client_order_id), []).append(order)
    return {trade: _stake(found) for trade, found in by_trade.items()}


def _stake(orders: list[Order]) -> Stake:
    entries = [order for order in orders if "-entry-" in order.client_order_id]
    opened = sum(order.filled_units for order in entries)
    working = sum(order.remaining_units for order in entries if order.is_working)
    units = working + sum(units_moved(order) * order.filled_units for order in orders)
    units -= units_left_alone(orders)
    received = -sum((order.filled_net for order in entries), Decimal(0))
    for order in entries:
        if order.is_working and order.signed_limit is not None:
            received -= order.signed_limit * order.remaining_units
    credit = received / (opened + working) if opened + working else Decimal(0)
    rolls = [o for o in orders if "-roll-" in o.client_order_id and o.filled_units]
    reopened = [order for order in rolls if units_moved(order) >= 0]
    last = reopened[-1] if reopened else entries[0]
    contract = entries[0].legs[0].contract
    if contract is not None and is_put_sold_alone(entries[0].client_order_id):
        at_stop = STOP_LOSS * credit * DOLLARS_PER_POINT
        capital = contract.strike * DOLLARS_PER_POINT
        most = capital - credit * DOLLARS_PER_POINT
        return Stake(contract.underlying, at_stop, capital, units, most)
    capital = (_width(last) - credit - _rolled_for(rolls)) * DOLLARS_PER_POINT
    symbol = "" if contract is None else contract.underlying
    return Stake(symbol, capital, capital, units, capital)


def _stakes_now(view: DayView) -> dict[str, Stake]:
    """Measure each trade; of one that something befell, its orders alone do not say what is left.

    That book and broker agree on what is left of it, other rules see to.
    """
    stakes = stakes_of(view.own_orders)
    for trade in view.book.all_trades():
        stake = stakes.get(trade.trade_id)
        if stake is not None and is_touched(trade):
            shares = -(-abs(trade.shares_held) // DOLLARS_PER_POINT)
            stakes[trade.trade_id] = replace(
                _restated(stake, split_factor(trade)), units=max(trade.contracts_held, shares)
            )
        if stake is not None and is_put_sold_alone(trade.trade_id) and trade.contracts_held:
            contract, credit = trade.structure.legs[0].contract, trade.execution.credit
            stressed = stressed_value(view.scenario.market, contract, view.now)
            lost = (Decimal(repr(stressed)) - (credit or Decimal(0))) * DOLLARS_PER_POINT
            lost *= STRESS_SEEN
            now = stakes[trade.trade_id]
            most = max(now.loss_per_unit, lost)
            stakes[trade.trade_id] = replace(now, loss_per_unit=most)
    return stakes


def _restated(stake: Stake, factor: int) -> Stake:
    """Give what a unit puts at stake once a split has made `factor` of each."""
    return replace(
        stake,
        loss_per_unit=stake.loss_per_unit / factor,
        capital_per_unit=stake.capital_per_unit / factor,
        max_loss_per_unit=stake.max_loss_per_unit / factor,
    )


def _rolled_for(rolls: list[Order]) -> Decimal:
    """Give what the rolls of a trade brought a unit, roll by roll."""
    total = Decimal(0)
    for intent_id in {intent_id_of(order.client_order_id) for order in rolls}:
        own = [order for order in rolls if intent_id_of(order.client_order_id) == intent_id]
        if not any(units_moved(order) >= 0 for order in own):
            continue
        for moved in {units_moved(order) for order in own}:
            alike = [order for order in own if units_moved(order) == moved]
            net = sum((order.filled_net for order in alike), Decimal(0))
            total -= net / sum(order.filled_units for order in alike)
    return total


def _width(order: Order) -> Decimal:
    """Give the distance of the strikes of the wider side of what an order opens."""
    widths = []
    for kind in ("call", "put"):
        strikes = [
            leg.contract.strike
            for leg in order.legs
            if leg.contract is not None
            and leg.contract.option_type.value == kind
            and leg.position_intent is not None
            and leg.position_intent.opens
        ]
        widths.append(max(strikes) - min(strikes) if strikes else Decimal(0))
    return max(widths)
