"""What people do on a stormy day: the owner's own words, and somebody else's orders."""

from datetime import timedelta
from functools import partial

from agent.book.changes import BookConflict
from agent.book.overrides import request_manual_exit
from agent.book.states import TradeStatus
from agent.ports import TradingState
from simulator.exchange import RefusalError
from simulator.storm.scenario import CALM_FROM_MINUTE, SYMBOLS
from simulator.storm.scheduler import Scheduler
from simulator.storm.view import DayView

WORD_BEFORE_OPEN_MINUTES = 4.0


class People:
    """Let the owner and a stranger act at drawn moments."""

    def __init__(self, view: DayView, scheduler: Scheduler) -> None:
        self._view = view
        self._scheduler = scheduler
        self._dice = view.plan.dice

    def act(self) -> None:
        """Put all they will do on the schedule."""
        opens_at = self._view.scenario.day.opens_at
        dice = self._dice
        if dice.chance("manual exit", 0.3):
            minute = dice.between("manual exit at", 5, CALM_FROM_MINUTE)
            self._scheduler.at(opens_at + timedelta(minutes=minute), "manual", self._ask_exit)
        if dice.chance("restriction", 0.5):
            state = dice.pick("restricted to", (TradingState.REDUCING, TradingState.HALTED))
            minute = dice.between("restricted at", 0, CALM_FROM_MINUTE)
            if dice.chance("restricted before the open", 0.6):
                minute = -WORD_BEFORE_OPEN_MINUTES
            lasts = dice.between("restricted for", 5, 150)
            self._say_at(minute, state)
            self._say_at(min(minute + lasts, CALM_FROM_MINUTE), TradingState.ACTIVE)
        for number in range(self._view.profile.foreign_orders):
            minute = dice.between(f"foreign/{number}", 1, CALM_FROM_MINUTE)
            self._scheduler.at(
                opens_at + timedelta(minutes=minute),
                f"foreign/{number}",
                partial(self._trade_as_somebody_else, number),
            )

    def _say_at(self, minute: float, state: TradingState) -> None:
        moment = self._view.scenario.day.opens_at + timedelta(minutes=minute)

        def say() -> None:
            self._view.control.set_trading_state(state)
            self._view.trading_states.append((self._view.now, state))

        self._scheduler.at(moment, f"say/{state}", say)

    def _ask_exit(self) -> None:
        book = self._view.book
        held = [t for t in book.active_trades() if t.status is TradeStatus.OPEN]
        if not held:
            return
        try:
            book.commit(request_manual_exit(self._dice.pick("whose exit", held), self._view.now))
        except BookConflict:  # pragma: no cover - nothing runs between the reading and the write
            return

    def _trade_as_somebody_else(self, number: int) -> None:
        dice, name = self._dice, f"somebody-{number}"
        stock = dice.chance(f"{name}/stock", 0.5)
        symbol = dice.pick(
            f"{name}/symbol", SYMBOLS if stock else self._view.scenario.foreign_contracts
        )
        rests = dice.chance(f"{name}/rests", 0.5)
        self._view.foreign_client_ids.add(name)
        body = {
            "symbol": symbol,
            "side": "buy",
            "qty": str(dice.whole(f"{name}/quantity", 1, 5)),
            "type": "limit",
            "time_in_force": "day",
            "limit_price": "0.05" if rests else ("150.00" if stock else "20.00"),
            "client_order_id": name,
        }
        try:
            self._view.exchange.place_order(body)
        except RefusalError:
            self._view.foreign_client_ids.discard(name)
