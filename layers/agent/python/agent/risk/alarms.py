"""What the owner is told of limits: of the day's loss, and of limits that falling equity broke."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from agent.book.changes import LedgerEntry
from agent.book.records import Alert, AlertKind
from agent.options.money import from_cents
from agent.risk.limits import AccountLimits, DailyLoss

PERCENT = Decimal(100)


def daily_loss_alerts(loss: DailyLoss | None, session: date, at: datetime) -> tuple[Alert, ...]:
    """Tell of half the daily loss limit, or of the limit itself: each of them once a day.

    The ids are functions of the day, so that the passes and checks that find the same tell once.
    """
    if loss is None or not loss.warns:
        return ()
    name = "limit" if loss.stops_entries else "warning"
    lost = f"{loss.fraction * PERCENT:.2f} %"
    limit = f"{loss.limit_fraction * PERCENT:.2f} %"
    consequence = (
        "Nothing is entered any more today; open trades are watched as before, and may lose more."
        if loss.stops_entries
        else "Entries stop at the limit."
    )
    return (
        Alert(
            alert_id=f"daily-loss-{name}-{session:%Y%m%d}",
            kind=AlertKind.DAILY_LOSS_LIMIT,
            at=at,
            subject=f"Daily loss {name}: {lost} of a limit of {limit}",
            message=(
                f"The day's loss is {lost} of prior close equity, the limit is {limit}. "
                f"{consequence}"
            ),
        ),
    )


def streak_alert(streak: LedgerEntry, at: datetime) -> Alert:
    """Tell that a losing streak has paused entries; each pause is told once."""
    return Alert(
        alert_id=f"losing-streak-{streak.losses}",
        kind=AlertKind.SYSTEM_ERROR,
        at=at,
        subject=f"Entries are paused: {streak.losing_streak} losing trades in a row",
        message=(
            f"The last {streak.losing_streak} trades closed at a loss. Trading is set to reducing:"
            " no entries, all exits. It stays so until you say `options-agent state active`."
        ),
    )


def stale_rates_alert(sentence: str, session: date, at: datetime) -> Alert:
    """Tell once a day that the rates of the configuration are old."""
    return Alert(
        alert_id=f"stale-rates-{session:%Y%m%d}",
        kind=AlertKind.SYSTEM_ERROR,
        at=at,
        subject="The rate curve is old",
        message=sentence,
    )


def breach_alerts(
    limits: AccountLimits,
    portfolio: LedgerEntry,
    symbols: Mapping[str, LedgerEntry],
    session: date,
    at: datetime,
) -> tuple[Alert, ...]:
    """Tell of each limit that what is held has come to exceed without an entry, once a day.

    `symbols` is by symbol. The limits are those of the equity now.
    """
    sums = [("heat of the portfolio", "heat", portfolio.heat_cents, limits.heat_cents)]
    sums += [
        (
            f"capital in {symbol}",
            f"capital-{symbol}",
            entry.capital_cents,
            limits.symbol_capital_cents,
        )
        for symbol, entry in sorted(symbols.items())
    ]
    return tuple(
        Alert(
            alert_id=f"limit-breached-{name}-{session:%Y%m%d}",
            kind=AlertKind.SYSTEM_ERROR,
            at=at,
            subject=f"A limit is exceeded: {what}",
            message=(
                f"The {what} is {from_cents(cents)} USD, above the limit of "
                f"{from_cents(limit)} USD at the equity of now. Nothing that adds to it is "
                "entered until it is within the limit; exits are not affected."
            ),
        )
        for what, name, cents, limit in sums
        if cents > limit
    )
