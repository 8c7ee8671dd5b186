"""A backfill against the exchange: a made-up market some days on, whose bars tell of its past."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from agent.adapters.alpaca.connection import AlpacaConnection, connect
from agent.adapters.alpaca.credentials import parse_credentials
from agent.adapters.memory.reports import MemoryReportDates
from agent.adapters.memory.volatility import MemoryVolatilityHistory
from agent.config.settings import Settings
from agent.market.last_trades import SOURCE_LAST_TRADES, SOURCE_LAST_TRADES_STRIPPED
from agent.market.volatility import SOURCE_QUOTES
from agent.options.contracts import OptionContract
from agent.ports import PastSessions
from agent.use_cases.backfill_volatility import Backfilled, backfill_volatility
from simulator.exchange import Exchange, serve
from simulator.worlds.synthetic import SyntheticWorld
from tests.builders import a_sample

SYMBOL = "FXTT"
WORLD = SyntheticWorld(1, session_count=8)
PAST = [session.session for session in WORLD.sessions[:-1]]
NOON = WORLD.sessions[-1].opens_at + timedelta(hours=2, minutes=30)
SETTINGS = Settings.model_validate({"market": {"symbols_without_reports": [SYMBOL]}})


@dataclass
class Desk:
    past: PastSessions
    settings: Settings = SETTINGS
    volatility: MemoryVolatilityHistory = field(default_factory=MemoryVolatilityHistory)
    reports: MemoryReportDates = field(default_factory=MemoryReportDates)

    def levels(self, source: str) -> dict[date, float]:
        samples = self.volatility.samples(SYMBOL, 252, source=source)
        return {sample.session: sample.implied_volatility for sample in samples}


@pytest.fixture(scope="module")
def connection() -> Iterator[AlpacaConnection]:
    """Serve the market at noon of its last session."""
    exchange = Exchange(WORLD, starts_at=NOON)
    with serve(exchange) as served:
        secret = {"key_id": exchange.key_id, "secret_key": exchange.secret_key}
        credentials = parse_credentials(
            json.dumps({**secret, "endpoint": served.url, "answer_seconds": 25})
        )
        with connect(credentials, live_trading=False) as connected:
            yield connected


@pytest.fixture(scope="module")
def done(connection: AlpacaConnection) -> tuple[Desk, Backfilled]:
    """Fill in the past once: two of its sessions were told by quotes before."""
    desk = Desk(connection.past)
    known = [a_sample(day, 0.3, source=SOURCE_QUOTES) for day in PAST[-2:]]
    desk.volatility.record(SYMBOL, known)
    return desk, backfill_volatility(desk, SYMBOL, NOON)


def test_past_sessions_are_recorded_apart_from_what_quotes_told(
    done: tuple[Desk, Backfilled],
) -> None:
    desk, result = done
    recorded = desk.levels(SOURCE_LAST_TRADES)
    assert set(recorded) <= set(PAST)
    assert result.recorded == result.known == len(recorded) >= len(PAST) - 1
    assert desk.levels(SOURCE_LAST_TRADES_STRIPPED).keys() == recorded.keys()
    assert desk.levels(SOURCE_QUOTES) == dict.fromkeys(PAST[-2:], 0.3)
    assert (result.overlap, result.is_calibrated) == (2, False)


def test_what_last_trades_imply_is_near_what_quotes_did_before(
    done: tuple[Desk, Backfilled],
) -> None:
    desk, _ = done
    before = WORLD.implied_volatility_history(SYMBOL)[-1]
    assert before.session < PAST[0]
    for level in desk.levels(SOURCE_LAST_TRADES).values():
        assert level == pytest.approx(before.implied_volatility, rel=0.3)


@dataclass
class NothingNew:
    """Know of a stock's closes, and of no option that ever traded."""

    asked: list[tuple[date, date]] = field(default_factory=list)

    def contracts(self, symbol: str, first: date, last: date) -> tuple[OptionContract, ...]:
        assert symbol == SYMBOL
        self.asked.append((first, last))
        return ()

    def stock_closes(self, symbol: str, first: date, last: date) -> dict[date, Decimal]:
        assert symbol == SYMBOL
        self.asked.append((first, last))
        return {}

    def option_closes(
        self, contracts: Sequence[OptionContract], first: date, last: date
    ) -> dict[OptionContract, dict[date, Decimal]]:
        assert contracts == ()
        self.asked.append((first, last))
        return {}


def test_a_year_up_to_yesterday_is_asked_for_and_nothing_is_made_up() -> None:
    past = NothingNew()
    desk = Desk(past)
    result = backfill_volatility(desk, SYMBOL, datetime.fromisoformat("2026-06-09T23:30:00-04:00"))
    assert result == Backfilled(SYMBOL, recorded=0, known=0, overlap=0)
    assert past.asked == [
        (date(2025, 6, 8), date(2026, 6, 8)),
        (date(2025, 6, 15), date(2026, 8, 7)),
        (date(2025, 6, 8), date(2026, 6, 8)),
    ]


def test_contracts_that_expired_are_listed_beside_those_that_live(
    connection: AlpacaConnection,
) -> None:
    found = connection.past.contracts(SYMBOL, PAST[0], PAST[-1] + timedelta(days=14))
    assert any(contract.expiration < NOON.date() for contract in found)
    assert any(contract.expiration > NOON.date() for contract in found)
    assert list(found) == sorted(set(found))
