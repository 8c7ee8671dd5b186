"""The exchange itself: one account trading against one world, with no HTTP in it."""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from threading import RLock
from typing import Any, Literal

from simulator.exchange.book import Book
from simulator.exchange.calendar import SessionCalendar
from simulator.exchange.clock import SimulatedClock
from simulator.exchange.configuration import AccountConfiguration
from simulator.exchange.desk import OrderDesk
from simulator.exchange.dividends import Dividends
from simulator.exchange.errors import forbidden
from simulator.exchange.faults import Faults
from simulator.exchange.fees import DEFAULT_SCHEDULE, FeeSchedule
from simulator.exchange.fills import ConcessionFillModel, FillModel, PartialFillRule
from simulator.exchange.lifecycle import LIQUIDATION_BEFORE_CLOSE, EarlyAssignment, Lifecycle
from simulator.exchange.market import MarketView
from simulator.exchange.matching import Matching
from simulator.exchange.numbers import Identifiers
from simulator.exchange.order_checks import OrderChecks
from simulator.exchange.records import Fill, Order, Position
from simulator.exchange.settlement import Settlement
from simulator.exchange.splits import Splits
from simulator.exchange.trade_updates import TradeUpdates
from simulator.exchange.valuation import Balances, Valuation
from simulator.exchange.watchlists import Watchlist
from simulator.worlds.events import CorporateEvents
from simulator.worlds.world import World

FEES_POSTED_AFTER_CLOSE = timedelta(minutes=30)
Effect = Mapping[str, Any]
"""What changed an exchange, as JSON: a move of its clock or a request that it granted."""
LOCAL_KEYS = ("local-key", "local-secret")
"""Key and secret that open nothing but this exchange."""


class Exchange:
    """Trade one account against a world, as Alpaca would.

    Everything is a function of the seed and of the sequence of requests and clock moves.
    Money is Decimal and exact. Hold `lock` while reading several things that must agree; the
    clock and every method here take it by themselves.

    `behaves_like` "paper" leaves expiring positions alone, pays no dividends and shows
    non-trade activities from the next day on; "live" liquidates expiring legs which the
    account could not settle 30 minutes before the close, pays dividends and shows at once.
    `rate_limit_per_minute` of simulated time is enforced with 429 where it is given.
    `open_interest_on_first_day` shows contracts' open interest before a session of the world is
    over, as of the trading day before it; else it shows from the second session on.
    `shows_greeks` adds greeks and implied volatility to snapshots; they cost as much as the rest of
    a chain, and the agent reads none.
    """

    def __init__(
        self,
        world: World,
        *,
        starting_cash: Decimal = Decimal(100_000),
        seed: int = 0,
        fill_model: FillModel | None = None,
        partial_fill_probability: Decimal = Decimal("0.10"),
        fill_delay_seconds: float = 2,
        cancel_delay_seconds: float = 0,
        fees: FeeSchedule | Literal["regulatory", "none"] = "regulatory",
        behaves_like: Literal["paper", "live"] = "paper",
        early_assignment: EarlyAssignment | None = None,
        options_level: int = 3,
        rate_limit_per_minute: int | None = None,
        open_interest_on_first_day: bool = False,
        shows_greeks: bool = False,
        key_id: str = LOCAL_KEYS[0],
        secret_key: str = LOCAL_KEYS[1],
        account_number: str | None = None,
        starts_at: datetime | None = None,
    ) -> None:
        if behaves_like not in {"paper", "live"}:
            raise ValueError(f"behaves_like must be 'paper' or 'live', not {behaves_like!r}")
        self.world = world
        self.calendar = SessionCalendar(world.sessions)
        self.clock = SimulatedClock(starts_at or self.calendar.first.opens_at)
        self.faults = Faults(world.outages if isinstance(world, CorporateEvents) else ())
        self.identifiers = Identifiers(seed)
        self.account_id = self.identifiers.of("account", "0")
        self.account_number = account_number or f"PA{self.account_id[:8].upper()}"
        self.opened_at = self.clock.now
        self.key_id, self.secret_key = key_id, secret_key
        self.rate_limit_per_minute = rate_limit_per_minute
        self.open_interest_on_first_day = open_interest_on_first_day
        self.shows_greeks = shows_greeks
        self.options_approved_level = options_level
        self.configuration = AccountConfiguration(max_options_trading_level=options_level)
        self.market = MarketView(world, self.clock, self.faults)
        self._is_live = behaves_like == "live"
        self.book = Book(starting_cash, self.identifiers, hides_events=not self._is_live)
        self.watchlists: list[Watchlist] = []
        self.valuation = Valuation(self.book, self.market)
        self.updates = TradeUpdates(self.book, self.identifiers)
        self.desk = self._open_desk(
            Matching(
                self.book,
                self.market,
                self.calendar,
                fill_model=fill_model or ConcessionFillModel(),
                partial_fills=PartialFillRule(seed, Decimal(partial_fill_probability)),
                fee_schedule=_fee_schedule(fees),
                fill_delay=timedelta(seconds=fill_delay_seconds),
                updates=self.updates,
            ),
            timedelta(seconds=cancel_delay_seconds),
        )
        self._settlement = Settlement(self.book, self.market, self.valuation)
        self.lifecycle = self._begin_lifecycle(self._settlement)
        self._dividends = Dividends(self.book, world)
        self._splits = Splits(self.book, self.desk, self.market, world)
        self._early_assignment = early_assignment
        self.clock.follow(self)
        self._watchers: list[Callable[[Effect], None]] = []
        self.clock.when_moved(lambda moment: self.tell({"moved_to": moment.isoformat()}))

    def _begin_lifecycle(self, settlement: Settlement) -> Lifecycle:
        return Lifecycle(
            book=self.book,
            market=self.market,
            calendar=self.calendar,
            desk=self.desk,
            settlement=settlement,
            balances=self.balances,
        )

    def _open_desk(self, matching: Matching, cancel_delay: timedelta) -> OrderDesk:
        checks = OrderChecks(
            book=self.book,
            market=self.market,
            calendar=self.calendar,
            clock=self.clock,
            valuation=self.valuation,
            faults=self.faults,
        )
        return OrderDesk(
            self.clock,
            self.calendar,
            self.identifiers,
            checks=checks,
            matching=matching,
            faults=self.faults,
            updates=self.updates,
            cancel_delay=cancel_delay,
        )

    # What keeps it

    def watch(self, watcher: Callable[[Effect], None]) -> None:
        """Tell `watcher` of each effect once it is done, and before whoever asked for it hears.

        The effects, repeated in order, bring a new exchange on the same world and seed to the same
        point. Faults, and calls of this class's own methods, are no effects.
        """
        self._watchers.append(watcher)

    def tell(self, effect: Effect) -> None:
        """Tell the watchers of an effect."""
        for watcher in self._watchers:
            watcher(effect)

    # What reports read

    @property
    def lock(self) -> RLock:
        """Give the one lock of this exchange."""
        return self.clock.lock

    @property
    def now(self) -> datetime:
        """Give the simulated time in UTC."""
        return self.clock.now

    @property
    def cash(self) -> Decimal:
        """Give the cash balance in dollars, fees not yet posted still in it."""
        with self.lock:
            return self.book.cash

    @property
    def equity(self) -> Decimal:
        """Give cash plus positions at mid, in dollars."""
        return self.balances().equity

    @property
    def accrued_fees(self) -> Decimal:
        """Give the fees of the day that are not yet posted, not rounded, in dollars."""
        with self.lock:
            return sum(self.book.accrued_fees.values(), Decimal(0))

    @property
    def options_level(self) -> int:
        """Give the level in force: the lesser of approved and configured."""
        return min(self.options_approved_level, self.configuration.max_options_trading_level)

    @property
    def orders(self) -> tuple[Order, ...]:
        """Give all orders, oldest first."""
        with self.lock:
            return self.desk.orders

    @property
    def working_orders(self) -> tuple[Order, ...]:
        """Give the orders that may still fill, oldest first."""
        with self.lock:
            return self.desk.working

    @property
    def fills(self) -> tuple[Fill, ...]:
        """Give all executions, one row a leg, oldest first."""
        with self.lock:
            return tuple(self.book.fills)

    @property
    def positions(self) -> tuple[Position, ...]:
        """Give what is held, ordered by symbol."""
        with self.lock:
            return tuple(self.book.positions[symbol] for symbol in sorted(self.book.positions))

    def balances(self) -> Balances:
        """Take stock of the account now."""
        with self.lock:
            return self.valuation.balances(self.desk.working)

    # What clients and tests do

    def place_order(self, body: Any) -> Order:
        """Accept the order that a POST body asks for.

        Raises RefusalError with Alpaca's status, code and message.
        """
        with self.lock:
            self._check_not_suspended()
            return self.desk.place(body, self.options_level)

    def replace_order(self, order_id: str, body: Any) -> Order:
        """Put a new order in the place of a working one; raises RefusalError."""
        with self.lock:
            self._check_not_suspended()
            return self.desk.replace(order_id, body, self.options_level)

    def cancel_order(self, order_id: str) -> None:
        """Cancel a working order; raises RefusalError where it is not one."""
        with self.lock:
            self.desk.cancel(order_id)

    def cancel_all_orders(self) -> list[Order]:
        """Cancel every working order; gives those it cancelled."""
        with self.lock:
            return self.desk.cancel_all()

    def order(self, order_id: str) -> Order:
        """Find an order by its own id; raises RefusalError (404) where there is none."""
        with self.lock:
            return self.desk.find(order_id)

    def assign(self, symbol: str, contracts: int | None = None) -> None:
        """Assign short contracts now, ahead of their expiration; all unless told how many.

        Raises ValueError where so many are not held short.
        """
        with self.lock:
            self.lifecycle.assign(symbol, self.now, contracts)

    def liquidate(self, symbol: str) -> None:
        """Close contracts on the broker's own behalf; raises ValueError where none are held."""
        with self.lock:
            self.lifecycle.liquidate(symbol)

    def _check_not_suspended(self) -> None:
        if self.configuration.suspend_trade:
            raise forbidden("new orders are rejected by user request")

    # Time

    def next_event_after(self, after: datetime, until: datetime) -> datetime | None:
        """Give the next moment in (after, until] at which something is due."""
        around_close = [timedelta(), FEES_POSTED_AFTER_CLOSE]
        if self._is_live:
            around_close.append(-LIQUIDATION_BEFORE_CLOSE)
        due = self.calendar.events_after(after, until, around_close)
        due.extend(self.desk.due_moments(after, until))
        quote_times = self.world.quote_times
        if quote_times is not None and self.desk.working:
            index = bisect_right(quote_times, after)
            if index < len(quote_times) and quote_times[index] <= until:
                due.append(quote_times[index])
        return min(due, default=None)

    def happen(self, at: datetime) -> None:
        """Work orders at `at`, and open or close the session or the day where it is time."""
        session = self.calendar.session_at(at)
        if session is not None and at == session.opens_at:
            self._splits.open_session(session, at)
        if session is not None and self._is_live:
            if at == session.opens_at:
                self._dividends.open_session(session, at)
            if at == session.closes_at - LIQUIDATION_BEFORE_CLOSE:
                self.lifecycle.liquidate_expiring(at)
        self.desk.work_all(at)
        closing = self.calendar.session_closing_at(at)
        if closing is not None:
            self._settlement.settle_expirations(closing, at)
            if self._early_assignment is not None:
                self.lifecycle.assign_early(self._early_assignment, at)
            self._settlement.record_close(closing, at, self.balances())
        completed = self.calendar.last_completed(at)
        if (
            session is None
            and completed is not None
            and at >= completed.closes_at + FEES_POSTED_AFTER_CLOSE
        ):
            self.book.charge_fees(at)


def _fee_schedule(fees: FeeSchedule | Literal["regulatory", "none"]) -> FeeSchedule | None:
    if isinstance(fees, FeeSchedule):
        return fees
    if fees not in {"regulatory", "none"}:
        raise ValueError(f"fees must be a FeeSchedule, 'regulatory' or 'none', not {fees!r}")
    return DEFAULT_SCHEDULE if fees == "regulatory" else None
