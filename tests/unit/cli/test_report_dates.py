"""Report dates, from the owner's list to what a scan reads."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from agent.adapters.dynamodb.reports import DynamoReportDates
from agent.adapters.dynamodb.tables import Tables
from agent.market.calendar import NEW_YORK
from cli.main import run

TODAY = datetime.now(NEW_YORK).date()
LAST, NEXT = TODAY - timedelta(days=30), TODAY + timedelta(days=60)


def on_record(tables: Tables, symbol: str) -> tuple[date, ...]:
    return DynamoReportDates(tables).reports(symbol)


def test_dates_replace_what_was_on_record(
    tables: Tables, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["report-dates", "NVDA", str(LAST)]) == 0
    assert f"NVDA   was no dates on record\nNVDA   {LAST}: next expected" in capsys.readouterr().out
    assert run(["report-dates", "NVDA", str(NEXT), str(LAST)]) == 0
    assert on_record(tables, "NVDA") == (LAST, NEXT)
    assert capsys.readouterr().out == (
        f"NVDA   was {LAST}\nNVDA   {LAST}, {NEXT}: next on {NEXT}\n"
    )


def test_what_is_on_record_already_is_not_written_again(
    tables: Tables, capsys: pytest.CaptureFixture[str]
) -> None:
    DynamoReportDates(tables).replace_reports("NVDA", (NEXT,))
    assert run(["report-dates", "NVDA", str(NEXT)]) == 0
    assert capsys.readouterr().out == f"NVDA   {NEXT}: next on {NEXT}\n"


def test_without_a_symbol_the_watchlist_says_what_keeps_it_from_entering(
    tables: Tables, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(
        "watchlist: [NVDA, MSFT, SPY]\nmarket: {symbols_without_reports: [SPY]}\n", "utf-8"
    )
    DynamoReportDates(tables).replace_reports("MSFT", (LAST,))
    assert run(["report-dates", "--config", str(config)]) == 0
    nvda, msft, spy = capsys.readouterr().out.splitlines()
    assert nvda == "NVDA   no dates on record: the next report is unknown, nothing is entered"
    assert msft.startswith(f"MSFT   {LAST}: next expected from ")
    assert spy == "SPY    no dates on record: never reports, by market.symbols_without_reports"


def test_a_stage_that_allows_the_unknown_is_told_so(
    tables: Tables, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("market: {earnings_unknown: allow}\n", "utf-8")
    assert run(["report-dates", "NVDA", "--config", str(config)]) == 0
    assert "market.earnings_unknown allows entries" in capsys.readouterr().out


def test_a_file_records_many_symbols_at_once(tables: Tables, tmp_path: Path) -> None:
    file = tmp_path / "reports.csv"
    file.write_text(f"symbol,date\nNVDA,{NEXT}\nAAPL,{LAST}\nNVDA,{LAST}\n", "utf-8")
    assert run(["report-dates", "--file", str(file)]) == 0
    assert on_record(tables, "NVDA") == (LAST, NEXT)
    assert on_record(tables, "AAPL") == (LAST,)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nvda"], "'nvda' is no symbol"),
        (["NVDA", "soon"], "'soon' is no date"),
        (["NVDA", "2062-08-26"], "2062-08-26 is years from today"),
        (["NVDA", "--file", "reports.csv"], "not both"),
        (["--file", "nowhere.csv"], "cannot read nowhere.csv"),
        (["NVDA", str(NEXT), "--config", "nowhere.yaml"], "nowhere.yaml"),
        (["NVDA", str(NEXT), "--stage", "live"], "OptionsAgent-live"),
    ],
)
def test_what_cannot_be_recorded_is_one_sentence_and_changes_nothing(
    tables: Tables, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    assert run(["report-dates", *words]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert told in said
    assert on_record(tables, "NVDA") == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("NVDA,2026-08-26\n", "its first line must be symbol,date"),
        ("symbol,date\n", "has no dates"),
        ("symbol,date\nNVDA\n", "reports.csv line 2: '' is no date"),
    ],
)
def test_a_file_of_another_shape_is_refused_whole(
    tables: Tables, capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, told: str
) -> None:
    file = tmp_path / "reports.csv"
    file.write_text(text, "utf-8")
    assert run(["report-dates", "--file", str(file)]) == 2
    assert told in capsys.readouterr().err
    assert on_record(tables, "NVDA") == ()
