"""The checks before an entry: all are evaluated, and every finding is kept."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from agent.book.changes import LedgerEntry
from agent.book.records import TradeRisk
from agent.config.settings import RiskSettings
from agent.options.money import cents_down, from_cents
from agent.risk.exposure import NO_EXPOSURE, Exposure
from agent.risk.limits import AccountLimits, DailyLoss, account_limits, daily_loss
from agent.risk.reservation import STREAK_KEY

ZERO = Decimal(0)
PERCENT = Decimal(100)
NO_STREAK = LedgerEntry(STREAK_KEY)


class Check(StrEnum):
    TRADES_PER_DAY = "trades_per_day"
    DAILY_LOSS = "daily_loss"
    LOSING_STREAK = "losing_streak"
    TRADE_CAPITAL = "trade_capital"
    SYMBOL_POSITIONS = "symbol_positions"
    PORTFOLIO_HEAT = "portfolio_heat"
    SYMBOL_CAPITAL = "symbol_capital"
    BETA_DELTA = "beta_delta"
    VEGA = "vega"


MEASURED = frozenset({Check.BETA_DELTA, Check.VEGA})
"""Checks on what the book is worth now: no ledger entry bounds them."""


@dataclass(frozen=True)
class Finding:
    """Keep what one check saw; `actual` is as it would be after the entry, None where unknown.

    Money in dollars, the daily loss as a fraction of prior close equity, counts as they are.
    """

    check: Check
    passed: bool
    actual: Decimal | None
    limit: Decimal | None
    sentence: str


@dataclass(frozen=True)
class RiskContext:
    """Hold what the checks look at: the account, and the ledger with working orders in it.

    Money in dollars; None where the broker did not say.
    """

    equity: Decimal | None
    last_equity: Decimal | None
    session: date
    symbol: str
    portfolio_entry: LedgerEntry
    day_entry: LedgerEntry
    symbol_entry: LedgerEntry
    settings: RiskSettings
    cash_flows: Decimal = ZERO
    """Deposits less withdrawals of the day."""
    streak_entry: LedgerEntry = NO_STREAK
    exposure: Exposure | None = None
    """Of what is held and working, without the entry; None where it cannot be measured."""
    entry_exposure: Exposure = NO_EXPOSURE

    @property
    def limits(self) -> AccountLimits | None:
        """Value the limits; None where the account's equity is unknown."""
        return None if self.equity is None else account_limits(self.equity, self.settings)

    @property
    def loss_of_day(self) -> DailyLoss | None:
        """Measure the day's loss; None where the account's equity is unknown."""
        return daily_loss(self.equity, self.last_equity, self.settings, cash_flows=self.cash_flows)


def check_entry(context: RiskContext, proposed: TradeRisk) -> tuple[Finding, ...]:
    """Evaluate every check on an entry of that risk; none of them stops another.

    What is unknown does not pass.
    """
    limits = context.limits
    stressed = 0 if context.exposure is None else context.exposure.stressed_heat_cents
    heat = max(context.portfolio_entry.heat_cents, stressed) + proposed.heat_cents
    symbol_capital = context.symbol_entry.capital_cents + proposed.capital_cents
    return (
        _count_finding(
            Check.TRADES_PER_DAY,
            context.day_entry.entries + 1,
            context.settings.max_trades_per_day,
            f"entries on {context.session:%Y-%m-%d}",
        ),
        _daily_loss_finding(context),
        _streak_finding(context),
        _money_finding(
            Check.TRADE_CAPITAL,
            proposed.capital_cents,
            None if limits is None else limits.trade_capital_cents,
            "capital of the trade",
        ),
        _count_finding(
            Check.SYMBOL_POSITIONS,
            context.symbol_entry.positions + 1,
            context.settings.symbol_positions_max,
            f"open or working trades in {context.symbol}",
        ),
        _money_finding(
            Check.PORTFOLIO_HEAT,
            heat,
            None if limits is None else limits.heat_cents,
            "heat of the portfolio",
        ),
        _money_finding(
            Check.SYMBOL_CAPITAL,
            symbol_capital,
            None if limits is None else limits.symbol_capital_cents,
            f"capital in {context.symbol}",
        ),
        *_exposure_findings(context),
    )


def is_approved(findings: tuple[Finding, ...]) -> bool:
    """Say whether every check passed; no findings are no approval."""
    return bool(findings) and all(finding.passed for finding in findings)


def refusal(findings: tuple[Finding, ...]) -> str | None:
    """Join the sentences of the failed checks; None where none failed."""
    failed = [finding.sentence for finding in findings if not finding.passed]
    return " ".join(failed) or None


@dataclass(frozen=True)
class Pacing:
    """Say how many more entries the session's pace allows; no limit, only patience."""

    entries_left: int
    sentence: str


def pace(entries_in_session: int, settings: RiskSettings) -> Pacing:
    """Pace the entries of a session, and the signals of one scan."""
    left = max(settings.max_entries_per_session - entries_in_session, 0)
    return Pacing(
        entries_left=min(left, settings.max_signals_per_scan),
        sentence=(
            f"{entries_in_session} of {settings.max_entries_per_session} entries of this session "
            f"are made; a scan makes at most {settings.max_signals_per_scan}."
        ),
    )


def _count_finding(check: Check, actual: int, limit: int, what: str) -> Finding:
    passed = actual <= limit
    verb = "within" if passed else "above"
    return Finding(
        check=check,
        passed=passed,
        actual=Decimal(actual),
        limit=Decimal(limit),
        sentence=f"{what[0].upper()}{what[1:]} would be {actual}, {verb} the limit of {limit}.",
    )


def _money_finding(check: Check, cents: int, limit_cents: int | None, what: str) -> Finding:
    subject = f"{what[0].upper()}{what[1:]}"
    actual = from_cents(cents)
    if limit_cents is None:
        return Finding(
            check=check,
            passed=False,
            actual=actual,
            limit=None,
            sentence=f"{subject} would be {actual} USD; the account's equity is unknown.",
        )
    passed = cents <= limit_cents
    limit = from_cents(limit_cents)
    verb = "within" if passed else "above"
    return Finding(
        check=check,
        passed=passed,
        actual=actual,
        limit=limit,
        sentence=f"{subject} would be {actual} USD, {verb} the limit of {limit} USD.",
    )


def _daily_loss_finding(context: RiskContext) -> Finding:
    limit = context.settings.daily_loss_max_fraction
    loss = context.loss_of_day
    if loss is None:
        return Finding(
            check=Check.DAILY_LOSS,
            passed=False,
            actual=None,
            limit=limit,
            sentence="The day's loss is unknown: equity now or at the prior close is missing.",
        )
    relation = "at or above" if loss.stops_entries else "below"
    return Finding(
        check=Check.DAILY_LOSS,
        passed=not loss.stops_entries,
        actual=loss.fraction,
        limit=limit,
        sentence=(
            f"The day's loss is {loss.fraction * PERCENT:.2f} % of prior close equity, "
            f"{relation} the limit of {limit * PERCENT:.2f} %."
        ),
    )


def _exposure_findings(context: RiskContext) -> tuple[Finding, Finding]:
    after = None if context.exposure is None else context.exposure + context.entry_exposure
    risk = context.settings
    return (
        _cap_finding(
            Check.BETA_DELTA,
            None if after is None else after.delta,
            _share(context.equity, risk.delta_max_fraction),
            "by a 1 % move of SPY",
        ),
        _cap_finding(
            Check.VEGA,
            None if after is None else after.vega,
            _share(context.equity, risk.vega_max_fraction),
            "by a point of implied volatility",
        ),
    )


def _share(equity: Decimal | None, fraction: Decimal) -> Decimal | None:
    return None if equity is None else from_cents(cents_down(max(equity, ZERO) * fraction))


def _cap_finding(check: Check, actual: Decimal | None, limit: Decimal | None, move: str) -> Finding:
    if actual is None or limit is None:
        return Finding(
            check=check,
            passed=False,
            actual=actual,
            limit=limit,
            sentence=f"What the book would gain or lose {move} is unknown.",
        )
    passed = abs(actual) <= limit
    verb = "within" if passed else "beyond"
    return Finding(
        check=check,
        passed=passed,
        actual=actual,
        limit=limit,
        sentence=f"The book would move by {actual} USD {move}, {verb} the limit of {limit} USD.",
    )


def _streak_finding(context: RiskContext) -> Finding:
    limit, streak = context.settings.losing_streak_max, context.streak_entry.losing_streak
    passed = limit == 0 or streak < limit
    pauses = f"{limit} pause entries" if limit else "no number of them pauses entries"
    return Finding(
        check=Check.LOSING_STREAK,
        passed=passed,
        actual=Decimal(streak),
        limit=Decimal(limit) if limit else None,
        sentence=f"{streak} trades closed at a loss in a row; {pauses}.",
    )
