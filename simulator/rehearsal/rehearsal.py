"""Run the deployed agent against a world: its template, its machines, its handlers, its broker API.

One execution runs at a time; waiting moves the exchange's clock, and nothing sleeps.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Self

from agent.adapters.alpaca.connection import connect
from agent.adapters.alpaca.credentials import parse_credentials
from agent.adapters.dynamodb.book import DynamoBook
from agent.adapters.dynamodb.reports import DynamoReportDates
from agent.adapters.dynamodb.tables import Tables
from agent.adapters.dynamodb.volatility import DynamoVolatilityHistory
from agent.book.comparison import compare_positions
from agent.book.records import JournalEvent, Trade
from agent.config.environment import FunctionEnvironment
from agent.market.calendar import NEW_YORK
from simulator.checkers.cash_identity import check_cash_identity
from simulator.cloud.lambda_runtime import InvocationResult
from simulator.cloud.local_cloud import LocalCloud
from simulator.exchange import Exchange, repeat, serve
from simulator.rehearsal.beforehand import record_reports, record_volatilities
from simulator.rehearsal.markets import Market
from simulator.rehearsal.owner import Deed, DeedReport, Owner
from simulator.rehearsal.plain_numbers import plain_line
from simulator.rehearsal.profile import Profile
from simulator.rehearsal.report import (
    DifferenceReport,
    RehearsalReport,
    SlotsReport,
    report_trade,
)
from simulator.rehearsal.run_log import EXCHANGE, OWNER, SLOT, RunLog
from simulator.rehearsal.story import Sources, tell_story
from simulator.rehearsal.tally import Failure, Tally
from simulator.worlds.world import TradingSession

IN_SESSION = frozenset({"scan_market", "monitor_positions"})
"""Outside a session these only say that the market is closed; their slots there are left out."""
STARTING_CASH = Decimal(100_000)
BEFORE_OPEN = timedelta(minutes=30)
AFTER_CLOSE = timedelta(hours=2)
"""By then the exchange has posted the day's fees."""

Moment = tuple[datetime, str, Callable[[], None]]
"""When something happens, what it is called, and the doing of it."""


class RehearsalFailed(Exception):
    """Raised where a function failed that should not have: the sentence names it and why."""


@dataclass(frozen=True)
class SessionProgress:
    """Say what a session came to, for whoever watches."""

    session: TradingSession
    number: int
    of: int
    equity: Decimal
    entries: int
    exits: int


class Rehearsal:
    """Hold the exchange, the local cloud and the book of one run; use as a context manager."""

    def __init__(
        self,
        market: Market,
        profile: Profile,
        template: Path,
        *,
        seed: int,
        settings: Mapping[str, Any],
        log: RunLog | None = None,
    ) -> None:
        self._market = market
        self._world = market.world
        self._played = market.world.sessions[: market.sessions]
        self._profile = profile
        self._template = template
        self._seed = seed
        self._settings = settings
        self._log = log
        self._tally = Tally()
        self._stack = ExitStack()
        self._slots_ran: dict[str, list[datetime]] = {function: [] for function in profile.times}
        self._slots_known: Counter[str] = Counter()
        self._done: set[tuple[str, datetime]] = set()
        self._is_interrupted = log is not None and log.header is not None
        for slot in log.bodies(SLOT) if log is not None else ():
            due = datetime.fromisoformat(slot["slot"])
            self._count(slot["function"], due, slot["answer"], slot["failure"])

    @property
    def sessions(self) -> int:
        """Count the sessions that will be played."""
        return len(self._played)

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        opens_at = self._played[0].opens_at
        self.exchange = Exchange(
            self._world,
            starting_cash=STARTING_CASH,
            seed=self._seed,
            early_assignment=self._market.early_assignment,
            starts_at=opens_at - BEFORE_OPEN,
        )
        self._equity_start = self.exchange.equity
        if self._log is not None:
            for effect in self._log.bodies(EXCHANGE):
                repeat(self.exchange, effect)
            self.exchange.watch(partial(self._log.note, EXCHANGE))
        with self._stack as stack:
            server = stack.enter_context(serve(self.exchange))
            self._secret = {
                "key_id": self.exchange.key_id,
                "secret_key": self.exchange.secret_key,
                "endpoint": server.url,
                "answer_seconds": 25,  # A busy machine is no outage: the run stays the same.
            }
            self.cloud = stack.enter_context(
                LocalCloud(
                    self._template,
                    clock=self.exchange.clock,
                    secrets={"alpaca": self._secret},
                    settings_overrides=self._settings,
                    note=None if self._log is None else self._log.note,
                    before=() if self._log is None else self._log.before,
                )
            )
            self._open_tables()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def play(self) -> Iterator[SessionProgress]:
        """Run the market's sessions, telling after each what it came to.

        Raises RehearsalFailed where a function fails although the broker was within reach.
        """
        sessions = self._played
        for number, session in enumerate(sessions, start=1):
            entries, exits = self._tally.entries, self._tally.exits_begun
            last = sessions[number].session if number < len(sessions) else None
            self._play_until(number, session, last)
            yield SessionProgress(
                session=session,
                number=number,
                of=len(sessions),
                equity=self.exchange.equity,
                entries=self._tally.entries - entries,
                exits=self._tally.exits_begun - exits,
            )

    def _play_until(self, number: int, session: TradingSession, following: date | None) -> None:
        """Run the slots of a session's day, and of the days without one that come after it."""
        day = session.session
        while True:
            plan = [*self._slots_of(day, session)]
            if day == session.session:
                plan += self._words_of(number, day)
            for at, _, act in sorted(plan, key=lambda moment: moment[:2]):
                if self.exchange.clock.now < at:
                    self.exchange.clock.advance_to(at)
                act()
            day += timedelta(days=1)
            if following is None or day >= following:
                break
        over = session.closes_at + AFTER_CLOSE
        if self.exchange.clock.now < over:
            self.exchange.clock.advance_to(over)

    def _fire(self, function: str, slot: datetime) -> None:
        """Deliver a slot, unless an earlier process saw it through; a broken one comes again."""
        if (function, slot) in self._done:
            return
        self._deliver(function, slot)
        if self._is_interrupted:
            self._is_interrupted = False
            self._pick_up()

    def _pick_up(self) -> None:
        """Let the monitor finish what an interruption left under way, as its schedule would."""
        session = self.exchange.calendar.session_at(self.exchange.now)
        if session is None:
            return
        for slot in self.cloud.slots(session.session)["monitor_positions"]:
            if not self.book.unfinished_intents():
                return
            if self.exchange.now < slot < session.closes_at:
                self.exchange.clock.advance_to(slot)
                self._deliver("monitor_positions", slot)

    def _deliver(self, function: str, slot: datetime) -> None:
        excused = self.exchange.faults.is_out_of_reach(self.exchange.now)
        result = self.cloud.fire(function, slot)
        failure = answer = None
        if excused and result.error_type is not None:
            failure = [result.error_type, result.error_message or ""]
        else:
            answer = _answer(function, slot, result)
        if self._log is not None:
            told = {"function": function, "slot": slot.isoformat()}
            self._log.note(SLOT, {**told, "answer": answer, "failure": failure})
        self._count(function, slot, answer, failure)

    def _count(
        self,
        function: str,
        slot: datetime,
        answer: Mapping[str, Any] | None,
        failure: Sequence[str] | None,
    ) -> None:
        self._done.add((function, slot))
        self._slots_ran[function].append(slot)
        if failure is not None:
            self._tally.failures.append(Failure(slot, function, *failure))
        elif answer is not None:
            self._tally.add(function, answer)

    def _words_of(self, number: int, day: date) -> list[Moment]:
        """Give what the profile has the owner say on a session, at its times."""
        return [
            (at, OWNER, partial(self._say, deed, at))
            for deed in self._owner.deeds_of(number)
            for at in [datetime.combine(day, deed.at, NEW_YORK)]
        ]

    def _say(self, deed: Deed, at: datetime) -> None:
        if (OWNER, at) in self._done:
            return
        told = self._owner.act(deed, at)
        if self._log is not None:
            self._log.note(OWNER, {"at": at.isoformat(), "told": told.model_dump(mode="json")})

    def _slots_of(self, day: date, session: TradingSession) -> list[Moment]:
        """Give the slots of a day that the timetable has and the profile wants."""
        plan: list[Moment] = []
        for function, slots in self.cloud.slots(day).items():
            if function not in IN_SESSION:
                known = slots if function == "learn_weekly" or day == session.session else []
            else:
                known = [s for s in slots if session.opens_at <= s <= session.closes_at]
            self._slots_known[function] += len(known)
            wanted = self._profile.times.get(function, ())
            plan += [
                (slot, function, partial(self._fire, function, slot))
                for slot in known
                if slot.astimezone(NEW_YORK).time() in wanted
            ]
        return plan

    def _open_tables(self) -> None:
        environment = FunctionEnvironment.parse(dict(self.cloud.environment("scan_market")))
        self.tables = Tables.named(
            trades=environment.trades_table,
            positions=environment.positions_table,
            agent_state=environment.agent_state_table,
            agent_control=environment.agent_control_table,
        )
        self.book = DynamoBook(self.tables)
        self._owner = Owner(self._profile.owner, self.book)
        for said in self._log.bodies(OWNER) if self._log is not None else ():
            self._owner.reports.append(DeedReport.model_validate(said["told"]))
            self._done.add((OWNER, datetime.fromisoformat(said["at"])))
        symbols = environment.settings.watchlist
        first = self._world.sessions[0].session
        record_volatilities(self._world, symbols, DynamoVolatilityHistory(self.tables))
        record_reports(self._world, symbols, first, DynamoReportDates(self.tables))

    def report(self) -> RehearsalReport:
        """Gather what happened, from the book on one side and the broker on the other."""
        trades = self.book.all_trades()
        positions = self.book.positions_by_trade([trade.trade_id for trade in trades])
        closed = [trade for trade in trades if trade.exit_reason and trade.pnl is not None]
        sessions = self._played
        first = sessions[0].session
        with connect(parse_credentials(json.dumps(self._secret)), live_trading=False) as alpaca:
            charged = sum((fee.amount for fee in alpaca.broker.fee_charges(first)), Decimal(0))
            cash_end = alpaca.broker.account().cash
        intents = self.book.all_intents()
        sources = Sources(
            trades=trades,
            intents=intents,
            journal=self._journal(),
            failures=self._tally.failures,
            activities=self.exchange.book.activities,
        )
        published = self.cloud.published
        kinds = Counter(str(message.attributes.get("kind", "unknown")) for message in published)
        return RehearsalReport(
            profile=self._profile.model_dump(mode="json"),
            world=self._world.name,
            market=self._market.description,
            scenario=self._market.scenario,
            seed=self._seed,
            first_session=first.isoformat(),
            last_session=sessions[-1].session.isoformat(),
            sessions=len(sessions),
            slots=self._slots_report(),
            scans=self._tally.scans,
            monitor_passes=self._tally.monitor_passes,
            days_analyzed=self._tally.days_analyzed,
            weeks_reviewed=self._tally.weeks_reviewed,
            candidates=self._tally.candidates,
            signals=self._tally.signals,
            entries=sum(trade.execution.contracts > 0 for trade in trades),
            exits=dict(sorted(Counter(str(trade.exit_reason) for trade in closed).items())),
            rolls=sum(trade.campaign.rolls for trade in trades),
            rejections=self._tally.all_rejections(trades, intents),
            failures=self._tally.failures_by_function(),
            owner=tuple(self._owner.reports),
            alerts=len(published),
            alerts_by_kind=dict(sorted(kinds.items())),
            orders=len(self.exchange.orders),
            fills=sum(order.filled_units > 0 for order in self.exchange.orders),
            reprices=sum(max(0, len(intent.orders) - 1) for intent in intents),
            equity_start=self._equity_start,
            equity_end=self.exchange.equity,
            cash_identity=check_cash_identity(
                trades,
                cash_start=STARTING_CASH,
                cash_end=cash_end,
                fees_charged=charged,
            ),
            differences=self._differences(trades),
            exercise_cash=sum(
                (row.cash_change for row in sources.activities if row.activity_type == "OPTRD"),
                Decimal(0),
            ),
            trades=tuple(report_trade(trade, positions[trade.trade_id]) for trade in trades),
            story=tell_story(sources),
            duration_seconds=round(time.monotonic() - self._began, 3),
        )

    def _slots_report(self) -> SlotsReport:
        return SlotsReport(
            times={
                name: tuple(sorted({f"{s.astimezone(NEW_YORK):%H:%M}" for s in slots}))
                for name, slots in self._slots_ran.items()
            },
            ran={name: len(slots) for name, slots in self._slots_ran.items()},
            in_timetable=dict(self._slots_known),
        )

    def _differences(self, trades: Sequence[Trade]) -> tuple[DifferenceReport, ...]:
        """Compare what the book holds with the broker's positions, shares among them."""
        held = {position.symbol: position.quantity for position in self.exchange.positions}
        found = compare_positions(trades, held)
        return tuple(DifferenceReport.model_validate(asdict(each)) for each in found)

    def _journal(self) -> list[JournalEvent]:
        """Read the journal of every UTC day that the run touched, oldest first."""
        first, last = self.exchange.opened_at.date(), self.exchange.now.date()
        days = range((last - first).days + 1)
        return [event for day in days for event in self.book.journal(first + timedelta(days=day))]

    def write_book(self, directory: Path) -> None:
        """Leave the book as JSON lines: trades, positions, intents, journal; the alerts told."""
        trades = self.book.all_trades()
        by_trade = self.book.positions_by_trade([trade.trade_id for trade in trades])
        positions = [position for trade in trades for position in by_trade[trade.trade_id]]
        for name, records in (
            ("trades", trades),
            ("positions", positions),
            ("intents", self.book.all_intents()),
            ("journal", self._journal()),
        ):
            lines = "".join(plain_line(record) for record in records)
            (directory / f"{name}.jsonl").write_text(lines, encoding="utf-8")
        told = "".join(
            json.dumps({"subject": message.subject, "message": message.message}) + "\n"
            for message in self.cloud.published
        )
        (directory / "alerts.jsonl").write_text(told, encoding="utf-8")


def _answer(function: str, slot: datetime, result: InvocationResult) -> Mapping[str, Any]:
    if result.error_type is not None or not isinstance(result.payload, Mapping):
        raise RehearsalFailed(
            f"{function} failed at its slot {slot.isoformat()}: "
            f"{result.error_type}: {result.error_message}"
        )
    return result.payload
