"""Iron condor: sell a put vertical below the market and a call vertical above it.

Only one side can lose at expiration, so the wider side less the total credit is the most at stake.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import product
from typing import ClassVar

from agent.book.intents import Signal
from agent.config.strategy_settings import IronCondorSettings
from agent.options.contracts import OptionType
from agent.options.structures import LegSide
from agent.strategies.exits import ExitRules
from agent.strategies.screening import DeltaRange, Rejection, ScreenedLeg, screen_symbol
from agent.strategies.signals import PremiumSale, parameters_of, propose, ranked
from agent.strategies.strategy import ChainBounds, MarketView, ScanOutcome, Strategy, days_ahead
from agent.strategies.verticals import (
    Vertical,
    VerticalRules,
    admitted,
    find_verticals,
    quotes_within,
    strike_bounds,
)


@dataclass(frozen=True)
class IronCondor(Strategy):
    """Sell both sides of one expiration by the settings of the section of the same name."""

    settings: IronCondorSettings
    name: ClassVar[str] = "iron_condor"
    code: ClassVar[str] = "ico"

    @property
    def exit_rules(self) -> ExitRules:
        return ExitRules.of(self.settings)

    @property
    def put_rules(self) -> VerticalRules:
        """State the lower side."""
        delta = DeltaRange(self.settings.put_delta_min, self.settings.put_delta_max)
        return self._side(OptionType.PUT, delta)

    @property
    def call_rules(self) -> VerticalRules:
        """State the upper side."""
        delta = DeltaRange(self.settings.call_delta_min, self.settings.call_delta_max)
        return self._side(OptionType.CALL, delta)

    def chain_bounds(self, spot: Decimal, session: date) -> ChainBounds:
        earliest, latest = days_ahead(session, self.settings.dte_min, self.settings.dte_max)
        lowest, _ = strike_bounds(spot, self.put_rules)
        _, highest = strike_bounds(spot, self.call_rules)
        return ChainBounds(earliest, latest, lowest, highest, None)

    def generate_signals(self, view: MarketView) -> ScanOutcome:
        """Pair every put vertical with every call vertical of its expiration.

        A vertical whose expiration has none on the other side is dropped for that.
        """
        symbol = screen_symbol(view)
        if isinstance(symbol, str):
            return ScanOutcome((), Counter({symbol: 1}))
        sale = PremiumSale(
            self.name,
            self.settings.credit_min,
            self.settings.stop_loss,
            parameters_of(self.settings),
        )
        bounds = self.chain_bounds(symbol.spot, view.chain.session)
        puts = quotes_within(view, bounds, OptionType.PUT)
        calls = quotes_within(view, bounds, OptionType.CALL)
        rejections: Counter[str] = Counter()
        if not puts and not calls:
            rejections[Rejection.CHAIN_EMPTY] += 1
        in_life = self.settings.earnings_in_life
        puts, calls = (
            admitted(side, view, earnings_in_life=in_life, rejections=rejections)
            for side in (puts, calls)
        )
        signals: list[Signal] = []
        for expiration in sorted(puts.keys() | calls.keys()):
            lower, upper = (
                list(find_verticals(side.get(expiration, []), rules, symbol, view, rejections))
                for side, rules in ((puts, self.put_rules), (calls, self.call_rules))
            )
            if not lower or not upper:
                rejections[Rejection.OTHER_SIDE_MISSING] += len(lower) + len(upper)
            for put_side, call_side in product(lower, upper):
                found = propose(_legs(put_side, call_side), sale, symbol, view)
                if isinstance(found, Rejection):
                    rejections[found] += 1
                else:
                    signals.append(found)
        return ScanOutcome(ranked(signals), +rejections)

    def _side(self, option_type: OptionType, delta: DeltaRange) -> VerticalRules:
        return VerticalRules(
            option_type=option_type,
            short_delta=delta,
            width_min=self.settings.width,
            width_max=self.settings.width,
            width_max_fraction_of_spot=self.settings.width_max_fraction_of_spot,
        )


def _legs(put_side: Vertical, call_side: Vertical) -> tuple[tuple[LegSide, ScreenedLeg], ...]:
    return (
        (LegSide.SHORT, put_side.short),
        (LegSide.LONG, put_side.long),
        (LegSide.SHORT, call_side.short),
        (LegSide.LONG, call_side.long),
    )
