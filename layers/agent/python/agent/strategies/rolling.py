"""Where a trade rolls to: the best of what its strategy would enter now, on a roll's own terms."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from agent.book.intents import Signal
from agent.book.records import Trade
from agent.book.rolling import RollPlan
from agent.config.settings import ExitSettings, Settings
from agent.market.quotes import StructureQuote, quote_structure
from agent.risk.campaigns import campaign_loss, net_credit_floor, roll_fees
from agent.risk.limits import AccountLimits
from agent.risk.sizing import structure_exposure, trade_risk
from agent.strategies.exits import ExitRules, RollSignal
from agent.strategies.scoring import assumed_credit, leg_mids
from agent.strategies.strategy import MarketView


class RollRefusal(StrEnum):
    """Name why a candidate is no target of a roll; the value is what the journal counts."""

    NO_FURTHER_EXPIRATION = "no_further_expiration"
    CONTRACT_TAKEN = "contract_taken"
    """Another trade has one of its contracts."""
    QUOTE_MISSING = "quote_missing"
    NO_NET_CREDIT = "no_net_credit"
    BUDGET_EXCEEDED = "budget_exceeded"
    """At its new stop the campaign would lose more than its entry was sized for."""
    LIMIT_EXCEEDED = "limit_exceeded"
    """It would need more capital, or risk more, than a single trade may."""


@dataclass(frozen=True)
class RollSearch:
    """Hold what a roll is sought with: what is held, at its quote, and what bounds the search."""

    trade: Trade
    quote: StructureQuote
    """Of the structure that is held."""
    signal: RollSignal
    rules: ExitRules
    taken: Collection[str]
    """OCC symbols that other trades hold or are about to."""
    limits: AccountLimits


def may_seek(trade: Trade, exits: ExitSettings, now: datetime) -> bool:
    """Say whether a roll may be sought now: the last look is long enough ago."""
    sought_at = trade.campaign.sought_at
    return sought_at is None or now - sought_at >= timedelta(minutes=exits.roll_search_minutes)


def choose_roll(
    search: RollSearch, signals: Collection[Signal], view: MarketView
) -> RollPlan | str:
    """Choose the first of a strategy's ranked signals that a roll can go to; else say why none.

    It expires later, shares no contract with another trade, brings a net credit after fees at the
    fill that ranking assumes, and keeps the campaign's loss at its new stop within the budget of
    its entry.
    """
    if search.quote.debit_mid is None or search.quote.debit_natural is None:
        return "what is held has no two-sided quote"
    refused: Counter[str] = Counter()
    for signal in signals:
        plan = _plan(search, signal, view)
        if isinstance(plan, RollPlan):
            return plan
        refused[plan] += 1
    told = ", ".join(f"{reason} {number}" for reason, number in sorted(refused.items()))
    return told or "the strategy would enter nothing now"


def _plan(search: RollSearch, signal: Signal, view: MarketView) -> RollPlan | RollRefusal:
    if signal.structure.expiration <= search.trade.structure.expiration:
        return RollRefusal.NO_FURTHER_EXPIRATION
    if not set(search.taken).isdisjoint(signal.structure.symbols):
        return RollRefusal.CONTRACT_TAKEN
    terms = _terms(search, signal, view)
    if terms is None:
        return RollRefusal.QUOTE_MISSING
    if terms.net_assumed < terms.net_min:
        return RollRefusal.NO_NET_CREDIT
    return _bounded(search, signal, terms, view.settings)


@dataclass(frozen=True)
class _Terms:
    """State what a roll brings: dollars a share, but fees, which are dollars a contract."""

    credit: Decimal
    """Of the campaign so far."""
    fees: Decimal
    net_min: Decimal
    net_assumed: Decimal
    net_mid: Decimal


def _terms(search: RollSearch, signal: Signal, view: MarketView) -> _Terms | None:
    trade, settings = search.trade, view.settings
    target = quote_structure(signal.structure, view.chain.by_symbol)
    held, natural = search.quote.debit_mid, search.quote.debit_natural
    credit = trade.execution.credit
    if target is None or held is None or natural is None or credit is None:
        return None
    fees = roll_fees(
        trade.structure,
        leg_mids(search.quote),
        signal.structure,
        leg_mids(target),
        settings.fees,
    )
    cost = held + (natural - held) * settings.ranking.fill_fraction
    return _Terms(
        credit=credit,
        fees=fees,
        net_min=net_credit_floor(fees, signal.structure.multiplier),
        net_assumed=assumed_credit(signal.credit_mid, signal.credit_natural, settings) - cost,
        net_mid=signal.credit_mid - held,
    )


def _bounded(
    search: RollSearch, signal: Signal, terms: _Terms, settings: Settings
) -> RollPlan | RollRefusal:
    """Hold a roll against the budget of its campaign and the limits of a single trade."""
    trade, net_most = search.trade, max(terms.net_mid, terms.net_min)
    loss = campaign_loss(
        trade,
        signal.structure,
        net_credit=net_most,
        roll_fees_each=terms.fees,
        stop_loss=search.rules.stop_loss,
        fees=settings.fees,
    )
    if not loss.is_within_budget:
        return RollRefusal.BUDGET_EXCEEDED
    exposure = structure_exposure(
        signal.structure,
        credit_min=terms.credit + terms.net_min,
        credit_max=terms.credit + net_most,
        underlying_price=signal.underlying_price,
        settings=settings,
    )
    risk = trade_risk(exposure, trade.contracts_held)
    heat_most = max(search.limits.trade_risk_cents, trade.risk.heat_cents)
    if risk.heat_cents > heat_most or risk.capital_cents > search.limits.trade_capital_cents:
        return RollRefusal.LIMIT_EXCEEDED
    strikes = "/".join(f"{leg.contract.strike.normalize():f}" for leg in signal.structure.legs)
    return RollPlan(
        signal=signal,
        net_credit_min=terms.net_min,
        risk=risk,
        sentence=(
            f"{search.signal.sentence} It rolls to {strikes} "
            f"{signal.structure.expiration:%Y-%m-%d} for about {terms.net_assumed:.2f} net; at "
            f"its stop the campaign loses {loss.at_stop:.2f} USD a contract."
        ),
    )
