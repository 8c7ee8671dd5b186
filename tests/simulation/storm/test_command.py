"""`options-agent storm` says by its exit code what a storm came to."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli.problems import ReportedProblem, ResultWrong
from cli.storm import storm
from simulator.storm import sabotage as sabotages
from simulator.storm.sabotage import SABOTAGES, Sabotage


def run(*arguments: str) -> str:
    app = typer.Typer()
    app.command()(storm)
    result = CliRunner().invoke(app, arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_the_sabotages_are_listed_one_a_line() -> None:
    assert run("--sabotage", "list").split() == list(SABOTAGES)


def test_a_sabotage_that_is_caught_ends_well() -> None:
    assert "by reservations_sum" in " ".join(run("--sabotage", "release-twice").split())


def test_a_sabotage_that_nobody_notices_ends_badly(monkeypatch: pytest.MonkeyPatch) -> None:
    harmless = Sabotage("harmless", "nothing is broken", lambda: ())
    monkeypatch.setattr(sabotages, "SABOTAGES", {"harmless": harmless})
    with pytest.raises(ResultWrong, match="nobody noticed in 1 days"):
        run("--sabotage", "harmless", "--seeds", "1:2")


def test_days_that_hold_end_well_and_write_their_report(tmp_path: Path) -> None:
    path = tmp_path / "storm.json"
    assert "0 violations" in " ".join(run("--seeds", "2:4", "--json", str(path)).split())
    report = json.loads(path.read_text())
    assert report["days"] == 2
    assert report["violations"] == []
    assert {"faults_by_kind", "faults_by_state", "exits", "days_per_core_hour"} <= set(report)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--seeds", "5"),
        ("--seeds", "5:5"),
        ("--profile", "breezy"),
        ("--sabotage", "nothing"),
        ("--json", "/nowhere/at/all.json"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(arguments: tuple[str, ...]) -> None:
    with pytest.raises(ReportedProblem, match=arguments[0]):
        run(*arguments)
