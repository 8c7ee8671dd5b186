"""Bull put spread: sell a put below the market, buy a lower one, keep the credit."""

from dataclasses import dataclass
from typing import ClassVar

from agent.config.strategy_settings import BullPutSpreadSettings
from agent.options.contracts import OptionType
from agent.strategies.screening import DeltaRange
from agent.strategies.vertical_spread import VerticalSpread
from agent.strategies.verticals import VerticalRules


@dataclass(frozen=True)
class BullPutSpread(VerticalSpread):
    """Sell put verticals by the settings of the section of the same name."""

    settings: BullPutSpreadSettings
    name: ClassVar[str] = "bull_put_spread"
    code: ClassVar[str] = "bps"

    @property
    def rules(self) -> VerticalRules:
        return VerticalRules(
            option_type=OptionType.PUT,
            short_delta=DeltaRange(self.settings.short_delta_min, self.settings.short_delta_max),
            width_min=self.settings.width_min,
            width_max=self.settings.width_max,
            width_max_fraction_of_spot=self.settings.width_max_fraction_of_spot,
        )
