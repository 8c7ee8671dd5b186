"""Market time, from answers as Alpaca spells them."""

from datetime import UTC, date, datetime

import pytest

from agent.adapters.alpaca.hours import AlpacaHours
from agent.adapters.alpaca.session import AlpacaSession
from agent.market.calendar import TradingSession
from agent.ports import BrokerMisunderstood, MarketClock
from tests.unit.adapters.alpaca.canned_server import CannedServer


@pytest.fixture
def hours(session: AlpacaSession) -> AlpacaHours:
    return AlpacaHours(session)


def test_the_clock_is_read_as_utc(server: CannedServer, hours: AlpacaHours) -> None:
    server.says(
        "GET /v2/clock",
        {
            "timestamp": "2026-06-15T12:00:00.123456789-04:00",
            "is_open": True,
            "next_open": "2026-06-16T09:30:00-04:00",
            "next_close": "2026-06-15T16:00:00-04:00",
        },
    )
    assert hours.market_clock() == MarketClock(
        now=datetime(2026, 6, 15, 16, 0, 0, 123456, tzinfo=UTC),
        is_open=True,
        next_open=datetime(2026, 6, 16, 13, 30, tzinfo=UTC),
        next_close=datetime(2026, 6, 15, 20, 0, tzinfo=UTC),
    )


def test_session_hours_are_new_york_time_in_summer_and_winter(
    server: CannedServer, hours: AlpacaHours
) -> None:
    server.says(
        "GET /v2/calendar",
        [
            {"date": "2026-11-27", "open": "09:30", "close": "13:00", "session_open": "0400"},
            {"date": "2026-06-15", "open": "09:30", "close": "16:00", "session_open": "0400"},
        ],
    )
    assert hours.sessions(date(2026, 6, 15), date(2026, 11, 27)) == (
        TradingSession(
            date(2026, 6, 15),
            datetime(2026, 6, 15, 13, 30, tzinfo=UTC),
            datetime(2026, 6, 15, 20, 0, tzinfo=UTC),
        ),
        TradingSession(
            date(2026, 11, 27),
            datetime(2026, 11, 27, 14, 30, tzinfo=UTC),
            datetime(2026, 11, 27, 18, 0, tzinfo=UTC),
        ),
    )
    assert server.requests[0].query == {"start": "2026-06-15", "end": "2026-11-27"}


def test_days_that_were_not_asked_for_are_left_out(
    server: CannedServer, hours: AlpacaHours
) -> None:
    server.says("GET /v2/calendar", [{"date": "2026-06-12", "open": "09:30", "close": "16:00"}])
    assert hours.sessions(date(2026, 6, 13), date(2026, 6, 14)) == ()


@pytest.mark.parametrize(("opens", "closes"), [("early", "16:00"), ("16:00", "09:30")])
def test_hours_that_cannot_be_are_misunderstood(
    server: CannedServer, hours: AlpacaHours, opens: str, closes: str
) -> None:
    server.says("GET /v2/calendar", [{"date": "2026-06-15", "open": opens, "close": closes}])
    with pytest.raises(BrokerMisunderstood):
        hours.sessions(date(2026, 6, 15), date(2026, 6, 15))
