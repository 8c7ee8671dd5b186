"""What every section of the settings is made of."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[Decimal, Field(ge=0, le=1)]
Percent = Annotated[float, Field(ge=0, le=100)]
RollPolicy = Literal["roll", "close", "roll_or_close"]
LadderRung = Annotated[Decimal, Field(ge=0, le=2)]


class Section(BaseModel):
    """Refuse unknown names, so that a misspelt setting is an error and not a default."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def require_order(name: str, low: float | Decimal, high: float | Decimal) -> None:
    """Refuse bounds in the wrong order; raises ValueError naming both."""
    if low > high:
        raise ValueError(f"{name}_min {low} is above {name}_max {high}")
