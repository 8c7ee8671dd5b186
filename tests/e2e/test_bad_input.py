"""What a person gets wrong ends in one sentence that says what and where."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli.options import SCENARIO_NAMES
from simulator.rehearsal.preparation import prepare
from simulator.rehearsal.rehearsal import RehearsalFailed
from simulator.worlds.scenarios import SCENARIOS
from tests.e2e.commands import Outcome, run_here

CHAINS = "chains_megacap10_2026.parquet"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Give a directory in which a demo has run before."""
    book = tmp_path / "build" / "demo"
    book.mkdir(parents=True)
    (book / "report.json").write_text("of the run before", encoding="utf-8")
    return tmp_path


def run_badly(place: Path, *arguments: str) -> Outcome:
    """Run a command that must fail; hold it to one sentence and to leaving all as it was."""
    before = sorted(path.relative_to(place) for path in place.rglob("*"))
    outcome = run_here(*arguments, directory=place)
    assert outcome.code == 2
    assert outcome.errors.startswith("error: ")
    assert outcome.errors.count("\n") == 1
    assert "Traceback" not in outcome.output + outcome.errors
    assert sorted(path.relative_to(place) for path in place.rglob("*")) == before
    assert (place / "build/demo/report.json").read_text("utf-8") == "of the run before"
    return outcome


@pytest.mark.parametrize("command", [("demo", "--json", "report.json"), ("exchange",)])
def test_a_data_directory_that_is_not_there_is_named(place: Path, command: tuple[str, ...]) -> None:
    outcome = run_badly(place, *command, "--data", "nowhere")
    assert "nowhere" in outcome.errors


def test_a_data_directory_without_chains_names_the_file_it_lacks(place: Path) -> None:
    (place / "empty").mkdir()
    outcome = run_badly(place, "demo", "--data", "empty")
    assert "empty" in outcome.errors
    assert ".parquet" in outcome.errors


def test_chains_that_were_cut_off_are_named(place: Path) -> None:
    chains = place / "data" / CHAINS
    chains.parent.mkdir()
    pq.write_table(pa.table({"symbol": ["AAPL"] * 1000}), chains)
    chains.write_bytes(chains.read_bytes()[:-20])
    assert str(Path("data") / CHAINS) in run_badly(place, "demo", "--data", "data").errors


def test_chains_that_lack_columns_are_named_with_the_columns(place: Path) -> None:
    chains = place / "data" / CHAINS
    chains.parent.mkdir()
    pq.write_table(pa.table({"symbol": ["AAPL"], "strike": [100.0]}), chains)
    outcome = run_badly(place, "demo", "--data", "data")
    assert CHAINS in outcome.errors
    assert "lacks the column quote_date" in outcome.errors


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("risk: [", "config.yaml is not YAML"),
        ("- risk", "config.yaml"),
        ("risk:\n  trades_a_day: 3", "risk.trades_a_day"),
        ("risk:\n  max_trades_per_day: many", "risk.max_trades_per_day"),
        ("watchlist: 7", "watchlist"),
    ],
)
@pytest.mark.parametrize("command", ["demo", "show-config"])
def test_a_configuration_that_is_wrong_is_named_with_the_setting(
    place: Path, command: str, text: str, said: str
) -> None:
    (place / "config.yaml").write_text(text, encoding="utf-8")
    outcome = run_badly(place, command, "--config", "config.yaml")
    assert said in outcome.errors
    assert "config.yaml" in outcome.errors


@pytest.mark.parametrize("command", ["demo", "show-config"])
def test_a_configuration_that_is_not_there_is_named(place: Path, command: str) -> None:
    assert "missing.yaml" in run_badly(place, command, "--config", "missing.yaml").errors


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("risk.contracts_max", "this is not section.name=value"),
        ("risk.contracts_max=0", "risk.contracts_max"),
        ("risk.nonsense=1", "risk.nonsense"),
        ("watchlist=[", "the value is not YAML"),
    ],
)
def test_a_setting_of_the_command_line_that_is_wrong_is_named(
    place: Path, setting: str, said: str
) -> None:
    assert said in run_badly(place, "show-config", "--set", setting).errors


def test_a_report_has_nowhere_to_go_before_anything_runs(place: Path) -> None:
    assert "there is no directory" in run_badly(place, "demo", "--json", "no/report.json").errors
    assert "this is a directory" in run_badly(place, "demo", "--json", "build").errors
    # Not even root may make a file there.
    outcome = run_badly(place, "demo", "--json", "/proc/report.json")
    assert "--json /proc/report.json: nothing can be written to /proc" in outcome.errors


def test_a_book_has_nowhere_to_go_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "build").write_text("a file", encoding="utf-8")
    outcome = run_here("demo", directory=tmp_path)
    assert (outcome.code, outcome.errors) == (
        2,
        "error: the book goes to build/demo, but build is a file\n",
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("demo", "--sessions", "0"), "--sessions"),
        (("demo", "--sessions", "many"), "--sessions"),
        (("demo", "--seed", "-1"), "--seed"),
        (("exchange", "--sessions", "0"), "--sessions"),
        (("exchange", "--speed", "0"), "--speed 0"),
        (("exchange", "--speed", "nan"), "--speed nan"),
        (("exchange", "--port", "70000"), "--port"),
        (("demo", "--weather", "fine"), "--weather"),
        (("trade",), "trade"),
    ],
)
def test_an_option_that_makes_no_sense_is_named(
    place: Path, arguments: tuple[str, ...], said: str
) -> None:
    assert said in run_badly(place, *arguments).errors


@pytest.mark.parametrize("command", ["demo", "exchange"])
def test_an_unknown_scenario_is_answered_with_those_there_are(place: Path, command: str) -> None:
    outcome = run_badly(place, command, "--scenario", "sunny")
    assert all(name in outcome.errors for name in ("'sunny'", *SCENARIOS))


def test_the_help_names_the_scenarios_there_are() -> None:
    assert ", ".join(SCENARIOS) == SCENARIO_NAMES


def test_a_scenario_too_short_to_unfold_is_refused(place: Path) -> None:
    outcome = run_badly(place, "demo", "--scenario", "gap", "--sessions", "3")
    assert "at least 8 sessions, not 3" in outcome.errors


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("strategies=[wheel]", "no strategy 'wheel'"),
        ("watchlist=[AAPL]", "none of the watchlist (AAPL): it has ALFA"),
    ],
)
def test_settings_that_trade_nothing_in_this_market_are_refused_before_it_opens(
    place: Path, setting: str, said: str
) -> None:
    assert said in run_badly(place, "demo", "--set", setting).errors


def test_a_market_is_recorded_or_made_up(place: Path) -> None:
    outcome = run_badly(place, "demo", "--scenario", "gap", "--data", "data")
    assert "not both" in outcome.errors


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_port_that_is_taken_is_named(place: Path, taken_port: int) -> None:
    outcome = run_badly(place, "exchange", "--port", str(taken_port), "--sessions", "1")
    assert f"127.0.0.1:{taken_port}" in outcome.errors


def test_keys_that_the_exchange_does_not_know_end_a_rehearsal_in_one_sentence() -> None:
    with prepare(data_directory=None, seed=7, sessions=1, config=None) as rehearsal:
        rehearsal.exchange.secret_key = "a secret that nobody told the desk"
        with pytest.raises(RehearsalFailed) as failed:
            list(rehearsal.play())
    sentence = str(failed.value)
    assert "monitor_positions failed" in sentence
    assert "CredentialsRefused" in sentence
    assert "\n" not in sentence
    assert "local-secret" not in sentence
