"""Measure an entry against the account and the ledger, as they stand now."""

from dataclasses import dataclass
from datetime import date, datetime

from agent.book.records import Intent, Signal, TradeRisk
from agent.book.states import TradeStatus
from agent.config.settings import Settings
from agent.market.calendar import new_york_date
from agent.ports import Account
from agent.risk.checks import Finding, RiskContext, check_entry
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
from agent.use_cases.desk import Desk


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
    context = RiskContext(
        equity=account.equity,
        last_equity=account.last_equity,
        session=session,
        symbol=signal.symbol,
        portfolio_entry=desk.book.ledger(PORTFOLIO_KEY),
        day_entry=desk.book.ledger(day_key(session)),
        symbol_entry=symbol_entry,
        settings=settings.risk,
        streak_entry=desk.book.ledger(STREAK_KEY),
        cash_flows=desk.broker.cash_flows(session),
    )
    return EntryRisk(
        session, sizing, risk, budget.limits, check_entry(context, risk), context.loss_of_day
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
