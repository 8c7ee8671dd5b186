"""A stage: one deployment of the agent, and what it is deployed with."""

import json
from datetime import date
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError


class StageInvalid(ValueError):
    """Raised where a stage is not usable; the sentence says what is wrong, and where."""


class FunctionMissing(Exception):
    """Raised where a folder of functions/ that is to be deployed is not there."""


class Stage(BaseModel):
    """Describe a stage. The default trades paper money with the default settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field("paper", pattern=r"^[a-z][a-z0-9]{0,9}$")
    region: str | None = Field(None, pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    """Without one, the template fits any region."""
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    """What differs from the default settings, in the shape of config.yaml."""

    @classmethod
    def read(
        cls, name: str | None = None, region: str | None = None, config: Path | None = None
    ) -> Self:
        """Make a stage from a name and a config.yaml, each optional; the name outranks the file.

        Raises StageInvalid. Whether the settings are right is checked where they are handed to
        the functions.
        """
        settings = {} if config is None else _read_mapping(config)
        named = settings.pop("stage", None)
        given = {"name": name or named, "region": region, "settings": settings}
        try:
            return cls.model_validate({key: value for key, value in given.items() if value})
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            subject = ".".join(str(part) for part in first["loc"])
            raise StageInvalid(f"the stage's {subject}: {first['msg']}") from error

    @property
    def settings_json(self) -> str:
        """Give the value of AGENT_SETTINGS."""
        return json.dumps({**self.settings, "stage": self.name}, sort_keys=True)

    @property
    def stack_name(self) -> str:
        """Name the stack; its template is named so too."""
        return f"OptionsAgent-{self.name}"

    @property
    def trades_live(self) -> bool:
        return bool(self.settings.get("live_trading"))


def _read_mapping(config: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(config.read_text(encoding="utf-8"))
    except OSError as error:
        raise StageInvalid(f"cannot read {config}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise StageInvalid(f"{config} is not YAML: {' '.join(str(error).split())}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise StageInvalid(f"{config} holds no mapping of settings")
    # YAML reads an unquoted date as one; the functions are handed JSON.
    return dict(json.loads(json.dumps(content, default=_spelled)))


def _spelled(value: object) -> str:
    """Spell a date, which YAML knows and JSON does not; raise StageInvalid for anything else."""
    if isinstance(value, date):
        return value.isoformat()
    raise StageInvalid(f"{value!r} is no setting")
