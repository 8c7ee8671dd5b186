"""`options-agent show-config`: every setting, its value, where it comes from, what it means."""

import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer
import yaml
from pydantic import BaseModel
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    SettingsConfigDict,
)

from agent.config.section import SettingsInvalid
from agent.config.settings import Settings
from agent.config.sources import ENVIRONMENT_PREFIX, load_settings
from cli.options import ConfigOption, EnvFileOption, SetOption, leaves, parse_assignments
from cli.problems import ReportedProblem

LINE_WIDTH = 80
HELP_INDENT = "    "
Name = tuple[str, ...]


class _Variables(Settings, BaseSettings):
    """Read variables as `load_settings` does, but nothing else."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        env_prefix=ENVIRONMENT_PREFIX,
        env_nested_delimiter="__",
    )


def show_config(
    *, config: ConfigOption = None, env_file: EnvFileOption = None, settings: SetOption = None
) -> None:
    """Show every setting with its value, its source and its meaning."""
    command_line = parse_assignments(settings or ())
    try:
        gathered = load_settings(config, env_file, command_line)
    except SettingsInvalid as problem:
        raise ReportedProblem(str(problem)) from problem
    sources = _sources(config, env_file, command_line)
    for name, value, meaning in _settings(gathered):
        source = _source_of(name, sources)
        typer.echo(_shown(".".join(name), _spelled(value), source))
        typer.echo(
            textwrap.fill(
                meaning,
                LINE_WIDTH,
                initial_indent=HELP_INDENT,
                subsequent_indent=HELP_INDENT,
            )
        )


def _settings(section: BaseModel, above: Name = ()) -> Iterator[tuple[Name, Any, str]]:
    """Walk every setting: its path, its value, its help."""
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from _settings(value, (*above, name))
        else:
            yield (*above, name), value, field.description or ""


def _sources(
    config: Path | None, env_file: Path | None, command_line: Mapping[str, Any]
) -> list[tuple[str, set[Name]]]:
    """Name what each source sets, the strongest source first."""
    found: list[tuple[str, Mapping[str, Any]]] = [
        ("command line", command_line),
        ("environment", EnvSettingsSource(_Variables)()),
    ]
    if env_file is not None:
        found.append((str(env_file), DotEnvSettingsSource(_Variables, env_file=env_file)()))
    if config is not None:
        found.append((str(config), yaml.safe_load(config.read_text(encoding="utf-8")) or {}))
    return [(name, set(leaves(tree))) for name, tree in found]


def _source_of(name: Name, sources: list[tuple[str, set[Name]]]) -> str:
    for source, names in sources:
        # A setting that is itself a mapping is set where anything in it is.
        if any(each[: len(name)] == name for each in names):
            return source
    return "default"


def _spelled(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(str(each) for each in value)}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _shown(name: str, value: str, source: str) -> str:
    """Put a setting on one line with its source at the right edge, or on two where it is long."""
    left = f"{name} = {value}"
    right = f"({source})"
    if len(left) + 1 + len(right) <= LINE_WIDTH:
        return left + right.rjust(LINE_WIDTH - len(left))
    lines = textwrap.wrap(left, LINE_WIDTH, subsequent_indent=HELP_INDENT)
    return "\n".join([*lines, right.rjust(LINE_WIDTH)])
