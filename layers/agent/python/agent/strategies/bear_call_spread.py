"""Bear call spread: sell a call above the market, buy a higher one, keep the credit.

It enters only where settings name it, and takes its parameters from `added_strategies`.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

from pydantic import Field, model_validator

from agent.config.section import require_order
from agent.config.settings import Settings
from agent.config.strategy_settings import CreditSpreadSettings
from agent.options.contracts import OptionType
from agent.strategies.screening import DeltaRange
from agent.strategies.vertical_spread import VerticalSpread
from agent.strategies.verticals import VerticalRules


class BearCallSpreadSettings(CreditSpreadSettings):
    short_delta_min: float = Field(0.20, ge=0, le=1, description="short call delta, lower bound")
    short_delta_max: float = Field(0.30, ge=0, le=1, description="short call delta, upper bound")

    @model_validator(mode="after")
    def _deltas_are_ordered(self) -> Self:
        require_order("short_delta", self.short_delta_min, self.short_delta_max)
        return self


@dataclass(frozen=True)
class BearCallSpread(VerticalSpread):
    """Sell call verticals."""

    settings: BearCallSpreadSettings
    name: ClassVar[str] = "bear_call_spread"
    code: ClassVar[str] = "bcs"

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Build the strategy; raises ValueError where its parameters are wrong."""
        parameters = settings.added_strategies.get(cls.name, {})
        return cls(BearCallSpreadSettings.model_validate(parameters))

    @property
    def rules(self) -> VerticalRules:
        return VerticalRules(
            option_type=OptionType.CALL,
            short_delta=DeltaRange(self.settings.short_delta_min, self.settings.short_delta_max),
            width_min=self.settings.width_min,
            width_max=self.settings.width_max,
            width_max_fraction_of_spot=self.settings.width_max_fraction_of_spot,
        )
