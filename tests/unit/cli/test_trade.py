"""The owner's word on a trade, from the command line to the book."""

import pytest

from agent.adapters.dynamodb.book import DynamoBook
from agent.adapters.dynamodb.tables import Tables
from agent.book.changes import BookChange, TradeWrite
from agent.book.records import Trade
from agent.book.states import TradeStatus
from cli.main import run
from tests.builders import TRADE_ID, a_creation, a_trade
from tests.unit.cli.cloudformation import Stacks


@pytest.fixture
def book(tables: Tables) -> DynamoBook:
    """Hold one open trade."""
    book = DynamoBook(tables)
    book.commit(BookChange(trade=TradeWrite(a_trade(version=1), None, None)))
    return book


def stored(book: DynamoBook) -> Trade:
    found = book.trade(TRADE_ID)
    assert found is not None
    return found


def test_the_list_names_what_is_open_and_what_was_said_of_it(
    book: DynamoBook, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["trade", "list"]) == 0
    assert capsys.readouterr().out == (
        f"{TRADE_ID}\n  open, 2 x AAPL -190P/+185P 2026-07-17, credit 1.20\n"
    )
    assert run(["trade", "suspend", TRADE_ID]) == 0
    assert run(["trade", "move-stop", TRADE_ID, "2.40"]) == 0
    assert run(["trade", "note", TRADE_ID, "report moved to the 29th"]) == 0
    capsys.readouterr()
    assert run(["trade", "list"]) == 0
    said = capsys.readouterr().out
    assert "left to its owner, stop moved to a debit of 2.40\n" in said
    assert said.endswith("UTC: report moved to the 29th\n")


def test_a_desk_without_trades_says_so(tables: Tables, capsys: pytest.CaptureFixture[str]) -> None:
    DynamoBook(tables).commit(a_creation(a_trade(TradeStatus.CLOSED, version=1)))
    assert run(["trade", "list"]) == 0
    assert capsys.readouterr().out == "no trade is open\n"


def test_a_close_is_asked_for_and_left_to_the_monitor(
    book: DynamoBook, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["trade", "close", TRADE_ID]) == 0
    trade = stored(book)
    assert (trade.manual_exit_requested, trade.status) == (True, TradeStatus.OPEN)
    assert "to be closed by the next monitor pass" in capsys.readouterr().out


def test_automation_is_suspended_and_resumed(book: DynamoBook) -> None:
    assert run(["trade", "suspend", TRADE_ID]) == 0
    assert stored(book).automation_suspended
    assert run(["trade", "resume", TRADE_ID]) == 0
    assert not stored(book).automation_suspended


def test_a_stop_is_moved_and_put_back(book: DynamoBook) -> None:
    assert run(["trade", "move-stop", TRADE_ID, "2.40"]) == 0
    assert str(stored(book).stop_debit) == "2.40"
    assert run(["trade", "move-stop", TRADE_ID, "--by-rule"]) == 0
    assert stored(book).stop_debit is None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["move-stop", TRADE_ID], "say where the stop is to be"),
        (["move-stop", TRADE_ID, "2", "--by-rule"], "say where the stop is to be"),
        (["move-stop", TRADE_ID, "two"], "'two' is no amount of dollars"),
        (["move-stop", TRADE_ID, "NaN"], "'NaN' is no amount of dollars"),
        (["move-stop", TRADE_ID, "5"], "is not between 0 and the 5 that closing"),
        (["note", TRADE_ID, " "], "a note has 1 to 500 characters"),
        (["close", "nobody"], "there is no trade nobody"),
        (["close", " "], "name a trade"),
        (["close"], "Missing argument"),
        ([], "Missing command"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_changes_nothing(
    book: DynamoBook, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    before = stored(book)
    assert run(["trade", *words]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.startswith("error: ")
    assert stored(book) == before


def test_a_trade_that_has_ended_takes_notes_alone(
    tables: Tables, capsys: pytest.CaptureFixture[str]
) -> None:
    book = DynamoBook(tables)
    book.commit(a_creation(a_trade(TradeStatus.CLOSED, version=1)))
    assert run(["trade", "close", TRADE_ID]) == 2
    assert f"{TRADE_ID} is closed, not open" in capsys.readouterr().err
    assert run(["trade", "note", TRADE_ID, "sold too early"]) == 0
    assert stored(book).notes.endswith("sold too early")


def test_a_stage_that_is_not_deployed_is_one_sentence(
    book: DynamoBook, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["trade", "close", TRADE_ID, "--stage", "live"]) == 2
    assert "OptionsAgent-live" in capsys.readouterr().err
    assert not stored(book).manual_exit_requested


def test_a_table_that_is_gone_is_one_sentence(
    book: DynamoBook, stacks: Stacks, capsys: pytest.CaptureFixture[str]
) -> None:
    stacks["OptionsAgent-paper"] = {
        **stacks["OptionsAgent-paper"],
        "TradesTable": "nowhere",
    }
    assert run(["trade", "close", TRADE_ID]) == 2
    assert capsys.readouterr().err.startswith("error: AWS: ")
    assert not stored(book).manual_exit_requested
