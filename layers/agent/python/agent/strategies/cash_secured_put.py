"""Cash-secured put: sell a put on shares one wants to own, with the cash to take them."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar

from agent.book.intents import Signal
from agent.config.strategy_settings import CashSecuredPutSettings
from agent.options.contracts import OptionType
from agent.options.structures import LegSide
from agent.strategies.exits import ExitRules
from agent.strategies.screening import DeltaRange, Rejection, screen_leg, screen_symbol
from agent.strategies.signals import PremiumSale, parameters_of, propose, ranked
from agent.strategies.strategy import ChainBounds, MarketView, ScanOutcome, Strategy, days_ahead
from agent.strategies.verticals import admitted, put_strike_bounds, quotes_within


@dataclass(frozen=True)
class CashSecuredPut(Strategy):
    """Sell single puts by the settings of the section of the same name."""

    settings: CashSecuredPutSettings
    name: ClassVar[str] = "cash_secured_put"
    code: ClassVar[str] = "csp"

    @property
    def exit_rules(self) -> ExitRules:
        return ExitRules.of(self.settings)

    @property
    def assignable_symbols(self) -> frozenset[str]:
        return frozenset(self.settings.accept_assignment)

    def chain_bounds(self, spot: Decimal, session: date) -> ChainBounds:
        earliest, latest = days_ahead(session, self.settings.dte_min, self.settings.dte_max)
        lowest, highest = put_strike_bounds(spot)
        return ChainBounds(earliest, latest, lowest, highest, OptionType.PUT)

    def generate_signals(self, view: MarketView) -> ScanOutcome:
        if view.underlying.symbol not in self.settings.willing_to_own:
            return ScanOutcome((), Counter({Rejection.NOT_WILLING_TO_OWN: 1}))
        symbol = screen_symbol(view)
        if isinstance(symbol, str):
            return ScanOutcome((), Counter({symbol: 1}))
        sale = PremiumSale(
            self.name,
            self.settings.credit_min,
            self.settings.stop_loss,
            parameters_of(self.settings),
        )
        delta = DeltaRange(self.settings.short_delta_min, self.settings.short_delta_max)
        bounds = self.chain_bounds(symbol.spot, view.chain.session)
        chain = quotes_within(view, bounds, OptionType.PUT)
        rejections: Counter[str] = Counter() if chain else Counter({Rejection.CHAIN_EMPTY: 1})
        signals: list[Signal] = []
        in_life = self.settings.earnings_in_life
        open_to = admitted(chain, view, earnings_in_life=in_life, rejections=rejections)
        for quote in (quote for quotes in open_to.values() for quote in quotes):
            leg = screen_leg(quote, view, delta)
            found = (
                leg
                if isinstance(leg, Rejection)
                else propose(((LegSide.SHORT, leg),), sale, symbol, view)
            )
            if isinstance(found, Rejection):
                rejections[found] += 1
            else:
                signals.append(found)
        return ScanOutcome(ranked(signals), rejections)
