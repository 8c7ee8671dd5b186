"""Watch the account in every pass: the day's loss, and limits that were broken without an entry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from agent.book.changes import BookChange
from agent.book.records import Trade
from agent.market.calendar import new_york_date
from agent.market.rates import stale_rates
from agent.risk.alarms import breach_alerts, daily_loss_alerts, stale_rates_alert
from agent.risk.limits import DailyLoss, account_limits, daily_loss
from agent.risk.reservation import PORTFOLIO_KEY, symbol_key
from agent.use_cases.desk import Desk
from agent.use_cases.losing_streak import pause_on_losing_streak


@dataclass(frozen=True)
class AccountStanding:
    """Say how the account stands; `limits_breached` counts what the owner was told of."""

    loss_of_day: DailyLoss | None
    limits_breached: int


def watch_account(desk: Desk, active: Sequence[Trade], now: datetime) -> AccountStanding:
    """Measure the account against its limits as valued now, and tell of what is broken.

    Entries need no stopping but for a losing streak: each is checked against the same figures.
    """
    session, settings = new_york_date(now), desk.settings.risk
    account = desk.broker.account()
    loss = daily_loss(
        account.equity,
        account.last_equity,
        settings,
        cash_flows=desk.broker.cash_flows(session),
    )
    symbols = sorted({trade.symbol for trade in active})
    breached = breach_alerts(
        account_limits(account.equity, settings),
        desk.book.ledger(PORTFOLIO_KEY),
        {symbol: desk.book.ledger(symbol_key(symbol)) for symbol in symbols},
        session,
        now,
    )
    pause_on_losing_streak(desk, now)
    alerts = (*daily_loss_alerts(loss, session, now), *breached)
    stale = stale_rates(desk.settings.market, session)
    if stale is not None:
        alerts = (*alerts, stale_rates_alert(stale, session, now))
    if alerts:
        desk.book.commit(BookChange(alerts=alerts))
    return AccountStanding(loss, len(breached))
