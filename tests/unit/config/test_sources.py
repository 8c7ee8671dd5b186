"""Settings come from defaults < file < .env < environment < command line, or are refused."""

from decimal import Decimal
from pathlib import Path

import pytest

from agent.config.section import SettingsInvalid
from agent.config.settings import Settings
from agent.config.sources import load_settings, overrides_of


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text("risk:\n  contracts_max: 7\nwatchlist: [AAPL]\n", encoding="utf-8")
    return path


def test_without_sources_the_defaults_hold() -> None:
    assert load_settings() == Settings()


def test_a_file_changes_what_it_names_and_nothing_else(config_file: Path) -> None:
    settings = load_settings(config_file)
    assert settings.risk.contracts_max == 7
    assert settings.watchlist == ("AAPL",)
    assert settings.execution == Settings().execution


def test_each_later_source_wins(
    config_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("AGENT__RISK__CONTRACTS_MAX=8\n", encoding="utf-8")
    assert load_settings(config_file, dotenv).risk.contracts_max == 8
    monkeypatch.setenv("AGENT__RISK__CONTRACTS_MAX", "9")
    assert load_settings(config_file, dotenv).risk.contracts_max == 9
    command_line = {"risk": {"contracts_max": 10}}
    assert load_settings(config_file, dotenv, command_line).risk.contracts_max == 10


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"no configuration file .*nowhere\.yaml"):
        load_settings(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("risk: {contracts_max: many}", r"risk\.contracts_max: .*integer.*config\.yaml"),
        ("risk: {contract_max: 7}", r"risk\.contract_max: Extra inputs are not permitted"),
        ("colour: blue", "colour: Extra inputs are not permitted"),
        ("risk: [7", "is not YAML"),
        ("bull_put_spread: {dte_min: 50}", "dte_min 50 is above dte_max 45"),
        ("execution: {rung_wait_seconds: 300, polls_per_rung: 20}", "an execution has 3000 s"),
        ("just text", r"config\.yaml must name settings"),
        ("7: 7", r"config\.yaml must name settings"),
        ('market: {iv_sample_new_york_time: "24:00"}', "iv_sample_new_york_time"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsInvalid, match=sentence) as caught:
        load_settings(path)
    assert "\n" not in str(caught.value)


def test_a_misspelt_environment_variable_is_no_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT__RISK__CONTRACT_MAX", "9")
    with pytest.raises(SettingsInvalid, match="contract_max"):
        load_settings()


def test_only_what_differs_from_the_defaults_is_deployed() -> None:
    settings = load_settings(command_line={"risk": {"trade_risk_fraction": "0.02"}})
    overrides = overrides_of(settings)
    assert overrides == {"risk": {"trade_risk_fraction": "0.02"}}
    assert Settings.model_validate(overrides) == settings
    assert settings.risk.trade_risk_fraction == Decimal("0.02")
    assert overrides_of(Settings()) == {}


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("# nothing yet\n", encoding="utf-8")
    assert load_settings(path) == Settings()


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsInvalid, match=r"config\.yaml cannot be read"):
        load_settings(path)
    with pytest.raises(SettingsInvalid, match="cannot be read"):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"AGENT__RISK__CONTRACTS_MAX=8\nthis is none\n", r"\.env line 2 is not NAME=value"),
        (b"AGENT__WATCHLIST=[AAPL\n", r'"watchlist".*written as JSON.*\.env'),
        (b"AGENT__RISK__CONTRACTS_MAX=many\n", r"risk\.contracts_max: .*integer.*\.env"),
        (b"AGENT__NONSENSE__X=1\n", "agent__nonsense__x: Extra inputs"),
        (b"\xff\xfe", r"\.env cannot be read"),
    ],
)
def test_a_file_of_variables_that_is_wrong_is_never_passed_over(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = tmp_path / ".env"
    path.write_bytes(content)
    with pytest.raises(SettingsInvalid, match=sentence) as caught:
        load_settings(dotenv_file=path)
    assert "\n" not in str(caught.value)


def test_a_file_of_variables_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"no file of variables .*\.env"):
        load_settings(dotenv_file=tmp_path / ".env")
    with pytest.raises(SettingsInvalid, match="cannot be read"):
        load_settings(dotenv_file=tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("AGENT__RISKY__CONTRACTS_MAX", "9", "AGENT__RISKY__CONTRACTS_MAX .* names no setting"),
        ("AGENT__WATCHLIST", "AAPL,MSFT", '"watchlist".*written as JSON'),
        ("AGENT__RISK", "AAPL", '"risk".*written as JSON'),
    ],
)
def test_a_variable_that_is_wrong_is_never_passed_over(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsInvalid, match=sentence):
        load_settings()
