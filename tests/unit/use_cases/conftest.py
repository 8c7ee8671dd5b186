"""A desk: the real broker adapter over HTTP, the book in memory, executions stepped by the test."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from agent.adapters.alpaca.connection import AlpacaConnection, connect
from agent.adapters.alpaca.credentials import parse_credentials
from agent.adapters.alpaca.order_history import AlpacaOrderHistory
from agent.adapters.memory.alerts import MemoryAlerts
from agent.adapters.memory.archive import MemoryJournalArchive
from agent.adapters.memory.beats import MemoryBeats
from agent.adapters.memory.book import MemoryBook
from agent.adapters.memory.control import MemoryControl
from agent.adapters.memory.learning_log import MemoryLearningLog
from agent.adapters.memory.metrics import MemoryMetrics
from agent.adapters.memory.reports import MemoryReportDates
from agent.adapters.memory.volatility import MemoryVolatilityHistory
from agent.adapters.memory.workflows import MemoryWorkflows
from agent.book.identifiers import entry_intent_id, trade_id
from agent.book.intents import Intent, IntentKind
from agent.book.records import Trade
from agent.book.transitions import write_entry_intent
from agent.config.settings import Settings
from agent.options.contracts import parse_occ_symbol
from agent.options.structures import Leg, LegSide, Structure
from agent.strategies.registry import strategies_for
from agent.use_cases.cancel_order import cancel_order
from agent.use_cases.check_risk import check_risk
from agent.use_cases.desk import AssembledDesk
from agent.use_cases.place_order import place_order
from agent.use_cases.poll_fill import poll_fill
from agent.use_cases.record_fill import record_fill
from agent.use_cases.size_position import size_position
from agent.use_cases.steps import FillStatus, SettlementResult, StepInput
from simulator.exchange import Exchange, serve
from tests.builders import a_signal
from tests.simulation.exchange.builders import NOON
from tests.simulation.exchange.small_world import SmallWorld, contract_symbol

EXPIRATION = date(2026, 7, 17)
SHORT_PUT = contract_symbol("P", 100, EXPIRATION)
LONG_PUT = contract_symbol("P", 95, EXPIRATION)
SLOT = NOON


def a_spread_on_the_exchange() -> Structure:
    return Structure(
        (
            Leg(parse_occ_symbol(SHORT_PUT), LegSide.SHORT),
            Leg(parse_occ_symbol(LONG_PUT), LegSide.LONG),
        )
    )


def spread_world() -> SmallWorld:
    """Quote the 100/95 put spread at 1.20 mid, 1.10 natural to sell, 1.30 to buy back."""
    return (
        SmallWorld()
        .with_stock("104.95", "105.05")
        .with_option(SHORT_PUT, "2.35", "2.45")
        .with_option(LONG_PUT, "1.15", "1.25")
    )


@dataclass
class TestDesk:
    """Hold the desk and what a test may look at or push."""

    __test__ = False

    desk: AssembledDesk
    exchange: Exchange
    world: SmallWorld
    book: MemoryBook
    control: MemoryControl
    workflows: MemoryWorkflows
    alerts: MemoryAlerts
    history: AlpacaOrderHistory

    def state_entry(self, **changes: Any) -> Intent:
        """State the entry of the spread, as a scan would."""
        trade = trade_id("paper", SLOT, "ACME", "bps")
        signal = a_signal(
            structure=a_spread_on_the_exchange(),
            as_of=SLOT,
            credit_mid=Decimal("1.20"),
            credit_natural=Decimal("1.10"),
            credit_min=Decimal("1.10"),
            max_loss=Decimal("3.80"),
            underlying_price=Decimal("105.00"),
            **changes,
        )
        self.book.commit(write_entry_intent(entry_intent_id(trade), trade, signal, SLOT))
        return self.intent(entry_intent_id(trade))

    def reserve(self) -> Intent:
        """Carry a stated entry to its reservation."""
        intent = self.state_entry()
        assert check_risk(self.desk, StepInput(intent_id=intent.intent_id)).approved
        assert size_position(self.desk, StepInput(intent_id=intent.intent_id)).reserved
        return self.intent(intent.intent_id)

    def carry(self, intent: Intent) -> SettlementResult:
        """Walk the ladder as the state machines do: place, wait, poll, cancel, record."""
        step = StepInput(intent_id=intent.intent_id)
        for _ in range(8):
            placed = place_order(self.desk, step)
            if not placed.placed:
                break
            for _ in range(placed.polls_left):
                self.exchange.clock.advance(placed.wait_seconds)
                polled = poll_fill(self.desk, step)
                if polled.status is not FillStatus.WORKING:
                    break
            if polled.status is FillStatus.WORKING:
                cancel_order(self.desk, step)
                self.exchange.clock.advance(2)
                polled = poll_fill(self.desk, step)
            if polled.status is FillStatus.COMPLETE or not polled.rungs_left:
                break
        return record_fill(self.desk, step)

    def open_trade(self) -> Trade:
        intent = self.reserve()
        assert self.carry(intent).outcome == "opened"
        self.workflows.start(intent)
        self.workflows.end(intent.intent_id)
        return self.trade(intent)

    def intent(self, intent_id: str) -> Intent:
        found = self.book.intent(intent_id)
        assert found is not None
        return found

    def trade(self, intent: Intent) -> Trade:
        found = self.book.trade(intent.trade_id)
        assert found is not None
        return found

    def close_intents(self) -> list[Intent]:
        return [i for i in self.book.all_intents() if i.kind is IntentKind.CLOSE]


def make_desk(
    connection: AlpacaConnection, exchange: Exchange, world: SmallWorld, settings: Settings
) -> TestDesk:
    book = MemoryBook()
    control = MemoryControl()
    workflows = MemoryWorkflows()
    alerts = MemoryAlerts()
    desk = AssembledDesk(
        settings=settings,
        strategies=strategies_for(settings),
        broker=connection.broker,
        clock=connection.hours,
        calendar=connection.hours,
        market=connection.market,
        book=book,
        volatility=MemoryVolatilityHistory(),
        reports=MemoryReportDates(),
        control=control,
        beats=MemoryBeats(),
        workflows=workflows,
        alerts=alerts,
        outbox=book.outbox,
        metrics=MemoryMetrics(),
        archive=MemoryJournalArchive(),
        learning_log=MemoryLearningLog(),
    )
    history = AlpacaOrderHistory(connection.sessions[0])
    return TestDesk(desk, exchange, world, book, control, workflows, alerts, history)


@contextmanager
def a_desk(partial_fills: Decimal) -> Iterator[TestDesk]:
    """Serve an exchange at Monday noon with the spread quoted, and a desk in front of it."""
    world = spread_world()
    exchange = Exchange(
        world, starts_at=NOON - timedelta(seconds=1), partial_fill_probability=partial_fills
    )
    exchange.clock.advance(1)
    settings = Settings(watchlist=("ACME",))
    with serve(exchange) as served:
        secret = {
            "key_id": exchange.key_id,
            "secret_key": exchange.secret_key,
            "endpoint": served.url,
            "answer_seconds": 25,
        }
        credentials = parse_credentials(json.dumps(secret))
        with connect(credentials, live_trading=False) as connection:
            yield make_desk(connection, exchange, world, settings)


@pytest.fixture
def desk() -> Iterator[TestDesk]:
    """Give a desk whose orders fill whole or not at all."""
    with a_desk(Decimal(0)) as made:
        yield made


@pytest.fixture
def parting_desk() -> Iterator[TestDesk]:
    """Give a desk whose orders all fill in part first."""
    with a_desk(Decimal(1)) as made:
        yield made
