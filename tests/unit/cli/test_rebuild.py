"""`options-agent rebuild`: from an exchange into the tables of a stage, over HTTP."""

from collections.abc import Iterator

import pytest

from agent.adapters.dynamodb.book import DynamoBook
from agent.adapters.dynamodb.control import DynamoControl
from agent.adapters.dynamodb.tables import Tables
from cli.main import run
from simulator.exchange import Exchange, serve
from tests.simulation.exchange.builders import (
    PUT_95,
    PUT_100,
    exchange_at_noon,
    filled,
    put_spread,
    usual_world,
)
from tests.simulation.exchange.test_rolling import LATER_95, LATER_100, roll

TRADE = "paper-20260608T1600Z-ACME-bps"


@pytest.fixture
def exchange(monkeypatch: pytest.MonkeyPatch) -> Iterator[Exchange]:
    """Serve an exchange that sold a spread for the stage, and set the variables that lead there."""
    world = (
        usual_world().with_option(LATER_100, "2.90", "3.10").with_option(LATER_95, "1.40", "1.60")
    )
    exchange = exchange_at_noon(world)
    filled(exchange, put_spread("-0.60", qty=2, client_order_id=f"{TRADE}-entry-1-o1"))
    with serve(exchange) as served:
        monkeypatch.setenv("APCA_API_KEY_ID", exchange.key_id)
        monkeypatch.setenv("APCA_API_SECRET_KEY", exchange.secret_key)
        monkeypatch.setenv("APCA_API_BASE_URL", served.url)
        yield exchange


def test_without_yes_it_says_what_it_would_write(
    tables: Tables, exchange: Exchange, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["rebuild"]) == 0
    assert DynamoBook(tables).all_trades() == ()
    told = capsys.readouterr().out.splitlines()
    assert told[0] == f"account {exchange.account_number}: 1 trades"
    assert told[1].startswith("open    2 x ACME -100P/+95P ")
    assert told[1].endswith(f"({TRADE})")
    assert told[2] == "Nothing was written. Say --yes to write it."


def test_with_yes_the_book_stands_again_and_a_second_time_is_refused(
    tables: Tables, exchange: Exchange, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["rebuild", "--yes"]) == 0
    (trade,) = DynamoBook(tables).active_trades()
    assert (trade.trade_id, trade.execution.contracts) == (TRADE, 2)
    assert len(DynamoBook(tables).positions(TRADE)) == 2
    assert DynamoControl(tables).account_number() == exchange.account_number
    capsys.readouterr()
    assert run(["rebuild", "--yes"]) == 2
    assert capsys.readouterr().err == (
        "error: the book of paper is not empty: only an empty one is rebuilt\n"
    )


def test_a_rolled_trade_is_written_with_its_campaign(
    tables: Tables, exchange: Exchange, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(exchange, {**roll("-0.40", qty=2), "client_order_id": f"{TRADE}-roll-1-o1"})
    assert run(["rebuild", "--yes"]) == 0
    (trade,) = DynamoBook(tables).active_trades()
    assert trade.leg_quantities == {LATER_100: -2, LATER_95: 2}
    (part,) = trade.campaign.parts
    assert (part.structure.symbols, part.contracts) == ((PUT_100, PUT_95), 2)
    assert trade.execution.entry_cash + trade.execution.exit_cash == exchange.cash - 100_000
    assert len(DynamoBook(tables).positions(TRADE)) == 4
    assert ", rolled from ACME -100P/+95P " in capsys.readouterr().out


def test_what_could_not_be_rebuilt_is_told_and_is_an_exit_code(
    tables: Tables, exchange: Exchange, capsys: pytest.CaptureFixture[str]
) -> None:
    exchange.assign(PUT_100)
    assert run(["rebuild", "--yes"]) == 1
    told = capsys.readouterr()
    assert f"left out {TRADE}: its orders leave -2 of {PUT_100}" in told.out
    assert "is yours to settle" in told.err
    assert DynamoBook(tables).all_trades() == ()
