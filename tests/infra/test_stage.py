"""A stage is read from a name and a file, and refuses what it does not understand."""

import json
from datetime import date
from pathlib import Path

import pytest

from agent.config.settings import RatePoint, Settings
from infra.stage import Stage, StageInvalid


def written(directory: Path, text: str) -> Path:
    path = directory / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_anything_given_the_stage_trades_paper_money() -> None:
    stage = Stage.read()
    assert stage.name == "paper"
    assert json.loads(stage.settings_json) == {"stage": "paper"}
    assert not stage.trades_live


def test_a_file_names_the_stage_unless_the_command_line_does(tmp_path: Path) -> None:
    config = written(tmp_path, "stage: trial\nrisk:\n  max_trades_per_day: 3\n")
    assert Stage.read(config=config).name == "trial"
    stage = Stage.read(name="second", config=config)
    expected = {"stage": "second", "risk": {"max_trades_per_day": 3}}
    assert json.loads(stage.settings_json) == expected


def test_live_trading_is_only_what_the_settings_say(tmp_path: Path) -> None:
    assert Stage.read(config=written(tmp_path, "live_trading: true")).trades_live
    assert not Stage.read(name="live").trades_live


def test_a_date_that_yaml_reads_as_one_reaches_the_functions(tmp_path: Path) -> None:
    curve = "market:\n  rate_curve:\n    - {date: 2026-07-01, days: 30, rate: 0.03}\n"
    stage = Stage.read(config=written(tmp_path, curve))
    settings = Settings.model_validate_json(stage.settings_json)
    assert settings.market.rate_curve == (RatePoint(date=date(2026, 7, 1), days=30, rate=0.03),)


def test_what_is_neither_json_nor_a_date_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StageInvalid, match="is no setting"):
        Stage.read(config=written(tmp_path, "watchlist: !!set {AAPL, MSFT}"))


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert Stage.read(config=written(tmp_path, "")) == Stage()


@pytest.mark.parametrize("text", ["- a list", "a: [", "just words"])
def test_a_file_that_is_no_mapping_is_named(tmp_path: Path, text: str) -> None:
    config = written(tmp_path, text)
    with pytest.raises(StageInvalid, match=re_escaped(config)):
        Stage.read(config=config)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StageInvalid, match="absent"):
        Stage.read(config=tmp_path / "absent.yaml")


@pytest.mark.parametrize(("name", "region"), [("Paper", None), ("a" * 11, None), (None, "moon")])
def test_names_that_would_not_fit_elsewhere_are_refused(
    name: str | None, region: str | None
) -> None:
    with pytest.raises(StageInvalid):
        Stage.read(name=name, region=region)


def re_escaped(path: Path) -> str:
    return str(path).replace(".", r"\.")
