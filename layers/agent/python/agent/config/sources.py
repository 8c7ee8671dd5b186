"""Where settings come from: defaults < config.yaml < .env < environment < command line."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from dotenv.parser import parse_stream
from pydantic import ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from agent.config.section import SettingsInvalid, describe_errors
from agent.config.settings import Settings

ENVIRONMENT_PREFIX = "AGENT__"


def load_settings(
    config_file: Path | None = None,
    dotenv_file: Path | None = None,
    command_line: Mapping[str, Any] | None = None,
) -> Settings:
    """Gather the settings from all sources; later sources win.

    Environment names are `AGENT__SECTION__NAME`. Raises SettingsInvalid where a file cannot be
    read, or a name or value is not a setting.
    """
    from_file = {} if config_file is None else _read_yaml(config_file)
    if dotenv_file is not None:
        _check_dotenv(dotenv_file)
    _check_environment()

    class _Sources(Settings, BaseSettings):
        model_config = SettingsConfigDict(
            frozen=True,
            extra="forbid",
            env_prefix=ENVIRONMENT_PREFIX,
            env_nested_delimiter="__",
            env_file=dotenv_file,
        )

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return (
                init_settings,
                env_settings,
                dotenv_settings,
                InitSettingsSource(settings_cls, init_kwargs=from_file),
            )

    sources = [str(config_file)] if config_file else []
    sources += [str(dotenv_file)] if dotenv_file else []
    place = f"in {', '.join([*sources, 'the environment'])} or the command line"
    try:
        gathered = _Sources(**(command_line or {}))
    except ValidationError as error:
        raise SettingsInvalid(f"{describe_errors(error)} ({place})") from error
    except SettingsError as error:
        # It names the setting; what it wants of one that holds several values it does not say.
        raise SettingsInvalid(
            f"{error}: a list or a section is written as JSON ({place})"
        ) from error
    return Settings.model_validate(gathered.model_dump())


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SettingsInvalid(f"there is no configuration file {path}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"the configuration file {path} cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise SettingsInvalid(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(isinstance(name, str) for name in content):
        raise SettingsInvalid(f"{path} must name settings and their values")
    return content


def _check_dotenv(path: Path) -> None:
    """Refuse a file of variables that would be passed over in silence, whole or in part."""
    try:
        with path.open(encoding="utf-8") as file:
            wrong = [found.original.line for found in parse_stream(file) if found.error]
    except FileNotFoundError as error:
        raise SettingsInvalid(f"there is no file of variables {path}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"the file of variables {path} cannot be read: {error}") from error
    if wrong:
        raise SettingsInvalid(f"{path} line {wrong[0]} is not NAME=value")


def _check_environment() -> None:
    """Refuse a variable that names no setting, which would be passed over in silence."""
    known = {name.upper() for name in Settings.model_fields}
    for variable in sorted(os.environ):
        first, *_ = variable.upper().removeprefix(ENVIRONMENT_PREFIX).split("__")
        if variable.upper().startswith(ENVIRONMENT_PREFIX) and first not in known:
            raise SettingsInvalid(f"the variable {variable} of the environment names no setting")


def overrides_of(settings: Settings) -> dict[str, Any]:
    """Give what differs from the defaults, as JSON-ready values; what a function is deployed with.

    A section is always given with its name, so that the result validates back to `settings`.
    """
    overrides = settings.model_dump(mode="json", exclude_defaults=True)
    defaults = Settings().model_dump(mode="json")
    return {
        name: _difference(value, defaults[name]) if isinstance(value, dict) else value
        for name, value in overrides.items()
    }


def _difference(value: dict[str, Any], default: dict[str, Any]) -> dict[str, Any]:
    return {name: inner for name, inner in value.items() if inner != default.get(name)}
