"""What every section of the settings is made of."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Fraction = Annotated[Decimal, Field(ge=0, le=1)]
Percent = Annotated[float, Field(ge=0, le=100)]
RollPolicy = Literal["roll", "close", "roll_or_close"]
Symbol = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{0,5}(\.[A-Z])?$")]
LadderRung = Annotated[Decimal, Field(ge=0, le=2)]


class Section(BaseModel):
    """Refuse unknown names, so that a misspelt setting is an error and not a default."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def require_order(name: str, low: float | Decimal, high: float | Decimal) -> None:
    """Refuse bounds in the wrong order; raises ValueError naming both."""
    if low > high:
        raise ValueError(f"{name}_min {low} is above {name}_max {high}")


class SettingsInvalid(ValueError):
    """Raised where a setting is wrong; the sentence names it and its source."""


def describe_errors(error: ValidationError) -> str:
    """Say in one sentence which settings are wrong, and how."""
    parts = []
    for found in error.errors(include_url=False):
        name = ".".join(str(part) for part in found["loc"]) or "settings"
        parts.append(f"{name}: {found['msg']}")
    return "; ".join(parts)
