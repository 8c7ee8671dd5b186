"""The dependencies layer: what the agent imports is in it, and Lambda takes it."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import boto3
import pytest

from infra.dependencies import (
    LAMBDA_BYTES_MAX,
    LOCK,
    NEVER_IMPORTED,
    ROOT,
    RUNTIME_PROVIDES,
    LayerTooLarge,
    Platform,
    build,
    bytes_of,
    check_size,
)
from tests.infra.synthesized import Synthesized

AARCH64 = 183
"""The machine number that the header of an ELF file gives for 64-bit ARM."""
PINNED = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)

IMPORT_EVERYTHING = """
import importlib, pkgutil, sys
import agent
from zoneinfo import ZoneInfo

for found in pkgutil.walk_packages(agent.__path__, "agent."):
    importlib.import_module(found.name)
for handler in sys.argv[1:]:
    importlib.import_module(f"{handler}.handler")
for name in ("scipy.optimize", "scipy.special", "numpy.linalg", "aws_lambda_powertools.metrics"):
    importlib.import_module(name)
ZoneInfo("America/New_York")
for name in ("numpy", "scipy", "pydantic", "alpaca", "pynamodb", "yaml", "aws_lambda_powertools"):
    print(name, sys.modules[name].__file__)
unused = {"pandas", "websockets", "msgpack", "sseclient", "pytz"}
print("unused", *sorted(unused & set(sys.modules)))
"""


@pytest.fixture(scope="session")
def host_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the layer for this machine, so that it can be imported here."""
    tree = tmp_path_factory.mktemp("layer") / "python"
    build(tree, Platform.of_this_machine())
    return tree


@pytest.fixture(scope="session")
def runtime_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hold what Lambda's runtime has by itself, and nothing else of this environment."""
    tree = tmp_path_factory.mktemp("runtime")
    installed = Path(boto3.__file__).parents[1]
    for name in ("boto3", "botocore", "s3transfer", "dateutil", "six.py"):
        (tree / name).symlink_to(installed / name)
    return tree


def versions_in(lock: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, version in PINNED.findall(lock.read_text(encoding="utf-8")):
        found.setdefault(name, set()).add(version)
    return found


def test_the_agent_and_every_handler_import_from_the_layers_alone(
    host_tree: Path, runtime_tree: Path
) -> None:
    agent = ROOT / "layers" / "agent" / "python"
    handlers = sorted(path.parent.name for path in (ROOT / "functions").glob("*/handler.py"))
    path = os.pathsep.join(map(str, (host_tree, agent, runtime_tree, ROOT / "functions")))
    # -S leaves out this environment's packages; an empty PYTHONTZPATH this machine's time zones.
    imported = subprocess.run(
        [sys.executable, "-S", "-c", IMPORT_EVERYTHING, *handlers],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env={"PYTHONPATH": path, "PYTHONTZPATH": "", "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert imported.returncode == 0, imported.stderr
    *origins, unused = imported.stdout.splitlines()
    for origin in origins:
        name, file = origin.split(" ", 1)
        assert Path(file).is_relative_to(host_tree), name
    assert unused == "unused"


def test_what_deploys_is_built_for_arm_and_within_the_quota(deployable: Synthesized) -> None:
    (shared_objects,) = {
        folder: list(folder.rglob("*.so"))
        for folder in deployable.path.parent.glob("asset.*")
        if (folder / "python" / "numpy").is_dir()
    }.values()
    assert shared_objects
    machines = {int.from_bytes(path.read_bytes()[18:20], "little") for path in shared_objects}
    assert machines == {AARCH64}
    layer = next(iter(shared_objects)).parents
    folder = next(parent for parent in layer if parent.name.startswith("asset."))
    assert bytes_of(folder) < LAMBDA_BYTES_MAX * 0.75


def test_what_deploys_is_not_refused(deployable: Synthesized) -> None:
    assert "LayersAreBuilt" not in deployable.document["Rules"]
    assert "NOT BUILT" not in deployable.text


def test_what_deploys_differs_from_what_is_rehearsed_in_its_layers_alone(
    deployable: Synthesized, template: Synthesized
) -> None:
    differing = {
        logical_id
        for logical_id, body in deployable.document["Resources"].items()
        if body != template.document["Resources"][logical_id]
        and not logical_id.startswith("Layers")
    }
    assert differing == set()
    assert deployable.document["Resources"].keys() == template.document["Resources"].keys()


def test_the_layer_holds_the_versions_that_are_tested() -> None:
    layer = versions_in(LOCK)
    tested = versions_in(LOCK.with_name("all.txt"))
    assert layer
    assert layer == {name: tested[name] for name in layer}


def test_the_lock_has_every_dependency_that_the_runtime_has_not() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {re.split(r"[\[=<>]", line)[0] for line in project["dependencies"]}
    locked = versions_in(LOCK).keys()
    assert declared - set(RUNTIME_PROVIDES) <= locked
    assert not locked & {*RUNTIME_PROVIDES, *NEVER_IMPORTED}


def test_the_time_zones_are_in_the_layer() -> None:
    assert "tzdata" in versions_in(LOCK)


def test_what_exceeds_the_quota_is_refused_with_the_sizes() -> None:
    check_size({"a layer": LAMBDA_BYTES_MAX - 1, "a function": 1})
    with pytest.raises(LayerTooLarge, match=r"262,144,001: a layer 262,144,000, a function 1"):
        check_size({"a layer": LAMBDA_BYTES_MAX, "a function": 1})
