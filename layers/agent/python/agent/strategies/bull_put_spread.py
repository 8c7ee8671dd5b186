"""Bull put spread: sell a put below the market, buy a lower one, keep the credit."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar

from agent.book.records import Signal
from agent.config.settings import BullPutSpreadSettings
from agent.options.contracts import OptionType
from agent.options.structures import LegSide
from agent.strategies.exits import ExitRules
from agent.strategies.screening import DeltaRange, Rejection, screen_symbol
from agent.strategies.signals import PremiumSale, parameters_of, propose, ranked
from agent.strategies.strategy import (
    ChainBounds,
    MarketView,
    ScanOutcome,
    Strategy,
    days_ahead,
)
from agent.strategies.verticals import (
    VerticalRules,
    find_verticals,
    quotes_within,
    strike_bounds,
)


@dataclass(frozen=True)
class BullPutSpread(Strategy):
    """Sell put verticals by the settings of the section of the same name."""

    settings: BullPutSpreadSettings
    name: ClassVar[str] = "bull_put_spread"
    code: ClassVar[str] = "bps"

    @property
    def exit_rules(self) -> ExitRules:
        return ExitRules(
            profit_target=self.settings.profit_target,
            stop_loss=self.settings.stop_loss,
            exit_below_dte=self.settings.exit_below_dte,
            exit_on_breach=self.settings.exit_on_breach,
            rolls=True,
        )

    @property
    def rules(self) -> VerticalRules:
        """State the spread's side of the chain."""
        return VerticalRules(
            option_type=OptionType.PUT,
            short_delta=DeltaRange(self.settings.short_delta_min, self.settings.short_delta_max),
            width_min=self.settings.width_min,
            width_max=self.settings.width_max,
            width_max_fraction_of_spot=self.settings.width_max_fraction_of_spot,
        )

    def chain_bounds(self, spot: Decimal, session: date) -> ChainBounds:
        earliest, latest = days_ahead(session, self.settings.dte_min, self.settings.dte_max)
        lowest, highest = strike_bounds(spot, self.rules)
        return ChainBounds(earliest, latest, lowest, highest, OptionType.PUT)

    def generate_signals(self, view: MarketView) -> ScanOutcome:
        symbol = screen_symbol(view)
        if isinstance(symbol, str):
            return ScanOutcome((), Counter({symbol: 1}))
        sale = PremiumSale(self.name, self.settings.credit_min, parameters_of(self.settings))
        bounds = self.chain_bounds(symbol.spot, view.chain.session)
        chain = quotes_within(view, bounds, OptionType.PUT)
        rejections: Counter[str] = Counter() if chain else Counter({Rejection.CHAIN_EMPTY: 1})
        signals: list[Signal] = []
        for quotes in chain.values():
            for pair in find_verticals(quotes, self.rules, symbol, view, rejections):
                legs = ((LegSide.SHORT, pair.short), (LegSide.LONG, pair.long))
                found = propose(legs, sale, symbol, view)
                if isinstance(found, Rejection):
                    rejections[found] += 1
                else:
                    signals.append(found)
        return ScanOutcome(ranked(signals), rejections)
