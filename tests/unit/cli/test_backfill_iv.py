"""A backfill from the command line to the tables, over HTTP with an exchange."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.adapters.dynamodb.reports import DynamoReportDates
from agent.adapters.dynamodb.tables import Tables
from agent.adapters.dynamodb.volatility import DynamoVolatilityHistory
from agent.market.last_trades import SOURCE_LAST_TRADES
from cli.main import run
from simulator.exchange import Exchange, serve
from simulator.worlds.synthetic import SyntheticWorld

WORLD = SyntheticWorld(1, session_count=3)


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Serve a market on its last noon, and set the variables that lead there."""
    noon = WORLD.sessions[-1].opens_at + timedelta(hours=2, minutes=30)
    exchange = Exchange(WORLD, starts_at=noon)
    with serve(exchange) as served:
        monkeypatch.setenv("APCA_API_KEY_ID", exchange.key_id)
        monkeypatch.setenv("APCA_API_SECRET_KEY", exchange.secret_key)
        monkeypatch.setenv("APCA_API_BASE_URL", served.url)
        yield


@pytest.mark.usefixtures("keys")
def test_the_past_of_a_symbol_is_recorded_and_told(
    tables: Tables, capsys: pytest.CaptureFixture[str]
) -> None:
    DynamoReportDates(tables).replace_reports("FXTT", [WORLD.sessions[0].session])
    assert run(["backfill-iv", "FXTT"]) == 0
    history = DynamoVolatilityHistory(tables)
    samples = history.samples("FXTT", 252, source=SOURCE_LAST_TRADES)
    assert {s.session for s in samples} <= {s.session for s in WORLD.sessions[:-1]}
    assert samples
    assert capsys.readouterr().out == (
        f"FXTT   {len(samples)} new sessions, {len(samples)} in all, 0 of them known from quotes:"
        " ranks use them once quotes tell of 20 of these sessions\n"
    )


@pytest.mark.usefixtures("keys")
def test_the_watchlist_is_filled_in_where_no_symbol_is_named(
    tables: Tables, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("watchlist: [NOSUCH]\n", "utf-8")
    assert run(["backfill-iv", "--config", str(config)]) == 0
    assert capsys.readouterr().out.startswith("NOSUCH 0 new sessions, 0 in all")
    assert DynamoVolatilityHistory(tables).samples("NOSUCH", 9, source=SOURCE_LAST_TRADES) == ()


@pytest.mark.usefixtures("keys")
def test_a_stage_that_is_not_deployed_is_one_sentence(
    tables: Tables, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["backfill-iv", "FXTT", "--stage", "live"]) == 2
    assert "OptionsAgent-live" in capsys.readouterr().err
    assert DynamoVolatilityHistory(tables).samples("FXTT", 9, source=SOURCE_LAST_TRADES) == ()


def test_without_keys_nothing_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("APCA_API_KEY_ID", raising=False)
    monkeypatch.delenv("APCA_API_SECRET_KEY", raising=False)
    assert run(["backfill-iv", "FXTT"]) == 2
    assert "no keys: give --key-file" in capsys.readouterr().err


@pytest.mark.usefixtures("keys")
def test_keys_that_the_broker_refuses_are_one_sentence(
    tables: Tables, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("APCA_API_SECRET_KEY", "wrong")
    assert run(["backfill-iv", "FXTT"]) == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert DynamoVolatilityHistory(tables).samples("FXTT", 9, source=SOURCE_LAST_TRADES) == ()


@pytest.mark.usefixtures("tables")
def test_a_broker_that_is_not_there_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("APCA_API_KEY_ID", "k")
    monkeypatch.setenv("APCA_API_SECRET_KEY", "s")
    monkeypatch.setenv("APCA_API_BASE_URL", "http://127.0.0.1:9")
    assert run(["backfill-iv", "FXTT"]) == 2
    assert capsys.readouterr().err.startswith("error: the broker: ")
