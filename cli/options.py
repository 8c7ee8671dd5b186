"""Options that several commands have, and how the command line spells settings."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from cli.problems import ReportedProblem

SCENARIO_NAMES = "calm, crash, melt-up, vol-spike, gap, assignment, illiquid, broker-outage"
"""Spelled out, so that --help need not load the market; a test compares them."""

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Settings to trade with, as YAML.")
]
EnvFileOption = Annotated[
    Path | None, typer.Option("--env-file", help="Settings as AGENT__SECTION__NAME=value lines.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", help="One setting, as section.name=value; may be repeated."),
]


def parse_assignments(assignments: Sequence[str]) -> dict[str, Any]:
    """Read `section.name=value` texts, values as YAML, into a tree of settings.

    Raises ReportedProblem naming the text that is not one.
    """
    tree: dict[str, Any] = {}
    for text in assignments:
        name, equals, value = text.partition("=")
        *sections, last = name.split(".")
        if not equals or not all([*sections, last]):
            raise ReportedProblem(f"--set {text}: this is not section.name=value")
        branch = tree
        for section in sections:
            branch = branch.setdefault(section, {})
            if not isinstance(branch, dict):
                raise ReportedProblem(f"--set {text}: {section} was set to a value before")
        try:
            branch[last] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise ReportedProblem(f"--set {text}: the value is not YAML") from error
    return tree


def leaves(tree: Mapping[str, Any], path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Flatten a tree of settings: path to value."""
    found: dict[tuple[str, ...], Any] = {}
    for name, value in tree.items():
        if isinstance(value, Mapping) and value:
            found.update(leaves(value, (*path, name)))
        else:
            found[(*path, name)] = value
    return found
