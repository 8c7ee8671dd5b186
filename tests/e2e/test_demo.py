"""`options-agent demo`: the same run twice, other runs, and what a run must report."""

import json
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from simulator.exchange import Exchange
from simulator.rehearsal import rehearsal
from simulator.rehearsal.report import RehearsalReport
from simulator.worlds.world import TradingSession
from tests.e2e.commands import COMMAND, Outcome, run_apart, run_here

NO_REPORTS = ("--set", "market.symbols_without_reports=[AAPL,DLTQ,FXTT,NVDA]")
"""What these tests are about needs trades, whatever is reported when."""
FEW_SYMBOLS = ("--set", "watchlist=[DLTQ,FXTT]", *NO_REPORTS)
ONE_SYMBOL = ("--set", "watchlist=[DLTQ]", *NO_REPORTS)
COUNTS = (
    *("sessions", "scans", "candidates", "signals", "entries", "alerts"),
    *("orders", "fills", "reprices"),
)


def demo(directory: Path, *arguments: str) -> tuple[Outcome, dict[str, Any]]:
    """Run a demo in this process; give how it ended and its report."""
    outcome = run_here("demo", *arguments, "--json", "report.json", directory=directory)
    text = (directory / "report.json").read_text("utf-8")
    assert "Traceback" not in outcome.output + outcome.errors
    return outcome, json.loads(text)


def demo_apart(directory: Path, *arguments: str) -> dict[str, Any]:
    """Run a demo in a process that orders its sets in a way of its own; give its report."""
    outcome = run_apart(
        ("-c", COMMAND, "demo", *arguments, "--json", "report.json"),
        directory=directory,
        PYTHONHASHSEED="11",
    )
    assert (outcome.code, outcome.errors) == (0, "")
    report: dict[str, Any] = json.loads((directory / "report.json").read_text("utf-8"))
    assert report == json.loads((directory / "build/demo/report.json").read_text("utf-8"))
    return report


def test_a_seed_gives_one_report_with_all_that_was_promised_and_another_seed_another(
    tmp_path: Path,
) -> None:
    # One test, because each run takes seconds and three make the point.
    apart, here = tmp_path / "apart", tmp_path / "here"
    apart.mkdir()
    here.mkdir()
    first = demo_apart(apart, "--seed", "7", "--sessions", "4", *FEW_SYMBOLS)
    outcome, again = demo(here, "--seed", "7", "--sessions", "4", *FEW_SYMBOLS)
    assert outcome.code == 0
    assert first.pop("duration_seconds") > 0
    promised = {**again}
    assert again.pop("duration_seconds") > 0
    assert json.dumps(again) == json.dumps(first)
    assert_what_was_promised(promised)

    _, other = demo(here, "--seed", "8", "--sessions", "2", *FEW_SYMBOLS)
    prices, others = (
        {trade["market_snapshot"]["underlying_price"] for trade in report["trades"]}
        for report in (first, other)
    )
    assert others
    assert not prices & others


def assert_what_was_promised(report: dict[str, Any]) -> None:
    """Hold a report of four sessions to its names, its types and its own sums."""
    RehearsalReport.model_validate(report)
    assert {name: type(report[name]) for name in COUNTS} == dict.fromkeys(COUNTS, int)
    for name in ("exits", "rejections", "alerts_by_kind"):
        assert all(type(count) is int for count in report[name].values())
    assert report["sessions"] == 4
    assert report["scans"] == report["slots"]["ran"]["scan_market"]
    assert report["entries"] == len([t for t in report["trades"] if t["execution"]["contracts"]])
    assert report["entries"] > 0
    assert report["alerts"] == sum(report["alerts_by_kind"].values()) >= report["entries"]
    assert report["profile"]["name"] == "synthetic"
    assert report["equity_start"] == "100000"
    assert report["cash_identity"]["holds"] is True
    assert report["differences"] == []
    assert report["failures"] == {}
    names = (
        *("trade_id", "timestamp_enter", "timestamp_exit", "symbol", "strategy", "params"),
        *("market_snapshot", "execution", "risk", "pnl", "pnl_pct", "days_held", "exit_reason"),
        *("reason_tags", "notes", "status"),
    )
    trade = next(each for each in report["trades"] if each["execution"]["contracts"])
    assert set(names) <= trade.keys()
    assert all(float(leg["entry_price"]) > 0 for leg in trade["legs"])


class LeakingExchange(Exchange):
    """Lose a dollar at the first close, and tell nobody."""

    def happen(self, at: Any) -> None:
        """Do what an exchange does, and then leak."""
        super().happen(at)
        session: TradingSession | None = self.calendar.session_closing_at(at)
        if session is not None:
            self.book.cash -= 1


def test_cash_that_the_book_knows_nothing_of_fails_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "Exchange", LeakingExchange)
    outcome, report = demo(tmp_path, "--sessions", "1", *ONE_SYMBOL)
    assert outcome.code == 1
    assert outcome.errors.startswith("error: the cash identity does not hold")
    assert outcome.errors.count("\n") == 1
    assert report["cash_identity"]["holds"] is False
    assert float(report["cash_identity"]["difference"]) == -1


@pytest.mark.shared_data
def test_recorded_chains_are_played_as_far_as_told(
    tmp_path: Path, shared_data_directory: Path
) -> None:
    outcome, report = demo(
        tmp_path,
        *("--data", str(shared_data_directory), "--sessions", "4"),
        *("--set", "watchlist=[AAPL,NVDA]", "--set", "market.iv_history_sessions_min=2"),
        *("--set", "market.iv_rank_min=0", *NO_REPORTS),
    )
    assert (outcome.code, outcome.errors) == (0, "")
    assert report["profile"]["name"] == "replay"
    assert (report["sessions"], report["scans"], report["first_session"]) == (4, 4, "2026-06-09")
    assert {trade["symbol"] for trade in report["trades"]} <= {"AAPL", "NVDA"}
    # So few sessions make no rank that an entry may rest on; what is looked at is counted.
    assert sum(report["rejections"].values()) > 0


@pytest.mark.nightly
@pytest.mark.shared_data
def test_all_recorded_chains_give_trades_that_open_and_close_by_rule(
    tmp_path: Path, shared_data_directory: Path
) -> None:
    outcome, report = demo(tmp_path, "--data", str(shared_data_directory))
    assert (outcome.code, outcome.errors) == (0, "")
    assert report["sessions"] == 51
    closed = [trade for trade in report["trades"] if trade["status"] == "closed"]
    assert len(closed) >= 10
    assert len({trade["symbol"] for trade in closed}) >= 3
    assert len(report["exits"]) >= 3
    assert median(unexplained_shares(tmp_path / "build/demo")) <= 0.10


def unexplained_shares(book: Path) -> list[float]:
    """Give, of each closed trade, the size of the residual over that of all parts of its P&L."""
    shares: list[float] = []
    for line in (book / "journal.jsonl").read_text("utf-8").splitlines():
        split = json.loads(line)["details"].get("attribution")
        if split is not None and split["residual"] is not None:
            shares.append(abs(split["residual"]) / sum(map(abs, split.values())))
    assert len(shares) >= 10
    return shares


@pytest.mark.nightly
def test_the_embedded_market_shows_every_strategy_and_five_ways_out(tmp_path: Path) -> None:
    outcome, report = demo(tmp_path)
    assert (outcome.code, outcome.errors) == (0, "")
    assert float(report["cash_identity"]["difference"]) == 0
    entered = [trade for trade in report["trades"] if trade["execution"]["contracts"]]
    assert {trade["strategy"] for trade in entered} == {
        *("bull_put_spread", "cash_secured_put", "iron_condor")
    }
    assert len(report["exits"]) >= 5
    assert report["exits"]["manual"] == 1
    assert [deed["refusal"] for deed in report["owner"]] == [None, None, None]
