"""The command line as a whole."""

import subprocess
import sys

import pytest

from cli.main import app, run
from cli.problems import ReportedProblem, ResultWrong


def test_without_a_command_it_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    said = capsys.readouterr().out
    for command in ("demo", "exchange", "storm", "show-config", "trade", "report-dates"):
        assert command in said


@pytest.mark.parametrize(
    "command", ["demo", "exchange", "storm", "show-config", "trade", "report-dates"]
)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "--help"]) == 0
    assert "Usage: options-agent" in capsys.readouterr().out


def test_a_command_line_is_read_without_the_market_or_the_cloud() -> None:
    heavy = {"numpy", "scipy", "simulator.exchange", "moto", "boto3", "aws_cdk"}
    script = f"import sys, cli.main; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert found.stdout.strip() == "[]"


def test_a_problem_is_told_as_it_is_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sentence = "the directory [bold]/data[/] " + "of a long name " * 10 + "is not there"

    def fail() -> None:
        raise ReportedProblem(sentence)

    monkeypatch.setattr(app, "registered_commands", list(app.registered_commands))
    app.command("fail")(fail)
    assert run(["fail"]) == 2
    assert capsys.readouterr().err == f"error: {sentence}\n"


def test_a_wrong_result_is_told_apart_from_a_wrong_question() -> None:
    assert (ReportedProblem.exit_code, ResultWrong.exit_code) == (2, 1)


def test_ctrl_c_ends_any_command_in_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(app, "registered_commands", list(app.registered_commands))
    app.command("stop")(stop)
    assert run(["stop"]) == 130
    assert capsys.readouterr().err == "error: stopped by Ctrl-C\n"
