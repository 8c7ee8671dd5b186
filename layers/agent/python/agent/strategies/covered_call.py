"""Covered call: sell a call on shares that came of an assigned put, until one is assigned itself.

It enters nothing: it is no strategy that settings can name, and only a trade that holds shares
moves on to it. What is sought and what ends it are those of the section `covered_call`; the trade
stays that of the strategy which sold the put.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar

from agent.book.covering import is_written_call
from agent.book.intents import Signal
from agent.book.records import Trade
from agent.config.settings import Settings
from agent.config.strategy_settings import CoveredCallSettings
from agent.market.probability import (
    expected_value_per_share,
    is_too_good_to_be_true,
    probability_of_profit,
)
from agent.market.quotes import StructureQuote, quote_structure
from agent.options.contracts import OptionType
from agent.options.structures import Leg, LegSide, Structure
from agent.risk.fees import round_trip_fees
from agent.risk.sizing import ContractExposure
from agent.strategies.exits import ExitRules
from agent.strategies.scoring import assumed_credit, leg_mids, score_structure
from agent.strategies.screening import DeltaRange, Rejection, ScreenedLeg, screen_leg
from agent.strategies.signals import parameters_of, ranked
from agent.strategies.strategy import ChainBounds, MarketView, ScanOutcome, Strategy, days_ahead
from agent.strategies.verticals import admitted, call_strike_bounds, quotes_within


@dataclass(frozen=True)
class CoveredCall(Strategy):
    """Sell single calls on shares of which `basis` is the management basis, dollars a share."""

    settings: CoveredCallSettings
    basis: Decimal
    name: ClassVar[str] = "covered_call"
    code: ClassVar[str] = "ccl"

    @property
    def exit_rules(self) -> ExitRules:
        """Give the rules of a call whose shares deliver what it owes: no stop, and no breach."""
        return ExitRules(
            profit_target=self.settings.profit_target,
            stop_loss=Decimal(0),
            exit_below_dte=self.settings.exit_below_dte,
            exit_on_breach=False,
            stops=False,
        )

    @property
    def assignable_symbols(self) -> frozenset[str]:
        return frozenset(self.settings.accept_assignment)

    def chain_bounds(self, spot: Decimal, session: date) -> ChainBounds:
        earliest, latest = days_ahead(session, self.settings.dte_min, self.settings.dte_max)
        lowest, highest = call_strike_bounds(spot)
        return ChainBounds(earliest, latest, lowest, highest, OptionType.CALL)

    def generate_signals(self, view: MarketView) -> ScanOutcome:
        """Find every call that may be written, best first.

        The IV rank and the filters of new underlyings are not asked: the shares are there.
        """
        stock, iv30 = view.underlying, view.iv30
        if stock.price is None:
            return ScanOutcome((), Counter({Rejection.QUOTE_MISSING: 1}))
        age_seconds = abs((view.as_of - stock.quoted_at).total_seconds())
        if age_seconds > view.settings.market.quote_age_max_seconds:
            return ScanOutcome((), Counter({Rejection.UNDERLYING_QUOTE_STALE: 1}))
        if iv30 is None:
            return ScanOutcome((), Counter({Rejection.IMPLIED_VOLATILITY_UNKNOWN: 1}))
        bounds = self.chain_bounds(stock.price, view.chain.session)
        chain = quotes_within(view, bounds, OptionType.CALL)
        rejections: Counter[str] = Counter() if chain else Counter({Rejection.CHAIN_EMPTY: 1})
        if not self.settings.earnings_in_life:
            chain = admitted(chain, view, earnings_in_life=False, rejections=rejections)
        delta = DeltaRange(self.settings.short_delta_min, self.settings.short_delta_max)
        signals: list[Signal] = []
        for quote in (quote for quotes in chain.values() for quote in quotes):
            leg = screen_leg(quote, view, delta)
            found = leg if isinstance(leg, Rejection) else self._propose(leg, view, stock.price)
            if isinstance(found, Rejection):
                rejections[found] += 1
            else:
                signals.append(found)
        return ScanOutcome(ranked(signals), rejections)

    def _propose(self, leg: ScreenedLeg, view: MarketView, spot: Decimal) -> Signal | Rejection:
        contract = leg.quote.contract
        may_lose = contract.underlying in self.settings.below_basis
        if contract.strike < self.basis and not may_lose:
            return Rejection.STRIKE_BELOW_BASIS
        structure = Structure((Leg(contract, LegSide.SHORT),))
        quote = quote_structure(structure, {contract.symbol: leg.quote})
        volatility = view.analytics.of(contract.symbol).implied_volatility
        iv30 = view.iv30
        if quote is None or quote.credit_mid is None or quote.credit_natural is None:
            return Rejection.QUOTE_MISSING
        if volatility is None or iv30 is None:
            return Rejection.IMPLIED_VOLATILITY_UNKNOWN
        mid, natural = quote.credit_mid, quote.credit_natural
        floor = max(self.settings.credit_min, natural)
        if mid < self.settings.credit_min:
            return Rejection.CREDIT_BELOW_MINIMUM
        credit = max(assumed_credit(mid, natural, view.settings), floor)
        exposure = _shares_at_stake(structure, spot, view.settings)
        doubt = _doubt_of_value(quote, credit, exposure, view)
        if doubt is not None:
            return doubt
        return Signal(
            symbol=structure.underlying,
            strategy=self.name,
            structure=structure,
            as_of=view.as_of,
            dte=(structure.expiration - view.chain.session).days,
            underlying_price=spot,
            credit_mid=mid,
            credit_natural=natural,
            credit_min=floor,
            max_loss=spot - mid,
            leg_deltas=(leg.delta,),
            implied_volatility=iv30,
            iv_rank=view.iv_rank,
            liquidity_score=leg.liquidity,
            score=score_structure(quote, credit=credit, exposure=exposure, iv30=iv30, view=view),
            probability_of_profit=probability_of_profit(structure, credit, view.analytics),
            parameters=parameters_of(self.settings),
            leg_volatilities=(volatility,),
        )


def strategy_of(trade: Trade, strategies: Mapping[str, Strategy], settings: Settings) -> Strategy:
    """Give the strategy whose rules a trade follows now: its own, or that of its written call."""
    shares = trade.holdings.shares
    if shares is None or not is_written_call(trade.structure):
        return strategies[trade.strategy]
    return CoveredCall(settings.covered_call, shares.basis)


def _shares_at_stake(structure: Structure, spot: Decimal, settings: Settings) -> ContractExposure:
    """Measure a call by what the gap that sizes a put would cost its shares, in dollars."""
    gap = settings.cash_secured_put.gap_fraction * spot * structure.multiplier
    return ContractExposure(sizing_loss=gap, capital=Decimal(0))


def _doubt_of_value(
    quote: StructureQuote, credit: Decimal, exposure: ContractExposure, view: MarketView
) -> Rejection | None:
    structure = quote.structure
    fees = round_trip_fees(structure, leg_mids(quote), view.settings.fees) / structure.multiplier
    value = expected_value_per_share(structure, credit, fees, view.analytics)
    if value is None:
        return Rejection.EXPECTED_VALUE_UNKNOWN
    if is_too_good_to_be_true(value, exposure.sizing_loss / structure.multiplier):
        return Rejection.EXPECTED_VALUE_IMPLAUSIBLE
    return None
