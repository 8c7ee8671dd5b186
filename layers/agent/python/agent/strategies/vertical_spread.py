"""The vertical credit spread as a strategy; bull puts and bear calls differ in little."""

from abc import abstractmethod
from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from agent.book.intents import Signal
from agent.config.strategy_settings import CreditSpreadSettings
from agent.options.structures import LegSide
from agent.strategies.exits import ExitRules
from agent.strategies.screening import Rejection, screen_symbol
from agent.strategies.signals import PremiumSale, parameters_of, propose, ranked
from agent.strategies.strategy import ChainBounds, MarketView, ScanOutcome, Strategy, days_ahead
from agent.strategies.verticals import (
    VerticalRules,
    admitted,
    find_verticals,
    quotes_within,
    strike_bounds,
)


@dataclass(frozen=True)
class VerticalSpread(Strategy):
    """Sell one vertical of one expiration for a credit."""

    settings: CreditSpreadSettings

    @property
    @abstractmethod
    def rules(self) -> VerticalRules:
        """State the spread's side of the chain."""

    @property
    def exit_rules(self) -> ExitRules:
        return ExitRules.of(self.settings)

    def chain_bounds(self, spot: Decimal, session: date) -> ChainBounds:
        earliest, latest = days_ahead(session, self.settings.dte_min, self.settings.dte_max)
        lowest, highest = strike_bounds(spot, self.rules)
        return ChainBounds(earliest, latest, lowest, highest, self.rules.option_type)

    def generate_signals(self, view: MarketView) -> ScanOutcome:
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
        chain = quotes_within(view, bounds, self.rules.option_type)
        rejections: Counter[str] = Counter() if chain else Counter({Rejection.CHAIN_EMPTY: 1})
        signals: list[Signal] = []
        in_life = self.settings.earnings_in_life
        open_to = admitted(chain, view, earnings_in_life=in_life, rejections=rejections)
        for quotes in open_to.values():
            for pair in find_verticals(quotes, self.rules, symbol, view, rejections):
                legs = ((LegSide.SHORT, pair.short), (LegSide.LONG, pair.long))
                found = propose(legs, sale, symbol, view)
                if isinstance(found, Rejection):
                    rejections[found] += 1
                else:
                    signals.append(found)
        return ScanOutcome(ranked(signals), rejections)
