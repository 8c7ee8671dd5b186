"""`options-agent show-config`: every setting, where it comes from and what it means."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from agent.config.settings import Settings
from cli.main import run


def lines_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert run(["show-config", *arguments]) == 0
    return capsys.readouterr().out.splitlines()


def line_of(lines: list[str], setting: str) -> str:
    """Give a setting's line, with the one its source went to where it is long."""
    number = next(n for n, line in enumerate(lines) if line.startswith(f"{setting} = "))
    return " ".join(" ".join(lines[number : number + 1]).split())


def names_of(section: BaseModel, above: str = "") -> Iterator[str]:
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from names_of(value, f"{above}{name}.")
        else:
            yield f"{above}{name}"


def test_every_setting_is_shown_with_its_help_on_80_columns(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = lines_of(capsys)
    assert max(map(len, lines)) <= 80
    settings = [line.split(" = ")[0] for line in lines if not line.startswith(" ")]
    assert settings == list(names_of(Settings()))
    number = lines.index(next(line for line in lines if line.startswith("risk.contracts_max")))
    assert lines[number + 1] == "    most contracts in one trade"


def test_a_setting_without_a_source_is_a_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert line_of(lines_of(capsys), "risk.contracts_max") == "risk.contracts_max = 50 (default)"


def test_each_source_outranks_the_one_before_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config, dotenv = Path("c.yaml"), Path("my.env")
    config.write_text(
        "risk: {contracts_max: 2, symbol_positions_max: 2, max_trades_per_day: 2}\nstage: file\n",
        encoding="utf-8",
    )
    dotenv.write_text("AGENT__RISK__CONTRACTS_MAX=3\nAGENT__STAGE=dotenv\n", encoding="utf-8")
    monkeypatch.setenv("AGENT__RISK__CONTRACTS_MAX", "4")
    monkeypatch.setenv("AGENT__RISK", '{"max_trades_per_day": 4}')
    arguments = ("--config", str(config), "--env-file", str(dotenv))

    lines = lines_of(capsys, *arguments)
    assert line_of(lines, "stage") == "stage = dotenv (my.env)"
    assert line_of(lines, "risk.symbol_positions_max").endswith("= 2 (c.yaml)")
    assert line_of(lines, "risk.contracts_max").endswith("= 4 (environment)")
    assert line_of(lines, "risk.max_trades_per_day").endswith("= 4 (environment)")

    lines = lines_of(capsys, *arguments, "--set", "risk.contracts_max=5")
    assert line_of(lines, "risk.contracts_max").endswith("= 5 (command line)")


def test_a_value_too_long_for_its_line_has_its_source_on_the_next(
    capsys: pytest.CaptureFixture[str],
) -> None:
    symbols = [f"LONG{number}" for number in range(12)]
    lines = lines_of(capsys, "--set", f"watchlist=[{','.join(symbols)}]")
    number = next(n for n, line in enumerate(lines) if line.startswith("watchlist = "))
    assert lines[number + 1].startswith("    LONG")
    assert lines[number + 2] == "(command line)".rjust(80)
    assert max(map(len, lines)) <= 80
