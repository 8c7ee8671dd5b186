"""What every function is deployed with."""

import json
from pathlib import Path
from typing import Any

import pytest

from agent.adapters.alpaca.session import Timeouts
from agent.config.environment import ENVIRONMENTS
from infra.app import FUNCTIONS_DIRECTORY, build_app
from infra.stage import FunctionMissing, Stage, StageInvalid
from tests.infra.synthesized import Synthesized

SCHEDULED = {
    "scan_market": 300,
    "monitor_positions": 60,
    "analyze_day": 86_400,
    "learn_weekly": 604_800,
    "watch_heartbeat": 300,
}
"""Function to the seconds between two of its slots."""
TASK_TIMEOUT_SECONDS = 40


def variables_of(template: Synthesized, name: str) -> dict[str, str]:
    properties = template.functions()[name].properties
    resolved: dict[str, str] = template.resolve(properties["Environment"]["Variables"])
    return resolved


def test_every_function_that_has_an_environment_is_deployed(template: Synthesized) -> None:
    assert set(template.functions()) == set(ENVIRONMENTS)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_model_of_a_function_reads_its_environment(template: Synthesized, name: str) -> None:
    variables = variables_of(template, name)
    environment = ENVIRONMENTS[name].parse(variables)
    assert environment.service_name == name
    assert environment.settings.stage == "paper"
    assert environment.settings.live_trading is False


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_a_function_is_given_no_variable_that_its_model_does_not_ask_for(
    template: Synthesized, name: str
) -> None:
    asked = {field.alias for field in ENVIRONMENTS[name].model_fields.values()}
    assert set(variables_of(template, name)) == asked


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_each_variable_names_the_resource_it_is_called_after(
    template: Synthesized, name: str
) -> None:
    variables = variables_of(template, name)
    tables = {f"{table.upper()}_TABLE": found for table, found in template.tables().items()}
    machines = {f"{flow.upper()}_ARN": found for flow, found in template.workflows().items()}
    for variable, resource in {**tables, **machines}.items():
        if variable in variables:
            assert variables[variable] == resource.logical_id


def test_all_functions_run_the_same_way(template: Synthesized) -> None:
    layers = [layer.logical_id for layer in template.of_type("AWS::Lambda::LayerVersion")]
    for name, function in template.functions().items():
        properties = template.resolve(function.properties)
        assert properties["Runtime"] == "python3.13", name
        assert properties["Architectures"] == ["arm64"], name
        assert properties["Handler"] == "handler.handler", name
        assert properties["TracingConfig"] == {"Mode": "Active"}, name
        assert properties["Layers"] == layers, name
        assert 512 <= properties["MemorySize"] <= 1769, name
    assert len(layers) == 2


def test_timeouts_nest_the_broker_within_the_step_within_its_task(template: Synthesized) -> None:
    steps = set(ENVIRONMENTS) - set(SCHEDULED)
    for name in steps:
        timeout = template.functions()[name].properties["Timeout"]
        assert Timeouts().read_seconds < timeout < TASK_TIMEOUT_SECONDS, name


@pytest.mark.parametrize(("name", "period_seconds"), SCHEDULED.items())
def test_a_scheduled_function_ends_before_its_next_slot(
    template: Synthesized, name: str, period_seconds: int
) -> None:
    assert template.functions()[name].properties["Timeout"] < period_seconds


def test_no_failed_event_is_run_again_and_no_scheduled_one_is_run_late(
    template: Synthesized,
) -> None:
    by_function: dict[str, dict[str, Any]] = {
        config.properties["FunctionName"]["Ref"]: config.properties
        for config in template.of_type("AWS::Lambda::EventInvokeConfig")
    }
    for name, function in template.functions().items():
        config = by_function[function.logical_id]
        assert config["MaximumRetryAttempts"] == 0, name
        if name in SCHEDULED:
            assert config["MaximumEventAgeInSeconds"] == 60, name


def test_each_function_keeps_its_own_log_for_ninety_days(template: Synthesized) -> None:
    groups = {group.logical_id: group for group in template.of_type("AWS::Logs::LogGroup")}
    used = [
        function.properties["LoggingConfig"]["LogGroup"]["Ref"]
        for function in template.functions().values()
    ]
    assert len(set(used)) == len(used)
    assert {group.properties["RetentionInDays"] for group in groups.values()} == {90}


def test_assets_hold_the_source_and_no_compiled_leftovers(template: Synthesized) -> None:
    manifest = json.loads(
        template.path.with_name(template.path.name.replace(".template.", ".assets.")).read_text(
            encoding="utf-8"
        )
    )
    folders = [
        template.path.parent / asset["source"]["path"]
        for asset in manifest["files"].values()
        if asset["source"]["packaging"] == "zip"
    ]
    found = [path for folder in folders for path in folder.rglob("*")]
    assert not [path for path in found if path.suffix == ".pyc" or path.name == "__pycache__"]
    handlers = [path for path in found if path.name == "handler.py" and path.parent in folders]
    assert len(handlers) == len(ENVIRONMENTS)


def test_a_missing_folder_is_named_and_nothing_is_synthesised(tmp_path: Path) -> None:
    for name in set(ENVIRONMENTS) - {"poll_fill"}:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "handler.py").write_text("", encoding="utf-8")
    with pytest.raises(FunctionMissing, match="poll_fill"):
        build_app(None, stage=Stage(), bundle_layers=False, functions_directory=tmp_path)


def test_a_setting_that_does_not_exist_stops_the_synthesis() -> None:
    stage = Stage(settings={"risk": {"max_trades_per_dya": 3}})
    with pytest.raises(StageInvalid, match=r"risk\.max_trades_per_dya"):
        build_app(None, stage=stage, bundle_layers=False)


def test_every_folder_of_functions_is_one_that_is_deployed() -> None:
    folders = {path.parent.name for path in FUNCTIONS_DIRECTORY.glob("*/handler.py")}
    assert folders == set(ENVIRONMENTS)
