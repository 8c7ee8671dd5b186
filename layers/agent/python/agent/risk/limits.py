"""What an account allows, in whole cents and counts."""

from dataclasses import dataclass
from decimal import Decimal

from agent.config.settings import RiskSettings
from agent.options.money import cents_down


@dataclass(frozen=True)
class AccountLimits:
    """Bound what the account may carry; each bound may be reached and not passed."""

    trade_risk_cents: int
    """Sizing loss of one new trade: the fixed-risk budget."""
    trade_capital_cents: int
    symbol_capital_cents: int
    symbol_positions: int
    heat_cents: int
    trades_per_day: int


def account_limits(equity: Decimal, risk: RiskSettings) -> AccountLimits:
    """Value the limits at an equity in dollars, each rounded down.

    An account without equity has limits of zero.
    """
    worth = max(equity, Decimal(0))
    return AccountLimits(
        trade_risk_cents=cents_down(worth * risk.trade_risk_fraction),
        trade_capital_cents=cents_down(worth * risk.trade_capital_max_fraction),
        symbol_capital_cents=cents_down(worth * risk.symbol_capital_max_fraction),
        symbol_positions=risk.symbol_positions_max,
        heat_cents=cents_down(worth * risk.heat_max_fraction),
        trades_per_day=risk.max_trades_per_day,
    )


@dataclass(frozen=True)
class DailyLoss:
    """Say how the day stands; `fraction` of prior close equity is negative on a day of gains."""

    fraction: Decimal
    limit_fraction: Decimal

    @property
    def stops_entries(self) -> bool:
        """Say whether the limit is reached."""
        return self.fraction >= self.limit_fraction

    @property
    def warns(self) -> bool:
        """Say whether half of the limit is reached."""
        return self.fraction * 2 >= self.limit_fraction


def daily_loss(
    equity: Decimal | None,
    last_equity: Decimal | None,
    risk: RiskSettings,
    *,
    cash_flows: Decimal = Decimal(0),
) -> DailyLoss | None:
    """Measure the day's loss over prior close equity; None where it cannot be known.

    loss = -(equity - prior close equity - cash flows) / prior close equity, with deposits of the
    day as positive cash flows. It stops entries; it cannot stop gaps.
    """
    if equity is None or last_equity is None or last_equity <= 0:
        return None
    change = equity - last_equity - cash_flows
    return DailyLoss(fraction=-change / last_equity, limit_fraction=risk.daily_loss_max_fraction)
