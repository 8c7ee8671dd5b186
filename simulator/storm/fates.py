"""What becomes of short legs, and who else closes them: the broker, or the owner's own hand."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from agent.book.records import Trade
from agent.book.states import TradeStatus
from agent.options.structures import Leg, LegSide
from simulator.exchange import RefusalError
from simulator.exchange.margin import intrinsic_value
from simulator.storm.scenario import CALM_FROM_MINUTE
from simulator.storm.scheduler import Scheduler
from simulator.storm.view import DayView

BEFORE_OPEN_MINUTES = 4.5
AFTER_CLOSE_MINUTES = 5.0
OPENING_MINUTES = 25.0
HAND_SLIPS = Decimal("0.10")
"""What the owner pays past the quote, so that the order fills at once."""


class Fates:
    """Let things befall the open trades of a day at drawn moments."""

    def __init__(self, view: DayView, scheduler: Scheduler) -> None:
        self._view = view
        self._scheduler = scheduler
        self._dice = view.plan.dice
        self._climate = view.profile.climate

    def befall(self) -> None:
        """Put all that will happen on the schedule."""
        day, dice = self._view.scenario.day, self._dice
        expires = self._view.scenario.expires_today
        if self._view.scenario.has_assignments:
            early = self._climate.early_assignments
            self._at(day.opens_at, -BEFORE_OPEN_MINUTES, "assigned-early", self._assign, early)
            minute = dice.between("assigned in the day", 2, CALM_FROM_MINUTE - 30)
            self._at(day.opens_at, minute, "assigned-in-the-day", self._assign, 0.5)
            self._at(day.closes_at, AFTER_CLOSE_MINUTES, "assigned-at-night", self._assign, 0.6)
        if self._view.scenario.has_strange_hands:
            most = OPENING_MINUTES if expires else CALM_FROM_MINUTE - 30
            minute = dice.between("by hand", 1, most)
            self._at(day.opens_at, minute, "by-hand", self._close_by_hand, 0.7)
            minute = dice.between("liquidated", 0.1, most)
            likely = 0.9 if expires else 0.4
            self._at(day.opens_at, minute, "liquidated", self._liquidate, likely)

    def _at(
        self,
        since: datetime,
        minutes: float,
        name: str,
        act: Callable[[str], None],
        probability: float,
    ) -> None:
        if self._dice.chance(name, probability):
            self._scheduler.at(since + timedelta(minutes=minutes), name, partial(act, name))

    def _assign(self, name: str) -> None:
        """Assign what is deepest in the money, or some other short leg, in full or in part."""
        legs = [(t, leg) for t, leg in self._legs() if leg.side is LegSide.SHORT]
        if not legs:
            return
        market, now = self._view.scenario.market, self._view.now

        def worth(pair: tuple[Trade, Leg]) -> Decimal:
            spot = Decimal(repr(market.spot(pair[0].symbol, now)))
            return intrinsic_value(pair[1].contract, spot)

        _, leg = max(legs, key=worth)
        if self._dice.chance(f"{name}/any", 0.4):
            _, leg = self._dice.pick(f"{name}/which", legs)
        held = -self._view.exchange.book.held(leg.contract.symbol)
        if held <= 0:
            return
        is_whole = self._dice.chance(f"{name}/all", self._climate.assigned_in_full)
        count = held if is_whole else self._dice.whole(f"{name}/count", 1, held)
        self._view.exchange.assign(leg.contract.symbol, count)

    def _liquidate(self, name: str) -> None:
        """Let the broker trade one leg away, for reasons of its own."""
        legs = [pair for pair in self._legs() if pair[1].side is LegSide.SHORT] or self._legs()
        if not legs:
            return
        _, leg = self._dice.pick(f"{name}/which", legs)
        if self._view.exchange.book.held(leg.contract.symbol):
            self._view.exchange.liquidate(leg.contract.symbol)

    def _close_by_hand(self, name: str) -> None:
        """Let the owner close one leg of a trade, or some of its contracts, at the broker."""
        legs = self._legs()
        if not legs:
            return
        _, leg = self._dice.pick(f"{name}/which", legs)
        symbol = leg.contract.symbol
        held = self._view.exchange.book.held(symbol)
        listing = self._view.scenario.market.option(leg.contract, self._view.now)
        if not held or listing is None or listing.bid is None or listing.ask is None:
            return
        buys = held < 0
        price = listing.ask + HAND_SLIPS if buys else max(listing.bid - HAND_SLIPS, Decimal("0.01"))
        body = {
            "symbol": symbol,
            "side": "buy" if buys else "sell",
            "qty": str(self._dice.whole(f"{name}/count", 1, abs(held))),
            "type": "limit",
            "time_in_force": "day",
            "limit_price": str(price),
            "position_intent": "buy_to_close" if buys else "sell_to_close",
            "client_order_id": name,
        }
        self._view.mishaps.by_hand_client_ids.add(name)
        try:
            self._view.exchange.place_order(body)
        except RefusalError:
            return  # It would leave a short uncovered, or an order of ours has the contracts.

    def _legs(self) -> list[tuple[Trade, Leg]]:
        """List the legs of trades that are held."""
        statuses = {TradeStatus.OPEN, TradeStatus.CLOSING, TradeStatus.ROLLING}
        return [
            (trade, leg)
            for trade in self._view.book.active_trades()
            if trade.status in statuses
            for leg in trade.structure.legs
            if trade.leg_quantities.get(leg.contract.symbol)
        ]
