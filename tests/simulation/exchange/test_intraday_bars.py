"""Bars of minutes and hours, as an ordinary client asks for them."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from alpaca.data.enums import Adjustment
from alpaca.data.models import BarSet
from alpaca.data.requests import StockBarsRequest
from alpaca.data.timeframe import TimeFrame, TimeFrameUnit

from simulator.exchange import Exchange, RefusalError, serve
from simulator.exchange.calls import Call
from simulator.exchange.history_endpoints import get_stock_bars as get_bars
from simulator.worlds.synthetic import SyntheticWorld
from tests.simulation.exchange.alpaca_clients import Clients, clients_of, close_clients
from tests.simulation.exchange.builders import NOON, exchange_at_noon, usual_world
from tests.simulation.exchange.small_world import MONDAY, WEEK, SmallWorld

OPEN = WEEK[0].opens_at


def moving_world() -> SmallWorld:
    """Quote ACME at 105 from the open, at 107 from 10:10, at 103 from 10:40 New York time."""
    return (
        usual_world()
        .with_stock("106.95", "107.05", since=OPEN + timedelta(minutes=40))
        .with_stock("102.95", "103.05", since=OPEN + timedelta(minutes=70))
    )


def bars(exchange: Exchange, timeframe: str, **query: str) -> list[dict[str, Any]]:
    asked = {"symbols": "ACME", "timeframe": timeframe, "start": MONDAY.isoformat(), **query}
    found: list[dict[str, Any]] = get_bars(exchange, Call(query=asked)).body["bars"].get("ACME", [])
    return found


def ohlc(bar: dict[str, Any]) -> tuple[float, ...]:
    return tuple(bar[name] for name in ("o", "h", "l", "c"))


def test_hours_are_those_of_the_clock_and_begin_with_the_session() -> None:
    found = bars(exchange_at_noon(moving_world()), "1Hour")
    assert [bar["t"][11:16] for bar in found] == ["13:00", "14:00", "15:00", "16:00"]
    assert ohlc(found[0]) == (105, 105, 105, 105)  # 09:30 to 10:00 in New York
    assert ohlc(found[1]) == (105, 107, 103, 103)
    assert ohlc(found[2]) == (103, 103, 103, 103)


@pytest.mark.parametrize(("timeframe", "count"), [("1Min", 151), ("5Min", 31), ("30T", 6)])
def test_minutes_run_from_the_open_to_now(timeframe: str, count: int) -> None:
    found = bars(exchange_at_noon(moving_world()), timeframe)
    assert len(found) == count
    assert found[0]["t"].startswith("2026-06-15T13:30:00")
    assert found[-1]["t"].startswith("2026-06-15T16:00:00")


def test_an_interval_has_both_its_ends_and_the_newest_may_come_first() -> None:
    exchange = exchange_at_noon(moving_world())
    between = {"start": "2026-06-15T14:00:00Z", "end": "2026-06-15T14:15:00Z"}
    found = [bar["t"][11:16] for bar in bars(exchange, "5Min", **between)]
    assert found == ["14:00", "14:05", "14:10", "14:15"]
    newest = bars(exchange, "5Min", **between, sort="desc", limit="2")
    assert [bar["t"][11:16] for bar in newest] == ["14:15", "14:10"]


def test_weeks_and_months_are_made_of_days() -> None:
    exchange = exchange_at_noon(usual_world())
    days = bars(exchange, "1Day", start="2026-05-25")
    for timeframe, stamps in (
        ("1Week", ["2026-05-25", "2026-06-01", "2026-06-08"]),
        ("1Month", ["2026-06-01"]),
        ("3M", []),
    ):
        longer = bars(exchange, timeframe, start="2026-05-25")
        assert [bar["t"][:10] for bar in longer] == stamps
    (week, *_) = bars(exchange, "1Week", start="2026-05-25")
    part = [bar for bar in days if bar["t"] < "2026-05-30"]
    assert (week["o"], week["c"]) == (part[0]["o"], part[-1]["c"])
    assert week["h"] == max(bar["h"] for bar in part)
    assert week["v"] == sum(bar["v"] for bar in part)


def test_nothing_is_told_of_the_future_or_of_nights() -> None:
    exchange = exchange_at_noon(moving_world())
    assert bars(exchange, "1Hour", start="2026-06-16", end="2026-06-17") == []
    exchange.clock.advance_to(WEEK[1].opens_at + timedelta(minutes=90))
    hours = {datetime.fromisoformat(bar["t"]).hour for bar in bars(exchange, "1Hour")}
    assert hours == {13, 14, 15, 16, 17, 18, 19}


@pytest.mark.parametrize(
    "timeframe", ["", "Min", "0Min", "60Min", "24Hour", "2Week", "5Month", "-5Min", "1.5Hour"]
)
def test_other_lengths_are_refused_by_name(timeframe: str) -> None:
    with pytest.raises(RefusalError, match="invalid timeframe"):
        bars(exchange_at_noon(), timeframe)


def test_recorded_sessions_stand_still_and_have_the_bar_that_opens_them() -> None:
    world = usual_world()
    world.quote_times = (NOON,)
    (bar,) = bars(exchange_at_noon(world), "1Hour")
    assert (bar["t"][11:16], ohlc(bar), bar["v"]) == ("13:00", (105, 105, 105, 105), 1_000_000)


@pytest.fixture
def synthetic() -> Any:
    """Serve a made-up market after its first session."""
    world = SyntheticWorld(1, session_count=2)
    exchange = Exchange(world, starts_at=world.sessions[1].opens_at + timedelta(minutes=45))
    with serve(exchange) as server:
        clients = clients_of(server)
        yield clients
        close_clients(clients)


def test_alpacas_own_client_reads_bars_that_add_up_to_the_day(synthetic: Clients) -> None:
    first = synthetic.exchange.world.sessions[0]

    def read(timeframe: TimeFrame) -> list[Any]:
        request = StockBarsRequest(
            symbol_or_symbols="ALFA",
            timeframe=timeframe,
            start=first.opens_at - timedelta(hours=10),
            end=first.closes_at,
            adjustment=Adjustment.ALL,
        )
        found = synthetic.stocks.get_stock_bars(request)
        assert isinstance(found, BarSet)
        return list(found.data["ALFA"])

    (day,) = read(TimeFrame.Day)
    parts = read(TimeFrame(15, TimeFrameUnit.Minute))
    assert len(parts) == 26
    assert parts[0].open == pytest.approx(day.open, rel=0.01)
    assert day.low <= min(bar.low for bar in parts) <= max(bar.high for bar in parts) <= day.high
    assert sum(bar.volume for bar in parts) == pytest.approx(day.volume, rel=0.05)
    assert all(
        bar.low <= bar.open <= bar.high and bar.low <= bar.close <= bar.high for bar in parts
    )
