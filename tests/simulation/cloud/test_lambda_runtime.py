"""A handler is called as Lambda calls it, and what it does to its process stays in the call."""

import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from simulator.cloud.lambda_runtime import Handler, LocalCloudError, error_document
from simulator.cloud.local_cloud import LocalCloud
from tests.simulation.cloud.builders import (
    FakeClock,
    function_resource,
    handlers_of,
    write_template,
)

Opening = Callable[..., Any]


class BookBusy(Exception):
    """Stands for one of the agent's named errors."""


@contextmanager
def cloud_of(
    directory: Path,
    functions: Mapping[str, Handler],
    *,
    variables: Mapping[str, Any] | None = None,
    settings_overrides: Mapping[str, Any] | None = None,
) -> Iterator[LocalCloud]:
    resources = {
        name.title().replace("_", ""): function_resource(name, variables) for name in functions
    }
    with LocalCloud(
        write_template(directory, resources),
        clock=FakeClock(),
        secrets={},
        settings_overrides=settings_overrides,
        handlers=handlers_of(functions),
    ) as cloud:
        yield cloud


def test_a_handler_gets_the_event_and_its_answer_comes_back(tmp_path: Path) -> None:
    with cloud_of(tmp_path, {"scan_market": lambda event, _: {"got": event}}) as cloud:
        result = cloud.invoke("scan_market", {"slot": "2026-06-09T14:00:00Z"})
    assert result.payload == {"got": {"slot": "2026-06-09T14:00:00Z"}}
    assert result.error_type is None


def test_the_context_is_that_of_the_function_and_tells_the_time_left(tmp_path: Path) -> None:
    seen: list[Any] = []

    def handler(_event: Any, context: Any) -> None:
        seen.append(context)
        context.clock.advance(12.5)
        assert context.get_remaining_time_in_millis() == 17_500

    with cloud_of(tmp_path, {"scan_market": handler}) as cloud:
        assert cloud.invoke("scan_market", {}).error_type is None
    (context,) = seen
    assert context.function_name == "ScanMarket"
    assert context.invoked_function_arn.endswith(":function:ScanMarket")
    assert context.memory_limit_in_mb == 512
    assert context.deadline == FakeClock().now + timedelta(seconds=30)


def test_an_error_comes_back_by_the_name_of_its_class(tmp_path: Path) -> None:
    def handler(_event: Any, _context: Any) -> None:
        raise BookBusy("another writer")

    with cloud_of(tmp_path, {"scan_market": handler}) as cloud:
        result = cloud.invoke("scan_market", {})
    assert (result.payload, result.error_type) == (None, "BookBusy")
    document = error_document(result)
    assert document["errorType"] == "BookBusy"
    assert document["errorMessage"] == "another writer"
    assert any("raise BookBusy" in line for line in document["stackTrace"])
    assert result.logs[0] == "[ERROR] BookBusy: another writer"


@pytest.mark.parametrize("answer", [Decimal("1.05"), float("nan"), {1, 2}, object()])
def test_an_answer_that_is_not_json_is_the_runtimes_own_error(tmp_path: Path, answer: Any) -> None:
    with cloud_of(tmp_path, {"scan_market": lambda _event, _context: {"x": answer}}) as cloud:
        assert cloud.invoke("scan_market", {}).error_type == "Runtime.MarshalError"


def test_a_folder_without_a_handler_is_the_runtimes_own_error(tmp_path: Path) -> None:
    template = write_template(tmp_path, {"Scan": function_resource("scan_market")})
    with LocalCloud(template, clock=FakeClock(), secrets={}, handlers=handlers_of({})) as cloud:
        result = cloud.invoke("scan_market", {})
    assert result.error_type == "Runtime.ImportModuleError"
    assert "functions.scan_market" in str(result.error_message)


def test_a_function_that_the_template_lacks_is_named_with_those_it_has(tmp_path: Path) -> None:
    with (
        cloud_of(tmp_path, {"scan_market": lambda _event, _context: None}) as cloud,
        pytest.raises(LocalCloudError, match="no function 'scan'; it has: scan_market"),
    ):
        cloud.invoke("scan", {})


def test_a_handler_sees_its_own_environment_and_nothing_of_the_owners(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_STAGE", "the owner's")
    monkeypatch.setenv("AWS_PROFILE", "the owner's")
    before = dict(os.environ)
    seen: dict[str, str] = {}

    def handler(_event: Any, _context: Any) -> None:
        seen.update(os.environ)
        os.environ["LEFT_BEHIND"] = "x"

    variables = {"TABLE": {"Fn::Sub": "book-${AWS::Region}"}}
    with cloud_of(tmp_path, {"scan_market": handler}, variables=variables) as cloud:
        cloud.invoke("scan_market", {})
    assert seen["TABLE"] == "book-us-east-1"
    assert seen["AWS_LAMBDA_FUNCTION_NAME"] == "ScanMarket"
    assert seen["AWS_REGION"] == "us-east-1"
    assert not {"AGENT_STAGE", "AWS_PROFILE"} & seen.keys()
    assert dict(os.environ) == before


def test_overrides_are_merged_into_the_settings_of_the_template(tmp_path: Path) -> None:
    def handler(_event: Any, _context: Any) -> Any:
        return json.loads(os.environ["AGENT_SETTINGS"])

    own = {"AGENT_SETTINGS": json.dumps({"stage": "paper", "risk": {"heat": 30, "trades": 10}})}
    overrides = {"risk": {"heat": 20}, "watchlist": ["SPY"]}
    with cloud_of(
        tmp_path, {"scan_market": handler}, variables=own, settings_overrides=overrides
    ) as cloud:
        settings = cloud.invoke("scan_market", {}).payload
        assert json.loads(cloud.environment("scan_market")["AGENT_SETTINGS"]) == settings
    assert settings == {
        "stage": "paper",
        "risk": {"heat": 20, "trades": 10},
        "watchlist": ["SPY"],
    }


def test_what_a_handler_prints_and_logs_is_kept_by_function(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loggers: list[logging.Handler] = []

    def handler(event: Any, _context: Any) -> None:
        # As a module-level logger does, this one keeps the stream of its first invocation.
        if not loggers:
            loggers.append(logging.StreamHandler())
        print(f"scanning {event}")  # noqa: T201 - printing is what is tested
        loggers[0].emit(logging.LogRecord("x", 20, "", 0, f"logged {event}", (), None))

    functions = {"scan_market": handler, "monitor_positions": lambda _event, _context: None}
    with cloud_of(tmp_path, functions) as cloud:
        assert cloud.invoke("scan_market", 1).logs == ("scanning 1", "logged 1")
        assert cloud.invoke("scan_market", 2).logs == ("scanning 2", "logged 2")
        assert cloud.logs("scan_market") == ("scanning 1", "logged 1", "scanning 2", "logged 2")
        assert cloud.logs("monitor_positions") == ()
    assert capsys.readouterr().out == ""
