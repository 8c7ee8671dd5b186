"""One stormy day: everything assembled, let loose, and watched after every step."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from agent.adapters.memory.alerts import MemoryAlerts
from agent.adapters.memory.archive import MemoryJournalArchive
from agent.adapters.memory.beats import MemoryBeats
from agent.adapters.memory.control import MemoryControl
from agent.adapters.memory.learning_log import MemoryLearningLog
from agent.adapters.memory.metrics import MemoryMetrics
from agent.adapters.memory.reports import MemoryReportDates
from agent.adapters.memory.volatility import MemoryVolatilityHistory
from agent.book.states import TradeStatus
from agent.options.contracts import OptionType
from agent.options.structures import LegSide
from agent.strategies.registry import strategies_for
from agent.use_cases.desk import AssembledDesk
from simulator.exchange import Exchange
from simulator.storm.checkers_alerts import OwnerIsTold
from simulator.storm.checkers_book import (
    BookIsBroker,
    EverythingEnds,
    NoSecretLeaks,
    ReservationsSum,
)
from simulator.storm.checkers_exits import ExitsFire
from simulator.storm.checkers_limits import LimitsHold
from simulator.storm.checkers_mishaps import MishapsAreBooked, OrphansAreClosed
from simulator.storm.checkers_orders import (
    ForeignUntouched,
    NoUncoveredShort,
    OrdersHaveIntents,
    OwnersWordHolds,
    PricesAreSane,
)
from simulator.storm.checkers_records import RecordsAreTrue
from simulator.storm.checkers_rules import (
    FeesAndProfitsAreRight,
    HaltsAreKept,
    NothingIsBroken,
    StaleSlotsAreDropped,
    UrgentExitsEnd,
)
from simulator.storm.counting import count_day
from simulator.storm.dice import Dice
from simulator.storm.direct_broker import connect_directly
from simulator.storm.executions import Executions
from simulator.storm.fates import Fates
from simulator.storm.faults import SLOT, Fault, FaultKind, FaultPlan, Profile
from simulator.storm.functions import Functions, Outcome
from simulator.storm.market import FickleFills
from simulator.storm.people import People
from simulator.storm.ports import (
    FaultyAlerts,
    FaultyArchive,
    FaultyBeats,
    FaultyBook,
    FaultyControl,
    FaultyLearningLog,
    FaultyMetrics,
    FaultyOutbox,
    FaultyReportDates,
    FaultyVolatility,
    FaultyWorkflows,
    StormBook,
)
from simulator.storm.sandbox import Sandbox
from simulator.storm.scenario import (
    MORNING_CALM_FROM_MINUTE,
    MORNING_MINUTES,
    Scenario,
    draw_scenario,
)
from simulator.storm.scheduler import Scheduler
from simulator.storm.timetable import (
    AFTER_EVENING,
    BEFORE_EVENING,
    PERIODS_MINUTES,
    delivery_seconds,
    morning_slots_of,
    slot_key,
    slots_of,
)
from simulator.storm.view import Checker, DayView, MonitorPass, Violation

BEFORE_OPEN = timedelta(minutes=5)
REPORTS_AHEAD = timedelta(days=80)
REDELIVERIES_MAX = 2
KEY_ID, SECRET_KEY = "storm-key-id-3141", "storm-secret-key-2718"


def all_checkers() -> tuple[Checker, ...]:
    """Make every checker anew, for one day."""
    return (
        OrdersHaveIntents(),
        BookIsBroker(),
        LimitsHold(),
        PricesAreSane(),
        OwnersWordHolds(),
        NoUncoveredShort(),
        MishapsAreBooked(),
        OrphansAreClosed(),
        EverythingEnds(),
        ReservationsSum(),
        ExitsFire(),
        UrgentExitsEnd(),
        HaltsAreKept(),
        NothingIsBroken(),
        StaleSlotsAreDropped(),
        FeesAndProfitsAreRight(),
        RecordsAreTrue(),
        NoSecretLeaks(),
        OwnerIsTold(),
        ForeignUntouched(),
    )


@dataclass
class DayResult:
    """What a day came to."""

    seed: int
    violation: Violation | None
    faults: list[Fault]
    steps: int
    counts: Counter[str] = field(default_factory=Counter)
    story: list[str] = field(default_factory=list)


class StormDay:
    """Assemble one day from its seed."""

    def __init__(
        self,
        seed: int,
        profile: Profile,
        only: frozenset[str] | None = None,
        *,
        unwatched: frozenset[str] = frozenset(),
    ) -> None:
        """`only` names the faults that may strike, `unwatched` the rules that nobody checks."""
        self.dice = Dice(seed)
        self.scenario: Scenario = draw_scenario(seed, profile, self.dice)
        self.exchange = exchange_of(self.scenario, profile, self.dice)
        self.plan = FaultPlan(self.dice, profile, lambda: self.exchange.now, only)
        self.scheduler = Scheduler(self.exchange.clock, self.dice, self._after_step)
        self._book = StormBook(lambda: self.exchange.now)
        self._control = MemoryControl()
        self._alerts = MemoryAlerts()
        self._metrics = MemoryMetrics()
        self._archive = MemoryJournalArchive()
        self._volatility = MemoryVolatilityHistory()
        self._reports = MemoryReportDates()
        self._beats = MemoryBeats()
        self._learning_log = MemoryLearningLog()
        for symbol, samples in self.scenario.samples.items():
            self._volatility.record(symbol, samples)
            # No report falls into any life here: they are for other tests than storms.
            self._reports.replace_reports(symbol, [self.scenario.day.session + REPORTS_AHEAD])
        functions = Functions(self.scheduler, self.plan, self._furnish)
        self.executions = Executions(self.scheduler, self.dice, functions)
        self.view = DayView(
            scenario=self.scenario,
            profile=profile,
            exchange=self.exchange,
            book=self._book,
            control=self._control,
            alerts=self._alerts,
            functions=functions,
            executions=self.executions,
            plan=self.plan,
        )
        self.checkers = tuple(each for each in all_checkers() if each.name not in unwatched)
        self.violation: Violation | None = None
        self._seen: tuple[int, ...] = ()
        self._strategies = strategies_for(self.scenario.settings)
        self.counts: Counter[str] = Counter()

    def run(self) -> DayResult:
        """Play the eve in calm, then the day in its weather, and look at what is left."""
        eve, day = self.scenario.eve, self.scenario.day
        self._plan_slots(since=eve.opens_at, until=day.opens_at)
        self._run_to(eve.closes_at - timedelta(minutes=10))
        self._run_to(day.opens_at - BEFORE_OPEN)
        self.counts["carried"] = len(self._book.active_trades())
        self.plan.is_on = True
        self._plan_slots(since=day.opens_at, until=day.closes_at + AFTER_EVENING)
        People(self.view, self.scheduler).act()
        Fates(self.view, self.scheduler).befall()
        self._pin()
        self._run_to(self.scenario.calm_from)
        self.plan.is_on = False
        self._run_to(day.closes_at + BEFORE_EVENING)
        self.plan.is_on = True
        self._run_to(day.closes_at + AFTER_EVENING)
        self.plan.is_on = False
        self._slot("monitor_positions", day.closes_at + AFTER_EVENING)
        self._run_to(day.closes_at + AFTER_EVENING + BEFORE_EVENING)
        self._play_morning()
        if self.violation is None:
            self._check(lambda checker: checker.check_end(self.view))
        self.scheduler.end_paused()
        self.counts["steps"] = self.scheduler.steps
        self.counts.update(count_day(self.view, self.checkers))
        return DayResult(
            self.scenario.seed,
            self.violation,
            self.plan.struck,
            self.scheduler.steps,
            self.counts,
        )

    def _pin(self) -> None:
        """Let stocks open near short strikes that were sold on the eve."""
        market, day = self.scenario.market, self.scenario.day
        for pin in self.scenario.pins:
            shorts = [
                leg.contract
                for trade in self._book.active_trades()
                if trade.symbol == pin.symbol
                for leg in trade.structure.legs
                if leg.side is LegSide.SHORT
            ]
            calls = [each for each in shorts if each.option_type is OptionType.CALL]
            puts = [each for each in shorts if each.option_type is OptionType.PUT]
            found, above = puts, pin.of_put
            if pin.of_call is not None and calls:
                found, above = calls, -pin.of_call
            if found:
                contract = self.dice.pick(f"{pin.symbol}/pinned to", found)
                opening = market.deviations_above(contract, above, day.opens_at)
                market.pin(pin.symbol, opening, day.opens_at)

    def _play_morning(self) -> None:
        """Play the first hour of the next session, rough at first and calm in the end."""
        morning = self.scenario.morning
        if morning is None:
            return
        self._run_to(morning.opens_at - BEFORE_OPEN)
        self.plan.is_on = True
        for function, slot in morning_slots_of(self.scenario):
            self._slot(function, slot)
        self._run_to(morning.opens_at + timedelta(minutes=MORNING_CALM_FROM_MINUTE))
        self.plan.is_on = False
        self._run_to(morning.opens_at + timedelta(minutes=MORNING_MINUTES))

    def _run_to(self, moment: datetime) -> None:
        self.scheduler.run(moment, stops=lambda: self.violation is not None)

    # Assembling

    def _furnish(self, sandbox: Sandbox) -> AssembledDesk:
        connection = connect_directly(self.exchange, sandbox)
        return AssembledDesk(
            settings=self.scenario.settings,
            strategies=self._strategies,
            broker=connection.broker,
            clock=connection.hours,
            calendar=connection.hours,
            market=connection.market,
            book=FaultyBook(sandbox, self._book),
            volatility=FaultyVolatility(sandbox, self._volatility),
            reports=FaultyReportDates(sandbox, self._reports),
            control=FaultyControl(sandbox, self._control),
            beats=FaultyBeats(sandbox, self._beats),
            workflows=FaultyWorkflows(sandbox, self.executions.start, self.executions.state),
            alerts=FaultyAlerts(sandbox, self._alerts),
            outbox=FaultyOutbox(sandbox, self._book.outbox),
            metrics=FaultyMetrics(sandbox, self._metrics),
            archive=FaultyArchive(sandbox, self._archive),
            learning_log=FaultyLearningLog(sandbox, self._learning_log),
        )

    # The timetable

    def _plan_slots(self, *, since: datetime, until: datetime) -> None:
        for function, slot in slots_of(self.scenario):
            if since <= slot < until:
                self._slot(function, slot)

    def _slot(self, function: str, slot: datetime) -> None:
        """Let a schedule fire for a slot, which may go wrong in its own ways."""
        name = slot_key(function, slot)
        self.scheduler.at(slot, f"{name}/due", lambda: self._fire(function, slot, name))

    def _fire(self, function: str, slot: datetime, name: str) -> None:
        fault = self.plan.draw(f"{name}|slot", SLOT, function)
        kind = None if fault is None else fault.kind
        period = 60 * PERIODS_MINUTES.get(function, 1)
        late = self.dice.between(f"{name}/late", 1.0, 59.0)
        self.counts[f"slots_{function}"] += 1
        if kind is FaultKind.SLOT_MISSING:
            return
        if kind is FaultKind.SLOT_LATE:
            self._deliver(function, slot, f"{name}#1", late)
        elif kind is FaultKind.SLOT_TOGETHER:
            self._deliver(function, slot, f"{name}#1", float(period))
        else:
            self._deliver(function, slot, f"{name}#1", delivery_seconds(self.dice, function, slot))
        if kind is FaultKind.SLOT_TWICE:
            self._deliver(function, slot, f"{name}#2", late)

    def _deliver(
        self, function: str, slot: datetime, key: str, seconds: float, redelivered: int = 0
    ) -> None:
        self.scheduler.after(
            seconds, key, lambda: self._invoke_slot(function, slot, key, redelivered)
        )

    def _invoke_slot(self, function: str, slot: datetime, key: str, redelivered: int) -> None:
        began_at = self.exchange.now
        unfinished = len(self._book.unfinished_intents())
        attempts = {
            trade.trade_id: trade.close_attempts
            for trade in self._book.active_trades()
            if trade.status is TradeStatus.OPEN
        }

        def receive(outcome: Outcome) -> None:
            if function == "monitor_positions":
                ended_at = self.exchange.now
                seen = MonitorPass(slot, began_at, ended_at, outcome, attempts, unfinished)
                self.view.passes.append(seen)
            if outcome.error is not None and redelivered < REDELIVERIES_MAX:
                wait = self.dice.between(f"{key}/again", 5.0, 25.0)
                again = f"{key}r"
                self._deliver(function, slot, again, wait, redelivered + 1)

        event = {"slot": slot.isoformat()}
        self.view.functions.invoke(function, event, key=key, state=function, receive=receive)

    # Watching

    def _after_step(self) -> None:
        seen = self._fingerprint()
        if seen == self._seen or self.violation is not None:
            return
        self._seen = seen
        self._check(lambda checker: checker.check(self.view))

    def _fingerprint(self) -> tuple[int, ...]:
        return (
            self._book.commits,
            len(self.exchange.book.fills),
            len(self.exchange.desk.orders),
            sum(order.status is not None for order in self.exchange.desk.working),
            len(self.view.passes),
            len(self._alerts.published),
            self.executions.running,
            int(self.exchange.now.timestamp()) // 300,
        )

    def _check(self, ask: Callable[[Checker], Sequence[str]]) -> None:
        for checker in self.checkers:
            messages = ask(checker)
            if messages:
                self.violation = Violation(
                    self.scenario.seed,
                    self.scheduler.steps,
                    self.exchange.now,
                    checker.name,
                    messages[0],
                )
                return


def exchange_of(scenario: Scenario, profile: Profile, dice: Dice) -> Exchange:
    """Open the exchange of a day, on its eve."""

    def now() -> datetime:
        return exchange.now

    exchange = Exchange(
        scenario.market,
        starting_cash=scenario.starting_cash,
        seed=scenario.seed,
        fill_model=FickleFills(dice, profile.fickleness, now, scenario.day.opens_at),
        partial_fill_probability=Decimal(str(profile.partial_fills)),
        cancel_delay_seconds=dice.pick("cancel delay", (0, 0, 1, 4)),
        behaves_like=scenario.behaves_like,
        key_id=KEY_ID,
        secret_key=SECRET_KEY,
        starts_at=scenario.eve.opens_at,
    )
    return exchange
