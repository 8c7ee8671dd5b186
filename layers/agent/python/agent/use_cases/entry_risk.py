"""Measure an entry against the account and the ledger, as they stand now."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from agent.book.intents import Intent, Signal
from agent.book.records import TradeRisk
from agent.book.states import TradeStatus
from agent.config.settings import Settings
from agent.market.calendar import new_york_date
from agent.ports import Account
from agent.risk.checks import Check, Finding, RiskContext, check_entry
from agent.risk.limits import AccountLimits, DailyLoss, account_limits
from agent.risk.reservation import PORTFOLIO_KEY, STREAK_KEY, day_key, symbol_key
from agent.risk.sizing import (
    Sizing,
    kelly_fraction,
    kelly_risk_cents,
    signal_exposure,
    size_entry,
    trade_risk,
)
from agent.use_cases.book_exposure import book_exposure, signal_exposure_now
from agent.use_cases.desk import Desk

REFUSED_BY_SIZING = "sizing"


@dataclass(frozen=True)
class EntryBudget:
    """Hold what an account can bear, valued once for every entry that is sized against it."""

    settings: Settings
    limits: AccountLimits
    kelly_cents: int | None

    def size(self, signal: Signal, symbol_capital_cents: int) -> Sizing:
        """Size a signal beside what its symbol holds already, in cents of capital."""
        return size_entry(
            signal_exposure(signal, self.settings),
            self.limits,
            symbol_capital_cents=symbol_capital_cents,
            contracts_max=self.settings.risk.contracts_max,
            kelly_risk_cents=self.kelly_cents,
        )


@dataclass(frozen=True)
class EntryRisk:
    """Hold what an entry would take, and what every check finds of it."""

    session: date
    sizing: Sizing
    risk: TradeRisk
    limits: AccountLimits
    findings: tuple[Finding, ...]
    loss_of_day: DailyLoss | None
    """None where it cannot be known."""
    reservations: int
    """How many there had been when this was measured."""
    unreserved_heat_cents: int
    """By how much stress as of now exceeds the heat that is reserved."""

    @property
    def sentences(self) -> dict[str, str]:
        """Give what every check and the sizing say, by name."""
        said = {str(finding.check): finding.sentence for finding in self.findings}
        return {**said, REFUSED_BY_SIZING: self.sizing.sentence}

    def failed(self, checks: Collection[Check] = tuple(Check)) -> list[str]:
        """Name the checks among these that the entry does not pass."""
        return [
            str(finding.check)
            for finding in self.findings
            if not finding.passed and finding.check in checks
        ]


def signal_of(intent: Intent) -> Signal:
    """Give the signal of an entry; raises ValueError for an intent that enters nothing."""
    if intent.signal is None:
        raise ValueError(f"{intent.intent_id} enters nothing")
    return intent.signal


def entry_budget(desk: Desk, account: Account) -> EntryBudget:
    """Value what the account can bear now."""
    limits = account_limits(account.equity, desk.settings.risk)
    return EntryBudget(desk.settings, limits, _kelly_cents(desk, account))


def measure_entry(desk: Desk, signal: Signal, account: Account, as_of: datetime) -> EntryRisk:
    """Size a signal and evaluate every check on it."""
    session = new_york_date(as_of)
    settings = desk.settings
    symbol_entry = desk.book.ledger(symbol_key(signal.symbol))
    budget = entry_budget(desk, account)
    sizing = budget.size(signal, symbol_entry.capital_cents)
    # A trade of no contracts is refused by its sizing; the checks then look at one contract.
    risk = trade_risk(signal_exposure(signal, settings), max(1, sizing.contracts))
    # Counted first: what is reserved after this makes what is measured below out of date.
    portfolio = desk.book.ledger(PORTFOLIO_KEY)
    exposure = book_exposure(desk, as_of)
    contracts = risk.contracts_reserved
    context = RiskContext(
        equity=account.equity,
        last_equity=account.last_equity,
        session=session,
        symbol=signal.symbol,
        portfolio_entry=portfolio,
        day_entry=desk.book.ledger(day_key(session)),
        symbol_entry=symbol_entry,
        settings=settings.risk,
        streak_entry=desk.book.ledger(STREAK_KEY),
        exposure=exposure,
        entry_exposure=signal_exposure_now(desk, signal, contracts, as_of),
        cash_flows=desk.broker.cash_flows(session),
    )
    stressed = 0 if exposure is None else exposure.stressed_heat_cents
    return EntryRisk(
        session=session,
        sizing=sizing,
        risk=risk,
        limits=budget.limits,
        findings=check_entry(context, risk),
        loss_of_day=context.loss_of_day,
        reservations=portfolio.reservations,
        unreserved_heat_cents=max(stressed - portfolio.heat_cents, 0),
    )


def _kelly_cents(desk: Desk, account: Account) -> int | None:
    """Give the Kelly budget where the owner wants one and enough trades are closed."""
    risk = desk.settings.risk
    if not risk.kelly_sizing:
        return None
    pnls = [
        trade.pnl
        for trade in desk.book.all_trades()
        if trade.status is TradeStatus.CLOSED and trade.pnl is not None
    ]
    return kelly_risk_cents(kelly_fraction(pnls, risk), account.equity)
